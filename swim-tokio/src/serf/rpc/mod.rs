//! A Serf agent behind the server of the agent protocol.

mod backend;
mod convert;
mod keys;
mod log;
mod why;

pub use backend::SerfBackend;
