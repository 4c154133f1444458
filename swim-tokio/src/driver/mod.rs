//! The task that owns the node.

mod datagrams;
mod keys;
mod ops;
mod outlet;
mod request;
mod streams;
mod task;

pub(crate) use datagrams::{Datagrams, Ignore};
pub(crate) use keys::KeySaver;
pub(crate) use ops::Ops;
pub(crate) use outlet::Outlet;
pub(crate) use request::{JoinReport, Request};
pub(crate) use streams::Streams;
pub(crate) use task::Driver;
