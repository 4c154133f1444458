//! Views of a cluster with a few faulty members, over time: what E10 and E11 measure.

use core::time::Duration;
use std::sync::Arc;

use swim_core::{ConfigBuilder, Event, Instant};

use super::lab::Lab;
use super::sums::mean;
use super::tap::{Notes, Tap};
use crate::block::{Ends, Plane};
use crate::course::Course;
use crate::draw::Draw;
use crate::fault::{Fault, Who};
use crate::machine::Machine as _;
use crate::page::{Mark, Plot};
use crate::place;
use crate::world::{World, WorldConfig};

/// Members that something is done to.
pub(super) const FAULTY: u32 = 10;
/// When it begins, and how long it lasts.
pub(super) const START_S: u64 = 90;
const LASTS: Duration = Duration::from_secs(900);

/// What healthy members saw.
#[derive(Debug)]
pub(super) struct Views {
    /// Smallest and largest number of live members that any of them saw after the start.
    pub(super) smallest: u32,
    pub(super) largest: u32,
    /// Changes of a view after its first removal, mean over all.
    pub(super) changes: f64,
    /// Times that a healthy member was declared dead at a healthy one.
    pub(super) evicted: u64,
    /// The longest time for which all of them had removed all that are faulty, in seconds.
    pub(super) longest_all_out_s: f64,
    /// Seconds from the start until that was first so.
    pub(super) all_out_s: Option<f64>,
    /// At each second: smallest and largest view.
    pub(super) seconds: Vec<(f64, u32, u32)>,
}

/// What happens to the packets of the faulty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drops {
    pub(super) ends: fn(Who) -> Ends,
    pub(super) share: f64,
    pub(super) course: Course,
}

/// One world: quiet, then packets of a few members are dropped, datagrams and streams alike.
pub(super) fn watch(lab: &Lab, config: ConfigBuilder, n: u32, drops: Drops, seed: u64) -> Views {
    let mut nodes: Vec<u32> = (0..n).collect();
    let faulty = Draw::new(seed, "views").choose(&mut nodes, FAULTY as usize).to_vec();
    let start = Instant::from_secs(START_S);
    let block = Fault::Block {
        ends: (drops.ends)(Who::Nodes(faulty.clone())),
        plane: Plane::Both,
        share: drops.share,
        course: drops.course,
        time: LASTS,
    };
    let mut world = WorldConfig::new(seed, n);
    world.core = config.build().expect("the presets are valid");
    world.faults = vec![(start, block)];
    let flags: Arc<[bool]> = (0..n).map(|i| faulty.contains(&i)).collect();
    let healthy: Vec<u32> = (0..n).filter(|i| !flags[*i as usize]).collect();
    let mut world = World::converged_with(world, Tap::make(move |_| View::new(Arc::clone(&flags))));
    world.run_until(start);
    let (mut seconds, mut out_since, mut longest, mut all_out_s) = (Vec::new(), None, 0.0f64, None);
    while world.now() < start + LASTS {
        let next = world.now() + Duration::from_secs(1);
        world.run_until(next);
        let at = world.now().as_secs_f64();
        let seen = || healthy.iter().filter_map(|i| world.machine(*i));
        let sizes = || seen().map(|m| m.live_len() as u32);
        seconds.push((at, sizes().min().unwrap_or(0), sizes().max().unwrap_or(0)));
        if seen().all(|tap| tap.notes.out == FAULTY) {
            all_out_s.get_or_insert(at - START_S as f64);
            longest = longest.max(at - *out_since.get_or_insert(at - 1.0));
        } else {
            out_since = None;
        }
    }
    lab.count(&world);
    let notes: Vec<&View> =
        healthy.iter().filter_map(|i| world.machine(*i)).map(|tap| &tap.notes).collect();
    Views {
        smallest: seconds.iter().map(|s| s.1).min().unwrap_or(0),
        largest: seconds.iter().map(|s| s.2).max().unwrap_or(0),
        changes: mean(notes.iter().map(|v| f64::from(v.changes.saturating_sub(1)))),
        evicted: notes.iter().map(|v| v.evicted).sum(),
        longest_all_out_s: longest,
        all_out_s,
        seconds,
    }
}

/// Smallest and largest view over time.
pub(super) fn plot(title: &str, runs: &[(&str, &Views)]) -> Plot {
    let mut plot = Plot::new(title, "seconds", "members taken for live");
    for (name, views) in runs {
        let points = |of: fn(&(f64, u32, u32)) -> u32| -> Vec<(f64, f64)> {
            views.seconds.iter().map(|s| (s.0, of(s).into())).collect()
        };
        plot = plot.with(Mark::Steps, &format!("{name}: smallest view"), points(|s| s.1)).with(
            Mark::Steps,
            &format!("{name}: largest view"),
            points(|s| s.2),
        );
    }
    plot
}

/// What one node holds of the faulty, and how often its view changed.
struct View {
    faulty: Arc<[bool]>,
    out: u32,
    changes: u32,
    evicted: u64,
}

impl View {
    const fn new(faulty: Arc<[bool]>) -> Self {
        Self { faulty, out: 0, changes: 0, evicted: 0 }
    }

    fn is_faulty(&self, name: &str) -> Option<bool> {
        place::node_named(name).and_then(|i| self.faulty.get(i as usize).copied())
    }
}

impl Notes for View {
    fn on_event(&mut self, now: Instant, event: &Event) {
        // Before the start all come up; nothing is removed.
        if now < Instant::from_secs(START_S) {
            return;
        }
        match event {
            Event::Down { member, .. } => {
                self.changes += 1;
                match self.is_faulty(member.name()) {
                    Some(true) => self.out += 1,
                    _ => self.evicted += 1,
                }
            }
            Event::Up(member) => {
                self.changes += 1;
                self.out -= u32::from(self.is_faulty(member.name()) == Some(true) && self.out > 0);
            }
            _ => {}
        }
    }
}
