//! The agent protocol, against recorded conversations of real agents and clients.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(feature = "agent")]
mod cli;
mod codec;
mod limits;
mod replay;
mod script;
mod scripted;
mod vectors;
