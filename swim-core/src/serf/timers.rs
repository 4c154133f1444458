//! Deadlines of the Serf layer.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use crate::ids::{NodeName, OpId};
use crate::time::Instant;

/// What is due. Those due at one instant fire in this order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A query of this node's own, by its time, takes no more answers.
    QueryEnd(u64),
    /// A command has waited long enough for its broadcast.
    Wait(OpId),
    /// Leaving takes its next step, if it is still at this one.
    Leave(u32),
    /// A member that was leaving should be gone, and is to be forgotten.
    Prune(NodeName),
    /// What was remembered for a while is looked through.
    Purge,
    /// It is looked whether too many broadcasts wait.
    QueueCheck,
}

/// Deadlines in order; owners ignore those that mean nothing any more.
#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, Due)>>,
    /// The earliest. It is asked for after each input, when the heap is in no cache.
    next: Option<Instant>,
}

impl Timers {
    pub(super) fn push(&mut self, at: Instant, due: Due) {
        self.heap.push(Reverse((at, due)));
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    pub(super) const fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Takes one deadline that has come, the earliest first.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Due> {
        if self.next.is_none_or(|at| at > now) {
            return None;
        }
        let Reverse((_, due)) = self.heap.pop()?;
        if self.heap.is_empty() {
            self.heap = BinaryHeap::new();
        }
        self.next = self.heap.peek().map(|Reverse((at, _))| *at);
        Some(due)
    }
}
