//! What the parts of a Serf node share. `node.rs` lends it to one of them at a time.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec;
use core::time::Duration;

use bytes::Bytes;

use super::events::Events;
use super::lamport::Clocks;
use super::queues::Backlog;
use super::stats::Counters;
use super::timers::{Due, Timers};
use crate::ids::{Lane, OpId};
use crate::member;
use crate::serf::{Change, Coalescer, Event, Finding, Member, Outcome, SerfConfig, Status};
use crate::swim::{Node, SlotId};
use crate::time::Instant;

pub(super) struct Core {
    pub(super) config: Arc<SerfConfig>,
    pub(super) node: Node,
    pub(super) clocks: Clocks,
    pub(super) timers: Timers,
    pub(super) out: Events,
    pub(super) stats: Counters,
    /// Commands that end when the node has told something, or when they have waited long enough.
    waits: BTreeMap<OpId, Wait>,
    purge_armed: bool,
    /// Gathers events, if the configuration wants that.
    coalescer: Option<Box<Coalescer>>,
    /// What is known of queues that were deep lately.
    pub(super) backlog: Option<Box<Backlog>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Running,
    /// Its end was told; what the node tells of it later is no news.
    Over,
}

/// Intents, queries and events have a lane each, in this order (serf spec 1.8).
pub(super) const INTENTS: Lane = Lane::High;
pub(super) const QUERIES: Lane = Lane::Normal;
pub(super) const EVENTS: Lane = Lane::Low;

impl Core {
    pub(super) fn new(config: Arc<SerfConfig>, node: Node) -> Self {
        let coalescer = config.coalescer().map(Box::new);
        Self {
            coalescer,
            config,
            node,
            clocks: Clocks::new(),
            timers: Timers::default(),
            out: Events::default(),
            stats: Counters::default(),
            waits: BTreeMap::new(),
            purge_armed: false,
            backlog: None,
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.node.now()
    }

    /// Tells an event, at once or gathered with others.
    pub(super) fn raise(&mut self, event: Event) {
        let Some(coalescer) = &mut self.coalescer else { return self.queue(event) };
        coalescer.handle(self.node.now(), event);
        self.take_gathered();
    }

    /// Tells the gathered events whose time has come.
    pub(super) fn on_gathered(&mut self) {
        if let Some(coalescer) = &mut self.coalescer {
            coalescer.handle_timeout(self.node.now());
            self.take_gathered();
        }
    }

    fn take_gathered(&mut self) {
        while let Some(event) = self.coalescer.as_mut().and_then(|c| c.poll_event()) {
            self.queue(event);
        }
    }

    /// When the Serf layer wants to be woken.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let gathered = self.coalescer.as_ref().and_then(|coalescer| coalescer.poll_timeout());
        self.timers.next().into_iter().chain(gathered).min()
    }

    fn queue(&mut self, event: Event) {
        if self.out.push(event, self.node.config().events_max()) {
            self.stats.count().events_dropped += 1;
        }
    }

    /// Whether the embedder wants to know what it need not know.
    pub(super) fn tells_evidence(&self) -> bool {
        self.config.swim().evidence_events()
    }

    pub(super) fn done(&mut self, op: OpId, outcome: Outcome) {
        self.raise(Event::Done { op, outcome });
    }

    /// Tells of a member.
    pub(super) fn tell(&mut self, change: Change, member: Member) {
        self.raise(Event::Members { change, members: vec![member] });
    }

    /// Tells what is said of a member.
    pub(super) fn find_out(&mut self, swim: member::Member, finding: Finding) {
        let slot = self.node.find(swim.name().as_bytes());
        let leaves = slot.is_some_and(|slot| self.node.mark(slot).leaves);
        let status = Status::new(swim.state().is_live(), leaves);
        self.raise(Event::Evidence { member: Member { swim, status }, finding });
    }

    /// A member by its place, which must be in use.
    pub(super) fn member(&self, slot: SlotId) -> Member {
        let swim = self.node.at(slot);
        let status = Status::new(swim.state().is_live(), self.node.mark(slot).leaves);
        Member { swim, status }
    }

    /// Queues a broadcast; `op` ends once it was sent often enough or dropped. Whether some
    /// datagram has room for it.
    pub(super) fn broadcast(&mut self, lane: Lane, message: Bytes, op: Option<OpId>) -> bool {
        let (waiting, waiting_max) = (self.node.queue_len(lane), self.waiting_max());
        let queued = self.node.broadcast(lane, message, op, waiting_max);
        if queued {
            let dropped = waiting + 1 - self.node.queue_len(lane);
            self.look_after(lane, dropped as u64);
        } else {
            self.stats.count().broadcasts_too_long += 1;
        }
        queued
    }

    /// `op` ends when the node has told what it asks for, or after the broadcast time-out.
    pub(super) fn wait_for(&mut self, op: OpId) {
        self.waits.insert(op, Wait::Running);
        let at = self.now() + self.config.knobs.broadcast_timeout;
        self.timers.push(at, Due::Wait(op));
    }

    /// The node has told what `op` asked for; whether somebody waited for that.
    pub(super) fn on_told(&mut self, op: OpId) -> bool {
        let wait = self.waits.remove(&op);
        if wait == Some(Wait::Running) {
            self.done(op, Outcome::Applied);
        }
        wait.is_some()
    }

    /// A command has waited long enough.
    pub(super) fn on_wait_due(&mut self, op: OpId) {
        if let Some(wait @ Wait::Running) = self.waits.get_mut(&op) {
            *wait = Wait::Over;
            self.done(op, Outcome::TimedOut);
        }
    }

    /// Sees to it that what is remembered for a while is looked through.
    pub(super) fn arm_purge(&mut self) {
        if !self.purge_armed {
            self.purge_armed = true;
            let at = self.now() + self.node.config().reap_interval();
            self.timers.push(at, Due::Purge);
        }
    }

    pub(super) fn on_purge(&mut self) {
        self.purge_armed = false;
        self.out.trim();
    }

    /// How long a query waits that does not say (serf spec 4.1).
    pub(super) fn default_query_timeout(&self) -> Duration {
        let live = u32::try_from(self.node.live_len()).unwrap_or(u32::MAX);
        let digits = live.max(1).ilog10() + 1;
        let mult = self.config.knobs.query_timeout_mult.saturating_mul(digits);
        self.node.config().gossip_interval().saturating_mul(mult)
    }
}
