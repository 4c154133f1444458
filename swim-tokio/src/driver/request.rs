//! What handles ask of the driver.

use std::net::SocketAddr;

use swim_core::keyring::Keyring;
use swim_core::{Command, Outcome, Seat};
use tokio::sync::oneshot;

use super::Reply;
use crate::snapshot::{AgentStats, Snapshot};

#[derive(Debug)]
pub(crate) enum Request {
    Command { command: Command, done: Reply<Outcome> },
    Join { seats: Vec<Seat>, done: Reply<JoinReport> },
    Members(oneshot::Sender<Snapshot>),
    Stats(oneshot::Sender<AgentStats>),
    Keyring(oneshot::Sender<Keyring>),
    Stop,
}

/// How a join ended.
#[derive(Debug, Default)]
pub(crate) struct JoinReport {
    pub(crate) reached: u32,
    /// Those that failed, and why.
    pub(crate) failures: Vec<(SocketAddr, String)>,
}
