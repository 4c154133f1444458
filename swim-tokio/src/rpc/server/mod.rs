//! Answering the agent protocol.

mod backend;
mod counters;
mod feed;
mod filter;
mod listener;
mod log_tap;
mod members;
mod session;
mod streams;

pub use backend::{AgentEvent, Backend, JoinOutcome, KeyOutcome, KeyRequest, QueryToken};
pub use counters::ServerStats;
pub use feed::Feed;
pub use filter::{BadFilter, EventFilter};
pub use listener::{Server, ServerConfig};
pub use log_tap::{LogLevel, LogTap};
