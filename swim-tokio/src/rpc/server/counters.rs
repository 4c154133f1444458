//! What the server counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a server has seen and dropped so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStats {
    /// Connections that were taken.
    pub accepted: u64,
    /// Connections that were closed at once: there were too many.
    pub refused: u64,
    /// Commands that were carried out or refused.
    pub commands: u64,
    /// Records that a client did not take in time, and lost.
    pub records_dropped: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    accepted: AtomicU64,
    refused: AtomicU64,
    commands: AtomicU64,
    records_dropped: AtomicU64,
}

impl Counters {
    pub(super) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn command(&self) {
        self.commands.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self, records: u64) {
        self.records_dropped.fetch_add(records, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> ServerStats {
        ServerStats {
            accepted: self.accepted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            commands: self.commands.load(Ordering::Relaxed),
            records_dropped: self.records_dropped.load(Ordering::Relaxed),
        }
    }
}
