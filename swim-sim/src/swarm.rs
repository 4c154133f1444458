//! Random worlds: a seed draws settings and faults, then come chaos and calm.

mod serf;

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use swim_core::{Config, Instant};

pub use self::serf::AskedSerf;

use crate::change::Stall;
use crate::counts::FaultCounts;
use crate::draw::Draw;
use crate::fault::{Fault, Split, Who};
use crate::link::Links;
use crate::machine::{Machine, MachineKind};
use crate::oracle::{Formula, Verdict};
use crate::scenario::nodes;
use crate::serf::{Delivery, SerfMachine, Tally};
use crate::world::{Driver, Make, World, WorldConfig};

/// A world drawn from a seed, with a chaos phase and a calm one.
///
/// Not every world has every fault: leaving some out lets the others do more.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Swarm {
    /// The world.
    pub config: WorldConfig,
    /// What kind of nodes it has.
    pub machine: MachineKind,
    /// Whether its nodes start knowing nobody.
    pub cold: bool,
    /// When the last fault may begin; all have ended soon after.
    pub chaos: Duration,
    /// How long nothing strikes after the last fault, before views must be equal.
    pub calm: Duration,
    /// What it asks for.
    pub asked: Asked,
}

/// How often each fault was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Asked {
    /// Crashes.
    pub crashes: u64,
    /// Restarts.
    pub restarts: u64,
    /// Nodes that leave.
    pub leaves: u64,
    /// Stalls of input and output.
    pub io_stalls: u64,
    /// Stalls of whole drivers.
    pub loop_stalls: u64,
    /// Partitions.
    pub partitions: u64,
    /// Those that outlast the longest suspicion, so that both sides hold each other as dead.
    pub long_partitions: u64,
    /// Worlds with loss.
    pub lossy: u64,
    /// In Serf worlds, what bare ones do not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serf: Option<AskedSerf>,
}

/// What a random world has shown.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The world's digest.
    pub digest: u64,
    /// Events handled.
    pub events: u64,
    /// Virtual time.
    pub virtual_s: f64,
    /// What was asked for.
    pub asked: Asked,
    /// What struck.
    pub faults: FaultCounts,
    /// What Serf nodes did, if the world had any.
    pub tally: Option<Tally>,
    /// What the oracles found.
    pub oracles: Vec<Verdict>,
    /// What they objected to.
    pub violations: Vec<String>,
}

impl Swarm {
    /// The world of `nodes` bare nodes that `seed` draws.
    pub fn draw(seed: u64, nodes: u32) -> Self {
        Self::draw_of(MachineKind::Node, seed, nodes)
    }

    /// The world of `nodes` nodes of a kind that `seed` draws. Worlds of different kinds have
    /// nothing in common.
    pub fn draw_of(machine: MachineKind, seed: u64, nodes: u32) -> Self {
        let is_serf = machine == MachineKind::Serf;
        let mut draw = Draw::new(seed, if is_serf { "serf swarm" } else { "swarm" });
        let mut config = WorldConfig::new(seed, nodes);
        config.core = draw_settings(&mut draw);
        let moves = is_serf && draw.percent(20);
        if moves {
            let reclaim = Duration::from_secs(draw.between(1, 30));
            let core = config.core.to_builder().dead_node_reclaim_time(reclaim);
            config.core = core.build().expect("every drawn knob lies within its range");
        }
        config.driver = if draw.percent(80) { Driver::MailFirst } else { Driver::TimersFirst };
        let loss = if draw.percent(50) { draw.unit() * 0.2 } else { 0.0 };
        config.links = draw_links(&mut draw, loss);
        let mut asked_serf = AskedSerf::default();
        if is_serf {
            config.links = serf::rough(&mut draw, config.links, &config.core, &mut asked_serf);
        }
        config.join_window = Duration::from_millis(draw.between(0, 5000));
        let cold = draw.percent(30);
        let chaos = Duration::from_secs(draw.between(60, 240));
        let longest = Formula::new(&config.core, nodes).suspicion_max;
        let asked = Asked::default();
        let mut faults = Faults { draw, nodes, chaos, longest, list: Vec::new(), asked };
        faults.asked.lossy = u64::from(loss > 0.0);
        faults.crashes();
        faults.partitions();
        faults.stalls();
        faults.leaves();
        if is_serf {
            faults.serf(moves, &mut asked_serf);
            faults.asked.serf = Some(asked_serf);
        }
        let end = faults.list.iter().map(|(at, f)| *at + lasts(f)).max();
        let chaos = end.map_or(chaos, |end| end.since(Instant::ZERO).max(chaos));
        if loss > 0.0 {
            faults.list.push((Instant::ZERO + chaos, Fault::Loss(0.0)));
        }
        let Faults { list, asked, .. } = faults;
        let mut calm = Formula::new(&config.core, nodes).convergence(&config.core);
        if is_serf {
            calm = calm.max(Delivery::within(&config.core, nodes));
        }
        // A join that is tried again, and the last tick of an oracle, still come before the end.
        let calm = calm + Duration::from_secs(10);
        config.faults = list;
        Self { config, machine, cold, chaos, calm, asked }
    }

    /// The world, at its start, of bare nodes.
    pub fn world(&self) -> World {
        self.world_with(nodes())
    }

    /// The same of Serf nodes.
    pub fn serf_world(&self) -> World<SerfMachine> {
        self.world_with(SerfMachine::make())
    }

    /// The same of other machines.
    pub fn world_with<M: Machine>(&self, make: Make<M>) -> World<M> {
        let config = self.config.clone();
        if self.cold { World::cold_with(config, make) } else { World::converged_with(config, make) }
    }

    /// The outcome of a world that came to no end.
    pub(crate) fn broke_off(&self, why: String) -> Outcome {
        Outcome {
            digest: 0,
            events: 0,
            virtual_s: 0.0,
            asked: self.asked,
            faults: FaultCounts::default(),
            tally: None,
            oracles: Vec::new(),
            violations: vec![why],
        }
    }

    /// Runs a world of this swarm to its end, or to the first violation.
    pub fn run<M: Machine>(&self, mut world: World<M>) -> Outcome {
        let end = Instant::ZERO + self.chaos + self.calm;
        while world.now() < end && world.violations().is_empty() {
            world.run_until((world.now() + Duration::from_secs(1)).min(end));
        }
        let oracles = world.verdicts();
        Outcome {
            digest: world.digest(),
            events: world.traffic().events,
            virtual_s: world.now().as_secs_f64(),
            asked: self.asked,
            faults: *world.fault_counts(),
            tally: Tally::of(world.ledger(), &world),
            oracles,
            violations: world.violations().iter().map(ToString::to_string).collect(),
        }
    }
}

/// One line for a trace.
impl fmt::Display for Swarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, cold, chaos, calm, asked, .. } = self;
        let start = if *cold { "cold" } else { "converged" };
        write!(f, "{} nodes, {start}, {:?}, ", config.nodes, config.driver)?;
        write!(f, "loss {:.1} %, ", config.links.loss() * 100.0)?;
        write!(f, "chaos {chaos:?}, calm {calm:?}, {asked:?}")
    }
}

fn draw_settings(draw: &mut Draw) -> Arc<Config> {
    let preset = match draw.below(10) {
        0..7 => Config::lan(),
        7..9 => Config::local(),
        _ => Config::wan(),
    };
    // The accuracy oracle asks who accuses whom.
    let mut builder = preset.evidence_events(true);
    if draw.percent(20) {
        builder = builder.stream_pings(false);
    }
    if draw.percent(20) {
        builder = builder.fast_join_rounds(0);
    }
    if draw.percent(20) {
        builder = builder.datagram_bytes_max(draw.between(300, 1400) as u32);
    }
    builder.build().expect("every drawn knob lies within its range")
}

fn draw_links(draw: &mut Draw, loss: f64) -> Links {
    let min = Duration::from_micros(draw.between(100, 5_000));
    let max = min + Duration::from_micros(draw.between(0, 20_000));
    let links = Links::uniform(min, max).and_then(|l| l.with_loss(loss));
    links.expect("drawn delays and losses lie within their bounds")
}

/// How long a fault lasts by itself.
const fn lasts(fault: &Fault) -> Duration {
    match fault {
        Fault::Stall { time, .. } | Fault::Drift { time, .. } => *time,
        _ => Duration::ZERO,
    }
}

/// Faults being drawn.
struct Faults {
    draw: Draw,
    nodes: u32,
    chaos: Duration,
    /// The longest suspicion.
    longest: Duration,
    list: Vec<(Instant, Fault)>,
    asked: Asked,
}

impl Faults {
    fn crashes(&mut self) {
        if !self.draw.percent(80) {
            return;
        }
        let most = u64::from(self.nodes / 5).min(10);
        let crashes = self.draw.between(1, most.max(1));
        for _ in 0..crashes {
            let at = self.some_time();
            self.asked.crashes += 1;
            self.list.push((at, Fault::Crash(Who::Random(1))));
            if self.draw.percent(60) {
                let later = Duration::from_millis(self.draw.between(100, 60_000));
                self.asked.restarts += 1;
                self.list.push((at + later, Fault::Restart(Who::Random(1))));
            }
        }
    }

    /// Up to three of 5 to 120 s, one after the other; half of them outlast the longest suspicion
    /// of 50 nodes on a local network.
    fn partitions(&mut self) {
        if !self.draw.percent(60) {
            return;
        }
        let mut at = self.some_time();
        for _ in 0..self.draw.between(1, 3) {
            let range = if self.draw.percent(50) { (5, 50) } else { (50, 120) };
            let time = Duration::from_secs(self.draw.between(range.0, range.1));
            let first = self.draw.between(1, u64::from(self.nodes) / 2) as u32;
            let mut sizes = vec![first, self.nodes - first];
            if self.draw.percent(20) && sizes[1] > 2 {
                let third = self.draw.between(1, u64::from(sizes[1]) / 2) as u32;
                sizes[1] -= third;
                sizes.push(third);
            }
            self.asked.partitions += 1;
            self.asked.long_partitions += u64::from(time > self.longest);
            self.list.push((at, Fault::Partition(Split::Sizes(sizes))));
            self.list.push((at + time, Fault::Heal));
            at = at + time + Duration::from_secs(self.draw.between(1, 60));
        }
    }

    fn stalls(&mut self) {
        if !self.draw.percent(60) {
            return;
        }
        for _ in 0..self.draw.between(1, 10) {
            let part = if self.draw.percent(50) { Stall::Io } else { Stall::Loop };
            match part {
                Stall::Io => self.asked.io_stalls += 1,
                Stall::Loop => self.asked.loop_stalls += 1,
            }
            let time = Duration::from_millis(self.draw.between(100, 20_000));
            let at = self.some_time();
            self.list.push((at, Fault::Stall { who: Who::Random(1), part, time }));
        }
    }

    fn leaves(&mut self) {
        if self.draw.percent(20) {
            let at = self.some_time();
            self.asked.leaves += 1;
            self.list.push((at, Fault::Leave(Who::Random(1))));
        }
    }

    fn some_time(&mut self) -> Instant {
        Instant::ZERO + self.chaos.mul_f64(self.draw.unit())
    }
}

impl Asked {
    /// Each fault with how often it was asked for and how often it struck.
    pub fn against(
        &self,
        struck: &FaultCounts,
        tally: Option<&Tally>,
    ) -> Vec<(&'static str, u64, u64)> {
        let mut all = vec![
            ("crash", self.crashes, struck.crashes),
            ("restart", self.restarts, struck.restarts),
            ("leave", self.leaves, struck.leaves),
            ("io stall", self.io_stalls, struck.io_stalls),
            ("loop stall", self.loop_stalls, struck.loop_stalls),
            ("partition", self.partitions, struck.partitions),
            ("heal", self.partitions, struck.heals),
            ("cut datagrams", self.partitions, struck.cut),
            ("lost datagrams", self.lossy, struck.lost),
        ];
        if let Some(serf) = &self.serf {
            all.extend(serf.against(struck, &tally.copied().unwrap_or_default()));
        }
        all
    }

    /// Adds what another world asked for.
    pub fn add(&mut self, o: &Self) {
        self.crashes += o.crashes;
        self.restarts += o.restarts;
        self.leaves += o.leaves;
        self.io_stalls += o.io_stalls;
        self.loop_stalls += o.loop_stalls;
        self.partitions += o.partitions;
        self.long_partitions += o.long_partitions;
        self.lossy += o.lossy;
        if let Some(serf) = &o.serf {
            self.serf.get_or_insert_default().add(serf);
        }
    }
}
