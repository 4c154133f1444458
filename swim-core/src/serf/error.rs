//! Why a Serf node refused an input.

use core::fmt;

use crate::wire::serf::TooLong;

/// The whole input was refused, and nothing has changed. Where Serf's clients show the reason, it
/// has Serf's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejected {
    /// The bare node refused it.
    Swim(crate::Rejected),
    /// A user event, a query or a response is too long.
    TooLong(TooLong),
    /// The node is leaving already.
    LeaveInProgress,
    /// The node has left, or is leaving, and joins nobody.
    NotAlive,
    /// The version of Serf's protocol that this node speaks has no queries.
    NoQueries(u8),
    /// The query was answered before.
    AlreadyResponded,
    /// The time of the query is over, or it was never asked.
    PastDeadline,
    /// More queries of this node's own are under way than may be; the bound.
    Busy(u32),
    /// A query to change keys has no payload, on which every Serf crashes.
    EmptyKeyRequest,
    /// The command of the bare node is not for the embedder of a Serf node.
    Reserved,
    /// The knob of this name cannot change while the node runs.
    FixedKnob(&'static str),
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Swim(e) => e.fmt(f),
            Self::TooLong(e) => e.fmt(f),
            Self::LeaveInProgress => f.write_str("Leave already in progress"),
            Self::NotAlive => f.write_str("Serf can't Join after Leave or Shutdown"),
            Self::NoQueries(protocol) => {
                write!(f, "Feature not supported: protocol {protocol} has no queries")
            }
            Self::AlreadyResponded => f.write_str("response already sent"),
            Self::PastDeadline => f.write_str("response is past the deadline"),
            Self::Busy(max) => write!(f, "more than {max} queries under way"),
            Self::EmptyKeyRequest => f.write_str("a query to change keys needs a payload"),
            Self::Reserved => f.write_str("the Serf layer gives this command itself"),
            Self::FixedKnob(knob) => write!(f, "{knob} cannot change while the node runs"),
        }
    }
}

impl core::error::Error for Rejected {}

impl From<crate::Rejected> for Rejected {
    fn from(e: crate::Rejected) -> Self {
        Self::Swim(e)
    }
}

impl From<TooLong> for Rejected {
    fn from(e: TooLong) -> Self {
        Self::TooLong(e)
    }
}
