//! Members, and what was said of their coming and going (serf spec 3.2, 3.3).

use alloc::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;

use super::core::{Core, INTENTS};
use super::timers::Due;
use crate::ids::{NodeName, OpId};
use crate::member;
use crate::serf::{Change, Member, Status};
use crate::swim::{Mark, SlotId};
use crate::time::Instant;
use crate::wire::serf::{Join, Leave};

/// What is remembered of members besides the marks in the table.
#[derive(Default)]
pub(super) struct Members {
    /// Intents of those who are not known yet (serf spec 2.6).
    recent: BTreeMap<NodeName, Recent>,
    /// When those failed who failed lately.
    failed: BTreeMap<NodeName, Instant>,
    /// Those who are to be forgotten once they have left.
    prunes: BTreeSet<NodeName>,
    /// The last time that an earlier life of this node saw: words about it up to then, its own
    /// among them, are no news.
    pub(super) lived: u64,
    /// This node was told to leave, so it refutes nothing.
    pub(super) is_leaving: bool,
}

#[derive(Clone, Copy)]
struct Recent {
    leaves: bool,
    ltime: u64,
    at: Instant,
}

impl Members {
    /// A member joined, or came back.
    pub(super) fn on_up(&mut self, cx: &mut Core, member: &member::Member) {
        let Some(slot) = cx.node.find(member.name().as_bytes()) else { return };
        let mut mark = Mark { leaves: false, ..cx.node.mark(slot) };
        if !self.recent.is_empty()
            && let Some(recent) = self.recent.get(&member.node_name())
            && recent.ltime > mark.number
        {
            mark = Mark { number: recent.ltime, leaves: recent.leaves };
        }
        cx.node.set_mark(slot, mark);
        if !self.failed.is_empty()
            && let Some(at) = self.failed.remove(&member.node_name())
            && cx.now().since(at) < cx.config.knobs.flap_timeout
        {
            cx.stats.count().flaps += 1;
        }
        let member = Member { swim: member.clone(), status: Status::new(true, mark.leaves) };
        cx.tell(Change::Join, member);
    }

    /// A member is gone: it has left if that was said, else it failed.
    pub(super) fn on_down(&mut self, cx: &mut Core, member: member::Member) {
        let slot = cx.node.find(member.name().as_bytes());
        let leaves = slot.is_some_and(|slot| cx.node.mark(slot).leaves);
        if !leaves && !cx.config.knobs.flap_timeout.is_zero() {
            self.failed.insert(member.node_name(), cx.now());
            cx.arm_purge();
        }
        let change = if leaves { Change::Leave } else { Change::Failed };
        cx.tell(change, Member { swim: member, status: Status::new(false, leaves) });
    }

    /// Takes an intent to join; whether it is to be passed on.
    pub(super) fn on_join(&mut self, cx: &mut Core, join: &Join<'_>) -> bool {
        let slot = cx.node.find(join.node);
        self.on_join_at(cx, slot, join)
    }

    /// The same, of the member at this place; `None` if there is none.
    pub(super) fn on_join_at(
        &mut self,
        cx: &mut Core,
        slot: Option<SlotId>,
        join: &Join<'_>,
    ) -> bool {
        cx.clocks.member.witness(join.ltime);
        let Some(slot) = slot else {
            return self.note(cx, join.node, join.ltime, false);
        };
        let mark = cx.node.mark(slot);
        if join.ltime <= mark.number {
            cx.stats.count().intents_stale += 1;
            return false;
        }
        let leaves = mark.leaves && !cx.node.is_live(slot);
        cx.node.set_mark(slot, Mark { number: join.ltime, leaves });
        true
    }

    /// Takes an intent to leave; whether it is to be passed on.
    pub(super) fn on_leave(&mut self, cx: &mut Core, leave: &Leave<'_>) -> bool {
        cx.clocks.member.witness(leave.ltime);
        let Some(slot) = cx.node.find(leave.node) else {
            return self.note(cx, leave.node, leave.ltime, true);
        };
        let mark = cx.node.mark(slot);
        let refutes = slot == cx.node.my_slot() && !self.is_leaving;
        // Of the same time as this node's last word it counts with those who heard it first, to
        // whom that word comes too late.
        if leave.ltime < mark.number || (leave.ltime == mark.number && !refutes) {
            cx.stats.count().intents_stale += 1;
            return false;
        }
        if refutes {
            self.insist(cx);
            return false;
        }
        cx.node.set_mark(slot, Mark { number: leave.ltime, leaves: true });
        if !mark.leaves && !cx.node.is_live(slot) {
            self.failed.remove(&cx.node.at(slot).node_name());
            let member = cx.member(slot);
            cx.tell(Change::Leave, member);
        }
        if leave.prune {
            self.prune(cx, slot);
        }
        true
    }

    /// Says that this node is there, which others have reason to doubt, unless it leaves.
    pub(super) fn insist(&mut self, cx: &mut Core) {
        if !self.is_leaving {
            cx.stats.count().leaves_refuted += 1;
            self.say_join(cx);
        }
    }

    /// Remembers an intent of somebody unknown; whether it is news.
    fn note(&mut self, cx: &mut Core, name: &[u8], ltime: u64, leaves: bool) -> bool {
        let Ok(name) = NodeName::from_wire(name) else {
            cx.stats.count().malformed += 1;
            return false;
        };
        let at = cx.now();
        let full = self.recent.len() >= cx.config.knobs.recent_intents_max as usize;
        match self.recent.get_mut(&name) {
            Some(known) if ltime <= known.ltime => {
                cx.stats.count().intents_stale += 1;
                return false;
            }
            Some(known) => *known = Recent { leaves, ltime, at },
            None if full => {
                cx.stats.count().intents_dropped += 1;
                return false;
            }
            None => drop(self.recent.insert(name, Recent { leaves, ltime, at })),
        }
        cx.arm_purge();
        true
    }

    /// Tells the cluster that this node is a member.
    pub(super) fn say_join(&mut self, cx: &mut Core) {
        let me = cx.node.my_record().clone();
        let join = Join { ltime: cx.clocks.member.time(), node: me.name_bytes() };
        if !self.on_join(cx, &join) {
            // At the end of time nothing is news any more.
            return;
        }
        let mut message = BytesMut::new();
        join.encode(&mut message);
        cx.broadcast(INTENTS, message.freeze(), None);
    }

    /// Says that a node leaves. If others are there to be told, `op` ends once they were told;
    /// whether that is so.
    pub(super) fn say_leave(&mut self, cx: &mut Core, node: &[u8], prune: bool, op: OpId) -> bool {
        let mut ltime = cx.clocks.member.tick();
        if node != cx.node.my_record().name_bytes() {
            // A state tells of a step less, which must still be after that node's last word: it
            // refutes what it hears of by push/pull only.
            ltime = cx.clocks.member.tick();
        }
        let leave = Leave { ltime, node, prune };
        // The node itself may be among those that are forgotten now.
        let alone = cx.node.others_live() == 0;
        self.on_leave(cx, &leave);
        if alone {
            return false;
        }
        let mut message = BytesMut::new();
        leave.encode(&mut message);
        cx.broadcast(INTENTS, message.freeze(), Some(op))
    }

    /// Forgets a member that has left, or that is about to.
    fn prune(&mut self, cx: &mut Core, slot: SlotId) {
        if !cx.node.is_live(slot) {
            cx.node.erase(slot);
            return;
        }
        let name = cx.node.at(slot).node_name();
        if self.prunes.insert(name.clone()) {
            let knobs = &cx.config.knobs;
            let at = cx.now() + knobs.broadcast_timeout + knobs.leave_propagate_delay;
            cx.timers.push(at, Due::Prune(name));
        }
    }

    /// A member that was leaving should be gone.
    pub(super) fn on_prune_due(&mut self, cx: &mut Core, name: &NodeName) {
        self.prunes.remove(name);
        let Some(slot) = cx.node.find(name.as_str().as_bytes()) else { return };
        let pruned = cx.node.mark(slot).leaves && cx.node.erase(slot);
        if !pruned {
            cx.stats.count().prunes_refused += 1;
        }
    }

    /// Forgets what was remembered for long enough.
    pub(super) fn on_purge(&mut self, cx: &mut Core) {
        let now = cx.now();
        let knobs = &cx.config.knobs;
        self.recent.retain(|_, recent| now.since(recent.at) <= knobs.recent_intent_timeout);
        self.failed.retain(|_, at| now.since(*at) < knobs.flap_timeout);
        if !self.recent.is_empty() || !self.failed.is_empty() {
            cx.arm_purge();
        }
    }
}
