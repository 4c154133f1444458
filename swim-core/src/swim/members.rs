//! The member table: a base that many nodes may share, and what differs from it here.
//!
//! Per member the table holds the replicated fact only (record, incarnation, state), which is equal
//! on all nodes of a cluster at rest; what is local to this node lives in [`Local`] for the few
//! members that are not at rest. A node of its own writes to the base directly. Nodes that start
//! from one [`Roster`](super::Roster) share its base until their overlay holds an eighth of it;
//! then, and if they start alone in a world that has one, they hold places on it.

mod base;
mod overlay;
mod shelved;
mod slot;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use smallvec::SmallVec;

pub(crate) use self::base::Base;
use self::overlay::Overlay;
use self::shelved::Shelved;
pub(crate) use self::slot::Slot;
use self::slot::Stored;
use super::suspicion::Suspicion;
use crate::ids::{Addr, NameError, NodeName};
use crate::member::{Member, Record, State, Versions};
use crate::rng::Rng;
use crate::time::Instant;

/// A member's place in the table. Places of forgotten members are used again.
pub(crate) type SlotId = u32;

/// An overlay below this length is never folded.
const OVERLAY_MIN: usize = 64;

/// An overlay of more than this is far from the processor when its node's turn comes.
const FAR_ABOVE: usize = 8;

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

enum Table {
    Own(Base),
    Shared { base: Arc<Base>, overlay: Box<Overlay> },
    Shelved(Box<Shelved>),
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
        Self::of(Table::Shared { base, overlay: Box::new(Overlay::new()) }, len)
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

    /// Has [`record`](Self::record) look here before it makes a new one, and the table hold places
    /// on this shelf while every name is on it.
    pub(crate) fn share_records(&mut self, shelf: Arc<Base>) {
        if let Some(mut table) = Shelved::new(Arc::clone(&shelf))
            && (0..self.slots_len).all(|slot| table.put(slot, &self.slot(slot).stored()))
        {
            self.table = Table::Shelved(Box::new(table));
        }
        self.shelf = Some(shelf);
    }

    /// On a shared base whose slots all still hold their name or nobody: those that differ, in
    /// order.
    pub(crate) fn changes(&self) -> Option<Vec<SlotId>> {
        let Table::Shared { base, overlay } = &self.table else { return None };
        overlay.changes(base)
    }

    /// The place on the shelf that has the name of a slot in use.
    pub(crate) fn place(&self, slot: SlotId) -> Option<u32> {
        if let Table::Shelved(table) = &self.table {
            return table.place(slot);
        }
        self.shelf()?.place_of(self.slot(slot).record())
    }

    /// The slot of whom the shelf has at this place, if a claim that it is alive at this
    /// incarnation is old news here. `None` if that takes a closer look.
    #[inline]
    pub(crate) fn knows(&self, place: u32, incarnation: u32) -> Option<SlotId> {
        match &self.table {
            Table::Own(_) => None,
            Table::Shared { base, overlay } => overlay.knows(base, place, incarnation),
            Table::Shelved(table) => table.knows(place, incarnation),
        }
    }

    /// Whether nobody of the name at this place on the shelf is known. False if that takes a closer
    /// look.
    #[inline]
    pub(crate) fn is_new(&self, place: u32) -> bool {
        matches!(&self.table, Table::Shelved(table) if table.slot_of(place).is_none())
    }

    /// What nodes of this process share: records, or all that they start with.
    pub(crate) fn shelf(&self) -> Option<&Arc<Base>> {
        match &self.table {
            Table::Own(_) => self.shelf.as_ref(),
            Table::Shared { base, .. } => Some(base),
            Table::Shelved(table) => Some(&table.shelf),
        }
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
            let record = shelf.record(shelf.find(shelf.hash(name), name)?)?;
            let same = record.is_at(addr.wire_ip(), addr.port()) && record.says(meta, &versions.0);
            same.then(|| record.clone())
        });
        shelved.unwrap_or_else(|| Record::new(name, addr, meta, versions))
    }

    /// A name: the one on the shelf, if that has it, else a new one.
    pub(crate) fn node_name(&self, name: &[u8]) -> Result<NodeName, NameError> {
        let shelved = self.shelf().and_then(|shelf| shelf.node_name(name));
        shelved.map_or_else(|| NodeName::from_wire(name), |name| Ok(name.clone()))
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
            Table::Shared { base, overlay } => overlay.find(base, hash, name),
            Table::Shelved(table) => table.find(hash, name),
        }
    }

    /// As [`find`](Self::find), for names in the order of another node's table, which is often the
    /// order of this one.
    pub(crate) fn find_next(&mut self, name: &[u8]) -> Option<SlotId> {
        let found = if self.is_named(self.next, name) { self.next } else { self.find(name)? };
        self.next = found + 1;
        Some(found)
    }

    /// Whom [`find_next`](Self::find_next) found last.
    pub(crate) fn last_found(&self) -> SlotId {
        self.next.wrapping_sub(1)
    }

    /// Whether a slot, which may lie past the end, is that of this name.
    pub(crate) fn is_named(&self, slot: SlotId, name: &[u8]) -> bool {
        self.get(slot).is_some_and(|slot| slot.record().is_named(name))
    }

    /// Makes room for more members.
    pub(crate) fn reserve(&mut self, additional: usize) {
        match &mut self.table {
            Table::Own(base) => base.reserve(additional),
            Table::Shared { .. } => {}
            Table::Shelved(table) => table.reserve(additional),
        }
    }

    /// What [`find_hashed`](Self::find_hashed) and [`guess`](Self::guess) go by.
    #[inline]
    pub(crate) fn hash(&self, name: &[u8]) -> u64 {
        self.base().hash(name)
    }

    /// Where the member whose name has this hash probably is, without a look at its record. May lie
    /// past the end.
    #[inline]
    pub(crate) fn guess(&self, hash: u64) -> SlotId {
        self.base().index.iter_hash(hash).next().copied().unwrap_or(SlotId::MAX)
    }

    /// The member of this name, who is probably [there](Self::guess).
    #[inline]
    pub(crate) fn find_near(&self, guess: SlotId, hash: u64, name: &[u8]) -> Option<SlotId> {
        match &self.table {
            Table::Own(base) if base.is_named(guess, name) => Some(guess),
            _ => self.find_hashed(hash, name),
        }
    }

    /// Reads a little of what is stored where [`guess`](Self::guess) says, so that a later look
    /// finds it in the cache.
    #[inline]
    pub(crate) fn touch(&self, guess: SlotId) -> u8 {
        self.base().record(guess).map_or(0, Record::touch)
    }

    /// Whether what this node holds of members that are not at rest is probably in no cache: one
    /// of many nodes in this process, and much news.
    pub(crate) fn is_far(&self) -> bool {
        matches!(&self.table, Table::Shared { overlay, .. } if overlay.slots.len() > FAR_ABOVE)
    }

    /// Reads a little of what differs here from the base, and of running suspicions: of all members
    /// first the one, then the other, so that the waits for memory overlap.
    pub(crate) fn touch_changes(&self, slots: &[SlotId]) -> u32 {
        let Table::Shared { overlay, .. } = &self.table else { return 0 };
        let open = |&&slot: &&SlotId| {
            let here = overlay.slots.get(&slot);
            here.is_some_and(|here| here.state == State::Suspect && !here.settled)
        };
        let open: SmallVec<[SlotId; 32]> = slots.iter().filter(open).copied().collect();
        let suspicion = |slot: &SlotId| self.local.get(slot)?.suspicion.as_deref();
        let suspicions: SmallVec<[&Suspicion; 32]> = open.iter().filter_map(suspicion).collect();
        suspicions.iter().fold(0, |all, suspicion| all ^ suspicion.touch())
    }

    #[inline]
    fn base(&self) -> &Base {
        match &self.table {
            Table::Own(base) => base,
            Table::Shared { base, .. } => base,
            Table::Shelved(table) => &table.shelf,
        }
    }

    /// The slot, which may be a hole.
    #[inline]
    pub(crate) fn slot(&self, slot: SlotId) -> Slot<'_> {
        self.at(slot).expect("slot ids lie below the number of slots")
    }

    /// The slot, which may be a hole, or lie past the end.
    #[inline]
    fn at(&self, slot: SlotId) -> Option<Slot<'_>> {
        match &self.table {
            Table::Own(base) => base.slots.get(slot as usize).map(Stored::view),
            Table::Shared { .. } | Table::Shelved(_) => self.at_roster(slot),
        }
    }

    /// The same of a table that stands on a roster, apart so that the usual one is inlined.
    #[inline(never)]
    fn at_roster(&self, slot: SlotId) -> Option<Slot<'_>> {
        match &self.table {
            Table::Own(_) => None,
            Table::Shared { base, overlay } => overlay.get(base, slot),
            Table::Shelved(table) => table.get(slot),
        }
    }

    /// The slot, if it is in use.
    #[inline]
    pub(crate) fn get(&self, slot: SlotId) -> Option<Slot<'_>> {
        self.at(slot).filter(|s| s.record.is_some())
    }

    /// The name in a slot in use.
    #[inline]
    pub(crate) fn name_bytes(&self, slot: SlotId) -> &[u8] {
        let record = match &self.table {
            // What all nodes share is in the cache rather than what differs here.
            Table::Shared { base, overlay } if overlay.renames_nobody() => base.record(slot),
            _ => None,
        };
        record.unwrap_or_else(|| self.slot(slot).record()).name_bytes()
    }

    pub(crate) fn member(&self, slot: SlotId) -> Member {
        self.slot(slot).member().expect("slot ids in use name slots in use")
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SlotId, Slot<'_>)> + Clone {
        (0..self.slots_len).map(|id| (id, self.slot(id))).filter(|(_, s)| s.record.is_some())
    }

    /// Adds a member that the table does not have.
    pub(crate) fn insert(&mut self, record: Record, incarnation: u32, state: State) -> SlotId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots_len += 1;
            self.slots_len - 1
        });
        self.put(slot, Stored::new(Some(record), incarnation, state));
        self.counts.update(self.len());
        slot
    }

    /// Raises the incarnation of a member that is alive and stays so.
    pub(crate) fn renew(&mut self, slot: SlotId, incarnation: u32) {
        match &mut self.table {
            Table::Own(base) => base.slots[slot as usize].incarnation = incarnation,
            Table::Shared { .. } | Table::Shelved(_) => {
                self.set(slot, incarnation, State::Alive);
            }
        }
    }

    /// Changes incarnation and state.
    pub(crate) fn set(&mut self, slot: SlotId, incarnation: u32, state: State) {
        let was_live = match &mut self.table {
            Table::Own(base) => {
                let here = &mut base.slots[slot as usize];
                let was_live = here.view().is_live();
                here.incarnation = incarnation;
                here.state = state;
                here.settled = false;
                was_live
            }
            Table::Shelved(table) => table.set(slot, incarnation, state),
            Table::Shared { .. } => {
                let record = self.slot(slot).record.cloned();
                return self.put(slot, Stored::new(record, incarnation, state));
            }
        };
        self.live = self.live - u32::from(was_live) + u32::from(state.is_live());
    }

    /// Notes that what others say against a suspect is no news any more, until its state is set
    /// anew, or that it is dead.
    pub(crate) fn settle(&mut self, slot: SlotId) {
        match &mut self.table {
            Table::Own(base) => base.slots[slot as usize].settled = true,
            Table::Shared { overlay, .. } => overlay.settle(slot),
            Table::Shelved(_) => {}
        }
    }

    /// Changes all that is known of a member; its name stays.
    pub(crate) fn replace(&mut self, slot: SlotId, record: Record, incarnation: u32, state: State) {
        self.put(slot, Stored::new(Some(record), incarnation, state));
    }

    /// Forgets a member.
    pub(crate) fn remove(&mut self, slot: SlotId) {
        self.local.remove(&slot);
        self.put(slot, Stored::HOLE);
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
            let confirmed = suspicion.is_some_and(|suspicion| suspicion.is_confirmed());
            assert!(!known.settled || confirmed, "who is settled wants no confirmation");
            let restless = local.is_none_or(|local| local.look.is_some());
            assert!(restless || known.state != State::Alive, "the alive are at rest");
        }
        assert!(self.local.keys().all(|&slot| self.get(slot).is_some()));
    }

    fn put(&mut self, slot: SlotId, new: Stored) {
        let was_live = self.at(slot).is_some_and(|slot| slot.is_live());
        self.live = self.live - u32::from(was_live) + u32::from(new.view().is_live());
        match &mut self.table {
            Table::Own(base) => base.put(slot, new),
            Table::Shared { base, overlay } => {
                overlay.put(base, slot, new);
                if overlay.slots.len() > OVERLAY_MIN.max(base.len() / 8) {
                    self.fold();
                }
            }
            Table::Shelved(table) => {
                if !table.put(slot, &new) {
                    let mut own = table.unshelve();
                    own.put(slot, new);
                    self.table = Table::Own(own);
                }
            }
        }
    }

    /// Ends the sharing of the slots of a base: its records are still shared.
    fn fold(&mut self) {
        let Table::Shared { base, overlay } = &self.table else { return };
        let table = match Shelved::of(base, overlay) {
            Some(table) => Table::Shelved(Box::new(table)),
            None => Table::Own(overlay.written_to(base)),
        };
        self.shelf = Some(Arc::clone(base));
        self.table = table;
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
