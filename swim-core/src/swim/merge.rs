//! Merging another node's full state (memberlist spec 4.6), large ones in slices.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::claims::{Origin, sane_versions};
use super::ctx::Ctx;
use super::timers::Timer;
use crate::ids::{Addr, check_name};
use crate::member::{State, Versions};
use crate::policy::{Admission, Candidate};
use crate::wire::{Alive, NodeState, Nodes, PushPull};

/// Entries that one call merges; the rest waits for the next.
const SLICE: usize = 1024;

/// No entry with every field is shorter, even with a name of one byte.
const ENTRY_BYTES_MIN: usize = 48;

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

/// What is left of a large push/pull.
struct Pending {
    bytes: Vec<u8>,
    offset: usize,
    left: u32,
    join: bool,
    origin: Origin,
    user_state: Vec<u8>,
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
    pub(crate) fn verify(&self, cx: &mut Ctx, state: &PushPull<'_>) -> Result<(), NotMerged> {
        if self.pending.len() >= PENDING_MAX || self.bytes > PENDING_BYTES_MAX {
            return Err(NotMerged::Busy);
        }
        let mine = cx.my_record().versions();
        let compatible = |node: NodeState<'_>| {
            node.vsn.and_then(sane_versions).is_some_and(|theirs| talk(mine, theirs))
        };
        if !state.is_empty() && !state.nodes().any(compatible) {
            cx.stats.rare().bad_versions += 1;
            return Err(NotMerged::Incompatible);
        }
        if !state.join || !cx.verdicts.are_asked(&cx.config) {
            return Ok(());
        }
        let candidates: Vec<Candidate<'_>> = state.nodes().filter_map(candidate).collect();
        let me = cx.members.member(cx.me);
        let verdict = cx.verdicts.admit(&cx.config, &me, &candidates, Admission::Join);
        if verdict.is_err() {
            cx.stats.rare().vetoed += 1;
        }
        verdict.map_err(NotMerged::Vetoed)
    }

    /// Merges a state that was verified.
    pub(crate) fn begin(&mut self, cx: &mut Ctx, origin: Origin, state: &PushPull<'_>) {
        cx.stats.merges += 1;
        let mut nodes = state.nodes();
        // Not for all that are announced: they may be a million times nothing.
        let entries = (nodes.left() as usize).min(nodes.rest().len() / ENTRY_BYTES_MIN);
        let news = entries.min(cx.config.knobs.members_max as usize);
        cx.members.reserve(news.saturating_sub(cx.members.len() as usize));
        merge_slice(cx, origin, &mut nodes);
        let user_state = state.user_state();
        if nodes.left() == 0 {
            cx.deliver_state(state.join, user_state);
            return;
        }
        let pending = Pending {
            bytes: nodes.rest().to_vec(),
            offset: 0,
            left: nodes.left(),
            join: state.join,
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
        let mut nodes = Nodes::resume(&pending.bytes, pending.offset, pending.left);
        merge_slice(cx, pending.origin, &mut nodes);
        (pending.offset, pending.left) = (nodes.offset(), nodes.left());
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

/// Merges the next slice.
fn merge_slice(cx: &mut Ctx, origin: Origin, nodes: &mut Nodes<'_>) {
    for node in nodes.take(SLICE) {
        merge_entry(cx, origin, &node);
    }
}

/// Merges one entry, or refuses it by itself: Go would refuse the whole state (hazard 3).
fn merge_entry(cx: &mut Ctx, origin: Origin, node: &NodeState<'_>) {
    let Some(state) = state_of(node.state) else {
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

fn state_of(number: i64) -> Option<State> {
    match number {
        0 => Some(State::Alive),
        1 => Some(State::Suspect),
        2 => Some(State::Dead),
        3 => Some(State::Left),
        _ => None,
    }
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
        state: state_of(node.state)?,
    })
}
