//! What the protocol's server needs of the agent behind it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::rpc::wire::{
    Accusation, Coordinate, KeyReport, Member, MemberChange, Query, QueryRecord, Stats, UserEvent,
};

/// An agent, as the protocol sees it. An error is the text that the client is told.
///
/// Methods are called from many connections at a time.
pub trait Backend: Send + Sync + 'static {
    /// All members, whatever their status.
    fn members(&self) -> impl Future<Output = Vec<Member>> + Send;

    /// Joins the nodes at these addresses.
    fn join(&self, existing: Vec<String>, replay: bool)
    -> impl Future<Output = JoinOutcome> + Send;

    /// Leaves the cluster.
    fn leave(&self) -> impl Future<Output = Result<(), String>> + Send;

    /// Called when the client has been told that the agent has left: the agent ends now.
    fn stop(&self);

    /// Makes a failed member one that has left.
    fn force_leave(
        &self,
        node: String,
        prune: bool,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// Sends a user event.
    fn event(&self, event: UserEvent) -> impl Future<Output = Result<(), String>> + Send;

    /// Changes the tags of this node; deletes first.
    fn tags(
        &self,
        set: std::collections::BTreeMap<String, String>,
        delete: Vec<String>,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// Asks a query. What nodes answer comes out of the receiver, which ends with the time for
    /// answers; nobody sends [`QueryRecord::Done`] into it.
    fn query(
        &self,
        query: Query,
    ) -> impl Future<Output = Result<mpsc::Receiver<QueryRecord>, String>> + Send;

    /// Answers a query that the feed told of.
    fn respond(
        &self,
        query: QueryToken,
        payload: Bytes,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// Asks all members for their keys, or to change them.
    fn keys(&self, request: KeyRequest) -> impl Future<Output = KeyOutcome> + Send;

    /// Figures, by section.
    fn stats(&self) -> impl Future<Output = Stats> + Send;

    /// Where a node lies, if that is known.
    fn coordinate(&self, node: String) -> impl Future<Output = Option<Coordinate>> + Send;

    /// What was said of a node that may have failed, in order. Serf's agents do not tell.
    fn why(&self, node: String) -> impl Future<Output = Vec<Accusation>> + Send {
        let _ = node;
        std::future::ready(Vec::new())
    }
}

/// How a join ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the two parts of the answer")]
pub struct JoinOutcome {
    /// How many nodes were reached.
    pub reached: u32,
    /// Why it failed; empty if it did not.
    pub error: String,
}

/// How a command about keys ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the two parts of the answer")]
pub struct KeyOutcome {
    /// What the nodes answered.
    pub report: KeyReport,
    /// Why it failed; empty if it did not.
    pub error: String,
}

/// A command about keys, which are in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has these four")]
pub enum KeyRequest {
    /// Give all nodes this key.
    Install(String),
    /// Seal with this key.
    Use(String),
    /// Take this key away.
    Remove(String),
    /// Tell which keys there are.
    List,
}

/// Names a query towards the backend, which chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a number that only the backend understands")]
pub struct QueryToken(pub u64);

/// Something that streams tell of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AgentEvent {
    /// Something happened to members.
    Members {
        /// What.
        change: MemberChange,
        /// To whom.
        members: Arc<[Member]>,
    },
    /// A user event.
    User {
        /// By the clock of events.
        ltime: u64,
        /// Its name.
        name: String,
        /// Its payload.
        payload: Bytes,
        /// Whether a later one of the same name may stand for it.
        coalesce: bool,
    },
    /// A query that may be answered.
    Query {
        /// What [`Backend::respond`] knows it by.
        token: QueryToken,
        /// By the clock of queries.
        ltime: u64,
        /// Its name.
        name: String,
        /// Its payload.
        payload: Bytes,
        /// How long answers are taken from now on.
        timeout: Duration,
    },
}
