//! Many nodes in virtual time.

mod act;
mod host;
mod output;
mod step;
mod streams;

use core::time::Duration;
use std::io;
use std::sync::Arc;

use swim_core::journal::Recorder;
use swim_core::{Command, Config, Identity, Instant, Node, Roster};

pub(crate) use self::host::Host;
use crate::arena::Arena;
use crate::change::{Change, Stall, Strike, What};
use crate::digest::Digest;
use crate::draw::Draw;
use crate::fault::{Act, Agenda, Fault, FaultCounts, Split, Who};
use crate::link::Links;
use crate::machine::{Birth, Machine, Seen};
use crate::oracle::{self, Inspect, Load, Oracle, Verdict, Violation};
use crate::place;
use crate::stream::{Step, Streams};
use crate::tracker::Tracker;
use crate::wheel::Wheel;

/// What a world is made of. Start from [`WorldConfig::new`] and set what differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorldConfig {
    /// All chance comes from it: links, choices of who crashes, the nodes' own randomness.
    pub seed: u64,
    /// How many nodes, at most [`place::NODES_MAX`].
    pub nodes: u32,
    /// The settings of every node.
    pub core: Arc<Config>,
    /// The links between them.
    pub links: Links,
    /// What is done to them, and when.
    pub faults: Vec<(Instant, Fault)>,
    /// What a driver that wakes up late does first.
    pub driver: Driver,
    /// In a cold world, the time within which all nodes but the first start and join.
    pub join_window: Duration,
}

impl WorldConfig {
    /// `nodes` nodes with memberlist's LAN settings on a local network, without faults.
    pub fn new(seed: u64, nodes: u32) -> Self {
        Self {
            seed,
            nodes,
            core: Config::lan().build().expect("the preset is valid"),
            links: Links::default(),
            faults: Vec::new(),
            driver: Driver::default(),
            join_window: Duration::from_millis(100),
        }
    }
}

/// What a driver that finds both mail and an expired time-out does first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third order")]
pub enum Driver {
    /// It reads its mail, as the contract of the core asks.
    #[default]
    MailFirst,
    /// It runs its timers, as the Go programs of the published experiments did.
    TimersFirst,
}

/// Many machines, their links and their time. Same configuration, same course of events.
pub struct World<M = Node> {
    pub(crate) now: Instant,
    seed: u64,
    core: Arc<Config>,
    links: Links,
    driver: Driver,
    make: Make<M>,
    hosts: Vec<Host<M>>,
    /// The group of each node; empty while all reach each other.
    groups: Arc<[u16]>,
    wheel: Wheel<Item>,
    arena: Arena,
    streams: Streams,
    agenda: Agenda,
    /// When the agenda or the oracles want to act next.
    next_act: Instant,
    next_tick: Instant,
    draw: Draw,
    oracles: Vec<Box<dyn Oracle>>,
    violations: Vec<Violation>,
    tracker: Tracker,
    faults: FaultCounts,
    traffic: Traffic,
    /// Digests of lives that have ended.
    past: Digest,
}

/// Makes the machines of a world.
pub type Make<M> = Box<dyn Fn(&Birth<'_>) -> M + Send>;

/// What nodes sent, and what the world did for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Traffic {
    /// Datagrams sent, the lost ones included.
    pub datagrams: u64,
    /// Their bytes.
    pub datagram_bytes: u64,
    /// Stream messages sent.
    pub streams: u64,
    /// Their bytes.
    pub stream_bytes: u64,
    /// Datagrams, stream messages and time-outs handed to nodes.
    pub events: u64,
}

/// What the wheel holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    /// A node's deadline; stale if its generation is old.
    Timer { node: u32, generation: u32 },
    /// A datagram arrives.
    Packet { to: u32, packet: u32 },
    /// A stream goes on.
    Stream { slot: u32, generation: u32, step: Step },
}

impl World {
    /// Nodes that all know each other from the start, everybody alive at incarnation 1.
    pub fn converged(config: WorldConfig) -> Self {
        Self::converged_with(config, Box::new(|birth| birth.node()))
    }

    /// Nodes that know only themselves. The first is up from the start, the others start within
    /// [`WorldConfig::join_window`] and join by it.
    pub fn cold(config: WorldConfig) -> Self {
        Self::cold_with(config, Box::new(|birth| birth.node()))
    }
}

impl World<Recorder> {
    /// Nodes as of [`World::cold`] that keep journals.
    pub fn recorded(config: WorldConfig) -> Self {
        Self::cold_with(config, Box::new(|birth| birth.recorder()))
    }

    /// Writes what a node's journal has gathered since the last call; nothing if it is down.
    ///
    /// # Errors
    ///
    /// Those of the sink.
    pub fn record(&mut self, node: u32, mut sink: impl io::Write) -> io::Result<()> {
        let host = &mut self.hosts[node as usize];
        host.machine.as_mut().map_or(Ok(()), |recorder| sink.write_all(&recorder.take()))
    }
}

impl<M: Machine> World<M> {
    /// As [`World::converged`], of other machines.
    pub fn converged_with(config: WorldConfig, make: Make<M>) -> Self {
        let roster = Roster::new((0..config.nodes).map(identity));
        let mut world = Self::empty(config, make);
        for node in 0..world.len() {
            world.start(node, Some(&roster));
        }
        world
    }

    /// As [`World::cold`], of other machines.
    pub fn cold_with(config: WorldConfig, make: Make<M>) -> Self {
        let window = config.join_window.as_nanos() as u64;
        let mut world = Self::empty(config, make);
        for node in 0..world.len() {
            let at = if node == 0 { 0 } else { world.draw.below(window.max(1)) };
            world.add_act(Instant::from_nanos(at), Act::Start(node));
        }
        world
    }

    fn empty(config: WorldConfig, make: Make<M>) -> Self {
        assert!(config.nodes <= place::NODES_MAX, "a world has at most {} nodes", place::NODES_MAX);
        let mut world = Self {
            now: Instant::ZERO,
            seed: config.seed,
            core: config.core,
            links: config.links,
            driver: config.driver,
            make,
            hosts: (0..config.nodes).map(|_| Host::default()).collect(),
            groups: Arc::default(),
            wheel: Wheel::new(),
            arena: Arena::new(),
            streams: Streams::default(),
            agenda: Agenda::default(),
            next_act: Instant::MAX,
            next_tick: Instant::MAX,
            draw: Draw::new(config.seed, "world"),
            oracles: Vec::new(),
            violations: Vec::new(),
            tracker: Tracker::new(config.nodes),
            faults: FaultCounts::default(),
            traffic: Traffic::default(),
            past: Digest::default(),
        };
        for (at, fault) in config.faults {
            world.add_act(at, Act::Fault(fault));
        }
        world
    }

    /// Does the next thing; false if nothing is pending.
    pub fn step(&mut self) -> bool {
        self.step_before(Instant::MAX)
    }

    /// Does everything up to and including `t`.
    pub fn run_until(&mut self, t: Instant) {
        while self.step_before(t) {}
        self.now = self.now.max(t);
    }

    /// Ends a node's process without a word.
    pub fn crash(&mut self, node: u32) {
        self.strike(Fault::Crash(Who::Node(node)));
    }

    /// As [`Self::crash`], and hands out the machine, for a look at its remains.
    pub fn remove(&mut self, node: u32) -> Option<M> {
        self.crash_node(node)
    }

    /// Starts a crashed node again; it joins by a node that is up.
    pub fn restart(&mut self, node: u32) {
        self.strike(Fault::Restart(Who::Node(node)));
    }

    /// Freezes a node, or its input and output.
    pub fn stall(&mut self, node: u32, part: Stall, time: Duration) {
        self.strike(Fault::Stall { who: Who::Node(node), part, time });
    }

    /// Keeps nodes of different groups from reaching each other; nodes in no group form one more.
    pub fn partition(&mut self, groups: Vec<Vec<u32>>) {
        self.strike(Fault::Partition(Split::Groups(groups)));
    }

    /// Lets all nodes reach each other again.
    pub fn heal(&mut self) {
        self.strike(Fault::Heal);
    }

    /// Applies a fault now.
    pub fn strike(&mut self, fault: Fault) {
        self.act(Act::Fault(fault));
    }

    /// Applies a fault at a later time.
    pub fn schedule(&mut self, at: Instant, fault: Fault) {
        self.add_act(at.max(self.now), Act::Fault(fault));
    }

    /// Hands a command to a node, unless it is down.
    pub fn command(&mut self, node: u32, command: Command) {
        self.give_command(node, command);
    }

    /// Lets an oracle judge what happens from now on.
    pub fn watch(&mut self, oracle: impl Oracle + 'static) {
        self.watch_boxed(Box::new(oracle));
    }

    /// Lets every oracle judge what happens from now on.
    pub fn watch_all(&mut self) {
        for oracle in oracle::all(&Arc::clone(&self.core), self.len()) {
            self.watch_boxed(oracle);
        }
    }

    fn watch_boxed(&mut self, mut oracle: Box<dyn Oracle>) {
        self.tell_start(oracle.as_mut());
        self.oracles.push(oracle);
        self.next_tick = self.next_tick.min(self.now + TICK);
        self.next_act = self.next_act.min(self.next_tick);
    }

    /// Asks the oracles for their last word, and hands out what all of them found.
    pub fn verdicts(&mut self) -> Vec<Verdict> {
        let mut oracles = core::mem::take(&mut self.oracles);
        for oracle in &mut oracles {
            if let Err(v) = oracle.at_end(self) {
                self.note_violation(v);
            }
        }
        let verdicts = oracles.iter().map(|o| Verdict::of(o.as_ref(), &self.violations)).collect();
        self.oracles = oracles;
        verdicts
    }

    /// What oracles have objected to so far; the first [`VIOLATIONS_MAX`] are kept.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The virtual time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The seed.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// How many nodes the world has, up or down.
    pub fn len(&self) -> u32 {
        self.hosts.len() as u32
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// The machine of a node that is up.
    pub fn machine(&self, node: u32) -> Option<&M> {
        self.hosts.get(node as usize)?.machine.as_ref()
    }

    /// A hash over everything that nodes have emitted.
    pub fn digest(&self) -> u64 {
        let mut digest = self.past;
        for host in &self.hosts {
            digest.words(host.digest.value(), host.life.into());
        }
        digest.value()
    }

    /// What nodes sent.
    pub const fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// How often each fault struck.
    pub const fn fault_counts(&self) -> &FaultCounts {
        &self.faults
    }

    /// What was measured about crashes and agreement.
    pub const fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// Datagrams and bytes that a node has sent in this life.
    pub fn sent(&self, node: u32) -> (u64, u64) {
        let host = &self.hosts[node as usize];
        (host.sent, host.sent_bytes)
    }

    /// How many items are pending: packets, deadlines, streams.
    pub const fn pending(&self) -> usize {
        self.wheel.len()
    }

    fn add_act(&mut self, at: Instant, act: Act) {
        self.agenda.add(at, act);
        self.next_act = self.next_act.min(at);
    }

    fn note_violation(&mut self, violation: Violation) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(violation);
        }
    }

    /// Tells every oracle.
    fn tell(&mut self, change: &Change) {
        for i in 0..self.oracles.len() {
            if let Err(v) = self.oracles[i].on_change(change) {
                self.note_violation(v);
            }
        }
    }

    /// Tells every oracle, and the tracker, what the world does.
    fn tell_strike(&mut self, strike: Strike) {
        if !self.oracles.is_empty() {
            self.tell(&Change::strike(self.now, strike));
        }
    }

    /// Tells an oracle that comes late what is already the case.
    fn tell_start(&self, oracle: &mut dyn Oracle) {
        for (node, host) in (0..).zip(&self.hosts) {
            if host.machine.is_some() {
                let (life, converged) = (host.life, true);
                let what = What::Strike(Strike::Started { node, life, converged });
                // An oracle that objects to a mere start has nothing to compare it with yet.
                let _ = oracle.on_change(&Change { at: self.now, what });
            }
        }
        if self.links.loss() > 0.0 {
            let what = What::Strike(Strike::Loss(self.links.loss()));
            let _ = oracle.on_change(&Change { at: self.now, what });
        }
        if !self.groups.is_empty() {
            let what = What::Strike(Strike::Split(Arc::clone(&self.groups)));
            let _ = oracle.on_change(&Change { at: self.now, what });
        }
    }
}

impl<M: Machine> Inspect for World<M> {
    fn now(&self) -> Instant {
        self.now
    }

    fn nodes(&self) -> u32 {
        self.len()
    }

    fn config(&self) -> &Config {
        &self.core
    }

    fn observes(&self, node: u32) -> bool {
        self.hosts[node as usize].observes()
    }

    fn incarnation(&self, node: u32) -> u32 {
        self.machine(node).map_or(0, Machine::incarnation)
    }

    fn view(&self, node: u32, show: &mut dyn FnMut(Seen<'_>)) {
        if let Some(machine) = self.machine(node) {
            machine.view(show);
        }
    }

    fn load(&self, node: u32) -> Load {
        self.hosts[node as usize].load()
    }
}

/// The identity of node `index`.
fn identity(index: u32) -> Identity {
    Identity::new(&place::name(index), place::addr(index)).expect("the name and address are valid")
}

/// Violations that a world keeps; a broken protocol has thousands, and the first tells most.
pub const VIOLATIONS_MAX: usize = 100;

/// Time between two looks of the oracles at every node.
const TICK: Duration = Duration::from_secs(1);
