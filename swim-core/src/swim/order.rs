//! In which order members are probed: round-robin over a random order (SWIM section 4.3).
//!
//! The order is not stored. A round visits the slots `0..domain` in the order of a keyed
//! permutation, then the slots that were added meanwhile; the next round draws a new key. So
//! between two probes of a member every other one is probed twice at most, whoever joins or goes:
//! with `n` members it is probed within `2n - 1` probes. That costs a few words. Slots of members
//! that are gone are passed over, so many at a time.

use alloc::vec::Vec;

use crate::rng::Rng;

/// Up to this many slots the order is a real shuffle: a permutation of few bits is a poor one.
const SHUFFLE_MAX: u32 = 64;

/// Slots that one call looks at.
const LOOKS_MAX: u32 = 256;

#[derive(Default)]
pub(crate) struct Order {
    /// Slots in this round's permutation.
    domain: u32,
    /// How many of the round's slots were visited.
    at: u32,
    /// The shuffled round, if it is short.
    shuffled: Vec<u8>,
    keys: [u32; ROUNDS],
    /// Bits of either half of a number that the permutation works on.
    half_bits: u32,
}

const ROUNDS: usize = 4;

impl Order {
    /// The next slot of `0..slots` for which `wanted` holds; `None` if it takes another call to
    /// find it, which goes on from there.
    pub(crate) fn next(
        &mut self,
        slots: u32,
        rng: &mut Rng,
        mut wanted: impl FnMut(u32) -> bool,
    ) -> Option<u32> {
        for _ in 0..LOOKS_MAX {
            if self.domain == 0 || self.at >= slots.max(self.domain) {
                self.begin(slots, rng);
            }
            let slot = self.slot(self.at);
            self.at += 1;
            if slot < slots && wanted(slot) {
                return Some(slot);
            }
        }
        None
    }

    fn begin(&mut self, slots: u32, rng: &mut Rng) {
        self.domain = slots;
        self.at = 0;
        self.shuffled.clear();
        if slots <= SHUFFLE_MAX {
            self.shuffled.extend(0..slots as u8);
            for i in (1..slots).rev() {
                self.shuffled.swap(i as usize, rng.below(i + 1) as usize);
            }
            return;
        }
        self.half_bits = (slots - 1).ilog2() / 2 + 1;
        self.keys = core::array::from_fn(|_| rng.next_u32());
    }

    /// The `at`th slot of the round.
    fn slot(&self, at: u32) -> u32 {
        if at >= self.domain {
            return at;
        }
        if let Some(&slot) = self.shuffled.get(at as usize) {
            return slot.into();
        }
        // The permutation's numbers reach up to four times the domain: walk its cycle back into it.
        let mut slot = self.permute(at);
        while slot >= self.domain {
            slot = self.permute(slot);
        }
        slot
    }

    /// A Feistel network over `2 * half_bits` bits.
    fn permute(&self, number: u32) -> u32 {
        let mask = (1u32 << self.half_bits) - 1;
        let (mut left, mut right) = (number >> self.half_bits, number & mask);
        for key in self.keys {
            let mixed = (right ^ key).wrapping_mul(0x9e37_79b1);
            let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x85eb_ca77);
            (left, right) = (right, left ^ ((mixed >> 13) & mask));
        }
        (left << self.half_bits) | right
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rng::{Rng, Seed};

    #[test]
    fn a_round_visits_every_slot_once() {
        for slots in [1, 2, 3, 63, 64, 65, 100, 1000, 1024, 1025] {
            let mut rng = Rng::new(Seed::from(u64::from(slots)));
            let mut order = Order::default();
            for _ in 0..3 {
                let mut seen: Vec<u32> =
                    (0..slots).map(|_| order.next(slots, &mut rng, |_| true).unwrap()).collect();
                seen.sort_unstable();
                assert_eq!(seen, (0..slots).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn first_picks_of_a_round_are_uniform() {
        // Chi-squared over 100 slots, 20,000 rounds: mean 99, standard deviation 14.
        let mut rng = Rng::new(Seed::from(5));
        let mut hits = [0f64; 100];
        for _ in 0..20_000 {
            let slot = Order::default().next(100, &mut rng, |_| true).unwrap();
            hits[slot as usize] += 1.0;
        }
        let chi2: f64 = hits.iter().map(|h| (h - 200.0).powi(2) / 200.0).sum();
        assert!(chi2 < 99.0 + 5.0 * 14.0, "{chi2}");
    }

    proptest! {
        /// SWIM section 4.3: between two probes of a member lie at most two of each other one, with
        /// members coming (at the end, or in a hole) and going all the time, even nearly all.
        #[test]
        fn every_member_is_probed_within_the_bound(
            start in 2u32..2000,
            stay in 2u32..2000,
            changes in prop::collection::vec((any::<bool>(), any::<u32>()), 0..300),
            seed: u64,
        ) {
            let mut rng = Rng::new(Seed::from(seed));
            let mut order = Order::default();
            // Of each who is there: probes that it may still wait for.
            let mut present: Vec<Option<u32>> = alloc::vec![Some(2 * start - 1); start as usize];
            for slot in stay..start {
                present[slot as usize] = None;
            }
            for (joins, at) in changes {
                let n = present.iter().flatten().count() as u32;
                let at = at as usize % present.len();
                if joins {
                    for left in present.iter_mut().flatten() {
                        *left += 2;
                    }
                    match present.iter_mut().find(|p| p.is_none()) {
                        Some(hole) => *hole = Some(2 * n + 1),
                        None => present.push(Some(2 * n + 1)),
                    }
                } else if n > 2 {
                    present[at] = None;
                }
                let slots = present.len() as u32;
                let looks = 2 * slots / LOOKS_MAX + 2;
                let mut look = || order.next(slots, &mut rng, |s| present[s as usize].is_some());
                let found = (0..looks).find_map(|_| look());
                let slot = found.expect("two rounds pass every slot");
                for left in present.iter_mut().flatten() {
                    prop_assert!(*left > 0);
                    *left -= 1;
                }
                let n = present.iter().flatten().count() as u32;
                present[slot as usize] = Some(2 * n - 1);
            }
        }
    }
}
