//! Slots, and where each name is.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::SlotId;
use super::slot::Stored;
use crate::ids::NodeName;
use crate::member::{Record, State, Versions};

/// A table of one's own, or one that many nodes share and none of them changes.
#[derive(Clone)]
pub(crate) struct Base {
    pub(super) slots: Vec<Stored>,
    pub(super) index: HashTable<SlotId>,
    pub(super) hasher: FixedState,
    rest: Option<Arc<Rest>>,
}

/// What follows from the records of a cluster at rest.
struct Rest {
    /// By slot: bytes of its entry in a push/pull.
    lens: Vec<u16>,
    all_len: usize,
    /// What all of them speak, if it is the same.
    versions: Option<Versions>,
    /// By slot: the names, for those who keep one, so that they stand in memory once.
    names: Vec<NodeName>,
}

impl Base {
    pub(super) fn new(hash_seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            index: HashTable::new(),
            hasher: FixedState::with_seed(hash_seed),
            rest: None,
        }
    }

    /// An empty base that hashes names as this one does.
    pub(super) fn clone_empty(&self) -> Self {
        Self { slots: Vec::new(), index: HashTable::new(), hasher: self.hasher.clone(), rest: None }
    }

    /// The base of a cluster at rest. Names must differ.
    pub(crate) fn at_rest(hash_seed: u64, records: impl IntoIterator<Item = Record>) -> Self {
        let mut base = Self::new(hash_seed);
        for record in records {
            let slot = base.slots.len() as SlotId;
            assert!(
                base.find(base.hash(record.name_bytes()), record.name_bytes()).is_none(),
                "two members named {}",
                record.name()
            );
            base.slots.push(Stored::new(Some(record), 1, State::Alive));
            base.insert_index(slot);
        }
        base.rest = Some(Arc::new(Rest::of(&base)));
        base
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The record in a slot that has one.
    pub(crate) fn record(&self, slot: SlotId) -> Option<&Record> {
        self.slots.get(slot as usize)?.record.as_ref()
    }

    /// Bytes of a member's entry in the push/pull of a cluster at rest.
    #[inline]
    pub(crate) fn len_at_rest(&self, slot: SlotId) -> usize {
        let lens = self.rest.as_ref().map_or(&[][..], |rest| &rest.lens);
        lens.get(slot as usize).copied().unwrap_or(0).into()
    }

    /// Bytes of all entries in it.
    pub(crate) fn len_at_rest_of_all(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| rest.all_len)
    }

    /// The versions that all members speak at rest, if they are the same.
    pub(crate) fn versions_at_rest(&self) -> Option<Versions> {
        self.rest.as_ref()?.versions
    }

    /// The name of a member at rest.
    pub(super) fn node_name(&self, name: &[u8]) -> Option<&NodeName> {
        let names = &self.rest.as_ref()?.names;
        names.get(self.find(self.hash(name), name)? as usize)
    }

    #[inline]
    pub(super) fn hash(&self, name: &[u8]) -> u64 {
        hash(&self.hasher, name)
    }

    #[inline]
    pub(super) fn find(&self, hash: u64, name: &[u8]) -> Option<SlotId> {
        self.index.find(hash, |&slot| self.is_named(slot, name)).copied()
    }

    /// Whether a slot, which may lie past the end, is that of this name.
    #[inline]
    pub(super) fn is_named(&self, slot: SlotId, name: &[u8]) -> bool {
        self.record(slot).is_some_and(|record| record.is_named(name))
    }

    /// Where this very record, or one of the same name, stands.
    pub(super) fn place_of(&self, record: &Record) -> Option<SlotId> {
        self.find(self.hash(record.name_bytes()), record.name_bytes())
    }

    pub(super) fn reserve(&mut self, additional: usize) {
        let Self { slots, index, hasher, .. } = self;
        slots.reserve(additional);
        index.reserve(additional, |&slot| hash(hasher, name(slots, slot)));
    }

    fn insert_index(&mut self, slot: SlotId) {
        let Self { slots, index, hasher, .. } = self;
        let rehash = |&slot: &SlotId| hash(hasher, name(slots, slot));
        index.insert_unique(rehash(&slot), slot, rehash);
    }

    fn remove_index(&mut self, slot: SlotId) {
        let hash = self.hash(name(&self.slots, slot));
        if let Ok(entry) = self.index.find_entry(hash, |&s| s == slot) {
            entry.remove();
        }
    }

    /// Writes `new` to `slot`, which may lie one past the end.
    pub(super) fn put(&mut self, slot: SlotId, new: Stored) {
        let at = slot as usize;
        if at == self.slots.len() {
            self.slots.push(Stored::HOLE);
        }
        let renamed = match (&self.slots[at].record, &new.record) {
            (Some(old), Some(new)) => old.name_bytes() != new.name_bytes(),
            (None, None) => false,
            _ => true,
        };
        if !renamed {
            self.slots[at] = new;
            return;
        }
        if self.slots[at].record.is_some() {
            self.remove_index(slot);
        }
        self.slots[at] = new;
        if self.slots[at].record.is_some() {
            self.insert_index(slot);
        }
    }
}

impl Rest {
    fn of(base: &Base) -> Self {
        let slots = || base.slots.iter().map(Stored::view);
        let records = || slots().map(|slot| slot.record());
        let lens: Vec<u16> = slots().map(|slot| slot.entry().encoded_len() as u16).collect();
        let all_len = lens.iter().map(|&len| usize::from(len)).sum();
        let first = records().next().map(Record::versions);
        let versions = first.filter(|first| records().all(|r| r.versions() == *first));
        let name = |record: &Record| NodeName::from_wire(record.name_bytes()).ok();
        let names = records().map(|r| name(r).expect("a record holds a checked name")).collect();
        Self { lens, all_len, versions, names }
    }
}

fn name(slots: &[Stored], slot: SlotId) -> &[u8] {
    slots[slot as usize].record.as_ref().map_or(&[], Record::name_bytes)
}

fn hash(hasher: &FixedState, name: &[u8]) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(name);
    state.finish()
}
