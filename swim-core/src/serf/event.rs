//! What a Serf node tells its embedder.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use bytes::Bytes;

use crate::event::{self, Evidence, ExchangeError};
use crate::ids::{NodeName, OpId};
use crate::member::State;
use crate::serf::Member;
use crate::time::Instant;

/// Something happened.
// New variants stand at the end: digests of journals count where a variant stands.
#[derive(Clone, Debug, PartialEq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// Something became of members: of one, or of several if member events are coalesced.
    Members {
        /// What.
        change: Change,
        /// Of whom; never nobody.
        members: Vec<Member>,
    },
    /// An application's event.
    User(UserEvent),
    /// A question that this node should answer, with
    /// [`Command::Respond`](crate::serf::Command::Respond).
    Query(QueryEvent),
    /// A node has got a query of this node's own.
    Ack {
        /// The command that asked.
        op: OpId,
        /// Who.
        from: NodeName,
    },
    /// A node answered a query of this node's own.
    Response {
        /// The command that asked.
        op: OpId,
        /// Who.
        from: NodeName,
        /// What it said.
        payload: Bytes,
    },
    /// The keyring changed; store it and answer with
    /// [`Command::KeyringSaved`](crate::serf::Command::KeyringSaved) of the same number. A query of
    /// another node may wait for the answer.
    KeyringChanged(OpId),
    /// A second node claims the name of a member; the claim was ignored.
    Conflict {
        /// The member that holds the name.
        existing: Member,
        /// The claim.
        other: Member,
    },
    /// The cluster takes another node for the owner of this node's name: stop, without leaving.
    Outvoted {
        /// Nodes that answered.
        votes: u32,
        /// Nodes that answered with the address of this one.
        matching: u32,
    },
    /// A command came to its end.
    Done {
        /// Which command.
        op: OpId,
        /// How it ended.
        outcome: Outcome,
    },
    /// This many events were dropped because nobody fetched them: read
    /// [`Serf::members`](crate::serf::Serf::members) afresh.
    Lagged(u64),
    /// Somebody accuses a member, or it is over. Raised only with
    /// [`Config::evidence_events`](crate::Config::evidence_events), and never gathered.
    Evidence {
        /// The member.
        member: Member,
        /// What is said of it.
        finding: Finding,
    },
    /// Many broadcasts of one kind wait to be gossiped, or some were dropped since too many did. It
    /// is told every [`queue_check_interval`](crate::serf::SerfConfig::queue_check_interval) while
    /// that is so.
    QueueDeep {
        /// Of which kind.
        queue: Queue,
        /// How many wait now.
        waiting: usize,
        /// How many were dropped since it was last looked.
        dropped: u64,
        /// As many as may wait.
        waiting_max: u32,
    },
    /// A query is heard for the first time: one of this node's own, one that Serf itself answers or
    /// one that is for others, too. What is to be answered follows as [`Event::Query`]. Raised only
    /// with [`Config::evidence_events`](crate::Config::evidence_events), and never gathered.
    QueryHeard {
        /// What is asked. What is not UTF-8 is replaced.
        name: String,
    },
    /// A node asked for a change of the keys that this node refuses. Raised only with
    /// [`Config::evidence_events`](crate::Config::evidence_events), and never gathered.
    KeyRefused {
        /// The query, such as `_serf_remove-key`.
        query: String,
        /// What the node that asked is told.
        why: String,
    },
}

/// What waits to be gossiped, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_enums, reason = "Serf has these three queues")]
pub enum Queue {
    /// Words of members that join or leave.
    Intent,
    /// Queries.
    Query,
    /// User events.
    Event,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Intent, Self::Query, Self::Event];
}

/// What became of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_enums, reason = "the agent protocol knows these five")]
pub enum Change {
    /// It joined, or came back.
    Join,
    /// It is gone, as was said.
    Leave,
    /// It is gone, and nobody said so.
    Failed,
    /// Its tags or versions changed.
    Update,
    /// It was forgotten.
    Reap,
}

/// What is said of a member that may have failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// It is suspected, or one more node accuses it.
    Suspected {
        /// Who accuses it.
        by: NodeName,
        /// How the accuser's word came, or how this node knows.
        evidence: Evidence,
    },
    /// It proved to be alive.
    Trusted,
    /// It failed or left.
    Down {
        /// Whose word it was: that of a suspicion that ended is the first accuser's.
        by: Option<NodeName>,
    },
    /// The member is this node itself, and it refutes what was said of it.
    Refuted {
        /// Who said it. That it left is said in its own name; of a push/pull it is not known who
        /// said it, and it is this node, too.
        by: NodeName,
        /// How the word came.
        evidence: Evidence,
        /// What it was said to be: suspect, dead or left.
        claimed: State,
    },
}

/// An application's event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct UserEvent {
    /// Its Lamport time.
    pub ltime: u64,
    /// What happened. What is not UTF-8 is replaced.
    pub name: String,
    /// The application's bytes.
    pub payload: Bytes,
    /// Of several with this name that come at about the same time, the last is enough.
    pub coalesce: bool,
}

/// A question of another node, or of this node itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct QueryEvent {
    /// For [`Command::Respond`](crate::serf::Command::Respond).
    pub id: QueryId,
    /// Its Lamport time.
    pub ltime: u64,
    /// What is asked. What is not UTF-8 is replaced.
    pub name: String,
    /// The application's bytes.
    pub payload: Bytes,
    /// Who asks; empty if it does not say.
    pub source: String,
    /// No answer is taken after this.
    pub deadline: Instant,
}

/// A query that can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub(crate) u64);

impl QueryId {
    /// The number, unique within a node.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// A join reached `reached` of the seeds and failed with `failed`; 0 reached is a failed join.
    Joined {
        /// Seeds that exchanged state.
        reached: u32,
        /// Seeds that did not, and why, in the order in which they failed.
        failed: Vec<(SocketAddr, ExchangeError)>,
    },
    /// This node has left.
    Left,
    /// The command took effect; what it had to tell was told.
    Applied,
    /// The command took effect, but what it had to tell was not told often enough in
    /// [`broadcast_timeout`](crate::serf::SerfConfig::broadcast_timeout).
    TimedOut,
    /// The time of a query is over.
    Answered {
        /// Nodes that acknowledged it.
        acks: u32,
        /// Nodes that answered it.
        responses: u32,
    },
    /// A command of the bare node ended.
    Swim(event::Outcome),
}
