//! A table that points into a base instead of holding records: twelve bytes for each member.
//!
//! In one process the members that many nodes know are mostly the same, though each node learns of
//! them in an order of its own. So the records and the index of names stand on a shelf, once, and
//! a table holds numbers only. All names must be on the shelf.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::SlotId;
use super::base::Base;
use super::overlay::Overlay;
use super::slot::{Slot, Stored};
use crate::member::{Record, State};

/// A table of places on a shelf.
pub(super) struct Shelved {
    pub(super) shelf: Arc<Base>,
    /// By slot.
    slots: Vec<Packed>,
    /// By place on the shelf: one more than the slot, or 0.
    places: Vec<u32>,
    /// Records that say something else than the shelf's of the same name.
    other: HashMap<SlotId, Record, FixedState>,
}

/// State and place on the shelf in one word, and the incarnation.
#[derive(Clone, Copy)]
struct Packed {
    word: u32,
    incarnation: u32,
}

const STATE_SHIFT: u32 = 30;
const PLACE_MASK: u32 = (1 << STATE_SHIFT) - 1;
const STATES: [State; 4] = [State::Alive, State::Suspect, State::Dead, State::Left];

impl Packed {
    const HOLE: Self = Self { word: PLACE_MASK, incarnation: 0 };

    fn new(place: u32, incarnation: u32, state: State) -> Self {
        Self { word: (state as u32) << STATE_SHIFT | place, incarnation }
    }

    /// Where the record is; `None` of a hole.
    fn place(self) -> Option<u32> {
        let place = self.word & PLACE_MASK;
        (place != PLACE_MASK).then_some(place)
    }

    fn state(self) -> State {
        STATES[(self.word >> STATE_SHIFT) as usize]
    }
}

impl Shelved {
    /// An empty table, if the shelf is small enough for the numbers.
    pub(super) fn new(shelf: Arc<Base>) -> Option<Self> {
        if shelf.len() >= PLACE_MASK as usize {
            return None;
        }
        let places = vec![0; shelf.len()];
        let other = HashMap::with_hasher(FixedState::with_seed(0));
        Some(Self { shelf, slots: Vec::new(), places, other })
    }

    /// What a shared base and an overlay hold; the overlay comes back if there is a name that the
    /// base has not.
    pub(super) fn of(base: &Arc<Base>, overlay: &Overlay) -> Option<Self> {
        if !overlay.slots.values().all(|slot| slot.record.as_ref().is_none_or(|r| has(base, r))) {
            return None;
        }
        let mut all = Self::new(Arc::clone(base))?;
        let mut past_end: Vec<SlotId> =
            overlay.slots.keys().copied().filter(|&slot| slot as usize >= base.len()).collect();
        past_end.sort_unstable();
        all.slots.reserve_exact(base.len() + past_end.len());
        // In order of slots, so that none lies past the end when it is written.
        for slot in (0..base.len() as SlotId).chain(past_end) {
            all.put(slot, &overlay.get(base, slot)?.stored());
        }
        Some(all)
    }

    pub(super) fn find(&self, hash: u64, name: &[u8]) -> Option<SlotId> {
        self.slot_of(self.shelf.find(hash, name)?)
    }

    /// The slot of whom the shelf has at this place.
    #[inline]
    pub(super) fn slot_of(&self, place: u32) -> Option<SlotId> {
        self.places.get(place as usize)?.checked_sub(1)
    }

    #[inline]
    pub(super) fn get(&self, slot: SlotId) -> Option<Slot<'_>> {
        let packed = *self.slots.get(slot as usize)?;
        let Some(place) = packed.place() else { return Some(Slot::HOLE) };
        let record = self.other(slot).or_else(|| self.shelf.record(place));
        Some(Slot {
            record,
            incarnation: packed.incarnation,
            state: packed.state(),
            settled: false,
        })
    }

    #[inline]
    fn other(&self, slot: SlotId) -> Option<&Record> {
        if self.other.is_empty() { None } else { self.other.get(&slot) }
    }

    /// Whether the member at this place on the shelf is known at this incarnation or a later one,
    /// at the address that the shelf has; and its slot.
    #[inline]
    pub(super) fn knows(&self, place: u32, incarnation: u32) -> Option<SlotId> {
        let slot = self.slot_of(place)?;
        let known = self.slots[slot as usize].incarnation >= incarnation;
        (known && self.other(slot).is_none()).then_some(slot)
    }

    /// The place on the shelf that has the name of a slot in use.
    #[inline]
    pub(super) fn place(&self, slot: SlotId) -> Option<u32> {
        self.slots[slot as usize].place()
    }

    /// Changes incarnation and state of a slot in use; whether it was live.
    pub(super) fn set(&mut self, slot: SlotId, incarnation: u32, state: State) -> bool {
        let packed = &mut self.slots[slot as usize];
        let was_live = packed.state().is_live();
        *packed = Packed::new(packed.word & PLACE_MASK, incarnation, state);
        was_live
    }

    pub(super) fn reserve(&mut self, additional: usize) {
        // All that the shelf has, at once: memory that is not written to is not taken.
        let most = self.shelf.len().saturating_sub(self.slots.len());
        self.slots.reserve_exact(if additional > most / 16 { most.max(additional) } else { 0 });
    }

    /// Writes `new` to `slot`, which may lie one past the end; false, and nothing changes, if its
    /// name is not on the shelf.
    pub(super) fn put(&mut self, slot: SlotId, new: &Stored) -> bool {
        let packed = match &new.record {
            None => Packed::HOLE,
            Some(record) => {
                let Some(place) = self.shelf.place_of(record) else { return false };
                Packed::new(place, new.incarnation, new.state)
            }
        };
        let at = slot as usize;
        if at == self.slots.len() {
            self.slots.push(Packed::HOLE);
        }
        let before = core::mem::replace(&mut self.slots[at], packed);
        if let Some(place) = before.place()
            && self.places[place as usize] == slot + 1
        {
            self.places[place as usize] = 0;
        }
        if let Some(place) = packed.place() {
            self.places[place as usize] = slot + 1;
        }
        let shelved = packed.place().and_then(|place| self.shelf.record(place));
        match new.record.as_ref().filter(|&record| Some(record) != shelved) {
            Some(record) => drop(self.other.insert(slot, record.clone())),
            None if self.other.is_empty() => {}
            None => drop(self.other.remove(&slot)),
        }
        true
    }

    /// The same as a table that may hold any name.
    pub(super) fn unshelve(&self) -> Base {
        let mut own = (*self.shelf).clone_empty();
        own.reserve(self.slots.len());
        for slot in 0..self.slots.len() as SlotId {
            own.put(slot, self.get(slot).map_or(Stored::HOLE, |slot| slot.stored()));
        }
        own
    }
}

fn has(base: &Base, record: &Record) -> bool {
    base.place_of(record).is_some()
}
