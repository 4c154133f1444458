//! Merging another node's full state (memberlist spec 4.6), large ones in slices.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::claims::{Origin, sane_versions};
use super::ctx::Ctx;
use super::members::Base;
use super::sharing::{self, Entries, Entry, News, Shared};
use super::timers::Timer;
use crate::ids::{Addr, check_name};
use crate::member::{State, Versions};
use crate::policy::{Admission, Candidate};
use crate::wire::{Alive, DecodeError, Kind, Limits, NodeState, Nodes, PushPull};

/// Entries that one call merges; the rest waits for the next.
const SLICE: usize = 1024;

/// No entry with every field is shorter, even with a name of one byte.
const ENTRY_BYTES_MIN: usize = 48;

/// The same of entries by reference.
const SHARED_ENTRY_BYTES_MIN: usize = 4;

/// Merges that wait at most.
const PENDING_MAX: usize = 16;

/// While those that wait hold more than this, there is no other: with the 40 MiB that a message on
/// a stream has at most they hold 64 MiB together.
const PENDING_BYTES_MAX: usize = 24 * 1024 * 1024;

#[derive(Default)]
pub(crate) struct Merges {
    pending: VecDeque<Pending>,
    /// Bytes that they hold.
    bytes: usize,
}

/// What is left of a large state.
struct Pending {
    form: Form,
    bytes: Vec<u8>,
    offset: usize,
    left: u32,
    join: bool,
    origin: Origin,
    user_state: Vec<u8>,
}

/// How entries are written.
#[derive(Clone, Copy)]
enum Form {
    Wire,
    Shared,
}

/// The state of another node, as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Theirs<'a> {
    PushPull(PushPull<'a>),
    /// By reference, from a node of this process.
    Shared(Shared<'a>),
}

impl<'a> Theirs<'a> {
    /// Whether bytes are a state, in a form that this node takes.
    pub(crate) fn is_state(cx: &Ctx, bytes: &[u8]) -> bool {
        bytes.first() == Some(&Kind::PushPull.byte())
            || cx.shares_states && sharing::is_shared(bytes)
    }

    /// Reads what [`is_state`](Self::is_state) let through.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if sharing::is_shared(bytes) {
            return Shared::decode(bytes).map(Self::Shared);
        }
        PushPull::decode(bytes, &Limits::default()).map(Self::PushPull)
    }

    pub(crate) fn is_join(&self) -> bool {
        match self {
            Self::PushPull(state) => state.join,
            Self::Shared(state) => state.join,
        }
    }

    /// Takes it for a join, or not, whatever it says.
    pub(crate) fn set_join(&mut self, is_join: bool) {
        match self {
            Self::PushPull(state) => state.join = is_join,
            Self::Shared(state) => state.join = is_join,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::PushPull(state) => state.len(),
            Self::Shared(state) => state.len(),
        }
    }

    fn user_state(&self) -> &'a [u8] {
        match self {
            Self::PushPull(state) => state.user_state(),
            Self::Shared(state) => state.user_state(),
        }
    }

    /// Hands all entries to `take`, which may end the walk.
    fn walk<T>(
        &self,
        shelf: Option<&'a Base>,
        take: impl FnOnce(&mut dyn Iterator<Item = NodeState<'a>>) -> T,
    ) -> T {
        match (self, shelf) {
            (Self::PushPull(state), _) => take(&mut state.nodes()),
            (Self::Shared(state), Some(shelf)) => take(&mut state.nodes(shelf)),
            (Self::Shared(_), None) => take(&mut core::iter::empty()),
        }
    }
}

/// Why a push/pull is not merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotMerged {
    Busy,
    Vetoed(String),
    /// No entry speaks a version that this node speaks.
    Incompatible,
}

impl Merges {
    /// Whether this state may be merged: to be asked before anything is answered (hazard 31).
    pub(crate) fn verify(&self, cx: &mut Ctx, state: &Theirs<'_>) -> Result<(), NotMerged> {
        if self.pending.len() >= PENDING_MAX || self.bytes > PENDING_BYTES_MAX {
            return Err(NotMerged::Busy);
        }
        let mine = cx.my_record().versions();
        let compatible = |node: NodeState<'_>| {
            node.vsn.and_then(sane_versions).is_some_and(|theirs| talk(mine, theirs))
        };
        let shelf = cx.members.shelf().cloned();
        let shelf = shelf.as_deref();
        if state.len() > 0 && !state.walk(shelf, |mut nodes| Iterator::any(&mut nodes, compatible))
        {
            cx.stats.rare().bad_versions += 1;
            return Err(NotMerged::Incompatible);
        }
        if !state.is_join() || !cx.verdicts.are_asked(&cx.config) {
            return Ok(());
        }
        let candidates: Vec<Candidate<'_>> =
            state.walk(shelf, |nodes| nodes.filter_map(candidate).collect());
        let me = cx.members.member(cx.me);
        let verdict = cx.verdicts.admit(&cx.config, &me, &candidates, Admission::Join);
        if verdict.is_err() {
            cx.stats.rare().vetoed += 1;
        }
        verdict.map_err(NotMerged::Vetoed)
    }

    /// Merges a state that was verified.
    pub(crate) fn begin(&mut self, cx: &mut Ctx, origin: Origin, state: &Theirs<'_>) {
        cx.stats.merges += 1;
        if let Some(above) = &mut cx.above {
            above.order.clear();
        }
        let (join, user_state) = (state.is_join(), state.user_state());
        let (form, rest, left) = match state {
            Theirs::PushPull(state) => {
                let mut nodes = state.nodes();
                reserve(cx, nodes.left(), nodes.rest().len(), ENTRY_BYTES_MIN);
                merge_slice(cx, origin, &mut nodes);
                (Form::Wire, nodes.rest().to_vec(), nodes.left())
            }
            Theirs::Shared(state) => {
                let News { bytes, left, known } = state.news(&cx.members);
                cx.stats.stale += u64::from(known);
                let mut entries = Entries { bytes: &bytes, left };
                reserve(cx, left, bytes.len(), SHARED_ENTRY_BYTES_MIN);
                merge_shared_slice(cx, origin, &mut entries);
                let Entries { bytes: rest, left } = entries;
                (Form::Shared, rest.to_vec(), left)
            }
        };
        if left == 0 {
            cx.deliver_state(join, user_state);
            return;
        }
        let pending = Pending {
            form,
            bytes: rest,
            offset: 0,
            left,
            join,
            origin,
            user_state: user_state.to_vec(),
        };
        self.bytes += pending.bytes_held();
        self.pending.push_back(pending);
        cx.timers.arm(Timer::Merge, cx.now);
    }

    /// What must hold at all times.
    pub(crate) fn audit(&self) {
        assert!(self.pending.len() <= PENDING_MAX);
        assert_eq!(self.bytes, self.pending.iter().map(Pending::bytes_held).sum::<usize>());
    }

    /// Whether slices are left.
    pub(crate) fn is_merging(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Merges the next slice.
    pub(crate) fn on_timer(&mut self, cx: &mut Ctx) {
        let Some(pending) = self.pending.front_mut() else { return };
        match pending.form {
            Form::Wire => {
                let mut nodes = Nodes::resume(&pending.bytes, pending.offset, pending.left);
                merge_slice(cx, pending.origin, &mut nodes);
                (pending.offset, pending.left) = (nodes.offset(), nodes.left());
            }
            Form::Shared => {
                let bytes = pending.bytes.get(pending.offset..).unwrap_or_default();
                let mut entries = Entries { bytes, left: pending.left };
                merge_shared_slice(cx, pending.origin, &mut entries);
                pending.left = entries.left;
                pending.offset = pending.bytes.len() - entries.bytes.len();
            }
        }
        if pending.left == 0
            && let Some(merged) = self.pending.pop_front()
        {
            self.bytes -= merged.bytes_held();
            cx.deliver_state(merged.join, &merged.user_state);
        }
        if !self.pending.is_empty() {
            cx.timers.arm(Timer::Merge, cx.now);
        }
    }
}

impl Pending {
    fn bytes_held(&self) -> usize {
        self.bytes.len() + self.user_state.len()
    }
}

/// Makes room for what so many entries, in so many bytes, may teach.
fn reserve(cx: &mut Ctx, entries: u32, bytes: usize, entry_bytes_min: usize) {
    // Not for all that are announced: they may be a million times nothing.
    let entries = (entries as usize).min(bytes / entry_bytes_min);
    let news = entries.min(cx.config.knobs.members_max as usize);
    cx.members.reserve(news.saturating_sub(cx.members.len() as usize));
}

/// Merges entries by reference. Most say what is known, or bring a newcomer: one look at the table
/// tells.
fn merge_shared_slice(cx: &mut Ctx, origin: Origin, entries: &mut Entries<'_>) {
    let Some(shelf) = cx.members.shelf().cloned() else { return };
    let mine = cx.my_record().versions();
    let theirs = shelf.versions_at_rest().and_then(|theirs| sane_versions(theirs.as_bytes()));
    let talks = theirs.is_some_and(|theirs| talk(mine, theirs));
    let is_plain = talks && cx.takes_everybody();
    let mut stale = 0;
    for entry in entries.take(SLICE) {
        if let Entry::Placed { place, incarnation, state: State::Alive } = entry
            && talks
        {
            if cx.members.knows(place, incarnation).is_some_and(|slot| slot != cx.me) {
                stale += 1;
                continue;
            }
            if is_plain
                && incarnation > 0
                && cx.members.is_new(place)
                && let Some(record) = shelf.record(place)
            {
                cx.on_placed_newcomer(origin, record, incarnation);
                continue;
            }
        }
        if let Some(node) = entry.node(&shelf) {
            merge_entry(cx, origin, &node);
        }
    }
    cx.stats.stale += stale;
}

/// Merges the next slice.
fn merge_slice(cx: &mut Ctx, origin: Origin, nodes: &mut Nodes<'_>) {
    for node in nodes.take(SLICE) {
        merge_entry(cx, origin, &node);
        if let Some(above) = cx.above.as_mut().filter(|above| above.order.len() < SLICE) {
            above.order.push(cx.members.last_found());
        }
    }
}

/// Merges one entry, or refuses it by itself: Go would refuse the whole state (hazard 3).
fn merge_entry(cx: &mut Ctx, origin: Origin, node: &NodeState<'_>) {
    let Some(state) = State::from_number(node.state) else {
        cx.stats.rare().bad_states += 1;
        return;
    };
    if state != State::Alive {
        cx.on_remote_not_alive(node.name, node.incarnation, state);
        return;
    }
    let mine = cx.my_record().versions();
    let theirs = node.vsn.and_then(sane_versions);
    if !theirs.is_some_and(|theirs| talk(mine, theirs)) {
        cx.stats.rare().bad_versions += 1;
        return;
    }
    let claim = Alive {
        incarnation: node.incarnation,
        node: node.name,
        addr: node.addr,
        port: node.port,
        meta: node.meta,
        vsn: node.vsn,
    };
    cx.on_alive(origin, &claim);
}

/// Whether each of two nodes understands what the other speaks.
fn talk(a: Versions, b: Versions) -> bool {
    let within = |current: u8, min: u8, max: u8| (min..=max).contains(&current);
    let pair = |(a_min, a_max, a): (u8, u8, u8), (b_min, b_max, b): (u8, u8, u8)| {
        within(a, b_min, b_max) && within(b, a_min, a_max)
    };
    pair(a.protocol(), b.protocol()) && pair(a.app(), b.app())
}

fn candidate(node: NodeState<'_>) -> Option<Candidate<'_>> {
    Some(Candidate {
        name: check_name(node.name).ok()?,
        addr: Addr::from_wire(node.addr?, node.port).ok()?,
        meta: node.meta.unwrap_or_default(),
        versions: node.vsn.and_then(sane_versions)?,
        state: State::from_number(node.state)?,
    })
}
