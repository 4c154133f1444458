//! Two or three of our own agents, over loopback.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bounds;
mod journal;
mod keys;
mod log;
mod membership;
mod messages;
mod snapshot;
mod sockets;
mod support;
mod wire;
