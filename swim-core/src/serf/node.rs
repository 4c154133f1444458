//! The Serf node: routes inputs, mail and polls, and decides nothing itself.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::BytesMut;

use super::answer::{self, Answers};
use super::coordinates::Coordinates;
use super::core::{Core, EVENTS, INTENTS, QUERIES};
use super::leave::Leaving;
use super::members::Members;
use super::query::{Purpose, Queries};
use super::state;
use super::timers::Due;
use super::user_event::UserEvents;
use crate::coordinate::Coordinate;
use crate::event;
use crate::ids::OpId;
use crate::input::{self, Exchange, Seat, Transmit};
use crate::member::{Identity, State};
use crate::rng::Seed;
use crate::serf::{
    Change, Command, Event, Finding, Info, Input, Member, Outcome, QueryParams, Rejected,
    SerfConfig, SerfStats, Status, Tags,
};
use crate::swim::{Letter, Mail, Node, Roster};
use crate::time::Instant;
use crate::wire::serf::Message;

/// One member of a Serf cluster, as a state machine: a [`Node`] and the Serf layer above it.
///
/// It has the call shape of a [`Node`] and is driven by the same loop. What goes over the network
/// is what [`Node::handle`] takes and the polls hand out; only commands and events are Serf's.
///
/// Where it differs from HashiCorp's Serf: nothing blocks while a member is pruned or a consumer of
/// events is slow; a member that is still there is never pruned; messages are relayed to members
/// only (see [`Config::plausible_addresses_only`](crate::Config::plausible_addresses_only)); an
/// answer that cannot be relayed is not sent at all.
pub struct Serf {
    cx: Core,
    /// Off, if there are none.
    coordinates: Option<Coordinates>,
    members: Members,
    leaving: Leaving,
    events: Box<UserEvents>,
    answers: Box<Answers>,
    queries: Queries,
    /// Joins under way.
    joins: BTreeMap<OpId, Joining>,
    /// A push/pull knew of a later word about this node than its own.
    doubted: bool,
    /// A join without replay is over, but a large state that it brought is still being merged.
    ignores_rest: bool,
}

/// What a join is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joining {
    /// To be a member: the cluster is told. The events from before are not wanted.
    Anew,
    /// The same, and they are.
    AnewWithReplay,
    /// To go on as a member.
    Again,
}

impl Serf {
    /// A node that knows only itself.
    pub fn new(
        config: Arc<SerfConfig>,
        me: Identity,
        tags: &Tags,
        seed: Seed,
        now: Instant,
    ) -> Self {
        let me = config.identity(me, tags).expect("tags that exist fit, and the versions are sane");
        let node = Node::new(Arc::clone(config.swim()), me, seed, now);
        Self::above(config, node)
    }

    /// A node that starts with a table that others share: it is the `index`th of `roster`, whose
    /// identities are those of [`SerfConfig::identity`]. No events are raised for what it knows
    /// from the start.
    ///
    /// # Panics
    ///
    /// If the roster has no such member.
    pub fn with_roster(
        config: Arc<SerfConfig>,
        roster: &Roster,
        index: usize,
        seed: Seed,
        now: Instant,
    ) -> Self {
        let node = Node::with_roster(Arc::clone(config.swim()), roster, index, seed, now);
        Self::above(config, node)
    }

    /// Has this node keep the records of `roster` in place of equal ones; see
    /// [`Node::share_records`]. Its identities are those of [`SerfConfig::identity`].
    pub fn share_records(&mut self, roster: &Roster) {
        self.cx.node.share_records(roster);
    }

    /// As [`Node::name_addressees`]; whom a datagram is for then tells
    /// [`node`](Self::node)`().addressee(&sent)`.
    pub fn name_addressees(&mut self) {
        self.cx.node.name_addressees();
    }

    fn above(config: Arc<SerfConfig>, mut node: Node) -> Self {
        node.attach(config.coordinates());
        let mut cx = Core::new(config, node);
        let coordinates = cx.config.coordinates().then(|| Coordinates::new(&mut cx));
        let mut serf = Self {
            cx,
            coordinates,
            members: Members::default(),
            leaving: Leaving::default(),
            events: Box::new(UserEvents::new()),
            answers: Box::new(Answers::new()),
            queries: Queries::default(),
            joins: BTreeMap::new(),
            doubted: false,
            ignores_rest: false,
        };
        serf.read_mail();
        serf
    }

    /// Goes on where an earlier life of this node stopped: its clocks start after these times, and
    /// events and queries up to them are not delivered again.
    pub fn resume(&mut self, member_time: u64, event_time: u64, query_time: u64) {
        let clocks = &mut self.cx.clocks;
        clocks.member.witness(member_time);
        clocks.event.witness(event_time);
        clocks.query.witness(query_time);
        self.members.lived = member_time;
        self.events.raise_min_time(event_time.saturating_add(1));
        self.answers.raise_min_time(query_time.saturating_add(1));
    }

    /// Takes one input that happened at `now`.
    ///
    /// # Errors
    ///
    /// [`Rejected`] means that the whole input was refused and nothing but a counter has changed.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        let taken = match input {
            Input::Command { op, command } => {
                self.cx.node.advance(now);
                self.read_mail();
                self.on_command(op, command)
            }
            Input::Timeout => {
                let taken = self.pass(now, input::Input::Timeout);
                self.on_timeout();
                taken
            }
            Input::Datagram { at, from, bytes } => {
                self.pass(now, input::Input::Datagram { at, from, bytes })
            }
            Input::Unsent { token, why } => self.pass(now, input::Input::Unsent { token, why }),
            Input::Request { id, from, bytes } => {
                self.pass(now, input::Input::Request { id, from, bytes })
            }
            Input::Reply { id, result } => self.pass(now, input::Input::Reply { id, result }),
        };
        self.read_mail();
        taken
    }

    fn pass(&mut self, now: Instant, input: input::Input<'_>) -> Result<(), Rejected> {
        let taken = self.cx.node.handle(now, input).map_err(Rejected::Swim);
        self.read_mail();
        taken
    }

    /// Makes the next datagram at the end of `buf`.
    pub fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<Transmit> {
        self.cx.node.poll_transmit(buf)
    }

    /// The next thing to do on the stream plane; its message, if any, is appended to `buf`.
    pub fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        let Self { cx, events, .. } = self;
        let Core { node, clocks, config, stats, .. } = cx;
        let (clocks, times) = (*clocks, config.event_times_max());
        let cut = core::cell::Cell::new(false);
        let exchange = node.poll_exchange_with(buf, &|table, out| {
            cut.set(state::write(table, clocks, events, times, out));
        });
        if cut.get() {
            stats.count().states_cut += 1;
        }
        exchange
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.cx.out.pop()
    }

    /// When to hand in [`Input::Timeout`]; `None` if never. In constant time.
    pub fn poll_timeout(&self) -> Option<Instant> {
        // What ended while a datagram was made is looked at with the next input.
        let mail = self.cx.node.has_mail().then(|| self.cx.now());
        [self.cx.node.poll_timeout(), self.cx.poll_timeout(), mail].into_iter().flatten().min()
    }

    /// Whether nothing is left to poll.
    pub fn is_drained(&self) -> bool {
        self.cx.out.is_empty() && self.cx.node.is_polled()
    }

    /// The bare node: its members as SWIM sees them, keyring, health, queues, configuration.
    pub const fn node(&self) -> &Node {
        &self.cx.node
    }

    pub(crate) const fn node_mut(&mut self) -> &mut Node {
        &mut self.cx.node
    }

    /// The configuration in force.
    pub const fn config(&self) -> &Arc<SerfConfig> {
        &self.cx.config
    }

    /// This node, as others should see it.
    pub fn me(&self) -> Member {
        self.cx.member(self.cx.node.my_slot())
    }

    /// All members that are known: this node, the failed and the left included.
    pub fn members(&self) -> impl Iterator<Item = Member> + '_ {
        self.cx.node.slots().map(|slot| self.cx.member(slot))
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<Member> {
        self.cx.node.find(name.as_bytes()).map(|slot| self.cx.member(slot))
    }

    /// The network coordinate of the member of this name, or of this node: `None` if it has told
    /// none, or if [`SerfConfig::coordinates`] is off.
    pub fn coordinate(&self, name: &str) -> Option<Coordinate> {
        let coordinates = self.coordinates.as_ref()?;
        if name == self.cx.node.my_record().name() {
            return Some(*coordinates.own());
        }
        coordinates.of(self.cx.node.find(name.as_bytes())?).copied()
    }

    /// Whether this node has left, so that its driver may stop it.
    pub fn has_left(&self) -> bool {
        self.leaving.has_left()
    }

    /// The Lamport clocks: of members, events and queries. In constant time.
    pub const fn clocks(&self) -> [u64; 3] {
        let clocks = &self.cx.clocks;
        [clocks.member.time(), clocks.event.time(), clocks.query.time()]
    }

    /// How long a query waits that does not say.
    pub fn default_query_timeout(&self) -> Duration {
        self.cx.default_query_timeout()
    }

    /// What the Serf layer has counted so far; [`Node::stats`] has the rest.
    pub fn stats(&self) -> SerfStats {
        let (coordinates, rtts_zero) =
            self.coordinates.as_ref().map_or((0, 0), |own| (own.taken(), own.zero_rtts()));
        SerfStats { coordinates, rtts_zero, ..self.cx.stats.snapshot() }
    }

    /// The state of the Serf layer in numbers. It looks at every member.
    pub fn info(&self) -> Info {
        let node = &self.cx.node;
        let (mut failed, mut left, mut suspects) = (0, 0, 0);
        for slot in node.slots() {
            match Status::new(node.is_live(slot), node.mark(slot).leaves) {
                Status::Failed => failed += 1,
                Status::Left => left += 1,
                Status::Alive | Status::Leaving => {
                    suspects += usize::from(node.is_suspect(slot));
                }
            }
        }
        let clocks = &self.cx.clocks;
        Info {
            members: node.known_len(),
            failed,
            left,
            suspects,
            health_score: node.health(),
            member_time: clocks.member.time(),
            event_time: clocks.event.time(),
            query_time: clocks.query.time(),
            intent_queue: node.queue_len(INTENTS),
            event_queue: node.queue_len(EVENTS),
            query_queue: node.queue_len(QUERIES),
            claim_queue: node.rumours_len(),
            encrypted: !node.keyring().is_empty(),
            coordinate_resets: self.coordinates.as_ref().map_or(0, |own| own.resets()),
        }
    }

    fn on_command(&mut self, op: OpId, command: Command) -> Result<(), Rejected> {
        let Self { cx, members, .. } = self;
        match command {
            Command::Join { seats, replay: false } => self.join(op, seats, Joining::Anew)?,
            Command::Join { seats, replay: true } => {
                self.join(op, seats, Joining::AnewWithReplay)?
            }
            Command::Rejoin(seats) => self.join(op, seats, Joining::Again)?,
            Command::Leave => self.leaving.begin(cx, members, op)?,
            Command::ForceLeave { name, prune } => {
                if members.say_leave(cx, name.as_bytes(), prune, op) {
                    cx.wait_for(op);
                } else {
                    cx.done(op, Outcome::Applied);
                }
            }
            Command::SetTags(tags) => {
                if !self.leaving.is_staying() {
                    return Err(Rejected::NotAlive);
                }
                let meta = tags.encode(cx.config.protocol_byte());
                cx.wait_for(op);
                cx.node.renew_meta(op, &meta);
            }
            Command::UserEvent { name, payload, coalesce } => {
                self.events.send(cx, &name, &payload, coalesce)?;
                cx.done(op, Outcome::Applied);
            }
            Command::Query { name, payload, params } => {
                let (asks, purpose) = ((&name[..], &payload[..]), Purpose::Command(op));
                self.queries.ask(cx, &mut self.answers, asks, &params, purpose)?;
            }
            Command::Respond { query, payload } => {
                self.answers.respond(cx, query, &payload)?;
                cx.done(op, Outcome::Applied);
            }
            Command::KeyringSaved(saved) => self.swim(op, input::Command::KeyringSaved(saved))?,
            Command::Reload(config) => self.reload(op, config)?,
            Command::Swim(command) => match command {
                input::Command::Ping { .. }
                | input::Command::SetAddress(_)
                | input::Command::Key(_) => self.swim(op, command)?,
                _ => return Err(Rejected::Reserved),
            },
        }
        Ok(())
    }

    fn join(&mut self, op: OpId, seats: Vec<Seat>, joining: Joining) -> Result<(), Rejected> {
        if !self.leaving.is_staying() {
            return Err(Rejected::NotAlive);
        }
        self.joins.insert(op, joining);
        self.swim(op, input::Command::Join(seats))
    }

    fn swim(&mut self, op: OpId, command: input::Command) -> Result<(), Rejected> {
        let now = self.cx.now();
        let taken = self.cx.node.handle(now, input::Input::Command { op, command });
        taken.map_err(Rejected::Swim)
    }

    fn reload(&mut self, op: OpId, config: Arc<SerfConfig>) -> Result<(), Rejected> {
        if let Some(knob) = self.cx.config.fixed_difference(&config) {
            return Err(Rejected::FixedKnob(knob));
        }
        self.swim(op, input::Command::Reload(Arc::clone(config.swim())))?;
        self.cx.config = config;
        Ok(())
    }

    fn on_timeout(&mut self) {
        let Self { cx, members, .. } = self;
        cx.on_gathered();
        while let Some(due) = cx.timers.pop(cx.now()) {
            match due {
                Due::QueryEnd(ltime) => self.queries.on_end(cx, ltime),
                Due::Wait(op) => cx.on_wait_due(op),
                Due::Leave(step) => self.leaving.on_due(cx, step),
                Due::Prune(name) => members.on_prune_due(cx, &name),
                Due::Purge => {
                    cx.on_purge();
                    members.on_purge(cx);
                    self.answers.on_purge(cx);
                }
                Due::QueueCheck => cx.on_queue_check(),
            }
        }
    }

    /// Takes what the bare node has for the Serf layer, which may give it more to do.
    fn read_mail(&mut self) {
        while let Some(mut mail) = self.cx.node.take_mail() {
            for letter in core::mem::take(&mut mail.letters) {
                self.on_letter(letter, &mail);
            }
            self.cx.node.return_mail(mail);
        }
        self.ignores_rest = self.ignores_rest && self.cx.node.is_merging();
    }

    fn on_letter(&mut self, letter: Letter, mail: &Mail) {
        match letter {
            Letter::Event(event) => self.on_event(event),
            Letter::Message { bytes } => self.on_message(mail.bytes(&bytes)),
            Letter::State { join, bytes } => {
                let ignores = self.ignores_rest
                    || self.joins.values().any(|joining| *joining == Joining::Anew);
                let Self { cx, members, events, .. } = self;
                self.doubted |=
                    state::merge(cx, members, events, mail.bytes(&bytes), join && ignores);
                self.insist();
            }
            Letter::Rtt { member, rtt, bytes } => {
                if let Some(coordinates) = &mut self.coordinates {
                    coordinates.on_rtt(&mut self.cx, member, rtt, mail.bytes(&bytes));
                }
            }
            Letter::Forgotten(member) => {
                if let Some(coordinates) = &mut self.coordinates {
                    coordinates.forget(member);
                }
            }
        }
    }

    fn on_message(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let Self { cx, members, .. } = self;
        if cx.tells_evidence() {
            let stats = cx.stats.count();
            stats.messages_in += 1;
            stats.message_bytes_in += bytes.len() as u64;
        }
        let passed_on = match Message::decode(bytes) {
            Ok(Message::Join(join)) => members.on_join(cx, &join),
            Ok(Message::Leave(leave)) => members.on_leave(cx, &leave),
            Ok(Message::UserEvent(event)) => return self.events.on_message(cx, &event, bytes),
            Ok(Message::Query(query)) => return self.answers.on_message(cx, &query, bytes),
            Ok(Message::Response(response)) => return self.queries.on_response(cx, &response),
            Ok(Message::Relay(relay)) => return answer::relay(cx, &relay),
            Err(_) => {
                cx.stats.count().malformed += 1;
                false
            }
        };
        if passed_on {
            cx.broadcast(INTENTS, bytes::Bytes::copy_from_slice(bytes), None);
        }
    }

    fn on_event(&mut self, event: event::Event) {
        let Self { cx, members, .. } = self;
        match event {
            event::Event::Up(member) => members.on_up(cx, &member),
            event::Event::Down { member, by, .. } => {
                if cx.tells_evidence() {
                    cx.find_out(member.clone(), Finding::Down { by });
                }
                members.on_down(cx, member);
            }
            event::Event::Suspected { member, by, evidence }
            | event::Event::Confirmed { member, by, evidence } => {
                cx.find_out(member, Finding::Suspected { by, evidence });
            }
            event::Event::Trusted(member) => cx.find_out(member, Finding::Trusted),
            event::Event::Accused { by, evidence, claimed } => {
                let me = cx.node.at(cx.node.my_slot());
                cx.find_out(me, Finding::Refuted { by, evidence, claimed });
            }
            event::Event::Changed(swim) => {
                if let Some(slot) = cx.node.find(swim.name().as_bytes()) {
                    let status = Status::new(true, cx.node.mark(slot).leaves);
                    cx.tell(Change::Update, Member { swim, status });
                }
            }
            event::Event::Reaped(swim) => {
                let status = Status::new(false, swim.state() == State::Left);
                cx.tell(Change::Reap, Member { swim, status });
            }
            event::Event::Conflict { existing, other } => self.on_conflict(existing, other),
            event::Event::KeyringChanged(op) => cx.raise(Event::KeyringChanged(op)),
            event::Event::Done { op, outcome } => self.on_done(op, outcome),
            // Nobody above asked for those.
            _ => {}
        }
    }

    fn on_conflict(&mut self, existing: crate::Member, other: crate::Member) {
        let Self { cx, queries, answers, .. } = self;
        let about_me = existing.name() == cx.node.my_record().name();
        let seen = |swim: crate::Member| Member { status: Status::new(true, false), swim };
        cx.raise(Event::Conflict { existing: seen(existing), other: seen(other) });
        if about_me
            && cx.config.name_conflict_resolution()
            && self.leaving.is_staying()
            && !queries.is_voting()
        {
            let me = cx.node.my_record().clone();
            let asks = ("_serf_conflict", me.name_bytes());
            let purpose = Purpose::Conflict(Box::default());
            // Should too many queries be under way, the next claim tries again.
            let _ = queries.ask(cx, answers, asks, &QueryParams::new(), purpose);
        }
    }

    /// Says that this node is there, if others have reason to doubt that. A join that is under way
    /// says so when it ends.
    fn insist(&mut self) {
        if self.doubted && self.joins.is_empty() {
            self.doubted = false;
            self.members.insist(&mut self.cx);
        }
    }

    fn on_done(&mut self, op: OpId, outcome: event::Outcome) {
        let Self { cx, members, .. } = self;
        let saved = outcome == event::Outcome::Applied;
        if self.leaving.on_told(cx, op) || self.answers.keys.on_done(cx, op, saved) {
            return;
        }
        match outcome {
            event::Outcome::Joined { reached, failed } => {
                let joining = self.joins.remove(&op).unwrap_or(Joining::Again);
                self.ignores_rest |= joining == Joining::Anew && cx.node.is_merging();
                if reached > 0 && joining != Joining::Again {
                    self.doubted = false;
                    members.say_join(cx);
                }
                cx.done(op, Outcome::Joined { reached, failed });
                self.insist();
            }
            outcome => {
                if !cx.on_told(op) {
                    cx.done(op, Outcome::Swim(outcome));
                }
            }
        }
    }
}

impl core::fmt::Debug for Serf {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Serf {:?}, {} live", self.me(), self.cx.node.live_len())
    }
}
