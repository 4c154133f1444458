//! Shrinking: from a scenario that fails to a small one that still does.

use core::time::Duration;

use swim_core::{Config, Instant};

use crate::block::Ends;
use crate::course::Course;
use crate::fault::{Fault, Order, Split, Who};
use crate::link::Links;
use crate::scenario::Scenario;
use crate::world::Driver;

/// What shrinking came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shrunk {
    /// The smallest scenario found that fails.
    pub scenario: Scenario,
    /// How many were tried.
    pub tries: u32,
}

/// Makes a failing scenario smaller as long as it fails, with at most `tries_max` tries: fewer
/// faults first (delta debugging: halves, quarters, single ones), then a shorter run, fewer nodes,
/// plainer links and settings, and last the times and sizes of each fault.
///
/// `fails` runs a scenario and says when it failed, in the same way as the first; `None` if it did
/// not. The result fails by that measure if `failing` does.
pub fn shrink(
    failing: &Scenario,
    tries_max: u32,
    fails: impl FnMut(&Scenario) -> Option<Instant>,
) -> Shrunk {
    let mut search = Search { best: failing.clone(), tries: 0, tries_max, fails };
    let mut smaller = true;
    while smaller && search.tries < tries_max {
        smaller = search.drop_faults();
        smaller |= search.shorten();
        smaller |= search.drop_nodes();
        smaller |= search.simplify();
        smaller |= search.refine();
    }
    Shrunk { scenario: search.best, tries: search.tries }
}

struct Search<F> {
    best: Scenario,
    tries: u32,
    tries_max: u32,
    fails: F,
}

impl<F: FnMut(&Scenario) -> Option<Instant>> Search<F> {
    /// Keeps a candidate if it fails.
    fn accept(&mut self, candidate: Scenario) -> bool {
        if self.tries >= self.tries_max {
            return false;
        }
        self.tries += 1;
        let failed = (self.fails)(&candidate).is_some();
        if failed {
            self.best = candidate;
        }
        failed
    }

    /// Tries a change of the best so far.
    fn attempt(&mut self, change: impl FnOnce(&mut Scenario)) -> bool {
        let mut candidate = self.best.clone();
        change(&mut candidate);
        self.accept(candidate)
    }

    /// Removes faults in chunks, from half of them down to each by itself.
    fn drop_faults(&mut self) -> bool {
        let before = self.best.world.faults.len();
        let mut chunk = before;
        while chunk > 0 {
            let mut start = 0;
            while start < self.best.world.faults.len() {
                let end = (start + chunk).min(self.best.world.faults.len());
                if !self.attempt(|s| drop(s.world.faults.drain(start..end))) {
                    start = end;
                }
            }
            chunk /= 2;
        }
        self.best.world.faults.len() < before
    }

    /// Ends the run soon after it has failed, and then sooner.
    fn shorten(&mut self) -> bool {
        let before = self.best.duration;
        self.tries += 1;
        if let Some(at) = (self.fails)(&self.best) {
            let end = at.since(Instant::ZERO) + Duration::from_secs(1);
            if end < before {
                self.attempt(|s| s.set_duration(whole(end)));
            }
        }
        // What is judged at the end fails at the end, whenever that is.
        for eighths in [4, 6, 7] {
            while self.best.duration > Duration::from_secs(2)
                && self.attempt(|s| s.set_duration(whole(s.duration * eighths / 8)))
            {}
        }
        self.best.duration < before
    }

    /// Runs with fewer nodes; those that faults name move to the front if they must.
    fn drop_nodes(&mut self) -> bool {
        let before = self.best.world.nodes;
        for nodes in [2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100, 200, 400] {
            if nodes >= before {
                break;
            }
            let named = named_nodes(&self.best);
            if named.len() > nodes as usize {
                continue;
            }
            if named.iter().all(|&n| n < nodes) && self.attempt(|s| s.world.nodes = nodes) {
                break;
            }
            let moved = self.attempt(|s| {
                s.world.nodes = nodes;
                let place = |n: u32| named.binary_search(&n).map_or(n, |i| i as u32);
                for (_, fault) in &mut s.world.faults {
                    each_who(fault, &mut |list| list.iter_mut().for_each(|n| *n = place(*n)));
                }
            });
            if moved {
                break;
            }
        }
        self.best.world.nodes < before
    }

    /// Takes the plainest links and settings that still fail.
    fn simplify(&mut self) -> bool {
        let mut smaller = false;
        if self.best.world.links != Links::default() {
            smaller |= self.attempt(|s| s.world.links = Links::default())
                || self.best.world.links.loss() > 0.0
                    && self.attempt(|s| {
                        let calm = s.world.links.clone().with_loss(0.0);
                        s.world.links = calm.unwrap_or_else(|_| s.world.links.clone());
                    });
        }
        smaller |= self.best.cold && self.attempt(|s| s.cold = false);
        if self.best.world.driver != Driver::default() {
            smaller |= self.attempt(|s| s.world.driver = Driver::default());
        }
        let plain = Config::lan().evidence_events(true).build().expect("the preset is valid");
        if self.best.world.core.knobs() != plain.knobs() {
            smaller |= self.attempt(|s| {
                let ablation = *s.world.core.ablation();
                let builder = plain.to_builder().ablation(ablation);
                s.world.core = builder.build().expect("the preset is valid");
            });
        }
        smaller
    }

    /// Makes each fault smaller, shorter, rounder.
    fn refine(&mut self) -> bool {
        let mut smaller = false;
        for i in 0..self.best.world.faults.len() {
            smaller |= self.drop_victims(i);
            while self.attempt_fault(i, halve) {
                smaller = true;
            }
            smaller |= self.attempt_fault(i, steady);
            smaller |= self.strike_sooner(i);
        }
        smaller
    }

    /// Tries a change of one fault; false if there was nothing to change.
    fn attempt_fault(&mut self, i: usize, change: impl FnOnce(&mut Fault) -> bool) -> bool {
        let mut candidate = self.best.clone();
        change(&mut candidate.world.faults[i].1) && self.accept(candidate)
    }

    /// Strikes fewer nodes.
    fn drop_victims(&mut self, i: usize) -> bool {
        let mut smaller = false;
        let lists = lists_of(&mut self.best.world.faults[i].1.clone());
        for (list, len) in lists.into_iter().enumerate() {
            let (mut left, mut chunk) = (len, len / 2);
            while chunk > 0 {
                let mut start = 0;
                while start < left && left > 1 {
                    let end = (start + chunk).min(left);
                    let dropped = end - start;
                    let fewer = dropped < left
                        && self.attempt_fault(i, |fault| {
                            edit_list(fault, list, &mut |nodes| drop(nodes.drain(start..end)));
                            true
                        });
                    if fewer {
                        smaller = true;
                        left -= dropped;
                    } else {
                        start = end;
                    }
                }
                chunk /= 2;
            }
        }
        smaller
    }

    /// Strikes sooner, without passing the fault before: half way to it as often as that fails,
    /// then at the start of a minute, of ten seconds or of a second.
    fn strike_sooner(&mut self, i: usize) -> bool {
        let before = i.checked_sub(1).map_or(Instant::ZERO, |i| self.best.world.faults[i].0);
        let started = self.best.world.faults[i].0;
        loop {
            let at = self.best.world.faults[i].0;
            let half = before + whole(at.since(before) / 2);
            if half >= at || !self.attempt(|s| s.world.faults[i].0 = half) {
                break;
            }
        }
        let at = self.best.world.faults[i].0;
        let seconds = at.as_nanos() / 1_000_000_000;
        for to in [60, 10, 1].map(|unit| Instant::from_secs(seconds / unit * unit)) {
            if before <= to && to < at && self.attempt(|s| s.world.faults[i].0 = to) {
                break;
            }
        }
        self.best.world.faults[i].0 < started
    }
}

/// A time in whole seconds, one at least.
fn whole(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs().max(1))
}

/// Halves how long a fault lasts, if it can.
fn halve(fault: &mut Fault) -> bool {
    let (Fault::Stall { time, .. }
    | Fault::Stalls { time, .. }
    | Fault::Slow { time, .. }
    | Fault::Drift { time, .. }
    | Fault::Block { time, .. }) = fault
    else {
        return false;
    };
    let half = Duration::from_millis((*time / 2).as_millis() as u64);
    let halves = *time != Duration::MAX && half >= Duration::from_millis(100);
    if halves {
        *time = half;
    }
    halves
}

/// Lets a fault last without a break, if it does not.
fn steady(fault: &mut Fault) -> bool {
    match fault {
        Fault::Stalls { who, part, time, .. } => {
            *fault = Fault::Stall { who: who.clone(), part: *part, time: *time };
            true
        }
        Fault::Slow { course, .. } | Fault::Block { course, .. } if *course != Course::Steady => {
            *course = Course::Steady;
            true
        }
        _ => false,
    }
}

/// Every node that a fault of the scenario names, in order.
fn named_nodes(scenario: &Scenario) -> Vec<u32> {
    let mut named = Vec::new();
    for (_, fault) in &scenario.world.faults {
        each_who(&mut fault.clone(), &mut |list| named.extend_from_slice(list));
    }
    named.sort_unstable();
    named.dedup();
    named
}

/// How long each list of nodes in a fault is.
fn lists_of(fault: &mut Fault) -> Vec<usize> {
    let mut lens = Vec::new();
    each_who(fault, &mut |list| lens.push(list.len()));
    lens
}

/// Edits one list of nodes in a fault.
fn edit_list(fault: &mut Fault, which: usize, edit: &mut dyn FnMut(&mut Vec<u32>)) {
    let mut i = 0;
    each_who(fault, &mut |list| {
        if i == which {
            edit(list);
        }
        i += 1;
    });
}

/// Shows every list of nodes in a fault, to be changed.
fn each_who(fault: &mut Fault, show: &mut dyn FnMut(&mut Vec<u32>)) {
    match fault {
        Fault::Crash(who)
        | Fault::Vanish(who)
        | Fault::Restart(who)
        | Fault::Move(who)
        | Fault::Leave(who)
        | Fault::Reset(who)
        | Fault::Stall { who, .. }
        | Fault::Stalls { who, .. }
        | Fault::Slow { who, .. }
        | Fault::Drift { who, .. } => show_who(who, show),
        Fault::Command { who, order } => {
            show_who(who, show);
            match order {
                Order::Join(seeds) => show(seeds),
                Order::ForceLeave { of, .. } => show_who(of, show),
                _ => {}
            }
        }
        Fault::Block { ends, .. } => match ends {
            Ends::Into(who) | Ends::OutOf(who) | Ends::Around(who) => show_who(who, show),
            Ends::OneWay(a, b) | Ends::Between(a, b) => {
                show_who(a, show);
                show_who(b, show);
            }
        },
        Fault::Partition(Split::Groups(groups)) => groups.iter_mut().for_each(show),
        Fault::Partition(Split::Sizes(_)) | Fault::Heal | Fault::Loss(_) => {}
    }
}

fn show_who(who: &mut Who, show: &mut dyn FnMut(&mut Vec<u32>)) {
    let mut list = match who {
        Who::Node(node) => vec![*node],
        Who::Nodes(nodes) => core::mem::take(nodes),
        Who::All | Who::Random(_) => return,
    };
    show(&mut list);
    *who = match list[..] {
        [node] => Who::Node(node),
        _ => Who::Nodes(list),
    };
}
