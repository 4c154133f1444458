//! Figures of the agent: a page for Prometheus, lines for statsd and statsite.

mod page;
mod push;
mod sample;
mod send;
mod server;

pub(super) use page::page;
pub(super) use push::Push;
pub(super) use server::serve;
