//! One world: changes, calm, crashes.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use swim_core::{Config, Instant};

use super::size::{Size, WARM};
use crate::change::{Change, Says, Strike, What};
use crate::draw::Draw;
use crate::fault::{Fault, Order, Who};
use crate::link::Links;
use crate::oracle::{Oracle, Violation};
use crate::world::{World, WorldConfig};

/// What one world has shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Trial {
    /// Times from a crash to its first report and to the last live node's.
    pub(super) first: Vec<Duration>,
    pub(super) all: Vec<Duration>,
    pub(super) unnoticed: u64,
    /// Times from a change until all held it.
    pub(super) change: Vec<Duration>,
    pub(super) unheard: u64,
    /// Live members declared dead before the first crash, and how long that is.
    pub(super) wronged: u64,
    pub(super) watched: Duration,
    pub(super) bytes_per_node_s: f64,
    pub(super) datagrams_per_node_s: f64,
    pub(super) events: u64,
}

impl Trial {
    pub(super) fn run(config: Arc<Config>, links: Links, size: &Size, seed: u64) -> Self {
        let mut draw = Draw::new(seed, "plan");
        let mut world = WorldConfig::new(seed, size.nodes);
        (world.core, world.links) = (config, links);
        let mut world = World::converged(world);
        let notes = Arc::new(Mutex::new(Notes::default()));
        world.watch(Watch(Arc::clone(&notes)));
        let noted = || notes.lock().unwrap_or_else(PoisonError::into_inner);

        let mut nodes: Vec<u32> = (0..size.nodes).collect();
        let changing = draw.choose(&mut nodes, size.changes as usize).to_vec();
        let start = Instant::ZERO + WARM;
        for (i, &node) in (0..).zip(&changing) {
            let at = start + size.change_every * i + jitter(&mut draw, size.change_every);
            noted().pending.insert(node, Pending::new(at, size.nodes));
            let order = Order::SetMeta("changed".to_owned());
            world.schedule(at, Fault::Command { who: Who::Node(node), order });
        }
        let calm = start + size.change_every * (size.changes + 1);
        world.run_until(calm);
        let before = *world.traffic();
        let crash = calm + size.calm;
        world.run_until(crash);
        let sent = *world.traffic();
        let wronged = noted().wronged.len() as u64;

        for i in 0..size.crashes {
            let at = crash + size.crash_every * i + jitter(&mut draw, size.crash_every);
            world.schedule(at, Fault::Crash(Who::Random(1)));
        }
        let end = crash + size.crash_every * size.crashes + size.patience;
        let all_crashed = crash + size.crash_every * size.crashes;
        world.run_until(all_crashed);
        while world.now() < end && !world.tracker().crashes().iter().all(|c| c.known_to_all()) {
            world.run_until(world.now() + Duration::from_secs(1));
        }

        let per_node_s =
            |n: u64| n as f64 / f64::from(size.nodes) / size.calm.as_secs_f64().max(1e-9);
        let bytes = |t: &crate::Traffic| t.datagram_bytes + t.stream_bytes;
        let mut trial = Self {
            wronged,
            watched: crash.since(Instant::ZERO),
            bytes_per_node_s: per_node_s(bytes(&sent) - bytes(&before)),
            datagrams_per_node_s: per_node_s(sent.datagrams - before.datagrams),
            events: world.traffic().events,
            ..Self::default()
        };
        trial.count_crashes(&world);
        for pending in noted().pending.values() {
            trial.change.extend(pending.took());
            trial.unheard += u64::from(pending.took().is_none());
        }
        trial
    }

    fn count_crashes(&mut self, world: &World) {
        for crash in world.tracker().crashes() {
            self.first.extend(crash.first.map(|at| at.since(crash.at)));
            let all = crash.last.filter(|_| crash.known_to_all());
            self.unnoticed += u64::from(all.is_none());
            self.all.extend(all.map(|at| at.since(crash.at)));
        }
    }
}

/// A random part of a time.
fn jitter(draw: &mut Draw, of: Duration) -> Duration {
    of.mul_f64(draw.unit())
}

/// What nodes have told.
#[derive(Debug, Default)]
struct Notes {
    /// Members whose metadata has changed, or will.
    pending: BTreeMap<u32, Pending>,
    crashed: BTreeSet<u32>,
    /// Live members declared dead, by incarnation.
    wronged: BTreeSet<(u32, u32)>,
}

/// A change, and who has heard of it.
#[derive(Debug)]
struct Pending {
    at: Instant,
    heard: Vec<bool>,
    left: u32,
    last: Instant,
}

impl Pending {
    fn new(at: Instant, nodes: u32) -> Self {
        Self { at, heard: vec![false; nodes as usize], left: nodes - 1, last: at }
    }

    fn hear(&mut self, now: Instant, observer: u32) {
        if now >= self.at && !core::mem::replace(&mut self.heard[observer as usize], true) {
            self.left -= 1;
            self.last = now;
        }
    }

    fn took(&self) -> Option<Duration> {
        (self.left == 0).then(|| self.last.since(self.at))
    }
}

/// Notes who hears of a change, and who is declared dead.
struct Watch(Arc<Mutex<Notes>>);

impl Oracle for Watch {
    fn name(&self) -> &'static str {
        "plan"
    }

    fn on_change(&mut self, change: &Change) -> Result<(), Violation> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &change.what {
            What::Claim(claim) if claim.observer != claim.subject => match claim.says {
                // Who was taken for dead comes up with the change.
                Says::Changed | Says::Up => {
                    if let Some(pending) = notes.pending.get_mut(&claim.subject) {
                        pending.hear(change.at, claim.observer);
                    }
                }
                Says::Down { .. } if !notes.crashed.contains(&claim.subject) => {
                    notes.wronged.insert((claim.subject, claim.incarnation));
                }
                _ => {}
            },
            What::Strike(Strike::Crashed(node)) => {
                notes.crashed.insert(*node);
            }
            _ => {}
        }
        Ok(())
    }

    fn cases(&self) -> u64 {
        0
    }
}
