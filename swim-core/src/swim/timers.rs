//! All deadlines of a node, with the next one at hand.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use super::members::SlotId;
use crate::config::Knobs;
use crate::ids::OutboundId;
use crate::time::Instant;

/// A deadline of which a node has at most one. Those due at one instant fire in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Timer {
    /// The probe under way takes its next step.
    ProbeStep,
    /// The next probe may begin.
    Probe,
    /// The next gossip round.
    Gossip,
    /// The next push/pull.
    PushPull,
    /// The next push/pull of a fast join.
    FastJoin,
    /// The next attempt to reach a failed member.
    Reconnect,
    /// The next look for members to forget.
    Reap,
    /// A large merge has slices to do.
    Merge,
}

impl Timer {
    const ALL: [Self; 8] = [
        Self::ProbeStep,
        Self::Probe,
        Self::Gossip,
        Self::PushPull,
        Self::FastJoin,
        Self::Reconnect,
        Self::Reap,
        Self::Merge,
    ];
}

/// A deadline of which a node has many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A suspicion about this member may end.
    Suspicion(SlotId),
    /// A ping relayed for another was not answered.
    Relay(u32),
    /// A ping of the embedder's was not answered.
    Ping(u32),
    /// A stream exchange was not answered.
    Exchange(OutboundId),
    /// This node has said that it left its old address and comes to the new one.
    Arrival,
}

/// What fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fired {
    One(Timer),
    Of(Due),
}

/// The single timers in an array, the others in a heap whose stale entries their owners ignore.
pub(crate) struct Timers {
    at: [Instant; Timer::ALL.len()],
    /// The earliest of `at`; `MAX` if none is armed.
    first: Instant,
    due: BinaryHeap<Reverse<(Instant, Due)>>,
}

impl Timers {
    pub(crate) fn new() -> Self {
        Self { at: [Instant::MAX; Timer::ALL.len()], first: Instant::MAX, due: BinaryHeap::new() }
    }

    pub(crate) fn arm(&mut self, timer: Timer, at: Instant) {
        let slot = &mut self.at[timer as usize];
        let before = core::mem::replace(slot, at);
        if at <= self.first {
            self.first = at;
        } else if before == self.first {
            self.first = self.at.into_iter().min().unwrap_or(Instant::MAX);
        }
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.arm(timer, Instant::MAX);
    }

    /// Brings a running timer forward to `at`, unless it fires before.
    pub(crate) fn hasten(&mut self, timer: Timer, at: Instant) {
        if self.is_armed(timer) && at < self.at[timer as usize] {
            self.arm(timer, at);
        }
    }

    pub(crate) fn is_armed(&self, timer: Timer) -> bool {
        self.at[timer as usize] != Instant::MAX
    }

    pub(crate) fn push(&mut self, at: Instant, due: Due) {
        self.due.push(Reverse((at, due)));
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.at.iter().filter(|&&at| at != Instant::MAX).count() + self.due.len()
    }

    /// What must hold at all times, for so many slots.
    pub(crate) fn audit(&self, slots: u32, knobs: &Knobs) {
        assert_eq!(Some(&self.first), self.at.iter().min());
        let count = |wanted: fn(&Due) -> bool| {
            self.due.iter().filter(|Reverse((_, due))| wanted(due)).count()
        };
        let suspicions = count(|due| matches!(due, Due::Suspicion(_)));
        // A confirmation brings a look forward; the one that it replaces stays until its time.
        assert!(suspicions <= 32 * slots as usize, "{suspicions} suspicions of {slots} slots");
        assert!(count(|due| matches!(due, Due::Relay(_))) <= knobs.relays_max as usize);
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        let next = match self.due.peek() {
            Some(&Reverse((at, _))) => at.min(self.first),
            None => self.first,
        };
        (next != Instant::MAX).then_some(next)
    }

    /// Takes one deadline that has come, the earliest first.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Fired> {
        if let Some(&Reverse((at, due))) = self.due.peek()
            && at <= now
            && at < self.first
        {
            self.due.pop();
            return Some(Fired::Of(due));
        }
        if self.first > now || self.first == Instant::MAX {
            return None;
        }
        let timer = Timer::ALL.into_iter().find(|&t| self.at[t as usize] == self.first)?;
        self.stop(timer);
        Some(Fired::One(timer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_fire_in_order_and_once() {
        let mut timers = Timers::new();
        let t = Instant::from_secs;
        timers.arm(Timer::Probe, t(3));
        timers.arm(Timer::Gossip, t(2));
        timers.push(t(1), Due::Ping(7));
        timers.push(t(2), Due::Relay(9));
        timers.arm(Timer::Gossip, t(4));
        assert_eq!(timers.next(), Some(t(1)));
        assert_eq!(timers.pop(t(0)), None);
        let fired: [_; 4] = core::array::from_fn(|_| timers.pop(t(9)).unwrap());
        assert_eq!(
            fired,
            [
                Fired::Of(Due::Ping(7)),
                Fired::Of(Due::Relay(9)),
                Fired::One(Timer::Probe),
                Fired::One(Timer::Gossip)
            ]
        );
        assert_eq!((timers.pop(t(9)), timers.next()), (None, None));
    }
}
