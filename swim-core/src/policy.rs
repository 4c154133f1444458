//! What only the embedder can decide.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use crate::ids::{Addr, NodeName};
use crate::member::{Member, State, Versions};

/// Decisions that need the embedder's knowledge: pure functions, each with a default.
///
/// The node calls them during [`Node::handle`](crate::Node::handle). An implementation must not
/// depend on time, randomness or other state, since a replay asks it nothing: its verdicts are in
/// the journal.
pub trait Policy: Send + Sync {
    /// Whether these members may enter the table (memberlist's alive and merge delegates).
    ///
    /// `Err` refuses the whole list; the text is told to the peer of a push/pull.
    fn admit(
        &self,
        me: &Member,
        candidates: &[Candidate<'_>],
        why: Admission,
    ) -> Result<(), String> {
        let _ = (me, candidates, why);
        Ok(())
    }

    /// Whether the member of this name may be pinged over a stream.
    fn stream_ping(&self, name: &str) -> bool {
        let _ = name;
        true
    }

    /// How long a failed or left member is remembered, if not for the configured time.
    fn reap_after(&self, member: &Member) -> Option<Duration> {
        let _ = member;
        None
    }
}

/// Admits only members whose names are [valid for Serf](NodeName::is_valid_for_serf), and leaves
/// everything else to another policy, if there is one.
///
/// It judges others. The name of the node itself is the embedder's to check.
#[derive(Clone)]
pub struct ValidNames(Option<Arc<dyn Policy>>);

impl ValidNames {
    /// Wraps this policy.
    pub fn new(rest: impl Into<Option<Arc<dyn Policy>>>) -> Self {
        Self(rest.into())
    }
}

impl fmt::Debug for ValidNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ValidNames")
    }
}

impl Policy for ValidNames {
    fn admit(
        &self,
        me: &Member,
        candidates: &[Candidate<'_>],
        why: Admission,
    ) -> Result<(), String> {
        if let Some(bad) = candidates.iter().find(|c| !NodeName::is_valid_for_serf(c.name)) {
            return Err(format!(
                "{:?} is no valid name: 1 to 128 letters, digits, dashes and dots",
                bad.name
            ));
        }
        self.0.as_ref().map_or(Ok(()), |rest| rest.admit(me, candidates, why))
    }

    fn stream_ping(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|rest| rest.stream_ping(name))
    }

    fn reap_after(&self, member: &Member) -> Option<Duration> {
        self.0.as_ref().and_then(|rest| rest.reap_after(member))
    }
}

/// Somebody who wants to be a member.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Candidate<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its address.
    pub addr: Addr,
    /// Its metadata.
    pub meta: &'a [u8],
    /// Its versions.
    pub versions: Versions,
    /// Its state in the eyes of whoever speaks of it.
    pub state: State,
}

/// Where candidates come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Admission {
    /// An alive message; there is one candidate.
    Alive,
    /// A push/pull by which somebody joins, on either side of it.
    Join,
}
