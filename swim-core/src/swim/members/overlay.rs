//! What differs from a shared base.

use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};

use super::SlotId;
use super::base::Base;
use super::slot::{Slot, Stored};

/// The slots in which a node differs from the base that it shares.
pub(super) struct Overlay {
    pub(super) slots: HashMap<SlotId, Stored, FixedState>,
    /// Names that the base has not, or has in another slot.
    index: HashTable<SlotId>,
}

impl Overlay {
    pub(super) fn new() -> Self {
        Self { slots: HashMap::with_hasher(FixedState::with_seed(0)), index: HashTable::new() }
    }

    pub(super) fn find(&self, base: &Base, hash: u64, name: &[u8]) -> Option<SlotId> {
        let named = |slot: &Stored| slot.record.as_ref().is_some_and(|r| r.name_bytes() == name);
        if let Some(&slot) = self.index.find(hash, |slot| named(&self.slots[slot])) {
            return Some(slot);
        }
        // A name that the base has counts unless its slot was given to another.
        let slot = base.find(hash, name)?;
        self.slots.get(&slot).is_none_or(named).then_some(slot)
    }

    /// What stands at a slot, which may lie past the end.
    #[inline]
    pub(super) fn get<'a>(&'a self, base: &'a Base, slot: SlotId) -> Option<Slot<'a>> {
        if !self.slots.is_empty()
            && let Some(here) = self.slots.get(&slot)
        {
            return Some(here.view());
        }
        base.slots.get(slot as usize).map(Stored::view)
    }

    pub(super) fn put(&mut self, base: &Base, slot: SlotId, new: Stored) {
        let named = |s: &Stored| s.record.as_ref().map(|r| base.hash(r.name_bytes()));
        if let Some(old) = self.slots.get(&slot).and_then(named)
            && let Ok(entry) = self.index.find_entry(old, |&s| s == slot)
        {
            entry.remove();
        }
        let in_base = match (&new.record, base.record(slot)) {
            (Some(new), Some(old)) => old.name_bytes() == new.name_bytes(),
            _ => false,
        };
        let hash = named(&new);
        self.slots.insert(slot, new);
        if let Some(hash) = hash
            && !in_base
        {
            let slots = &self.slots;
            let rehash = |s: &SlotId| named(&slots[s]).unwrap_or_default();
            self.index.insert_unique(hash, slot, rehash);
        }
    }

    /// Whether every slot of the base that is in use here is in use by whom it is in the base.
    #[inline]
    pub(super) fn renames_nobody(&self) -> bool {
        self.index.is_empty()
    }

    /// Marks what is said of a suspect as [`settled`](Stored::settled).
    pub(super) fn settle(&mut self, slot: SlotId) {
        if let Some(here) = self.slots.get_mut(&slot) {
            here.settled = true;
        }
    }

    /// A copy of the base, with these slots in it.
    pub(super) fn written_to(&self, base: &Base) -> Base {
        let mut own = base.clone();
        // Holes first, then in order of slots: a name may have moved from one slot to another.
        let mut changed: Vec<SlotId> = self.slots.keys().copied().collect();
        changed.sort_unstable();
        for &slot in &changed {
            if (slot as usize) < own.len() {
                own.put(slot, Stored::HOLE);
            }
        }
        for slot in changed {
            own.put(slot, self.slots[&slot].clone());
        }
        own
    }

    /// The slots, in order, if all are the base's and hold the same name or nobody.
    pub(super) fn changes(&self, base: &Base) -> Option<Vec<SlotId>> {
        let mut changed: Vec<SlotId> = self.slots.keys().copied().collect();
        changed.sort_unstable();
        let regular = self.index.is_empty();
        (regular && changed.last().is_none_or(|&s| (s as usize) < base.len())).then_some(changed)
    }

    /// Whether the base says so of this slot, and nothing else is known.
    #[inline]
    pub(super) fn knows(&self, base: &Base, slot: SlotId, incarnation: u32) -> Option<SlotId> {
        let at_rest = incarnation <= 1 && (slot as usize) < base.len();
        (at_rest && !self.slots.contains_key(&slot)).then_some(slot)
    }
}
