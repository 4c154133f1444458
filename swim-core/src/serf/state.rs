//! The state that push/pulls carry (serf spec 2.5).

use alloc::vec::Vec;

use bytes::BytesMut;
use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::core::Core;
use super::lamport::Clocks;
use super::members::Members;
use super::user_event::UserEvents;
use crate::swim::{Ctx, Sum};
use crate::wire::Limits;
use crate::wire::serf::{self, Join, Leave, PushPull, PushPullFields, Slot};

/// Writes what this node knows, for the other side of a push/pull. Events are left out if they
/// would make it too long; whether that was so.
pub(super) fn write(
    table: &Ctx,
    clocks: Clocks,
    events: &UserEvents,
    event_times: u32,
    out: &mut BytesMut,
) -> bool {
    // One walk: a large table is in no cache.
    let known: Vec<(&[u8], u64)> = table
        .members
        .iter()
        .map(|(slot, s)| {
            let mark = table.mark(slot);
            // Whoever reads it takes it for a join, which would outdate the word of the leave if it
            // had the same time: the leave would then look like a failure.
            let leaves = s.state().is_live() && mark.leaves;
            (s.record().name_bytes(), mark.number.saturating_sub(leaves.into()))
        })
        .collect();
    let gone_max = if table.anybody_leaves() { usize::MAX } else { 0 };
    let ring = events.ring().slots();
    let fields = |cut: bool| PushPullFields {
        ltime: clocks.member.time(),
        status_ltimes: Some(known.iter().copied()),
        left: Some(
            table
                .members
                .iter()
                .take(gone_max)
                .filter(|(slot, s)| !s.state().is_live() && table.mark(*slot).leaves)
                .map(|(_, s)| s.record().name_bytes()),
        ),
        event_ltime: clocks.event.time(),
        events: Some((0..event_times as usize).map(move |at| {
            let slot = ring.get(at).and_then(Option::as_ref).filter(|_| !cut)?;
            let events = slot.items.iter();
            let events = events
                .map(|known| serf::Event { name: &known.name, payload: Some(&known.payload) });
            Some(Slot { ltime: slot.ltime, events: Some(events) })
        })),
        query_ltime: clocks.query.time(),
    };
    let whole = fields(false);
    let len = whole.encoded_len();
    let cut = len > Limits::default().user_state_bytes_max as usize;
    if cut {
        fields(true).encode(out)
    } else {
        whole.encode_in(len, out)
    }
    cut
}

/// Takes what another node knows. Whether that is of a later word about this node than its own: a
/// leave that did not reach it, or what it said in an earlier life.
///
/// `ignore_old`: this node joins, and does not want the events from before.
pub(super) fn merge(
    cx: &mut Core,
    members: &mut Members,
    events: &mut UserEvents,
    state: &[u8],
    ignore_old: bool,
) -> bool {
    let Ok(state) = PushPull::decode(state) else {
        cx.stats.count().malformed += 1;
        return false;
    };
    let clocks = &mut cx.clocks;
    let pairs = [
        (&mut clocks.member, state.ltime),
        (&mut clocks.event, state.event_ltime),
        (&mut clocks.query, state.query_ltime),
    ];
    for (clock, time) in pairs {
        if let Some(last) = time.checked_sub(1) {
            clock.witness(last);
        }
    }
    let later = merge_members(cx, members, &state);
    if ignore_old {
        events.raise_min_time(state.event_ltime);
    }
    for slot in state.events.into_iter().flatten().flatten() {
        for event in slot.events.into_iter().flatten() {
            let serf::Event { name, payload } = event;
            let ltime = slot.ltime;
            events.take(cx, &serf::UserEvent { ltime, name, payload, coalesce: false });
        }
    }
    later
}

/// Those who left are taken to have said so just after the last that was heard of them; the others,
/// to have joined then. Whether this node is among those and has not said that itself.
fn merge_members(cx: &mut Core, members: &mut Members, state: &PushPull<'_>) -> bool {
    let me = cx.node.my_record().clone();
    let mut later = false;
    let seed = cx.node.random_u32();
    let order = cx.node.take_order();
    if is_known(cx, state) {
        return false;
    }
    let mut left = HashSet::with_hasher(FixedState::with_seed(seed.into()));
    left.extend(state.left.into_iter().flatten());
    let mut order = order.into_iter();
    for (node, ltime) in state.status_ltimes.into_iter().flatten() {
        let guess = order.next();
        if !left.is_empty() && left.remove(node) {
            let ltime = ltime.saturating_add(1);
            members.on_leave(cx, &Leave { ltime, node, prune: false });
            continue;
        }
        let slot = cx.node.find_at(guess, node);
        if members.on_join_at(cx, slot, &Join { ltime, node }) {
            later |= node == me.name_bytes() && ltime > members.lived;
        }
    }
    for node in state.left.into_iter().flatten() {
        if left.remove(node) {
            members.on_leave(cx, &Leave { ltime: 1, node, prune: false });
        }
    }
    later
}

/// Whether all that a state says of members is what this node has, as with most in a pool at rest:
/// then it is counted as stale, and no member is looked up. A state made to look so is one that its
/// maker need not have sent.
fn is_known(cx: &mut Core, state: &PushPull<'_>) -> bool {
    if cx.node.anybody_leaves() || state.left.into_iter().flatten().next().is_some() {
        return false;
    }
    let own = cx.node.marks_sum();
    let mut theirs = Sum::default();
    for (node, ltime) in state.status_ltimes.into_iter().flatten() {
        theirs.add(cx.node.hash(node), ltime);
    }
    if theirs != own {
        return false;
    }
    cx.stats.count().intents_stale += u64::from(own.members());
    true
}
