//! Our agents and real `serf` agents in one pool, over loopback.
//!
//! Without a `serf` in the path the tests pass without doing anything, and say so; with
//! `SWIM_REQUIRE_SERF=1` they fail.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agent_configs;
mod agent_crashes;
#[cfg(target_os = "linux")]
mod agent_discovers;
mod agent_figures;
mod agent_files;
mod agent_handlers;
mod agent_queues;
mod agent_runs;
mod agent_signals;
mod cli;
mod cli_agents;
mod compression;
mod encrypted;
mod events;
mod examples;
mod failing;
mod guide;
mod join;
mod keys;
mod ours;
mod queries;
mod rpc;
mod serf;
mod serve;
mod statsd;
mod steady;
mod streams;
