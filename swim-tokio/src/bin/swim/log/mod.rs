//! The log: lines on standard error in Serf's form or as JSON, to whoever monitors the agent, and
//! to the system's log.

mod line;
mod logger;
#[cfg(unix)]
mod syslog;
mod writer;

pub(crate) use line::Date;
pub(crate) use logger::{Log, Sinks, start};
#[cfg(unix)]
pub(crate) use syslog::Syslog;
