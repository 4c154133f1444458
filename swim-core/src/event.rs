//! What a node tells its embedder.

use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use bytes::Bytes;

use crate::ids::{Incarnation, NodeName, OpId};
use crate::member::{Member, State};

/// Something happened. Events about one member come in order; see architecture 3.12.
// New variants stand at the end: digests of journals count where a variant stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Event {
    /// A member joined, or came back.
    Up(Member),
    /// A member failed or left.
    Down {
        /// The member; its state says the same as `cause`.
        member: Member,
        /// Which of the two.
        cause: Cause,
        /// Whose word it was, if [`Config::evidence_events`](crate::Config::evidence_events) is on.
        by: Option<NodeName>,
    },
    /// A live member changed its metadata, versions or address.
    Changed(Member),
    /// A failed or left member was forgotten.
    Reaped(Member),
    /// A member is suspected. Raised only with `evidence_events`.
    Suspected {
        /// The member.
        member: Member,
        /// Who accuses it.
        by: NodeName,
        /// How the accuser knows.
        evidence: Evidence,
    },
    /// A suspected member proved to be alive. Raised only with `evidence_events`.
    Trusted(Member),
    /// This node answered an accusation. Raised only with `evidence_events`.
    Refuted(Incarnation),
    /// A second node claims the name of a member; the claim was ignored.
    Conflict {
        /// The member that holds the name.
        existing: Member,
        /// The claim.
        other: Member,
    },
    /// A user message arrived.
    Message {
        /// Who sent it to this node; a broadcast's origin is the application's to say.
        from: SocketAddr,
        /// How it came.
        via: Via,
        /// What the sender's application wrote.
        payload: Bytes,
    },
    /// A member answered a probe in time, and by itself. Raised only with
    /// [`Config::rtt_events`](crate::Config::rtt_events).
    Rtt {
        /// The member.
        member: Member,
        /// Time between ping and ack.
        rtt: Duration,
        /// What the member's application put into the ack.
        payload: Bytes,
    },
    /// A push/pull brought the application state of another node.
    RemoteState {
        /// Whether it was part of a join.
        join: bool,
        /// What the other's application wrote.
        payload: Bytes,
    },
    /// The keyring changed; store it and answer with
    /// [`Command::KeyringSaved`](crate::Command::KeyringSaved).
    KeyringChanged(OpId),
    /// A command came to its end.
    Done {
        /// Which command.
        op: OpId,
        /// How it ended.
        outcome: Outcome,
    },
    /// This many events were dropped because nobody fetched them: read
    /// [`Node::members`](crate::Node::members) afresh.
    Lagged(u64),
    /// One more node accuses a suspected member, which shortens its suspicion. Raised only with
    /// `evidence_events`.
    Confirmed {
        /// The member.
        member: Member,
        /// Who accuses it, too.
        by: NodeName,
        /// How that node's word came, or how this node knows.
        evidence: Evidence,
    },
    /// Somebody accuses this node, which refutes it. Raised only with `evidence_events`, right
    /// before [`Event::Refuted`].
    Accused {
        /// Who. That it left is said in this node's own name; of a push/pull it is not known who
        /// says it, and it is this node, too.
        by: NodeName,
        /// How the word came.
        evidence: Evidence,
        /// What this node is said to be: suspect, dead or left.
        claimed: State,
    },
}

/// Why a member is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_enums, reason = "the wire format knows these two")]
pub enum Cause {
    /// It stopped answering.
    Failed,
    /// It said that it leaves.
    Left,
}

/// How the accuser of a suspect knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Evidence {
    /// This node's own probe found it silent: directly, and by every way below.
    Probe {
        /// Through how many helpers it was asked, too.
        helpers: u32,
        /// How many of them said that they had no answer; the others said nothing.
        nacks: u32,
        /// Whether it was asked by stream, too.
        stream: bool,
    },
    /// Another node's word, by gossip.
    Gossip,
    /// A push/pull showed it as dead or suspect.
    PushPull,
}

/// How a user message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Via {
    /// In a datagram: broadcast, or sent to this node.
    Datagram,
    /// By a stream, sent to this node.
    Stream,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Outcome {
    /// A join reached `reached` of the seeds and failed with `failed`; 0 reached is a failed join.
    Joined {
        /// Seeds that exchanged state.
        reached: u32,
        /// Seeds that did not, and why, in the order in which they failed.
        failed: Vec<(SocketAddr, ExchangeError)>,
    },
    /// This node has left, and said so often enough.
    Left,
    /// A broadcast was sent as often as it will be.
    Sent,
    /// A newer broadcast of the same key took its place, or another address or a leave that of a
    /// change of address.
    Displaced,
    /// The lane was full, and this broadcast had been sent most often; or a new key or
    /// configuration leaves no datagram with room for it.
    Dropped,
    /// The pinged node answered after this time.
    Pong(Duration),
    /// The pinged node did not answer in time.
    NoAnswer,
    /// A reliable message was handed over.
    Delivered,
    /// A stream exchange failed.
    Failed(ExchangeError),
    /// The command took effect.
    Applied,
    /// The embedder could not store the keyring.
    NotSaved,
}

/// Why a stream exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum ExchangeError {
    /// Nobody accepts streams there.
    Refused,
    /// The deadline passed.
    TimedOut,
    /// The stream broke, or the other side closed it without an answer.
    Closed,
    /// The answer does not decode, decrypt or carry the right label.
    Malformed,
    /// The other side answered with an error message.
    Remote,
    /// This node's policy refuses the other side's members.
    Vetoed,
    /// No member of the other side speaks a version that this node speaks.
    Incompatible,
    /// Too many exchanges are under way.
    Busy,
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused",
            Self::TimedOut => "timed out",
            Self::Closed => "closed without an answer",
            Self::Malformed => "the answer is malformed or of another cluster",
            Self::Remote => "the other side answered with an error",
            Self::Vetoed => "the policy refuses the other side's members",
            Self::Incompatible => "no member of the other side speaks a compatible version",
            Self::Busy => "too many exchanges are under way",
        })
    }
}

impl core::error::Error for ExchangeError {}
