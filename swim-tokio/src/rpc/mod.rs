//! Serf's agent protocol: how the `serf` command line, and everything else that was written for it,
//! speaks to an agent (default TCP 127.0.0.1:7373).
//!
//! [`Client`] speaks to an agent, be it ours or Serf's; [`Server`] answers, for whatever is a
//! [`Backend`]; [`wire`] has the messages. Sections are those of chapter 8 of the Serf
//! specification.

mod client;
mod server;
mod session_error;
pub mod wire;

pub use client::{Client, ClientBuilder, ClientError, Record, Records};
pub use server::{
    AgentEvent, Backend, BadFilter, EventFilter, Feed, JoinOutcome, KeyOutcome, KeyRequest,
    LogLevel, LogTap, QueryToken, Server, ServerConfig, ServerStats,
};
