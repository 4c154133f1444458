//! The task that owns the node.

mod datagrams;
mod desk;
mod keys;
mod machine;
mod ops;
mod outlet;
mod request;
mod streams;
mod task;

pub(crate) use datagrams::{Datagrams, Ignore};
pub(crate) use desk::{BareDesk, Desk, Next};
pub(crate) use keys::KeySaver;
pub(crate) use machine::{Machine, Told};
pub(crate) use ops::{Ops, Reply};
pub(crate) use outlet::Outlet;
pub(crate) use request::{JoinReport, Request};
pub(crate) use streams::Streams;
pub(crate) use task::Driver;
