//! What handles ask of the driver, and what they get.

use bytes::Bytes;
use swim_core::coordinate::Coordinate;
use swim_core::keyring::Keyring;
use swim_core::serf::{Command, Info, Member, Outcome, QueryParams, SerfStats};
use swim_core::{Seat, Stats};
use tokio::sync::oneshot;

use super::query::Answers;
use crate::counters::DriverStats;
use crate::driver::{JoinReport, Reply};

#[derive(Debug)]
pub(crate) enum SerfRequest {
    Command {
        command: Command,
        done: Reply<Outcome>,
    },
    /// The command joins by these seats.
    Join {
        seats: Vec<Seat>,
        command: Command,
        done: Reply<JoinReport>,
    },
    Query {
        name: String,
        payload: Bytes,
        params: QueryParams,
        done: Reply<Answers>,
    },
    Me(oneshot::Sender<Member>),
    Members(oneshot::Sender<SerfSnapshot>),
    Stats(oneshot::Sender<SerfAgentStats>),
    Keyring(oneshot::Sender<Keyring>),
    Coordinate {
        name: String,
        reply: oneshot::Sender<Option<Coordinate>>,
    },
    Stop,
}

/// The members at one moment, and this node among them.
#[derive(Clone, Debug)]
pub struct SerfSnapshot {
    pub(crate) me: Member,
    pub(crate) members: Vec<Member>,
}

impl SerfSnapshot {
    /// This node.
    pub const fn me(&self) -> &Member {
        &self.me
    }

    /// Every member that is known: this node, the failed and the left included.
    pub fn all(&self) -> &[Member] {
        &self.members
    }

    /// The member of this name. Looks at every one.
    pub fn get(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name() == name)
    }
}

/// What was counted so far, and the state of the Serf layer in numbers.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SerfAgentStats {
    /// What `serf info` prints of the Serf layer.
    pub info: Info,
    /// Counted by the Serf layer.
    pub serf: SerfStats,
    /// Counted by the node.
    pub node: Stats,
    /// Counted by the driver.
    pub driver: DriverStats,
}
