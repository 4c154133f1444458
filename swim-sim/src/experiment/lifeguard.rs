//! The Lifeguard paper's grid: members whose input and output block again and again.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use swim_core::{Ablation, Config, ConfigBuilder, Event, Instant};

use super::lab::Lab;
use super::tap::{Notes, Tap};
use crate::change::Stall;
use crate::course::Course;
use crate::draw::Draw;
use crate::fault::{Fault, Who};
use crate::place;
use crate::world::{Driver, World, WorldConfig};

pub(super) const N: u32 = 128;
/// Members that block at the same time: the x axis of figure 2.
pub(super) const CONCURRENT: [u32; 9] = [1, 4, 8, 12, 16, 20, 24, 28, 32];
const BLOCKED_MS: [u64; 6] = [128, 512, 2048, 8192, 16_384, 32_768];
const FREE_MS: [u64; 8] = [1, 4, 16, 64, 256, 1024, 4096, 16_384];
/// Repetitions of each point of the grid.
const REPEATS: u64 = 10;
const QUIET: Duration = Duration::from_secs(15);
const ANOMALY: Duration = Duration::from_secs(120);

/// A configuration of the paper, by its name.
pub(super) type Variant = (&'static str, fn() -> ConfigBuilder);

/// The paper's five, then what we ship.
pub(super) const VARIANTS: [Variant; 6] = [
    ("SWIM", swim),
    ("LHA-Probe", || switched(|a| (a.awareness, a.nacks) = (true, true))),
    ("LHA-Suspicion", || switched(|a| a.dynamic_suspicion = true)),
    ("Buddy System", || switched(|a| a.buddy = true)),
    ("Lifeguard", || Config::lan().lifeguard()),
    ("our defaults", Config::lan),
];
/// How many of them are the paper's.
pub(super) const PUBLISHED: usize = 5;

/// memberlist with a fixed time-out, alpha 5.
pub(super) fn swim() -> ConfigBuilder {
    switched(|_| {})
}

/// SWIM with some of Lifeguard's switches on.
fn switched(on: fn(&mut Ablation)) -> ConfigBuilder {
    Config::lan().lifeguard().ablate(|switches| {
        switches.awareness = false;
        switches.nacks = false;
        switches.dynamic_suspicion = false;
        switches.buddy = false;
        on(switches);
    })
}

/// A point of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    pub(super) concurrent: u32,
    blocked_ms: u64,
    free_ms: u64,
    seed: u64,
    /// Whether the whole driver is frozen instead of its input and output.
    frozen: bool,
}

/// What runs have shown, added up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) runs: u64,
    /// Reports of members that did not block as failed.
    pub(super) fp: u64,
    /// Those made by members that did not block.
    pub(super) fp_healthy: u64,
    pub(super) messages: u64,
    pub(super) bytes: u64,
    events: u64,
}

/// Runs of the grid that were made, by the name of their configuration: several experiments look at
/// the same ones.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<BTreeMap<(&'static str, Point), Counts>>);

impl Known {
    fn find(&self, name: &'static str, point: Point) -> Option<Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(name, point)).copied()
    }

    fn keep(&self, name: &'static str, point: Point, counts: Counts) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((name, point), counts);
    }
}

impl Counts {
    fn add(&mut self, o: Self) {
        self.runs += o.runs;
        self.fp += o.fp;
        self.fp_healthy += o.fp_healthy;
        self.messages += o.messages;
        self.bytes += o.bytes;
        self.events += o.events;
    }

    pub(super) fn sum(all: impl IntoIterator<Item = Self>) -> Self {
        let mut sum = Self::default();
        all.into_iter().for_each(|c| sum.add(c));
        sum
    }
}

/// The whole grid, or a part of it in a quick experiment.
pub(super) fn points(lab: &Lab) -> Vec<Point> {
    let concurrent: &[u32] = lab.pick(&CONCURRENT, &[1, 8, 16, 32]);
    let every = lab.pick(1, 2);
    let mut points = Vec::new();
    for seed in 1..=lab.pick(lab.repeats().unwrap_or(REPEATS), 1) {
        for &concurrent in concurrent {
            for &blocked_ms in BLOCKED_MS.iter().skip(every - 1).step_by(every) {
                for &free_ms in FREE_MS.iter().step_by(every) {
                    points.push(Point { concurrent, blocked_ms, free_ms, seed, frozen: false });
                }
            }
        }
    }
    points
}

/// The same, with whole drivers frozen.
pub(super) fn frozen(points: &[Point]) -> Vec<Point> {
    points.iter().map(|&p| Point { frozen: true, ..p }).collect()
}

/// One variant on these points, by the number of members that block.
pub(super) fn by_concurrency(
    lab: &Lab,
    points: &[Point],
    (name, config): Variant,
) -> Vec<(u32, Counts)> {
    let counts = lab.each(points, |&p| {
        if let Some(counts) = lab.known().find(name, p) {
            lab.count_events(counts.events);
            return counts;
        }
        let counts = anomaly(lab, config(), p);
        lab.known().keep(name, p, counts);
        counts
    });
    let of = |c: u32| {
        Counts::sum(points.iter().zip(&counts).filter(|(p, _)| p.concurrent == c).map(|(_, n)| *n))
    };
    CONCURRENT.map(|c| (c, of(c))).into_iter().filter(|(_, n)| n.runs > 0).collect()
}

/// One run: quiet, then some members block in turns.
fn anomaly(lab: &Lab, config: ConfigBuilder, p: Point) -> Counts {
    let mut draw = Draw::new(p.seed, "lifeguard");
    let mut nodes: Vec<u32> = (0..N).collect();
    let slow = draw.choose(&mut nodes, p.concurrent as usize).to_vec();
    let course = Course::Turns {
        on: Duration::from_millis(p.blocked_ms),
        off: Duration::from_millis(p.free_ms),
    };
    let who = Who::Nodes(slow.clone());
    let part = if p.frozen { Stall::Loop } else { Stall::Io };
    let stalls = Fault::Stalls { who, part, course, time: ANOMALY };
    let seed = crate::draw::hash(p.seed, p.concurrent.into(), p.blocked_ms, p.free_ms);
    let run = Run { seed, nodes: N, slow, faults: vec![(QUIET, stalls)], time: QUIET + ANOMALY };
    run.count(lab, config)
}

/// A run that counts false positives.
pub(super) struct Run {
    pub(super) seed: u64,
    pub(super) nodes: u32,
    /// The members to which something is done.
    pub(super) slow: Vec<u32>,
    pub(super) faults: Vec<(Duration, Fault)>,
    pub(super) time: Duration,
}

impl Run {
    pub(super) fn count(self, lab: &Lab, config: ConfigBuilder) -> Counts {
        let mut world = WorldConfig::new(self.seed, self.nodes);
        world.core = config.build().expect("the presets are valid");
        world.driver = Driver::TimersFirst;
        world.faults = self.faults.into_iter().map(|(at, f)| (Instant::ZERO + at, f)).collect();
        let slow: Arc<[bool]> = (0..self.nodes).map(|i| self.slow.contains(&i)).collect();
        let make = Tap::make(move |_| Wrongs { slow: Arc::clone(&slow), fp: 0 });
        let mut world = World::converged_with(world, make);
        world.run_until(Instant::ZERO + self.time);
        lab.count(&world);
        let wrongs = |node: u32| world.machine(node).map_or(0, |tap| tap.notes.fp);
        let traffic = world.traffic();
        Counts {
            runs: 1,
            fp: (0..self.nodes).map(wrongs).sum(),
            fp_healthy: (0..self.nodes).filter(|i| !self.slow.contains(i)).map(wrongs).sum(),
            messages: traffic.datagrams + traffic.streams,
            bytes: traffic.datagram_bytes + traffic.stream_bytes,
            events: traffic.events,
        }
    }
}

/// Counts a node's reports of healthy members as failed.
struct Wrongs {
    slow: Arc<[bool]>,
    fp: u64,
}

impl Notes for Wrongs {
    fn on_event(&mut self, _: Instant, event: &Event) {
        if let Event::Down { member, .. } = event {
            let subject = place::node_named(member.name()).and_then(|i| self.slow.get(i as usize));
            self.fp += u64::from(subject == Some(&false));
        }
    }
}
