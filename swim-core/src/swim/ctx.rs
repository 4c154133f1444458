//! What the sub-machines of a node share. `node.rs` lends it to one of them at a time.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use bytes::Bytes;

use super::above::{Above, Letter, Mail, Mark};
use super::events::Events;
use super::members::{Members, SlotId};
use super::outbox::{Outbox, Packet};
use super::rumours::{End, Ended, Rumour, Rumours};
use super::suspicion;
use super::timers::{Due, Timer, Timers};
use super::verdicts::Verdicts;
use crate::config::Config;
use crate::event::{Event, Outcome, Via};
use crate::ids::{Addr, NAME_BYTES_MAX, NodeName, OpId};
use crate::keyring::Keyring;
use crate::member::{Record, State};
use crate::rng::Rng;
use crate::stats::{Counters, Stats};
use crate::time::{Instant, nanos};
use crate::wire;

pub(crate) struct Ctx {
    pub(crate) now: Instant,
    pub(crate) config: Arc<Config>,
    pub(crate) rng: Rng,
    pub(crate) members: Members,
    /// This node's own slot; it is never freed.
    pub(crate) me: SlotId,
    /// Health score: 0 is best (Lifeguard section IV.A).
    pub(crate) awareness: u8,
    pub(crate) leaving: bool,
    /// States go by reference to nodes that share what this one does.
    pub(crate) shares_states: bool,
    /// Answers keep the names of whom they are for.
    pub(crate) names: bool,
    /// Up to here turns to ask suspects are given out.
    pub(crate) questions: Instant,
    pub(crate) rumours: Rumours,
    pub(crate) out: Outbox,
    pub(crate) events: Events,
    pub(crate) timers: Timers,
    pub(crate) stats: Counters,
    pub(crate) verdicts: Verdicts,
    pub(crate) keyring: Keyring,
    /// What the embedder wants to be told to others, and what it waits for; most nodes have none.
    pub(crate) app: Option<Box<App>>,
    /// What a layer above keeps here.
    pub(crate) above: Option<Box<Above>>,
    /// What waits for the layer above.
    pub(crate) mail: Option<Box<Mail>>,
    /// Where in each gossip interval this node's rounds fall, so that nodes started together
    /// do not stay in step (hazard 38).
    pub(crate) gossip_phase: u64,
}

/// Bytes that a datagram adds around a user message besides label and seal: type, place in a
/// compound, compound, checksum.
const USER_OVERHEAD: usize = 1 + 2 + 2 + 5;

#[derive(Default)]
pub(crate) struct App {
    pub(crate) ack_payload: Bytes,
    pub(crate) app_state: Bytes,
    /// Commands that end once the claim about this node was sent often enough.
    pub(crate) own_claim_ops: Vec<(OpId, Outcome)>,
    /// Where this node goes once it has said that it left its old address.
    pub(crate) moving: Option<(Addr, OpId)>,
    /// For whom the last datagram is that went to an address.
    pub(crate) addressee: Option<NodeName>,
}

impl Ctx {
    pub(crate) fn raise(&mut self, event: Event) {
        if let Some(mail) = self.mail() {
            mail.letters.push(Letter::Event(event));
            return;
        }
        if self.events.push(event, self.config.knobs.events_max) {
            self.stats.rare().events_dropped += 1;
        }
    }

    /// A user message came.
    pub(crate) fn deliver(&mut self, from: SocketAddr, via: Via, payload: &[u8]) {
        if let Some(mail) = self.mail() {
            let bytes = mail.keep(payload);
            mail.letters.push(Letter::Message { bytes });
            return;
        }
        let payload = Bytes::copy_from_slice(payload);
        self.raise(Event::Message { from, via, payload });
    }

    /// A push/pull brought the state of the other node's upper layer.
    pub(crate) fn deliver_state(&mut self, join: bool, payload: &[u8]) {
        if payload.is_empty() {
            return;
        }
        if let Some(mail) = self.mail() {
            let bytes = mail.keep(payload);
            mail.letters.push(Letter::State { join, bytes });
            return;
        }
        let payload = Bytes::copy_from_slice(payload);
        self.raise(Event::RemoteState { join, payload });
    }

    /// A member answered a probe directly.
    pub(crate) fn deliver_rtt(&mut self, member: SlotId, rtt: Duration, payload: &[u8]) {
        if self.above.as_ref().is_some_and(|above| above.wants_rtt)
            && let Some(mail) = self.mail()
        {
            let bytes = mail.keep(payload);
            mail.letters.push(Letter::Rtt { member, rtt, bytes });
        }
        if self.config.knobs.rtt_events {
            let (member, payload) = (self.members.member(member), Bytes::copy_from_slice(payload));
            self.raise(Event::Rtt { member, rtt, payload });
        }
    }

    /// Where to put what concerns the layer above; `None` if there is none.
    fn mail(&mut self) -> Option<&mut Mail> {
        let above = self.above.as_mut()?;
        Some(self.mail.get_or_insert_with(|| above.new_mail()))
    }

    /// A member is forgotten; another may get its place.
    pub(crate) fn forget_mark(&mut self, slot: SlotId) {
        let Some(above) = &mut self.above else { return };
        above.set_mark(slot, Mark::default());
        if above.wants_rtt
            && let Some(mail) = self.mail()
        {
            mail.letters.push(Letter::Forgotten(slot));
        }
    }

    pub(crate) fn mark(&self, slot: SlotId) -> Mark {
        self.above.as_ref().map(|above| above.mark(slot)).unwrap_or_default()
    }

    /// Whether it was said of any member that it leaves.
    pub(crate) fn anybody_leaves(&self) -> bool {
        self.above.as_ref().is_some_and(|above| above.anybody_leaves())
    }

    /// Whether a member that is gone has left, and has not failed. The layer above knows of leaves
    /// that SWIM does not, and the other way round.
    pub(crate) fn has_left(&self, slot: SlotId) -> bool {
        match &self.above {
            Some(above) => above.mark(slot).leaves,
            None => self.members.slot(slot).state() == State::Left,
        }
    }

    pub(crate) fn done(&mut self, op: OpId, outcome: Outcome) {
        self.raise(Event::Done { op, outcome });
    }

    pub(crate) fn app(&mut self) -> &mut App {
        self.app.get_or_insert_default()
    }

    pub(crate) fn my_name(&self) -> NodeName {
        let name = self.members.node_name(self.my_record().name_bytes());
        name.expect("a record holds only a checked name")
    }

    pub(crate) fn my_record(&self) -> &Record {
        self.members.slot(self.me).record()
    }

    pub(crate) fn my_incarnation(&self) -> u32 {
        self.members.slot(self.me).incarnation()
    }

    /// Members that are alive or suspect, besides this node.
    pub(crate) fn others_live(&self) -> u32 {
        let mine = self.members.slot(self.me).state().is_live();
        self.members.live() - u32::from(mine)
    }

    /// How often each rumour is sent (memberlist spec 6.1).
    pub(crate) fn transmit_limit(&self) -> u32 {
        let scale = match self.config.ablation.natural_log {
            true => suspicion::ln_ceil(self.members.len()),
            false => self.members.log10_ceil(),
        };
        (self.config.knobs.retransmit_mult * scale).max(1)
    }

    /// Raises or lowers the health score.
    pub(crate) fn adjust_awareness(&mut self, delta: i32) {
        if self.config.ablation.awareness {
            let max = self.config.knobs.awareness_max - 1;
            let score = u32::from(self.awareness).saturating_add_signed(delta).min(max);
            self.awareness = u8::try_from(score).unwrap_or(u8::MAX);
        }
    }

    /// As [`reply`](Self::reply), to whoever has this name, if names are wanted.
    pub(crate) fn reply_by_name(&mut self, name: &[u8], packet: Packet) -> bool {
        let packet = if self.names { packet.for_name(name) } else { packet };
        self.reply(packet)
    }

    /// Queues an answer, or a ping for another; false, and counted, if too many wait.
    pub(crate) fn reply(&mut self, packet: Packet) -> bool {
        let queued = self.out.reply(packet, self.config.knobs.replies_max);
        if !queued {
            self.stats.rare().replies_dropped += 1;
        }
        queued
    }

    #[inline]
    pub(crate) fn gossip(&mut self, rumour: Rumour) {
        self.rumours.push(rumour);
        self.arm_gossip();
    }

    /// Whether there are rounds of gossip; without them all rumours ride on other messages.
    pub(crate) fn has_rounds(&self) -> bool {
        self.config.knobs.gossip_nodes > 0 && !self.config.ablation.piggyback_only
    }

    /// Sees to it that what is queued will be sent: the timer runs only while something is.
    pub(crate) fn arm_gossip(&mut self) {
        if self.timers.is_armed(Timer::Gossip) || !self.has_rounds() || self.rumours.is_empty() {
            return;
        }
        let interval = nanos(self.config.knobs.gossip_interval);
        let phase = self.gossip_phase % interval;
        let into = self.now.as_nanos().wrapping_add(interval - phase) % interval;
        self.timers.arm(Timer::Gossip, self.now + Duration::from_nanos(interval - into));
    }

    /// Counts what only those who want evidence look at: others are at rest in less memory.
    pub(crate) fn figures(&mut self) -> Option<&mut Stats> {
        self.config.knobs.evidence_events.then(|| self.stats.rare())
    }

    pub(crate) fn count_alive(&mut self) {
        if let Some(figures) = self.figures() {
            figures.alive_claims += 1;
        }
    }

    /// Broadcasts what the table says of this node; `ops` end when that was sent often enough.
    pub(crate) fn announce_self(&mut self, op: Option<(OpId, Outcome)>) {
        if let Some(op) = op {
            self.app().own_claim_ops.push(op);
        }
        if self.others_live() == 0 {
            // Nobody to tell: the claim still waits for whoever comes.
            self.own_claim_sent();
        }
        self.count_alive();
        self.gossip(Rumour::Alive { subject: self.me });
    }

    /// Whether this node has left its old address and not come to the new one.
    pub(crate) fn is_moving(&self) -> bool {
        self.app.as_ref().is_some_and(|app| app.moving.is_some())
    }

    /// Ends the commands that waited for the claim about this node.
    pub(crate) fn own_claim_sent(&mut self) {
        if self.is_moving() {
            // Not here and now: a poll changes nothing that another poll shows.
            let at = self.now + self.config.knobs.gossip_interval;
            self.timers.push(at, Due::Arrival);
            return;
        }
        let Some(app) = &mut self.app else { return };
        for (op, outcome) in core::mem::take(&mut app.own_claim_ops) {
            self.done(op, outcome);
        }
    }

    pub(crate) fn end_broadcasts(&mut self, ended: Ended) {
        for (op, end) in ended {
            let outcome = match end {
                End::Sent => Outcome::Sent,
                End::Displaced => Outcome::Displaced,
                End::Dropped => {
                    self.stats.rare().broadcasts_dropped += 1;
                    Outcome::Dropped
                }
            };
            if let Some(op) = op {
                self.done(op, outcome);
            }
        }
    }

    /// Ends the broadcasts that no datagram has room for any more: a key or another configuration
    /// came after they were queued (hazard 25).
    pub(crate) fn end_misfits(&mut self) {
        let ended = self.rumours.drop_longer(self.broadcast_bytes_max());
        self.end_broadcasts(ended);
    }

    /// A ping by this node, for the node of this name.
    pub(crate) fn ping<'a>(&'a self, seq: u32, node: &'a [u8]) -> wire::Ping<'a> {
        wire::Ping { seq, node, source: self.source() }
    }

    /// Where this node takes answers.
    fn source(&self) -> wire::Source<'_> {
        let record = self.my_record();
        let node = record.name_bytes();
        wire::Source { addr: record.wire_ip(), port: record.port(), node }
    }

    /// Bytes of a broadcast that a datagram has room for, beside a ping if there are no rounds.
    pub(crate) fn broadcast_bytes_max(&self) -> usize {
        let max = self.config.knobs.datagram_bytes_max as usize;
        let carrier = match self.has_rounds() {
            true => 0,
            false => self.ping(u32::MAX, &[0; NAME_BYTES_MAX]).encoded_len(),
        };
        max.saturating_sub(USER_OVERHEAD + self.outer_bytes() + carrier)
    }

    /// Bytes of a datagram that its outer layers take (memberlist spec 1.8).
    pub(crate) fn outer_bytes(&self) -> usize {
        let label = match self.config.label.len() {
            0 => 0,
            n => n + 2,
        };
        let sealed = !self.keyring.is_empty() && self.config.knobs.verify_outgoing;
        let seal = match (sealed, self.config.knobs.protocol_version) {
            (false, _) => 0,
            (true, 1) => 45,
            (true, _) => 29,
        };
        label + seal
    }
}
