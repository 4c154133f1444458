//! How many bytes all inbound streams together may hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Memory for messages that are being received, shared by all streams of a node.
///
/// A single message may have tens of mebibytes (a push/pull of a large cluster); a hundred peers
/// that send one each must not have them all in memory.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicUsize,
}

impl Budget {
    /// What each stream may hold without asking.
    const FREE_BYTES: usize = 16 << 10;
    /// Reservations grow in such steps.
    const STEP_BYTES: usize = 64 << 10;

    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(bytes_max) })
    }

    fn take(&self, bytes: usize) -> bool {
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.is_ok()
    }
}

/// What one stream has reserved; given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Reservation {
    pub(crate) fn new(budget: &Arc<Budget>) -> Self {
        Self { budget: budget.clone(), bytes: 0 }
    }

    /// Reserves enough for `held` bytes; false if there is not that much left.
    pub(crate) fn cover(&mut self, held: usize) -> bool {
        let wanted = held.saturating_sub(Budget::FREE_BYTES).next_multiple_of(Budget::STEP_BYTES);
        let more = wanted.saturating_sub(self.bytes);
        if more > 0 && !self.budget.take(more) {
            return false;
        }
        self.bytes += more;
        true
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_streams_are_free_and_large_ones_share() {
        let budget = Budget::new(2 * Budget::STEP_BYTES);
        let mut one = Reservation::new(&budget);
        let mut two = Reservation::new(&budget);
        assert!(one.cover(Budget::FREE_BYTES) && one.bytes == 0);
        assert!(one.cover(Budget::FREE_BYTES + 1));
        assert!(one.cover(100) && one.bytes == Budget::STEP_BYTES);
        assert!(two.cover(Budget::STEP_BYTES));
        assert!(!two.cover(Budget::STEP_BYTES * 2));
        drop(one);
        assert!(two.cover(Budget::STEP_BYTES * 2));
        drop(two);
        assert_eq!(budget.left.load(Ordering::Relaxed), 2 * Budget::STEP_BYTES);
    }
}
