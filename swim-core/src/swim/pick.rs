//! Drawing members at random.

use smallvec::SmallVec;

use super::ctx::Ctx;
use super::members::{Members, Slot, SlotId};
use crate::member::State;
use crate::rng::Rng;

/// Members that were drawn.
pub(crate) type Picked = SmallVec<[SlotId; 8]>;

/// A table of at most so many slots for each member wanted is gone through as a whole.
const FEW: usize = 8;

impl Ctx {
    /// Up to `k` different members for which `wanted` holds, uniformly drawn. Never fewer than
    /// there are (hazard 35).
    pub(crate) fn pick(
        &mut self,
        k: usize,
        wanted: impl Fn(&Members, SlotId, Slot<'_>) -> bool,
    ) -> Picked {
        let Self { members, rng, .. } = self;
        let slots = members.slots_len();
        let fits = |slot| members.get(slot).is_some_and(|s| wanted(members, slot, s));
        if k == 0 {
            Picked::new()
        } else if slots as usize <= FEW * k {
            sample(k, rng, (0..slots).filter(|&slot| fits(slot)))
        } else {
            let mut picked = draw(k, rng, slots, fits);
            if picked.len() < k {
                walk(k, rng, slots, fits, &mut picked);
            }
            picked
        }
    }

    /// A live member other than this node.
    pub(crate) fn pick_alive(&mut self) -> Option<SlotId> {
        let me = self.me;
        self.pick(1, |_, slot, s| slot != me && s.state() == State::Alive).first().copied()
    }
}

/// Up to `k` of a few: each subset of them is equally likely (reservoir sampling).
fn sample(k: usize, rng: &mut Rng, all: impl Iterator<Item = SlotId>) -> Picked {
    let mut picked = Picked::new();
    for (slot, seen) in all.zip(1..) {
        if picked.len() < k {
            picked.push(slot);
        } else if let Some(place) = picked.get_mut(rng.below(seen) as usize) {
            *place = slot;
        }
    }
    picked
}

/// A few draws, which find enough in a healthy cluster.
fn draw(k: usize, rng: &mut Rng, slots: u32, fits: impl Fn(SlotId) -> bool) -> Picked {
    let mut picked = Picked::new();
    for _ in 0..4 * k + 8 {
        if picked.len() == k {
            break;
        }
        let slot = rng.below(slots);
        if fits(slot) && !picked.contains(&slot) {
            picked.push(slot);
        }
    }
    picked
}

/// Finds what draws have missed, from a random place on.
fn walk(k: usize, rng: &mut Rng, slots: u32, fits: impl Fn(SlotId) -> bool, picked: &mut Picked) {
    let start = rng.below(slots);
    for slot in (start..slots).chain(0..start) {
        if picked.len() == k {
            break;
        }
        if fits(slot) && !picked.contains(&slot) {
            picked.push(slot);
        }
    }
}
