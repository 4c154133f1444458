//! What an embedder can ask of a Serf node.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use crate::input::Seat;
use crate::serf::{QueryId, SerfConfig, Tags};

/// One input of [`Serf::handle`](crate::serf::Serf::handle): that of a bare node, with commands of
/// Serf's.
pub type Input<'a> = crate::input::Input<'a, Command>;

/// What an embedder can ask of a Serf node. Each ends with
/// [`Event::Done`](crate::serf::Event::Done).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Push/pull with each of these, and tell the cluster of the join if one was reached; ends with
    /// [`Outcome::Joined`](crate::serf::Outcome::Joined).
    Join {
        /// Whom to join by.
        seats: Vec<Seat>,
        /// Whether user events from before the join are delivered.
        replay: bool,
    },
    /// Say that this node leaves, then leave; ends with
    /// [`Outcome::Left`](crate::serf::Outcome::Left). The node goes on answering until its driver
    /// stops it.
    Leave,
    /// Say of another node that it leaves: one that failed has then left. A node that is there
    /// refutes it. A name that nobody knows is no mistake.
    ForceLeave {
        /// Its name.
        name: String,
        /// Forget it at once.
        prune: bool,
    },
    /// Replace the tags.
    SetTags(Tags),
    /// Send an event to every member.
    UserEvent {
        /// What happened.
        name: String,
        /// The application's bytes.
        payload: Bytes,
        /// Of several with this name that come at about the same time, the last is enough.
        coalesce: bool,
    },
    /// Ask every member that passes the filters; ends with
    /// [`Outcome::Answered`](crate::serf::Outcome::Answered) when its time is over.
    Query {
        /// What is asked; the prefix `_serf_` is Serf's own.
        name: String,
        /// The application's bytes.
        payload: Bytes,
        /// Whom, how, how long.
        params: QueryParams,
    },
    /// Answer a query, once.
    Respond {
        /// From [`QueryEvent`](crate::serf::QueryEvent).
        query: QueryId,
        /// The answer.
        payload: Bytes,
    },
    /// Answers [`Event::KeyringChanged`](crate::serf::Event::KeyringChanged): whether the change
    /// was stored.
    KeyringSaved(bool),
    /// Replace the configuration. A knob that is fixed while running refuses the whole.
    Reload(Arc<SerfConfig>),
    /// A command of the bare node that Serf leaves to the embedder: a ping, a new address, a change
    /// of this node's own keyring. Ends with [`Outcome::Swim`](crate::serf::Outcome::Swim).
    Swim(crate::input::Command),
    /// Push/pull with each of these, as a member that was there in an earlier life: user events are
    /// delivered as after [`resume`](crate::serf::Serf::resume), and the cluster is told nothing,
    /// unless one of them knows a word about this node that is later than that life. Ends with
    /// [`Outcome::Joined`](crate::serf::Outcome::Joined).
    Rejoin(Vec<Seat>),
}

/// Who shall answer a query, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryParams {
    /// Names of the nodes that shall answer; empty is all.
    pub nodes: Vec<String>,
    /// Tags, and the regular expressions that must match somewhere in their values.
    pub tags: Vec<(String, String)>,
    /// Whether each node that gets the query shall say so.
    pub ack: bool,
    /// By how many other members an answer is sent besides directly.
    pub relay_factor: u8,
    /// How long to wait; `None` is
    /// [`Serf::default_query_timeout`](crate::serf::Serf::default_query_timeout).
    pub timeout: Option<Duration>,
}

impl QueryParams {
    /// All nodes, no acks, no relays, and the default time.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks only the nodes of these names.
    #[must_use]
    pub fn nodes<N: Into<String>>(mut self, nodes: impl IntoIterator<Item = N>) -> Self {
        self.nodes.extend(nodes.into_iter().map(Into::into));
        self
    }

    /// Asks only nodes for whose tag of this name the regular expression matches.
    #[must_use]
    pub fn tag(mut self, name: impl Into<String>, regex: impl Into<String>) -> Self {
        self.tags.push((name.into(), regex.into()));
        self
    }

    /// Whether each node that gets the query shall say so.
    #[must_use]
    pub const fn ack(mut self, ack: bool) -> Self {
        self.ack = ack;
        self
    }

    /// By how many other members an answer is sent besides directly.
    #[must_use]
    pub const fn relay_factor(mut self, relay_factor: u8) -> Self {
        self.relay_factor = relay_factor;
        self
    }

    /// How long to wait; zero is the default time.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        self
    }
}
