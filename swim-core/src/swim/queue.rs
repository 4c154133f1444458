//! The transmit-limited queue (memberlist spec 6.1): what was sent least often goes first, the
//! newest of those first, and each item goes at most once into a datagram.

use alloc::vec::Vec;

const NIL: u32 = u32::MAX;

/// Items that do not fit in the room left are passed over; this many end the look at their tier.
const MISFITS_MAX: u32 = 8;

/// Names an item while it is queued.
pub(crate) type ItemId = u32;

/// One lane of the queue. A tier holds the items that were sent equally often.
pub(crate) struct Lane<T> {
    items: Vec<Item<T>>,
    free: u32,
    tiers: Vec<Tier>,
    len: u32,
}

struct Item<T> {
    /// `None` while the place is free.
    what: Option<T>,
    sent: u32,
    previous: u32,
    next: u32,
}

#[derive(Clone, Copy)]
struct Tier {
    head: u32,
    tail: u32,
}

/// Room in one datagram.
pub(crate) struct Room {
    /// Bytes left.
    pub(crate) bytes: usize,
    /// Parts left.
    pub(crate) parts: usize,
    /// Bytes that each item costs beyond its own.
    pub(crate) overhead: usize,
    /// Whether the datagram is made for the items; else they ride on a message, and there are
    /// datagrams made for them besides.
    pub(crate) dedicated: bool,
}

impl<T> Lane<T> {
    pub(crate) fn new() -> Self {
        Self { items: Vec::new(), free: NIL, tiers: Vec::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    /// Items that there was room for so far.
    pub(crate) fn places(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Queues an item.
    pub(crate) fn push(&mut self, what: T) -> ItemId {
        let item = Item { what: Some(what), sent: 0, previous: NIL, next: NIL };
        let id = if self.free == NIL {
            self.items.push(item);
            self.items.len() as u32 - 1
        } else {
            let id = self.free;
            self.free = self.items[id as usize].next;
            self.items[id as usize] = item;
            id
        };
        self.len += 1;
        self.attach_head(id);
        id
    }

    /// Takes a queued item out.
    pub(crate) fn remove(&mut self, id: ItemId) -> Option<T> {
        let what = self.items[id as usize].what.take()?;
        self.detach(id);
        self.release(id);
        Some(what)
    }

    /// Takes out all for which `unwanted` holds.
    pub(crate) fn drain(&mut self, unwanted: impl Fn(&T) -> bool, mut drained: impl FnMut(T)) {
        for id in 0..self.items.len() as u32 {
            let item = &self.items[id as usize];
            if item.what.as_ref().is_some_and(&unwanted) {
                self.remove(id).map(&mut drained);
            }
        }
    }

    /// Takes out the item that was sent most often, the oldest of those.
    pub(crate) fn remove_last(&mut self) -> Option<T> {
        let id = self.tiers.iter().rev().find(|t| t.tail != NIL)?.tail;
        self.remove(id)
    }

    /// Offers items to `emit` while there is room, with the bytes that are left for one; it writes
    /// the item and says how many it took, which may be more, or `None` if it does not fit. Counts
    /// the transmission, and gives what has reached `limit` to `finished`.
    pub(crate) fn fill(
        &mut self,
        room: &mut Room,
        limit: u32,
        mut emit: impl FnMut(&T, usize) -> Option<usize>,
        mut finished: impl FnMut(T),
    ) {
        if self.len == 0 {
            return;
        }
        // What moves on to the next tier comes behind this, and is not offered again.
        let mut last_of_next = self.tiers[0].tail;
        for tier in 0..self.tiers.len() {
            let last = last_of_next;
            last_of_next = self.tiers.get(tier + 1).map_or(NIL, |next| next.tail);
            let goes_on = (tier as u32) + 1 < limit;
            let mut misfits = 0;
            let mut run = None;
            let mut id = if last == NIL { NIL } else { self.tiers[tier].head };
            while id != NIL && room.parts > 0 && room.bytes > room.overhead {
                let item = &mut self.items[id as usize];
                let next = item.next;
                let what = item.what.as_ref().expect("listed items are not free");
                if let Some(bytes) = emit(what, room.bytes - room.overhead) {
                    room.bytes = room.bytes.saturating_sub(bytes + room.overhead);
                    room.parts -= 1;
                    let new = Run { before: item.previous, first: id, last: id, after: next };
                    let run = run.get_or_insert(new);
                    (run.last, run.after) = (id, next);
                    item.sent += 1;
                    if !goes_on {
                        let what = item.what.take();
                        self.release(id);
                        what.map(&mut finished);
                    }
                } else {
                    if let Some(run) = run.take() {
                        self.take_out(tier, run, goes_on);
                    }
                    misfits += 1;
                    if misfits == MISFITS_MAX {
                        break;
                    }
                }
                id = if id == last { NIL } else { next };
            }
            if let Some(run) = run {
                self.take_out(tier, run, goes_on);
            }
        }
    }

    /// Takes items that stand side by side out of their tier, to the end of the next if they go on.
    fn take_out(&mut self, tier: usize, run: Run, goes_on: bool) {
        let Run { before, first, last, after } = run;
        self.join(tier, before, after);
        if goes_on {
            let tier = self.tier(tier + 1);
            let tail = self.tiers[tier].tail;
            self.join(tier, tail, first);
            self.join(tier, last, NIL);
        }
    }

    fn release(&mut self, id: ItemId) {
        self.items[id as usize].next = self.free;
        self.free = id;
        self.len -= 1;
    }

    fn attach_head(&mut self, id: ItemId) {
        let tier = self.tier(self.items[id as usize].sent as usize);
        let head = self.tiers[tier].head;
        self.join(tier, id, head);
        self.join(tier, NIL, id);
    }

    fn detach(&mut self, id: ItemId) {
        let Item { sent, previous, next, .. } = self.items[id as usize];
        self.join(sent as usize, previous, next);
    }

    /// Has two items of a tier stand side by side; `NIL` is its end.
    #[inline]
    fn join(&mut self, tier: usize, previous: u32, next: u32) {
        match previous {
            NIL => self.tiers[tier].head = next,
            _ => self.items[previous as usize].next = next,
        }
        match next {
            NIL => self.tiers[tier].tail = previous,
            _ => self.items[next as usize].previous = previous,
        }
    }

    /// The tier of items sent so often, which is made if there is none.
    fn tier(&mut self, sent: usize) -> usize {
        while self.tiers.len() <= sent {
            self.tiers.push(Tier { head: NIL, tail: NIL });
        }
        sent
    }
}

/// Items that stand side by side in a tier, and what stands around them.
struct Run {
    before: u32,
    first: u32,
    last: u32,
    after: u32,
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn fill(lane: &mut Lane<(u32, usize)>, bytes: usize, limit: u32) -> (Vec<u32>, Vec<u32>) {
        let (mut sent, mut done) = (vec![], vec![]);
        let mut room = Room { bytes, parts: 127, overhead: 2, dedicated: true };
        let emit = |&(x, bytes): &(u32, usize), left| {
            sent.extend((bytes <= left).then_some(x));
            (bytes <= left).then_some(bytes)
        };
        lane.fill(&mut room, limit, emit, |(x, _)| done.push(x));
        (sent, done)
    }

    #[test]
    fn fewest_transmits_go_first_and_the_newest_of_those() {
        let mut lane = Lane::new();
        lane.push((1, 10));
        lane.push((2, 10));
        assert_eq!(fill(&mut lane, 12, 3).0, [2]);
        lane.push((3, 10));
        assert_eq!(fill(&mut lane, 24, 3).0, [3, 1]);
        assert_eq!(fill(&mut lane, 1000, 3).0, [2, 3, 1]);
    }

    #[test]
    fn an_item_goes_once_per_datagram_and_limit_times_in_all() {
        let mut lane = Lane::new();
        lane.push((1, 10));
        for _ in 0..3 {
            assert_eq!(fill(&mut lane, 1000, 4), (vec![1], vec![]));
        }
        assert_eq!(fill(&mut lane, 1000, 4), (vec![1], vec![1]));
        assert!(lane.is_empty());
    }

    /// Hazard 29.
    #[test]
    fn pruning_a_queue_that_was_never_used_does_nothing() {
        let mut lane: Lane<(u32, usize)> = Lane::new();
        assert_eq!(lane.remove_last(), None);
        lane.drain(|_| true, |item| panic!("{item:?}"));
        assert_eq!(fill(&mut lane, 1000, 3), (vec![], vec![]));
        lane.push((1, 10));
        lane.drain(|_| true, drop);
        assert!(lane.is_empty() && lane.remove_last().is_none());
    }

    #[test]
    fn an_item_too_long_does_not_block_the_others() {
        let mut lane = Lane::new();
        lane.push((1, 10));
        lane.push((2, 5000));
        assert_eq!(fill(&mut lane, 1400, 4).0, [1]);
        assert_eq!(lane.remove_last(), Some((1, 10)));
        assert_eq!(lane.remove_last(), Some((2, 5000)));
        assert_eq!(lane.remove_last(), None);
    }

    /// The same queue as plain lists of (item, bytes), the next to go first.
    #[derive(Default)]
    struct Model(Vec<Vec<(u32, usize)>>);

    impl Model {
        fn fill(&mut self, mut bytes: usize, limit: usize) -> Vec<u32> {
            let mut sent = vec![];
            for tier in 0..self.0.len() {
                sent.extend(self.offer(tier, &mut bytes));
            }
            // What goes on comes behind what stands there, and is not offered again.
            let moved = sent.iter().map(|&(tier, item)| (tier + 1, item));
            for (tier, item) in moved.filter(|&(tier, _)| tier < limit) {
                self.0.resize_with(self.0.len().max(tier + 1), Vec::new);
                self.0[tier].push(item);
            }
            sent.into_iter().map(|(_, (x, _))| x).collect()
        }

        fn keep(&mut self, wanted: impl Fn(&(u32, usize)) -> bool) {
            self.0.iter_mut().for_each(|tier| tier.retain(&wanted));
        }

        fn offer(&mut self, tier: usize, bytes: &mut usize) -> Vec<(usize, (u32, usize))> {
            let mut misfits = 0;
            let (mut sent, mut stay) = (vec![], vec![]);
            for (x, len) in core::mem::take(&mut self.0[tier]) {
                if misfits < MISFITS_MAX && len + 2 <= *bytes {
                    *bytes -= len + 2;
                    sent.push((tier, (x, len)));
                } else {
                    misfits += 1;
                    stay.push((x, len));
                }
            }
            self.0[tier] = stay;
            sent
        }
    }

    proptest! {
        #[test]
        fn a_lane_sends_what_plain_lists_would(
            steps in proptest::collection::vec((1usize..40, 0usize..120, 0u8..6, 1u32..6), 1..80),
        ) {
            let (mut lane, mut model) = (Lane::new(), Model(vec![vec![]]));
            let mut ids = vec![];
            for (x, (len, bytes, step, limit)) in (0..).zip(steps) {
                let queued: Vec<_> = model.0.iter().flatten().copied().collect();
                match step {
                    0 | 1 => {
                        let sent = model.fill(bytes, limit as usize);
                        prop_assert_eq!(fill(&mut lane, bytes, limit).0, sent);
                    }
                    2 if !queued.is_empty() => {
                        let item = queued[bytes % queued.len()];
                        prop_assert_eq!(lane.remove(ids[item.0 as usize]), Some(item));
                        model.keep(|other| other.0 != item.0);
                    }
                    3 => {
                        let last = model.0.iter().rev().find_map(|tier| tier.last()).copied();
                        prop_assert_eq!(lane.remove_last(), last);
                        model.keep(|other| Some(other.0) != last.map(|last| last.0));
                    }
                    _ => {
                        ids.resize(x as usize, 0);
                        ids.push(lane.push((x, len)));
                        model.0[0].insert(0, (x, len));
                    }
                }
                prop_assert_eq!(lane.len(), model.0.iter().map(Vec::len).sum::<usize>());
            }
        }
    }
}
