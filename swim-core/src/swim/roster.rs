//! The table of a cluster at rest, for starting many nodes at once.

use alloc::sync::Arc;

use super::members::Base;
use super::sharing;
use crate::member::{Identity, Record, Versions};

/// A table that many nodes start from and share until theirs differ: what a cluster at rest knows.
///
/// For simulations, where a table for each of many nodes would not fit into memory.
#[derive(Clone)]
pub struct Roster(pub(super) Arc<Base>);

impl Roster {
    /// The table in which all of these are alive at incarnation 1, speaking version 2 of
    /// memberlist's protocol.
    ///
    /// # Panics
    ///
    /// If two have the same name.
    pub fn new(members: impl IntoIterator<Item = Identity>) -> Self {
        let records = members.into_iter().map(|identity| record_of(&identity, 2));
        Self(Arc::new(Base::at_rest(0, records)))
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// How long a stream's message is on a network, in bytes: its own length, or that of the
    /// push/pull that one of a node that [shares states](crate::Node::share_states) stands for.
    pub fn wire_len(message: &[u8]) -> usize {
        sharing::wire_len(message)
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl core::fmt::Debug for Roster {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Roster of {}", self.len())
    }
}

/// What a node of this identity announces.
pub(super) fn record_of(identity: &Identity, protocol_version: u8) -> Record {
    let [app_min, app_max, app] = identity.app_versions;
    let versions = Versions([1, 5, protocol_version, app_min, app_max, app]);
    let name = identity.name.as_str().as_bytes();
    Record::new(name, identity.addr, &identity.meta, versions)
}
