//! What Serf nodes told that a world does not pass on.

use std::sync::{Arc, Mutex, PoisonError};

use swim_core::Instant;

/// Something that a Serf node told, or that it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests of oracles make it")]
pub enum Entry {
    /// It starts: the first entry of a life.
    Born,
    /// It sent a user event.
    Sent {
        /// Which.
        payload: Vec<u8>,
    },
    /// It was told of a user event.
    Delivered {
        /// The event's time.
        ltime: u64,
        /// Which.
        payload: Vec<u8>,
    },
    /// It asked a query.
    Asked {
        /// Its number for it.
        op: u64,
    },
    /// It was told of a query.
    Heard {
        /// The query's time.
        ltime: u64,
        /// Who asks.
        source: String,
        /// Which of those.
        payload: Vec<u8>,
    },
    /// A node says that it has heard a query of it.
    Acked {
        /// Its number for the query.
        op: u64,
        /// Who has heard it.
        from: String,
    },
    /// A node answered a query of it.
    Answered {
        /// Its number for the query.
        op: u64,
        /// Who answered.
        from: String,
    },
    /// The time of a query of it is over.
    Ended {
        /// Its number for the query.
        op: u64,
    },
    /// What its clocks show: of members, events and queries.
    Clocks([u64; 3]),
    /// It changed its tags.
    Tagged,
    /// It said of another node that that leaves.
    Forced,
    /// It has left.
    Left,
    /// It was told that a node has left.
    HeardLeft {
        /// Which.
        name: String,
    },
}

/// Entries of all nodes of a world, for its oracles: those of a node in order, and what it was told
/// to do in the order of the world. Times are by the node's own clock. Clones are the same ledger.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Vec<Line>>>);

/// One entry: when, which node, in which life, and what.
pub(crate) type Line = (Instant, u32, u32, Entry);

impl Ledger {
    /// Notes what a node told.
    pub fn note(&self, at: Instant, node: u32, life: u32, entry: Entry) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((at, node, life, entry));
    }

    /// Takes out what was noted.
    pub fn take(&self) -> Vec<Entry> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.drain(..).map(|(_, _, _, entry)| entry).collect()
    }

    /// What was noted since the first `seen` entries, and how many there are.
    pub(crate) fn since(&self, seen: &mut usize) -> Vec<Line> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = lines.get(*seen..).unwrap_or_default().to_vec();
        *seen = lines.len();
        new
    }
}
