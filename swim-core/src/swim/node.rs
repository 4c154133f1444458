//! The node: routes inputs and polls, and decides nothing itself.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;

use bytes::BytesMut;

use super::claims::Origin;
use super::ctx::Ctx;
use super::events::Events;
use super::exchange::Exchanges;
use super::fast_join::FastJoin;
use super::members::Members;
use super::merge::Merges;
use super::outbox::{Outbox, Packet};
use super::pings::Pings;
use super::probe::{Prober, Unanswered};
use super::relay::Relays;
use super::roster::{Roster, record_of};
use super::rumours::Rumours;
use super::timers::{Due, Fired, Timer, Timers};
use super::transmit;
use super::upkeep;
use super::verdicts::{Verdict, Verdicts};
use crate::config::Config;
use crate::error::Rejected;
use crate::event::{Event, ExchangeError, Via};
use crate::ids::{Addr, Incarnation, Lane, NodeName, Peer, Token};
use crate::input::{Exchange, Input, SendError, Transmit};
use crate::keyring::Keyring;
use crate::member::{Identity, Member, State};
use crate::rng::{Rng, Seed};
use crate::stats::{Counters, Stats};
use crate::time::Instant;
use crate::wire::{self, Message, Scratch};

/// One member of a cluster, as a state machine.
///
/// | to | call |
/// |---|---|
/// | take what happened | [`handle`](Self::handle), with the time at which it happened |
/// | learn what to do | [`poll_transmit`](Self::poll_transmit), [`poll_exchange`](Self::poll_exchange), [`poll_event`](Self::poll_event) until each is `None` |
/// | learn when to come back | [`poll_timeout`](Self::poll_timeout), after any of the above |
/// | look | [`members`](Self::members), [`member`](Self::member), [`me`](Self::me), [`health`](Self::health), [`stats`](Self::stats), ... |
///
/// It has no clock, socket or thread; the same inputs give the same outputs, to the last bit. The
/// drive loop stands in the crate's documentation.
pub struct Node {
    pub(super) cx: Ctx,
    pub(super) prober: Prober,
    pub(super) exchanges: Exchanges,
    /// Machines that a node at rest does without.
    aside: Option<Box<Aside>>,
    pub(super) fast_join: FastJoin,
    /// Buffers for compressed datagrams, once there was one.
    pub(super) scratch: Option<Box<Scratch>>,
}

/// What a node at rest does without.
#[derive(Default)]
pub(super) struct Aside {
    pub(super) relays: Relays,
    pub(super) pings: Pings,
    pub(super) merges: Merges,
}

impl Node {
    /// A node that knows only itself, alive at incarnation 1.
    pub fn new(config: Arc<Config>, me: Identity, seed: Seed, now: Instant) -> Self {
        let mut rng = Rng::new(seed);
        let mut members = Members::new(&mut rng);
        let version = u8::try_from(config.knobs.protocol_version).unwrap_or(2);
        let my_slot = members.insert(record_of(&me, version), 1, State::Alive);
        let mut node = Self::start(config, rng, now, members, my_slot);
        let member = node.cx.members.member(my_slot);
        node.cx.raise(Event::Up(member));
        node.cx.announce_self(None);
        node
    }

    /// A node that starts with a table that others share: it is the `index`th of `roster`.
    ///
    /// No events are raised for what it knows from the start.
    ///
    /// # Panics
    ///
    /// If the roster has no such member.
    pub fn with_roster(
        config: Arc<Config>,
        roster: &Roster,
        index: usize,
        seed: Seed,
        now: Instant,
    ) -> Self {
        let rng = Rng::new(seed);
        let members = Members::shared(Arc::clone(&roster.0));
        let slot = u32::try_from(index).expect("a roster has fewer than 2^32 members");
        Self::start(config, rng, now, members, slot)
    }

    /// Has this node keep the records of `roster` in place of equal ones that it is told of, so
    /// that many nodes of one process hold the names, addresses and metadata of a cluster once.
    ///
    /// This changes what is allocated, and nothing that the node does.
    pub fn share_records(&mut self, roster: &Roster) {
        self.cx.members.share_records(Arc::clone(&roster.0));
    }

    /// Has this node exchange its state by reference to `roster`, in place of whole push/pulls: for
    /// nodes of one process that all do, and of which those that start knowing others start with
    /// this roster.
    ///
    /// They learn the same as they would from push/pulls, for a small part of the work;
    /// [`Roster::wire_len`] says how long the push/pull would be.
    pub fn share_states(&mut self, roster: &Roster) {
        if self.cx.members.shelf().is_none() {
            self.share_records(roster);
        }
        self.cx.shares_states = true;
    }

    fn start(config: Arc<Config>, rng: Rng, now: Instant, members: Members, me: u32) -> Self {
        let keyring = config.keyring.clone();
        let mut cx = Ctx {
            now,
            config,
            rng,
            members,
            me,
            awareness: 0,
            leaving: false,
            shares_states: false,
            questions: Instant::ZERO,
            rumours: Rumours::default(),
            out: Outbox::new(),
            events: Events::new(),
            timers: Timers::new(),
            stats: Counters::default(),
            verdicts: Verdicts::Asked,
            keyring,
            app: None,
            names: false,
            above: None,
            mail: None,
            gossip_phase: 0,
        };
        Prober::start(&mut cx);
        upkeep::start(&mut cx);
        Self {
            cx,
            prober: Prober::new(),
            exchanges: Exchanges::new(),
            aside: None,
            fast_join: FastJoin::default(),
            scratch: None,
        }
    }

    /// Takes one input that happened at `now`.
    ///
    /// # Errors
    ///
    /// [`Rejected`] means that the whole input was refused and nothing but a counter has changed. A
    /// bad part of a datagram, or a bad entry of a push/pull, is counted and skipped by itself.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        self.advance(now);
        let taken = match input {
            Input::Timeout => {
                self.on_timeout();
                Ok(())
            }
            // Its parts are counted one by one.
            Input::Datagram { at, from, bytes } => {
                return self.on_datagram(at.min(now), from, bytes);
            }
            Input::Unsent { token, why } => {
                self.on_unsent(token, why);
                Ok(())
            }
            Input::Request { id, from, bytes } => self.on_request(id, from, bytes),
            Input::Reply { id, result } => self.on_reply(id, result),
            Input::Command { op, command } => self.on_command(op, command),
        };
        taken.inspect_err(|&why| self.cx.count_refusal(why))
    }

    /// The next datagram to send, appended to `buf`; it carries what is newest now.
    pub fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<Transmit> {
        while let Some(packet) = self.cx.out.pop() {
            self.note_sent(&packet);
            if let Some(sent) = transmit::make(&mut self.cx, packet, buf) {
                self.cx.stats.datagrams_out += 1;
                self.cx.stats.bytes_out += sent.len as u64;
                return Some(sent);
            }
        }
        None
    }

    /// The next thing to do on the stream plane; its message, if any, is appended to `buf`.
    pub fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        self.exchanges.poll(&mut self.cx, buf, None)
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.cx.events.pop()
    }

    /// When to hand in [`Input::Timeout`]; `None` if never. In constant time.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.cx.timers.next()
    }

    /// This node, as others should see it.
    pub fn me(&self) -> Member {
        self.cx.members.member(self.cx.me)
    }

    /// All members that are known: this node, the dead and the left included.
    pub fn members(&self) -> impl Iterator<Item = Member> + '_ {
        self.cx.members.iter().map(|(slot, _)| self.cx.members.member(slot))
    }

    /// Of all members those of whom this node may hold something else than the [`Roster`] that it
    /// started with says; of all others it holds what that says. `None` if its table does not stand
    /// on a roster, or lacks somebody whom that has.
    pub fn unlike_roster(&self) -> Option<impl Iterator<Item = Member> + '_> {
        let members = &self.cx.members;
        let slots = members.changes()?;
        let all_known = slots.iter().all(|&slot| members.get(slot).is_some());
        all_known.then(|| slots.into_iter().map(|slot| members.member(slot)))
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<Member> {
        let slot = self.cx.members.find(name.as_bytes())?;
        Some(self.cx.members.member(slot))
    }

    /// How many members are alive or suspect, this node included.
    pub fn live_len(&self) -> usize {
        self.cx.members.live() as usize
    }

    /// How many members are known, the dead and the left included.
    pub fn known_len(&self) -> usize {
        self.cx.members.len() as usize
    }

    /// The name of the member that a [`Transmit`] goes to; valid until the next input.
    pub fn peer_name(&self, peer: Peer) -> Option<&str> {
        self.cx.members.get(peer.0).map(|slot| slot.record().name())
    }

    /// Has the node keep the names of those who ask it something, so that answers, too, say for
    /// whom they are ([`addressee`](Self::addressee)), for transports that route by names.
    ///
    /// An answer goes by the name that its question gives, which costs an allocation. Whoever may
    /// send to this node can so have one sent to anybody whom the transport finds by name. Changes
    /// nothing that is sent, and nothing of a journal.
    pub fn name_addressees(&mut self) {
        self.cx.names = true;
    }

    /// The name of whom a datagram is for, if that is known. To be asked before the next is polled.
    ///
    /// Of answers, relayed pings and direct messages only after
    /// [`name_addressees`](Self::name_addressees). Nobody's name is known of direct messages to an
    /// address, of answers to questions without one, and of what tells whoever passed an accusation
    /// on that this node lives.
    pub fn addressee(&self, sent: &Transmit) -> Option<&str> {
        if let Some(peer) = sent.peer {
            return self.peer_name(peer);
        }
        let app = self.cx.app.as_ref().filter(|_| sent.named)?;
        app.addressee.as_ref().map(NodeName::as_str)
    }

    /// Lifeguard's health score: 0 is best, the most is one less than
    /// [`awareness_max`](Config::awareness_max).
    pub fn health(&self) -> u32 {
        self.cx.awareness.into()
    }

    /// What was counted so far.
    pub fn stats(&self) -> Stats {
        self.cx.stats.snapshot()
    }

    /// The keys: drivers seal and open with them.
    pub fn keyring(&self) -> &Keyring {
        &self.cx.keyring
    }

    /// The configuration in force.
    pub fn config(&self) -> &Arc<Config> {
        &self.cx.config
    }

    /// How many user broadcasts wait in a lane.
    pub fn queue_len(&self, lane: Lane) -> usize {
        self.cx.rumours.lane_len(lane)
    }

    /// How many claims about members wait to be gossiped.
    pub fn rumours_len(&self) -> usize {
        self.cx.rumours.membership_len()
    }

    /// How many deadlines wait, those included that an event has made void.
    pub fn timers_len(&self) -> usize {
        self.cx.timers.len()
    }

    /// Whether nothing is left to poll.
    pub fn is_drained(&self) -> bool {
        self.is_polled()
    }

    /// Keeps what the policy decides, for a journal.
    pub(crate) fn record_verdicts(&mut self) {
        self.cx.verdicts = Verdicts::Recorded(Box::default());
    }

    /// What the policy decided since the last call.
    pub(crate) fn take_verdicts(&mut self) -> VecDeque<Verdict> {
        match &mut self.cx.verdicts {
            Verdicts::Recorded(verdicts) => core::mem::take(&mut **verdicts),
            Verdicts::Asked | Verdicts::Replayed(_) => VecDeque::new(),
        }
    }

    /// Has the next input decided by these instead of by the policy.
    pub(crate) fn replay_verdicts(&mut self, verdicts: VecDeque<Verdict>) {
        self.cx.verdicts = Verdicts::Replayed(Box::new(verdicts));
    }

    pub(super) fn aside(&self) -> Option<&Aside> {
        self.aside.as_deref()
    }

    pub(super) fn split(&mut self) -> (&mut Ctx, &mut Aside) {
        (&mut self.cx, self.aside.get_or_insert_default())
    }

    fn on_timeout(&mut self) {
        let Some(due) = self.cx.timers.next().filter(|&due| due <= self.cx.now) else { return };
        let late = self.cx.now.since(due);
        if late > self.cx.config.knobs.probe_timeout && self.cx.config.ablation.lateness {
            self.on_late(late);
        }
        while let Some(fired) = self.cx.timers.pop(self.cx.now) {
            let merged = fired == Fired::One(Timer::Merge);
            self.on_fired(fired);
            if merged && self.cx.timers.is_armed(Timer::Merge) {
                // One slice a call, and there are more.
                break;
            }
        }
    }

    /// This node slept: others must not suffer for what it did not hear (architecture 3.5).
    fn on_late(&mut self, late: Duration) {
        self.cx.stats.rare().late_timeouts += 1;
        self.prober.void(&mut self.cx);
        self.cx.extend_suspicions(late);
    }

    fn on_fired(&mut self, fired: Fired) {
        let cx = &mut self.cx;
        match fired {
            Fired::One(Timer::Probe) => self.prober.on_tick(cx),
            Fired::One(Timer::ProbeStep) => {
                if let Some(silent) = self.prober.on_step(cx, &mut self.exchanges) {
                    self.accuse(&silent);
                    self.prober.catch_up(&mut self.cx);
                }
            }
            Fired::One(Timer::Gossip) => upkeep::on_gossip(cx),
            Fired::One(Timer::PushPull) => upkeep::on_push_pull(cx, &mut self.exchanges),
            Fired::One(Timer::FastJoin) => self.fast_join.on_timer(cx, &mut self.exchanges),
            Fired::One(Timer::Reconnect) => upkeep::on_reconnect(cx, &mut self.exchanges),
            Fired::One(Timer::Reap) => upkeep::on_reap(cx, &mut self.prober),
            Fired::Of(Due::Suspicion(slot)) => cx.on_suspicion_due(slot),
            Fired::Of(Due::Arrival) => cx.on_arrival(),
            Fired::One(Timer::Merge) => {
                let (cx, aside) = self.split();
                aside.merges.on_timer(cx);
            }
            Fired::Of(Due::Relay(seq)) => {
                let (cx, aside) = self.split();
                aside.relays.on_due(cx, seq);
            }
            Fired::Of(Due::Ping(seq)) => {
                let (cx, aside) = self.split();
                aside.pings.on_due(cx, seq);
            }
            Fired::Of(Due::Exchange(id)) => {
                if let Some(purpose) = self.exchanges.on_due(cx, id) {
                    self.exchanges.finish(cx, &purpose, Err(ExchangeError::TimedOut));
                }
            }
        }
    }

    /// Round trips begin when a ping goes, not when it is queued.
    fn note_sent(&mut self, packet: &Packet) {
        let now = self.cx.now;
        match *packet {
            Packet::Probe { seq, .. } => self.prober.on_sent(seq, now),
            Packet::Ping { seq, .. } => {
                if let Some(aside) = &mut self.aside {
                    aside.pings.on_sent(seq, now);
                }
            }
            _ => {}
        }
    }

    /// This node's own probe found a member silent.
    fn accuse(&mut self, silent: &Unanswered) {
        let Some(slot) = self.cx.members.get(silent.target) else { return };
        let record = slot.record().clone();
        let me = self.cx.my_record().clone();
        let Incarnation(incarnation) = silent.incarnation;
        let node = record.name_bytes();
        let claim = wire::Claim { incarnation, node, from: me.name_bytes() };
        self.cx.on_suspect(Origin::Probe(silent.asked), &claim);
    }

    fn on_unsent(&mut self, token: Token, why: SendError) {
        if let Some(seq) = transmit::probe_of(token) {
            self.prober.on_unsent(&mut self.cx, seq, why);
        }
    }

    pub(super) fn on_message(
        &mut self,
        at: Instant,
        from: SocketAddr,
        message: &Message<'_>,
    ) -> Result<(), Rejected> {
        let cx = &mut self.cx;
        match message {
            Message::Ping(ping) => {
                if !ping.node.is_empty() && ping.node != cx.my_record().name_bytes() {
                    return Err(Rejected::NotForMe);
                }
                let to = reply_to(cx, from, &ping.source);
                let expires = cx.now + cx.config.knobs.probe_timeout;
                cx.reply_by_name(ping.source.node, Packet::Ack { to, seq: ping.seq, expires });
            }
            Message::IndirectPing(ask) => {
                let to = reply_to(cx, from, &ask.source);
                let (cx, aside) = self.split();
                aside.relays.on_request(cx, to, ask);
            }
            Message::Ack(ack) => self.on_ack(at, ack),
            Message::Nack(nack) => {
                if !self.prober.on_nack(nack.seq, at) {
                    cx.stats.rare().unexpected_acks += 1;
                }
            }
            Message::Alive(claim) => cx.on_alive(Origin::Datagram(from), claim),
            Message::Suspect(claim) => cx.on_suspect(Origin::Datagram(from), claim),
            Message::Dead(claim) => cx.on_dead(Origin::Datagram(from), claim),
            Message::User(payload) => cx.deliver(from, Via::Datagram, payload),
            _ => return Err(Rejected::WrongPlane),
        }
        Ok(())
    }

    fn on_ack(&mut self, at: Instant, ack: &wire::Ack<'_>) {
        let cx = &mut self.cx;
        if let Some(answer) = self.prober.on_ack(cx, ack.seq, at) {
            if let Some(rtt) = answer.rtt
                && cx.members.get(answer.target).is_some()
            {
                cx.deliver_rtt(answer.target, rtt, ack.payload.unwrap_or_default());
            }
            return;
        }
        let waited = self.aside.as_mut().is_some_and(|aside| {
            aside.relays.on_ack(cx, ack.seq) || aside.pings.on_ack(cx, ack.seq, at)
        });
        if !waited {
            cx.stats.rare().unexpected_acks += 1;
        }
    }
}

impl core::fmt::Debug for Node {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Node {:?}, {} live", self.me(), self.live_len())
    }
}

/// Where an answer goes: to the address that the request names if that is plausible, else to the
/// datagram's own source (hazard 18).
fn reply_to(cx: &mut Ctx, from: SocketAddr, source: &wire::Source<'_>) -> Addr {
    let own = Addr::from(from);
    if source.addr.is_empty() || source.port == 0 {
        return own;
    }
    let Ok(named) = Addr::from_wire(source.addr, source.port) else {
        cx.stats.rare().implausible_sources += 1;
        return own;
    };
    let same_host = || named.canonical().ip() == from.ip().to_canonical();
    if !cx.config.knobs.plausible_addresses_only || same_host() {
        return named;
    }
    let known = cx.members.find(source.node).map(|slot| cx.members.slot(slot).record().addr());
    if known.is_some_and(|known| known.same_place(&named)) {
        return named;
    }
    cx.stats.rare().implausible_sources += 1;
    own
}
