//! What was heard of lately, by its Lamport time (serf spec 2.2, 2.3).

use alloc::boxed::Box;
use alloc::vec::Vec;

/// Items of recent times; nothing is allocated before the first.
pub(super) struct Ring<T> {
    slots: Vec<Option<Box<Slot<T>>>>,
    /// What is older is old, whatever the clock says.
    min_time: u64,
    /// What the items weigh.
    bytes: usize,
}

/// The items of one time.
pub(super) struct Slot<T> {
    pub(super) ltime: u64,
    pub(super) items: Vec<T>,
    bytes: usize,
}

/// What becomes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is news.
    New,
    /// It comes too late to be told from what is forgotten.
    Old,
    /// It was heard before.
    Again,
    /// There are too many of its time.
    Crowded,
}

/// Items of one time at most: each newcomer is compared with all.
const ITEMS_MAX: usize = 1024;

impl<T> Ring<T> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), min_time: 0, bytes: 0 }
    }

    /// From now on what is older than `time` is old.
    pub(super) fn raise_min_time(&mut self, time: u64) {
        self.min_time = self.min_time.max(time);
    }

    /// Whether an item of `ltime` is news, by a clock that has witnessed it.
    pub(super) fn hear(
        &self,
        slots: u32,
        clock: u64,
        ltime: u64,
        is_same: impl Fn(&T) -> bool,
    ) -> Heard {
        let slots = u64::from(slots);
        if ltime < self.min_time || clock > slots && ltime < clock - slots {
            return Heard::Old;
        }
        let slot = self.slots.get((ltime % slots) as usize).and_then(Option::as_ref);
        match slot.filter(|slot| slot.ltime == ltime) {
            Some(slot) if slot.items.iter().any(is_same) => Heard::Again,
            Some(slot) if slot.items.len() >= ITEMS_MAX => Heard::Crowded,
            _ => Heard::New,
        }
    }

    /// Remembers an item that is news and weighs `bytes`. Above `bytes_max` the oldest times are
    /// forgotten, and count as old from then on. How many items were.
    pub(super) fn remember(
        &mut self,
        slots: u32,
        ltime: u64,
        item: T,
        bytes: usize,
        bytes_max: usize,
    ) -> usize {
        if self.slots.is_empty() {
            self.slots.resize_with(slots as usize, || None);
        }
        let place = &mut self.slots[(ltime % u64::from(slots)) as usize];
        if let Some(old) = place.take_if(|slot| slot.ltime != ltime) {
            self.bytes -= old.bytes;
        }
        let new = || Box::new(Slot { ltime, items: Vec::new(), bytes: 0 });
        let slot = place.get_or_insert_with(new);
        slot.items.push(item);
        slot.bytes += bytes;
        self.bytes += bytes;
        let mut forgotten = 0;
        while self.bytes > bytes_max
            && let Some(oldest) = self
                .slots
                .iter_mut()
                .min_by_key(|slot| slot.as_ref().map_or(u64::MAX, |slot| slot.ltime))
            && let Some(slot) = oldest.take()
        {
            self.bytes -= slot.bytes;
            self.min_time = self.min_time.max(slot.ltime.saturating_add(1));
            forgotten += slot.items.len();
        }
        forgotten
    }

    /// All slots, used or not; none if nothing was ever heard.
    pub(super) fn slots(&self) -> &[Option<Box<Slot<T>>>] {
        &self.slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hears of event `n` at `ltime` with a ring of four.
    fn hear(ring: &mut Ring<u32>, clock: &mut u64, ltime: u64, n: u32) -> Heard {
        *clock = (*clock).max(ltime + 1);
        let heard = ring.hear(4, *clock, ltime, |&item| item == n);
        if heard == Heard::New {
            ring.remember(4, ltime, n, 1, 100);
        }
        heard
    }

    #[test]
    fn old_events_are_dropped_by_the_size_of_the_ring() {
        let (mut ring, mut clock) = (Ring::new(), 1);
        let heard = [1, 9, 4, 5, 6].map(|ltime| hear(&mut ring, &mut clock, ltime, 0));
        assert_eq!(heard, [Heard::New, Heard::New, Heard::Old, Heard::Old, Heard::New]);
    }

    #[test]
    fn an_event_is_news_once_and_another_of_its_time_too() {
        let (mut ring, mut clock) = (Ring::new(), 1);
        let heard = [7, 8, 7].map(|n| hear(&mut ring, &mut clock, 3, n));
        assert_eq!(heard, [Heard::New, Heard::New, Heard::Again]);
    }

    #[test]
    fn a_ring_that_is_too_heavy_forgets_its_oldest_times_for_good() {
        let mut ring = Ring::new();
        for ltime in 1..=4 {
            assert_eq!(ring.remember(4, ltime, 0, 30, 100), usize::from(ltime == 4));
        }
        assert_eq!(ring.hear(4, 5, 1, |_| false), Heard::Old);
        assert_eq!(ring.hear(4, 5, 2, |_| true), Heard::Again);
    }

    #[test]
    fn a_time_takes_a_bounded_number_of_events() {
        let mut ring = Ring::new();
        for n in 0..ITEMS_MAX {
            ring.remember(4, 1, n, 0, 100);
        }
        assert_eq!(ring.hear(4, 2, 1, |_| false), Heard::Crowded);
    }
}
