//! The Serf layer of ours against real `serf` agents, one test for each row of the acceptance list:
//! `docs/serf-acceptance.md` says which.
//!
//! Without a `serf` in the path the tests pass without doing anything, and say so; with
//! `SWIM_REQUIRE_SERF=1` they fail.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agents;
mod cluster;
mod coordinates;
mod diary;
mod events;
mod hostile;
mod keys;
mod leaving;
mod membership;
mod names;
mod ours;
mod queries;
#[path = "../interop/serf.rs"]
mod serf;
mod tags;
mod traffic;
