//! The agent protocol, against recorded conversations of real agents and clients.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod codec;
mod vectors;
