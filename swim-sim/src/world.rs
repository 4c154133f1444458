//! Many nodes in virtual time.

mod act;
mod ahead;
mod alarm;
mod clocks;
mod concrete;
mod config;
mod host;
mod interface;
mod orders;
mod output;
mod slow;
mod spells;
mod step;
mod streams;
mod turn;
mod watch;

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::sync::Arc;

use swim_core::journal::Recorder;
use swim_core::{Command, Config, Identity, Instant, Node, Roster};

use self::ahead::Ahead;
pub use self::config::{Driver, States, WorldConfig};
pub(crate) use self::host::Host;
use self::spells::Spell;
pub use self::watch::VIOLATIONS_MAX;
use crate::arena::Arena;
use crate::block::Blocks;
use crate::change::Stall;
use crate::clock::Clock;
use crate::counts::FaultCounts;
use crate::digest::Digest;
use crate::draw::Draw;
use crate::fault::{Act, Agenda, Fault, Split, Who};
use crate::link::Links;
use crate::machine::{Birth, Machine};
use crate::oracle::{Oracle, Violation};
use crate::place;
use crate::serf::Ledger;
use crate::stream::{Step, Streams};
use crate::tracker::Tracker;
use crate::wheel::Wheel;

/// Many machines, their links and their time. Same configuration, same course of events.
pub struct World<M = Node> {
    pub(crate) now: Instant,
    domain: String,
    seed: u64,
    /// What befalls packets comes from it; the seed, unless that was drawn anew.
    link_seed: u64,
    core: Arc<Config>,
    links: Links,
    driver: Driver,
    make: Make<M>,
    /// All nodes as they are at first; their records are shared.
    roster: Roster,
    /// Whether they exchange states by reference to it.
    shares_states: bool,
    hosts: Vec<Host<M>>,
    /// The group of each node; empty while all reach each other.
    groups: Arc<[u16]>,
    blocks: Blocks,
    /// Faults that last, until they are over.
    spells: Vec<Option<Spell>>,
    /// How many faults of its links or host each node is under; empty before the first.
    impairments: Vec<u32>,
    /// The nodes' clocks; empty before the first drifts.
    clocks: Vec<Clock>,
    /// How often each node has moved; empty before the first does.
    homes: Vec<u8>,
    /// What has struck, if somebody wants to know.
    strikes: Option<Vec<(Instant, Fault)>>,
    /// Nodes that faults should have struck besides, and where that was.
    missed: usize,
    unmet: Vec<String>,
    wheel: Wheel<Item>,
    ahead: Ahead,
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
    /// What Serf nodes tell besides.
    ledger: Ledger,
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
    /// Their bytes; of states by reference, those of the push/pulls in whose place they go.
    pub stream_bytes: u64,
    /// Datagrams, stream messages and time-outs handed to nodes.
    pub events: u64,
}

/// Whom a node knows when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Knows {
    Itself,
    Everybody,
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
        let mut world = Self::empty(config, make);
        for node in 0..world.len() {
            world.start(node, Knows::Everybody);
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
        let longest = config::DOMAIN_BYTES_MAX;
        assert!(config.domain.len() <= longest, "a domain has at most {longest} bytes");
        let named = |i| identity(i, &config.domain, place::addr(i));
        let roster = Roster::new((0..config.nodes).map(named));
        let mut world = Self {
            now: Instant::ZERO,
            seed: config.seed,
            link_seed: config.seed,
            core: config.core,
            links: config.links,
            driver: config.driver,
            make,
            roster,
            domain: config.domain,
            shares_states: config.states.are_shared(config.nodes),
            hosts: (0..config.nodes).map(|_| Host::default()).collect(),
            groups: Arc::default(),
            blocks: Blocks::default(),
            spells: Vec::new(),
            impairments: Vec::new(),
            clocks: Vec::new(),
            homes: Vec::new(),
            strikes: None,
            missed: 0,
            unmet: Vec::new(),
            wheel: Wheel::new(),
            ahead: Ahead::default(),
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
            ledger: Ledger::default(),
        };
        for (at, fault) in config.faults {
            world.add_act(at, Act::Fault(fault));
        }
        world
    }

    /// Does the next thing; false if nothing is pending.
    pub fn step(&mut self) -> bool {
        // Nothing happens at the end of time.
        self.step_before(Instant::from_nanos(u64::MAX - 1))
    }

    /// Does the next thing that is not after `t`; false if there is none.
    pub fn step_until(&mut self, t: Instant) -> bool {
        self.step_before(t)
    }

    /// Draws anew what links do to packets from now on: another future of the same past.
    pub const fn reseed_links(&mut self, seed: u64) {
        self.link_seed = crate::draw::hash(self.seed, seed, 0, 0);
    }

    /// Does everything up to and including `t`.
    pub fn run_until(&mut self, t: Instant) {
        if self.ahead.logs.is_empty() {
            while self.step_before(t) {}
        } else {
            while self.step_window(t) {}
        }
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

    /// What Serf nodes told that a world does not pass on; empty if it has none.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
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
}

/// The identity of node `index` of a domain at its address.
pub(crate) fn identity(index: u32, domain: &str, addr: SocketAddr) -> Identity {
    let dot = if domain.is_empty() { "" } else { "." };
    let name = format!("{}{dot}{domain}", place::name(index));
    Identity::new(&name, addr).expect("the name and address are valid")
}
