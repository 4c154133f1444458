//! A Serf node that a world can run.

use core::cell::RefCell;
use core::net::SocketAddr;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::BytesMut;
use swim_core::serf::{
    self, Change, Finding, Outcome, QueryParams, Serf, SerfConfig, SerfConfigBuilder, Tags,
};
use swim_core::{
    Cause, Command, Config, Event, Exchange, Input, Instant, Lane, NodeName, OpId, Rejected,
    Roster, Stats,
};

use super::ledger::{Entry, Ledger};
use crate::machine::{Birth, Machine, Seen};
use crate::place;
use crate::world::{Make, identity};

/// A Serf node, as a world runs it: it answers every query, and a world's [`Command::Broadcast`] is
/// a user event of it, or on [`Lane::Normal`] a query.
#[derive(Debug)]
pub struct SerfMachine {
    serf: Serf,
    ledger: Ledger,
    node: u32,
    life: u32,
    clocks: [u64; 3],
    events: VecDeque<Event>,
    /// Who is suspected: a bare node tells of the first accuser only.
    suspected: BTreeSet<String>,
    /// Whose word the next death is.
    by: Option<NodeName>,
}

/// What the Serf nodes of a world share.
struct Common {
    /// What `config` was made from.
    swim: Arc<Config>,
    config: Arc<SerfConfig>,
    /// All nodes of the world as they are at first.
    roster: Roster,
}

impl Common {
    fn new(birth: &Birth<'_>, set: &impl Fn(SerfConfigBuilder) -> SerfConfigBuilder) -> Self {
        let config = set(SerfConfig::builder(Arc::clone(birth.config))).build();
        let config = config.expect("settings of a world are valid");
        let identity = |index| {
            let plain = identity(index, birth.domain, place::addr(index));
            config.identity(plain, &Tags::default())
        };
        let nodes = 0..birth.roster.len() as u32;
        let roster = Roster::new(nodes.map(|i| identity(i).expect("no tags fit")));
        Self { swim: Arc::clone(birth.config), config, roster }
    }
}

impl SerfMachine {
    /// Makes the nodes of a world, which write into this ledger. They have no coordinates.
    pub fn maker(ledger: &Ledger) -> Make<Self> {
        Self::maker_with(ledger, |serf| serf.coordinates(false))
    }

    /// The same, with settings of one's own of the Serf layer.
    ///
    /// # Panics
    ///
    /// When it makes the first node, if the settings are not valid.
    pub fn maker_with(
        ledger: &Ledger,
        set: impl Fn(SerfConfigBuilder) -> SerfConfigBuilder + Send + 'static,
    ) -> Make<Self> {
        Self::any(Some(ledger.clone()), set)
    }

    /// Makes the nodes of a world, which write into the world's own ledger. They have no
    /// coordinates.
    pub fn make() -> Make<Self> {
        Self::any(None, |serf| serf.coordinates(false))
    }

    fn any(
        ledger: Option<Ledger>,
        set: impl Fn(SerfConfigBuilder) -> SerfConfigBuilder + Send + 'static,
    ) -> Make<Self> {
        let common: RefCell<Option<Common>> = RefCell::new(None);
        Box::new(move |birth| {
            let mut common = common.borrow_mut();
            // Another world's, or one that was given other settings.
            common.take_if(|common| !Arc::ptr_eq(&common.swim, birth.config));
            let common = common.get_or_insert_with(|| Common::new(birth, &set));
            Self::born(birth, ledger.as_ref().unwrap_or(birth.ledger), common)
        })
    }

    fn born(birth: &Birth<'_>, ledger: &Ledger, common: &Common) -> Self {
        let (config, roster) = (Arc::clone(&common.config), &common.roster);
        let (node, life, now) = (birth.index, birth.life, birth.now);
        let serf = if birth.converged {
            Serf::with_roster(config, roster, node as usize, birth.seed, now)
        } else {
            let me = birth.identity.clone();
            let mut serf = Serf::new(config, me, &Tags::default(), birth.seed, now);
            serf.share_records(roster);
            serf
        };
        let ledger = ledger.clone();
        let (events, suspected) = (VecDeque::new(), BTreeSet::new());
        let clocks = [0; 3];
        let mut machine = Self { serf, ledger, node, life, clocks, events, suspected, by: None };
        machine.note(now, Entry::Born);
        machine.take_events(now);
        machine
    }

    /// The node itself.
    pub const fn serf(&self) -> &Serf {
        &self.serf
    }

    fn note(&self, at: Instant, entry: Entry) {
        self.ledger.note(at, self.node, self.life, entry);
    }

    /// Gives the node a command; what it refuses, a world does not notice.
    fn swim_command(&mut self, now: Instant, op: OpId, command: Command) {
        let command = match command {
            Command::Join(seats) => serf::Command::Join { seats, replay: true },
            Command::Leave => serf::Command::Leave,
            Command::Broadcast { lane: Lane::Normal, payload, .. } => {
                let params = QueryParams::new();
                serf::Command::Query { name: "query".into(), payload, params }
            }
            Command::Broadcast { payload, .. } => {
                serf::Command::UserEvent { name: "event".into(), payload, coalesce: false }
            }
            other => serf::Command::Swim(other),
        };
        let taken = self.give(now, op, command);
        debug_assert!(taken, "a world gives only commands that a node takes");
    }

    /// Gives the node a command; what it takes is noted.
    fn give(&mut self, now: Instant, op: OpId, command: serf::Command) -> bool {
        let entry = match &command {
            serf::Command::UserEvent { payload, .. } => {
                Some(Entry::Sent { payload: payload.to_vec() })
            }
            serf::Command::Query { .. } => Some(Entry::Asked { op: op.0 }),
            serf::Command::SetTags(_) => Some(Entry::Tagged),
            serf::Command::ForceLeave { .. } => Some(Entry::Forced),
            _ => None,
        };
        let taken = self.serf.handle(now, serf::Input::Command { op, command }).is_ok();
        if let Some(entry) = entry.filter(|_| taken) {
            self.note(now, entry);
        }
        taken
    }

    /// Passes on what became of members, as a bare node would tell it.
    fn take_members(&mut self, now: Instant, change: Change, members: Vec<serf::Member>) {
        for member in members {
            let member = member.swim().clone();
            let mut down = |cause| {
                self.suspected.remove(member.name());
                Event::Down { member: member.clone(), cause, by: self.by.take() }
            };
            let event = match change {
                Change::Join => Event::Up(member),
                Change::Leave => {
                    let event = down(Cause::Left);
                    let name = member.name().to_owned();
                    self.note(now, Entry::HeardLeft { name });
                    event
                }
                Change::Failed => down(Cause::Failed),
                Change::Update => Event::Changed(member),
                Change::Reap => Event::Reaped(member),
            };
            self.events.push_back(event);
        }
    }

    /// Passes on what is said of a member.
    fn take_finding(&mut self, member: &serf::Member, finding: Finding) {
        let member = member.swim().clone();
        match finding {
            Finding::Suspected { by, evidence }
                if self.suspected.insert(member.name().to_owned()) =>
            {
                self.events.push_back(Event::Suspected { member, by, evidence });
            }
            Finding::Trusted => {
                self.suspected.remove(member.name());
                self.events.push_back(Event::Trusted(member));
            }
            Finding::Down { by } => self.by = by,
            _ => {}
        }
    }

    /// Takes what the node tells: to the ledger, to the world, and queries are answered.
    fn take_events(&mut self, now: Instant) {
        while let Some(event) = self.serf.poll_event() {
            match event {
                serf::Event::Members { change, members } => {
                    self.take_members(now, change, members);
                }
                serf::Event::Evidence { member, finding } => self.take_finding(&member, finding),
                serf::Event::Ack { op, from } => {
                    let from = from.to_string();
                    self.note(now, Entry::Acked { op: op.0, from });
                }
                serf::Event::User(event) => {
                    let (ltime, payload) = (event.ltime, event.payload.to_vec());
                    self.note(now, Entry::Delivered { ltime, payload });
                }
                serf::Event::Query(query) => {
                    let (ltime, payload) = (query.ltime, query.payload.to_vec());
                    self.note(now, Entry::Heard { ltime, source: query.source, payload });
                    let command = serf::Command::Respond { query: query.id, payload: "yes".into() };
                    let op = OpId(u64::MAX >> 1);
                    // The asker may be out of reach of a datagram; then nobody answers.
                    let _ = self.serf.handle(now, serf::Input::Command { op, command });
                }
                serf::Event::Response { op, from, .. } => {
                    let from = from.to_string();
                    self.note(now, Entry::Answered { op: op.0, from });
                }
                serf::Event::Done { op, outcome } => match outcome {
                    Outcome::Joined { reached, failed } => {
                        let outcome = swim_core::Outcome::Joined { reached, failed };
                        self.events.push_back(Event::Done { op, outcome });
                    }
                    Outcome::Left => {
                        self.note(now, Entry::Left);
                        let outcome = swim_core::Outcome::Left;
                        self.events.push_back(Event::Done { op, outcome });
                    }
                    Outcome::Answered { .. } => self.note(now, Entry::Ended { op: op.0 }),
                    _ => {}
                },
                _ => {}
            }
        }
        let info = self.serf.clocks();
        if info != self.clocks {
            self.clocks = info;
            self.note(now, Entry::Clocks(info));
        }
    }
}

impl Machine for SerfMachine {
    fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        let input = match input {
            Input::Timeout => serf::Input::Timeout,
            Input::Datagram { at, from, bytes } => serf::Input::Datagram { at, from, bytes },
            Input::Unsent { token, why } => serf::Input::Unsent { token, why },
            Input::Request { id, from, bytes } => serf::Input::Request { id, from, bytes },
            Input::Reply { id, result } => serf::Input::Reply { id, result },
            Input::Command { op, command } => {
                self.swim_command(now, op, command);
                self.take_events(now);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let taken = self.serf.handle(now, input);
        self.take_events(now);
        match taken {
            Err(serf::Rejected::Swim(why)) => Err(why),
            _ => Ok(()),
        }
    }

    fn command(&mut self, now: Instant, op: OpId, command: serf::Command) -> bool {
        let taken = self.give(now, op, command);
        self.take_events(now);
        taken
    }

    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<SocketAddr> {
        self.serf.poll_transmit(buf).map(|sent| sent.to)
    }

    fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        self.serf.poll_exchange(buf)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.serf.poll_timeout()
    }

    fn incarnation(&self) -> u32 {
        Machine::incarnation(self.serf.node())
    }

    fn view(&self, show: &mut dyn FnMut(Seen<'_>)) {
        self.serf.node().view(show);
    }

    fn live_len(&self) -> usize {
        self.serf.node().live_len()
    }

    fn known_len(&self) -> usize {
        self.serf.node().known_len()
    }

    fn queue_len(&self) -> usize {
        Machine::queue_len(self.serf.node())
    }

    fn rumours_len(&self) -> usize {
        self.serf.node().rumours_len()
    }

    fn timers_len(&self) -> usize {
        self.serf.node().timers_len()
    }

    fn health(&self) -> u32 {
        self.serf.node().health()
    }

    fn stats(&self) -> Stats {
        self.serf.node().stats()
    }
}
