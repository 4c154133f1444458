//! The agenda of a world: what happens when, in one total order.

/// Bits of a nanosecond time below a near slot: 131 us, about the smallest link delay, so that what
/// a slot causes rarely falls into the same slot.
const SLOT_BITS: u32 = 17;
/// Near slots: 8,192 of 131 us are 1.07 s.
const NEAR_BITS: u32 = 13;
const NEAR: usize = 1 << NEAR_BITS;
/// Far slots: 1,024 of 1.07 s are 18 minutes; what lies beyond waits in one list.
const FAR: usize = 1 << 10;
const FAR_SHIFT: u32 = SLOT_BITS + NEAR_BITS;
const NIL: u32 = u32::MAX;

/// A two-level slot wheel. Items come out by time, then by key, to the nanosecond.
///
/// Pushing and popping cost some nanoseconds however much is pending: entries live in one slab
/// whose free list is last-in-first-out, slots are chains through it, and only the slot that is due
/// gets sorted.
#[derive(Debug)]
pub struct Wheel<T> {
    slab: Vec<Entry<T>>,
    free: u32,
    len: usize,
    /// The slot that is open, sorted so that the next item stands at the end. Takes every item at
    /// or before `slot`, so that opening a slot early never loses the order.
    open: Vec<Due<T>>,
    /// Number of the open slot: time >> `SLOT_BITS`.
    slot: u64,
    /// Number of the far slot that the near slots spread out.
    block: u64,
    near: Slots,
    far: Slots,
    /// Chain of entries past the far slots, and the smallest far slot among them.
    beyond: u32,
    beyond_min: u64,
}

/// One item of a [`Wheel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain triple")]
pub struct Due<T> {
    /// When, in nanoseconds.
    pub at: u64,
    /// Order among items of the same time.
    pub key: u64,
    /// What.
    pub item: T,
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    due: Due<T>,
    next: u32,
}

/// Heads of chains, and a bit for each that is not empty.
#[derive(Debug)]
struct Slots {
    heads: Vec<u32>,
    bits: Vec<u64>,
}

impl<T: Copy> Default for Wheel<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Copy> Wheel<T> {
    /// An empty wheel at time 0.
    pub fn new() -> Self {
        Self {
            slab: Vec::new(),
            free: NIL,
            len: 0,
            open: Vec::new(),
            slot: 0,
            block: 0,
            near: Slots::new(NEAR),
            far: Slots::new(FAR),
            beyond: NIL,
            beyond_min: u64::MAX,
        }
    }

    /// How many items are pending.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is pending.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an item.
    pub fn push(&mut self, at: u64, key: u64, item: T) {
        self.len += 1;
        let due = Due { at, key, item };
        if at >> SLOT_BITS <= self.slot {
            let i = self.open.partition_point(|d| (d.at, d.key) > (at, key));
            self.open.insert(i, due);
            return;
        }
        let entry = self.alloc(due);
        self.chain(entry);
    }

    /// Takes the next item whose time is not after `until`.
    pub fn pop(&mut self, until: u64) -> Option<Due<T>> {
        while self.open.is_empty() {
            if !self.advance(until) {
                return None;
            }
        }
        if self.open.last()?.at > until {
            return None;
        }
        self.len -= 1;
        self.open.pop()
    }

    /// The item that [`pop`](Self::pop) would take.
    pub fn front(&mut self, until: u64) -> Option<&Due<T>> {
        while self.open.is_empty() {
            if !self.advance(until) {
                return None;
            }
        }
        self.open.last().filter(|due| due.at <= until)
    }

    /// The item that comes next, if its slot is open: cheap, and a hint only.
    #[inline]
    pub fn peek(&self) -> Option<&Due<T>> {
        self.open.last()
    }

    /// Opens the next slot that holds something and does not begin after `until`.
    fn advance(&mut self, until: u64) -> bool {
        loop {
            let from = (self.slot + 1).saturating_sub(self.block << NEAR_BITS);
            if let Some(i) = self.near.first_from(from as usize) {
                let slot = (self.block << NEAR_BITS) + i as u64;
                if slot << SLOT_BITS > until {
                    return false;
                }
                self.slot = slot;
                self.open_near(i);
                return true;
            }
            if !self.advance_block(until) {
                return false;
            }
        }
    }

    /// Spreads the next far slot that holds something over the near slots.
    fn advance_block(&mut self, until: u64) -> bool {
        let start = (self.block + 1) as usize % FAR;
        let ahead = match self.far.first_from(start).or_else(|| self.far.first_from(0)) {
            Some(i) => Some(self.block + 1 + ((i + FAR - start) % FAR) as u64),
            None if self.beyond == NIL => None,
            None => Some(self.beyond_min),
        };
        let Some(block) = ahead.map(|b| b.min(self.beyond_min)) else { return false };
        if block << FAR_SHIFT > until {
            return false;
        }
        self.block = block;
        self.slot = (block << NEAR_BITS) - 1;
        let mut chain = self.far.take(block as usize % FAR);
        while chain != NIL {
            let next = self.slab[chain as usize].next;
            self.chain(chain);
            chain = next;
        }
        if self.beyond_min < block + FAR as u64 {
            self.sift_beyond();
        }
        true
    }

    /// Moves what has come within reach from the list of late entries into the slots.
    fn sift_beyond(&mut self) {
        let mut chain = core::mem::replace(&mut self.beyond, NIL);
        self.beyond_min = u64::MAX;
        while chain != NIL {
            let next = self.slab[chain as usize].next;
            self.chain(chain);
            chain = next;
        }
    }

    /// Moves a near slot into `open` and sorts it.
    fn open_near(&mut self, i: usize) {
        let mut chain = self.near.take(i);
        while chain != NIL {
            let entry = &mut self.slab[chain as usize];
            self.open.push(entry.due);
            let next = core::mem::replace(&mut entry.next, self.free);
            self.free = chain;
            chain = next;
        }
        if self.open.len() > 1 {
            self.open.sort_unstable_by_key(|d| core::cmp::Reverse((d.at, d.key)));
        }
    }

    fn alloc(&mut self, due: Due<T>) -> u32 {
        if self.free == NIL {
            let entry = u32::try_from(self.slab.len()).expect("fewer than 2^32 items are pending");
            self.slab.push(Entry { due, next: NIL });
            return entry;
        }
        let entry = self.free;
        let slot = &mut self.slab[entry as usize];
        self.free = slot.next;
        *slot = Entry { due, next: NIL };
        entry
    }

    /// Hangs an entry after the open slot into the chain that its time belongs to.
    fn chain(&mut self, entry: u32) {
        let at = self.slab[entry as usize].due.at;
        let far = at >> FAR_SHIFT;
        let next = if far == self.block {
            self.near.put((at >> SLOT_BITS) as usize % NEAR, entry)
        } else if far - self.block < FAR as u64 {
            self.far.put(far as usize % FAR, entry)
        } else {
            self.beyond_min = self.beyond_min.min(far);
            core::mem::replace(&mut self.beyond, entry)
        };
        self.slab[entry as usize].next = next;
    }
}

impl Slots {
    fn new(n: usize) -> Self {
        Self { heads: vec![NIL; n], bits: vec![0; n / 64] }
    }

    /// Makes `entry` the head of slot `i`; returns the head before.
    fn put(&mut self, i: usize, entry: u32) -> u32 {
        self.bits[i / 64] |= 1 << (i % 64);
        core::mem::replace(&mut self.heads[i], entry)
    }

    fn take(&mut self, i: usize) -> u32 {
        self.bits[i / 64] &= !(1 << (i % 64));
        core::mem::replace(&mut self.heads[i], NIL)
    }

    /// The first slot from `i` on that is not empty.
    fn first_from(&self, i: usize) -> Option<usize> {
        let mut word = i / 64;
        let mut bits = *self.bits.get(word)? & (u64::MAX << (i % 64));
        while bits == 0 {
            word += 1;
            bits = *self.bits.get(word)?;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    use proptest::prelude::*;

    use super::*;

    /// A delay of any magnitude, so that near, far and late slots all occur.
    fn delay() -> impl Strategy<Value = u64> {
        (0u32..46, any::<u64>()).prop_map(|(bits, n)| n & ((1 << bits) - 1))
    }

    proptest! {
        #[test]
        fn items_come_out_as_from_a_heap(
            ops in prop::collection::vec((delay(), 0u64..4, 0u32..3, delay()), 1..400),
        ) {
            let mut wheel = Wheel::new();
            let mut heap = BinaryHeap::new();
            let (mut now, mut n) = (0u64, 0u64);
            for (delay, key, pops, ahead) in ops {
                n += 1;
                let key = (key << 32) | n;
                wheel.push(now + delay, key, n);
                heap.push(Reverse((now + delay, key, n)));
                let until = now + ahead;
                for _ in 0..pops {
                    let want = heap.peek().filter(|r| r.0.0 <= until).map(|r| r.0);
                    let front = wheel.front(until).map(|d| (d.at, d.key, d.item));
                    let got = wheel.pop(until).map(|d| (d.at, d.key, d.item));
                    prop_assert_eq!((got, front), (want, want));
                    match got {
                        Some((at, ..)) => { heap.pop(); now = at; }
                        None => now = until,
                    }
                }
                prop_assert_eq!(wheel.len(), heap.len());
            }
            while let Some(Reverse(want)) = heap.pop() {
                prop_assert_eq!(wheel.pop(u64::MAX).map(|d| (d.at, d.key, d.item)), Some(want));
            }
            prop_assert!(wheel.is_empty());
        }
    }

    #[test]
    fn the_end_of_time_is_reached() {
        let mut wheel = Wheel::new();
        wheel.push(u64::MAX, 0, 'z');
        wheel.push(3, 0, 'a');
        assert_eq!(wheel.pop(u64::MAX).map(|d| d.item), Some('a'));
        assert_eq!(wheel.pop(u64::MAX - 1), None);
        assert_eq!(wheel.pop(u64::MAX).map(|d| d.item), Some('z'));
        assert_eq!(wheel.pop(u64::MAX), None);
    }
}
