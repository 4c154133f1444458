//! The member table: a base that many nodes may share, and what differs from it here.
//!
//! Per member the table holds the replicated fact only (record, incarnation, state), which is equal
//! on all nodes of a cluster at rest; what is local to this node lives in [`Local`] for the few
//! members that are not at rest. A node of its own writes to the base directly. Nodes that start
//! from one [`Roster`](super::Roster) share its base until their overlay holds an eighth of it.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};

use super::suspicion::Suspicion;
use crate::ids::{Addr, Incarnation};
use crate::member::{Member, Record, State, Versions};
use crate::rng::Rng;
use crate::time::Instant;

/// A member's place in the table. Places of forgotten members are used again.
pub(crate) type SlotId = u32;

/// An overlay below this length is never folded into a base of the node's own.
const OVERLAY_MIN: usize = 64;

/// The replicated fact about one member; a hole has no record.
#[derive(Clone)]
pub(crate) struct Slot {
    record: Option<Record>,
    incarnation: u32,
    state: State,
}

impl Slot {
    const HOLE: Self = Self { record: None, incarnation: 0, state: State::Left };

    pub(crate) fn incarnation(&self) -> u32 {
        self.incarnation
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// The record of a slot that is no hole.
    pub(crate) fn record(&self) -> &Record {
        self.record.as_ref().expect("slot ids in use name slots in use")
    }

    fn is_live(&self) -> bool {
        self.record.is_some() && self.state.is_live()
    }

    fn member(&self) -> Option<Member> {
        let record = self.record.clone()?;
        Some(Member { record, incarnation: Incarnation(self.incarnation), state: self.state })
    }
}

/// What only this node knows about a member that is not at rest.
pub(crate) struct Local {
    /// When the state last changed.
    pub(crate) changed: Instant,
    pub(crate) suspicion: Option<Box<Suspicion>>,
    /// When the timers next look at the suspicion. It outlives the suspicion, so that one that ends
    /// and begins again, as often as a peer likes, adds nothing to them.
    pub(crate) look: Option<Instant>,
    /// When it is this member's turn to be asked by itself. It outlives the suspicion for the same
    /// reason.
    pub(crate) turn: Option<Instant>,
}

/// Slots, and where each name is.
#[derive(Clone)]
pub(crate) struct Base {
    slots: Vec<Slot>,
    index: HashTable<SlotId>,
    hasher: FixedState,
}

impl Base {
    fn new(hash_seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            index: HashTable::new(),
            hasher: FixedState::with_seed(hash_seed),
        }
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
            base.slots.push(Slot { record: Some(record), incarnation: 1, state: State::Alive });
            base.insert_index(slot);
        }
        base
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    fn hash(&self, name: &[u8]) -> u64 {
        hash(&self.hasher, name)
    }

    fn is_named(&self, slot: SlotId, name: &[u8]) -> bool {
        self.slots[slot as usize].record.as_ref().is_some_and(|record| record.is_named(name))
    }

    fn name(&self, slot: SlotId) -> &[u8] {
        self.slots[slot as usize].record.as_ref().map_or(&[], Record::name_bytes)
    }

    fn find(&self, hash: u64, name: &[u8]) -> Option<SlotId> {
        self.index.find(hash, |&slot| self.is_named(slot, name)).copied()
    }

    fn insert_index(&mut self, slot: SlotId) {
        let Self { slots, index, hasher } = self;
        let name = |slot: SlotId| slots[slot as usize].record().name_bytes();
        index.insert_unique(hash(hasher, name(slot)), slot, |&slot| hash(hasher, name(slot)));
    }

    fn remove_index(&mut self, slot: SlotId) {
        let hash = self.hash(self.name(slot));
        if let Ok(entry) = self.index.find_entry(hash, |&s| s == slot) {
            entry.remove();
        }
    }

    /// Writes `new` to `slot`, which may lie one past the end.
    fn put(&mut self, slot: SlotId, new: Slot) {
        let at = slot as usize;
        if at == self.slots.len() {
            self.slots.push(Slot::HOLE);
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

fn hash(hasher: &FixedState, name: &[u8]) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(name);
    state.finish()
}

/// What differs from a shared base.
struct Overlay {
    slots: HashMap<SlotId, Slot, FixedState>,
    /// Names that the base has not, or has in another slot.
    index: HashTable<SlotId>,
}

enum Table {
    Own(Base),
    Shared { base: Arc<Base>, overlay: Box<Overlay> },
}

/// All members that a node knows, itself, the dead and the left included.
pub(crate) struct Members {
    table: Table,
    /// Slots, holes included; `free` lists the holes.
    slots_len: u32,
    free: Vec<SlotId>,
    live: u32,
    /// Where [`find_next`](Self::find_next) looks first.
    next: SlotId,
    /// Records that other nodes of this process hold, too.
    shelf: Option<Arc<Base>>,
    /// By slot: the members that are not at rest.
    pub(crate) local: BTreeMap<SlotId, Local>,
    counts: Counts,
}

/// What follows from the number of members, kept so that no packet computes it.
#[derive(Clone, Copy)]
struct Counts {
    /// `ceil(log10(n + 1))`.
    log10_ceil: u32,
    /// The `n` at which it grows.
    next_n: u32,
}

impl Members {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Self::of(Table::Own(Base::new(rng.next_u64())), 0)
    }

    pub(crate) fn shared(base: Arc<Base>) -> Self {
        let len = base.slots.len() as u32;
        let overlay = Overlay {
            slots: HashMap::with_hasher(FixedState::with_seed(0)),
            index: HashTable::new(),
        };
        Self::of(Table::Shared { base, overlay: Box::new(overlay) }, len)
    }

    fn of(table: Table, len: u32) -> Self {
        let counts = Counts::of(len);
        Self {
            table,
            slots_len: len,
            free: Vec::new(),
            live: len,
            next: 0,
            shelf: None,
            local: BTreeMap::new(),
            counts,
        }
    }

    /// Has [`record`](Self::record) look here before it makes a new one.
    pub(crate) fn share_records(&mut self, shelf: Arc<Base>) {
        self.shelf = Some(shelf);
    }

    /// A record of these contents: the one on the shelf if that says the same, else a new one.
    /// The caller has checked `name` with [`check_name`](crate::ids::check_name).
    pub(crate) fn record(
        &self,
        name: &[u8],
        addr: Addr,
        meta: &[u8],
        versions: Versions,
    ) -> Record {
        let shelved = self.shelf.as_ref().and_then(|shelf| {
            let record =
                shelf.slots[shelf.find(shelf.hash(name), name)? as usize].record.as_ref()?;
            let same = record.is_at(addr.wire_ip(), addr.port()) && record.says(meta, &versions.0);
            same.then(|| record.clone())
        });
        shelved.unwrap_or_else(|| Record::new(name, addr, meta, versions))
    }

    /// Slots in use.
    pub(crate) fn len(&self) -> u32 {
        self.slots_len - self.free.len() as u32
    }

    /// Slots, holes included: the domain of slot ids.
    pub(crate) fn slots_len(&self) -> u32 {
        self.slots_len
    }

    /// Members that are alive or suspect.
    pub(crate) fn live(&self) -> u32 {
        self.live
    }

    /// `ceil(log10(n + 1))`, for the transmit limit (memberlist spec 6.1).
    pub(crate) fn log10_ceil(&self) -> u32 {
        self.counts.log10_ceil
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<SlotId> {
        self.find_hashed(self.hash(name), name)
    }

    /// The member of this name, whose hash is at hand.
    pub(crate) fn find_hashed(&self, hash: u64, name: &[u8]) -> Option<SlotId> {
        match &self.table {
            Table::Own(base) => base.find(hash, name),
            Table::Shared { base, overlay } => {
                let here = |slot: &SlotId| overlay.slots[slot].record().name_bytes() == name;
                if let Some(&slot) = overlay.index.find(hash, here) {
                    return Some(slot);
                }
                // A name that the base has counts unless its slot was given to another.
                let slot = base.find(hash, name)?;
                let kept = overlay.slots.get(&slot).is_none_or(|s| {
                    s.record.as_ref().is_some_and(|record| record.name_bytes() == name)
                });
                kept.then_some(slot)
            }
        }
    }

    /// As [`find`](Self::find), for names in the order of another node's table, which is often the
    /// order of this one.
    pub(crate) fn find_next(&mut self, name: &[u8]) -> Option<SlotId> {
        let here = self.get(self.next).is_some_and(|slot| slot.record().is_named(name));
        let found = if here { self.next } else { self.find(name)? };
        self.next = found + 1;
        Some(found)
    }

    /// Makes room for more members.
    pub(crate) fn reserve(&mut self, additional: usize) {
        if let Table::Own(Base { slots, index, hasher }) = &mut self.table {
            slots.reserve(additional);
            index.reserve(additional, |&slot| {
                hash(hasher, slots[slot as usize].record().name_bytes())
            });
        }
    }

    /// What [`find_hashed`](Self::find_hashed) and [`guess`](Self::guess) go by.
    pub(crate) fn hash(&self, name: &[u8]) -> u64 {
        self.base().hash(name)
    }

    /// Where the member whose name has this hash probably is, without a look at its record.
    pub(crate) fn guess(&self, hash: u64) -> Option<SlotId> {
        self.base().index.iter_hash(hash).next().copied()
    }

    /// Reads a little of what is stored at `slot`, so that a later look finds it in the cache.
    pub(crate) fn touch(&self, slot: SlotId) -> u8 {
        let record = self.base().slots.get(slot as usize).and_then(|s| s.record.as_ref());
        record.map_or(0, Record::touch)
    }

    fn base(&self) -> &Base {
        match &self.table {
            Table::Own(base) => base,
            Table::Shared { base, .. } => base,
        }
    }

    /// The slot, which may be a hole.
    pub(crate) fn slot(&self, slot: SlotId) -> &Slot {
        match &self.table {
            Table::Own(base) => &base.slots[slot as usize],
            Table::Shared { base, overlay } => {
                if !overlay.slots.is_empty()
                    && let Some(here) = overlay.slots.get(&slot)
                {
                    return here;
                }
                &base.slots[slot as usize]
            }
        }
    }

    /// The slot, if it is in use.
    pub(crate) fn get(&self, slot: SlotId) -> Option<&Slot> {
        (slot < self.slots_len).then(|| self.slot(slot)).filter(|s| s.record.is_some())
    }

    pub(crate) fn member(&self, slot: SlotId) -> Member {
        self.slot(slot).member().expect("slot ids in use name slots in use")
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SlotId, &Slot)> + Clone {
        (0..self.slots_len).map(|id| (id, self.slot(id))).filter(|(_, s)| s.record.is_some())
    }

    /// Adds a member that the table does not have.
    pub(crate) fn insert(&mut self, record: Record, incarnation: u32, state: State) -> SlotId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots_len += 1;
            self.slots_len - 1
        });
        self.put(slot, Slot { record: Some(record), incarnation, state });
        self.counts.update(self.len());
        slot
    }

    /// Raises the incarnation of a member that is alive and stays so.
    pub(crate) fn renew(&mut self, slot: SlotId, incarnation: u32) {
        match &mut self.table {
            Table::Own(base) => base.slots[slot as usize].incarnation = incarnation,
            Table::Shared { .. } => self.set(slot, incarnation, State::Alive),
        }
    }

    /// Changes incarnation and state.
    pub(crate) fn set(&mut self, slot: SlotId, incarnation: u32, state: State) {
        if let Table::Own(base) = &mut self.table {
            let here = &mut base.slots[slot as usize];
            self.live = self.live - u32::from(here.is_live()) + u32::from(state.is_live());
            here.incarnation = incarnation;
            here.state = state;
            return;
        }
        let record = self.slot(slot).record.clone();
        self.put(slot, Slot { record, incarnation, state });
    }

    /// Changes all that is known of a member; its name stays.
    pub(crate) fn replace(&mut self, slot: SlotId, record: Record, incarnation: u32, state: State) {
        self.put(slot, Slot { record: Some(record), incarnation, state });
    }

    /// Forgets a member.
    pub(crate) fn remove(&mut self, slot: SlotId) {
        self.local.remove(&slot);
        self.put(slot, Slot::HOLE);
        self.free.push(slot);
        self.counts.update(self.len());
    }

    /// What must hold at all times.
    pub(crate) fn audit(&self) {
        assert_eq!(self.iter().count(), self.len() as usize);
        assert_eq!(self.iter().filter(|(_, s)| s.is_live()).count(), self.live() as usize);
        assert_eq!(Counts::of(self.len()).log10_ceil, self.log10_ceil());
        for (slot, known) in self.iter() {
            assert_eq!(self.find(known.record().name_bytes()), Some(slot), "one slot each");
            let local = self.local.get(&slot);
            let suspicion = local.and_then(|local| local.suspicion.as_ref());
            assert_eq!(suspicion.is_some(), known.state == State::Suspect);
            let restless = local.is_none_or(|local| local.look.is_some());
            assert!(restless || known.state != State::Alive, "the alive are at rest");
        }
        assert!(self.local.keys().all(|&slot| self.get(slot).is_some()));
    }

    fn put(&mut self, slot: SlotId, new: Slot) {
        let was_live = self.before(slot).is_some_and(Slot::is_live);
        self.live = self.live - u32::from(was_live) + u32::from(new.is_live());
        match &mut self.table {
            Table::Own(base) => base.put(slot, new),
            Table::Shared { base, overlay } => {
                overlay.put(base, slot, new);
                if overlay.slots.len() > OVERLAY_MIN.max(base.slots.len() / 8) {
                    self.fold();
                }
            }
        }
    }

    /// What stood at `slot`, which may lie one past the end.
    fn before(&self, slot: SlotId) -> Option<&Slot> {
        match &self.table {
            Table::Own(base) => base.slots.get(slot as usize),
            Table::Shared { base, overlay } => {
                overlay.slots.get(&slot).or_else(|| base.slots.get(slot as usize))
            }
        }
    }

    /// Copies the shared base and writes the overlay into it.
    fn fold(&mut self) {
        let table = core::mem::replace(&mut self.table, Table::Own(Base::new(0)));
        let Table::Shared { base, mut overlay } = table else {
            self.table = table;
            return;
        };
        let mut own = Arc::unwrap_or_clone(base);
        // Holes first, then in order of slots: a name may have moved from one slot to another.
        let mut changed: Vec<SlotId> = overlay.slots.keys().copied().collect();
        changed.sort_unstable();
        for &slot in &changed {
            if (slot as usize) < own.slots.len() {
                own.put(slot, Slot::HOLE);
            }
        }
        for slot in changed {
            own.put(slot, overlay.slots.remove(&slot).expect("listed above"));
        }
        self.table = Table::Own(own);
    }
}

impl Overlay {
    fn put(&mut self, base: &Base, slot: SlotId, new: Slot) {
        let name = |slots: &HashMap<SlotId, Slot, FixedState>, slot: SlotId| {
            hash(&base.hasher, slots[&slot].record().name_bytes())
        };
        let named = |s: &Slot| s.record.as_ref().map(|r| hash(&base.hasher, r.name_bytes()));
        if let Some(old) = self.slots.get(&slot).and_then(named)
            && let Ok(entry) = self.index.find_entry(old, |&s| s == slot)
        {
            entry.remove();
        }
        let in_base = match (&new.record, base.slots.get(slot as usize)) {
            (Some(new), Some(Slot { record: Some(old), .. })) => {
                old.name_bytes() == new.name_bytes()
            }
            _ => false,
        };
        let hash = named(&new);
        self.slots.insert(slot, new);
        if let Some(hash) = hash
            && !in_base
        {
            let slots = &self.slots;
            self.index.insert_unique(hash, slot, |&s| name(slots, s));
        }
    }
}

impl Counts {
    fn of(n: u32) -> Self {
        // 10^k - 1 members is the most for which k digits suffice.
        let log10_ceil = (n.max(1)).ilog10() + 1;
        let next_n = 10u32.checked_pow(log10_ceil).unwrap_or(u32::MAX);
        Self { log10_ceil, next_n }
    }

    fn update(&mut self, n: u32) {
        if n >= self.next_n || n < self.next_n / 10 {
            *self = Self::of(n);
        }
    }
}
