//! What a layer above a node keeps inside of it: its mail, and its notes about members.
//!
//! The layer owns the node (architecture 3.10). During an input the node puts what concerns the
//! layer into the [`Mail`] instead of among the events; once the input is done the layer takes the
//! mail, reads it where it lies, and gives the space back. So nothing is allocated for a message
//! that turns out to be old, and nothing is lost to a bound on events.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;
use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use smallvec::SmallVec;

use super::members::SlotId;
use crate::event::Event;

/// The part of a node that a layer above uses; a bare node has none.
pub(crate) struct Above {
    /// An empty one, so that the next need not be allocated.
    spare: Option<Box<Mail>>,
    /// The places of those whom the first slice of a push/pull told of, in its order. The state of
    /// the layer above often has them in the same.
    pub(crate) order: Vec<SlotId>,
    /// Whether round trips of probes are mail.
    pub(crate) wants_rtt: bool,
    numbers: Numbers,
    /// Of whom it was said that they leave.
    leaving: BTreeSet<SlotId>,
    /// The sum over all members, and how many they were, until either changes.
    sum: Option<Sum>,
}

/// What all names and numbers of a table come to, in whatever order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    members: u32,
    total: u64,
}

impl Sum {
    /// Adds a member: the hash of its name, and its number.
    pub(crate) const fn add(&mut self, name_hash: u64, number: u64) {
        // The finalizer of MurmurHash3: without it numbers could change places and not show.
        let mut mixed = name_hash ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ mixed >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed = (mixed ^ mixed >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        self.members = self.members.wrapping_add(1);
        self.total = self.total.wrapping_add(mixed ^ mixed >> 33);
    }

    /// How many were added.
    pub(crate) const fn members(&self) -> u32 {
        self.members
    }
}

/// The numbers of members, of which each has 0 unless it was given another.
enum Numbers {
    /// Of few members; all of them lie below `places`.
    Few { numbers: HashMap<SlotId, u64, FixedState>, places: usize },
    /// Of many, by their places: as much memory or less, and read in order without a search.
    Many(Vec<u64>),
}

impl Numbers {
    /// A map takes up to this many times as much for each.
    const SHARE: usize = 4;
    const FEW_MAX: usize = 16;

    fn new() -> Self {
        Self::Few { numbers: HashMap::with_hasher(FixedState::with_seed(0)), places: 0 }
    }

    fn get(&self, slot: SlotId) -> u64 {
        let found = match self {
            Self::Few { numbers, .. } => numbers.get(&slot),
            Self::Many(numbers) => numbers.get(slot as usize),
        };
        found.copied().unwrap_or_default()
    }

    fn set(&mut self, slot: SlotId, number: u64) {
        let at = slot as usize;
        match self {
            Self::Few { numbers, .. } if number == 0 => drop(numbers.remove(&slot)),
            Self::Few { numbers, places } => {
                numbers.insert(slot, number);
                *places = (*places).max(at + 1);
                if numbers.len() > Self::FEW_MAX && *places <= numbers.len() * Self::SHARE {
                    let mut table = vec![0; *places];
                    for (slot, number) in numbers.drain() {
                        table[slot as usize] = number;
                    }
                    *self = Self::Many(table);
                }
            }
            Self::Many(numbers) => {
                if at >= numbers.len() && number > 0 {
                    numbers.resize(at + 1, 0);
                }
                if let Some(here) = numbers.get_mut(at) {
                    *here = number;
                }
            }
        }
    }
}

/// What the layer above notes about a member. It goes when the member goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// A number that only the layer above understands.
    pub(crate) number: u64,
    /// It was said that the member leaves: once it is gone it has left, and has not failed. The
    /// node remembers those for another time, and does not try to reach them.
    pub(crate) leaves: bool,
}

impl Above {
    pub(crate) fn new(wants_rtt: bool) -> Self {
        let (numbers, leaving) = (Numbers::new(), BTreeSet::new());
        Self { spare: None, order: Vec::new(), wants_rtt, numbers, leaving, sum: None }
    }

    pub(crate) fn mark(&self, slot: SlotId) -> Mark {
        Mark { number: self.numbers.get(slot), leaves: self.leaving.contains(&slot) }
    }

    /// Whether it was said of any member that it leaves.
    pub(crate) fn anybody_leaves(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// Notes something about a member; nothing takes no memory.
    pub(crate) fn set_mark(&mut self, slot: SlotId, mark: Mark) {
        self.sum = None;
        self.numbers.set(slot, mark.number);
        if mark.leaves {
            self.leaving.insert(slot);
        } else {
            self.leaving.remove(&slot);
        }
    }

    /// The sum that [`keep_sum`](Self::keep_sum) was given, unless a mark has changed since.
    pub(crate) const fn sum(&self) -> Option<Sum> {
        self.sum
    }

    pub(crate) const fn keep_sum(&mut self, sum: Sum) {
        self.sum = Some(sum);
    }

    /// An empty mail.
    pub(crate) fn new_mail(&mut self) -> Box<Mail> {
        self.spare.take().unwrap_or_default()
    }

    /// Keeps the space of mail that was read for the next.
    pub(crate) fn return_mail(&mut self, mut mail: Box<Mail>) {
        mail.clear();
        self.spare = Some(mail);
    }

    /// Gives the space back that is kept for the next.
    pub(crate) fn trim(&mut self) {
        (self.spare, self.order) = (None, Vec::new());
    }
}

/// What waits for the layer above, in order. It is as large as one input makes it; what most make
/// lies together.
#[derive(Default)]
pub(crate) struct Mail {
    pub(crate) letters: SmallVec<[Letter; 1]>,
    bytes: SmallVec<[u8; 160]>,
}

/// One thing that concerns the layer above; bytes stand in the mail.
#[derive(Debug)]
pub(crate) enum Letter {
    Event(Event),
    /// A user message.
    Message {
        bytes: Range<usize>,
    },
    /// Another node's state, from a push/pull.
    State {
        join: bool,
        bytes: Range<usize>,
    },
    /// This node's own probe of a member was answered directly.
    Rtt {
        member: SlotId,
        rtt: Duration,
        bytes: Range<usize>,
    },
    /// Whoever has this place from now on is another; only if round trips are mail.
    Forgotten(SlotId),
}

impl Mail {
    /// More space than this is given back after use.
    const KEPT_BYTES_MAX: usize = 4096;
    const KEPT_LETTERS_MAX: usize = 64;

    pub(crate) fn bytes(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }

    /// Keeps bytes for a letter.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// Empties it, and keeps a little space for the next input.
    fn clear(&mut self) {
        if self.letters.capacity() > Self::KEPT_LETTERS_MAX {
            self.letters = SmallVec::new();
        }
        if self.bytes.capacity() > Self::KEPT_BYTES_MAX {
            self.bytes = SmallVec::new();
        }
        self.letters.clear();
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_numbers_and_many_are_the_same_to_whoever_asks() {
        // Few among many places, then most places.
        let sparse = (0..100).map(|n| n * 1000);
        for slots in [sparse.collect::<Vec<SlotId>>(), (0..100).rev().collect()] {
            let mut above = Above::new(false);
            for &slot in &slots {
                let mark = Mark { number: u64::from(slot) + 1, leaves: slot % 3 == 0 };
                above.set_mark(slot, mark);
            }
            let is_few = matches!(above.numbers, Numbers::Few { .. });
            assert_eq!(is_few, slots[1] == 1000);
            for &slot in &slots {
                let mark = Mark { number: u64::from(slot) + 1, leaves: slot % 3 == 0 };
                assert_eq!(above.mark(slot), mark);
                above.set_mark(slot, Mark::default());
                assert_eq!(above.mark(slot), Mark::default());
            }
            assert_eq!(above.mark(1_000_000), Mark::default());
        }
    }

    #[test]
    fn a_sum_is_of_no_order_and_tells_who_has_which_number() {
        let sum = |all: &[(u64, u64)]| {
            let mut sum = Sum::default();
            all.iter().for_each(|&(name, number)| sum.add(name, number));
            sum
        };
        let all = [(11, 1), (22, 2), (33, 3)];
        assert_eq!(sum(&all), sum(&[(33, 3), (11, 1), (22, 2)]));
        for other in [[(11, 2), (22, 1), (33, 3)], [(11, 1), (22, 2), (33, 4)]] {
            assert_ne!(sum(&all), sum(&other));
        }
        assert_ne!(sum(&all), sum(&all[..2]));
    }

    #[test]
    fn a_sum_is_kept_until_a_mark_changes() {
        let mut above = Above::new(false);
        above.keep_sum(Sum::default());
        assert_eq!(above.sum(), Some(Sum::default()));
        above.set_mark(3, Mark { number: 1, leaves: false });
        assert_eq!(above.sum(), None);
    }
}
