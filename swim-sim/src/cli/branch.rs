//! Branches of a run: the same up to a time, other links from there on.

use core::time::Duration;
use std::process::ExitCode;

use swim_core::Instant;

use super::replay::verdict;
use super::say::say;
use super::{progress, usage};
use crate::failure::Failure;
use crate::machine::{Machine, MachineKind};
use crate::scenario::Scenario;
use crate::world::World;

/// Runs a scenario to `from`, draws what its links do anew, `seeds` times, and tells how often it
/// still fails.
pub(super) fn main(scenario: &Scenario, seed: u64, from: Duration, seeds: u64) -> ExitCode {
    if from >= scenario.duration || seeds == 0 {
        let end = scenario.duration;
        return usage(&format!("--from is {from:?} of {end:?}, --seeds {seeds}: nothing to run"));
    }
    let original = branch(scenario, seed, None);
    say!("seed {seed} itself: {}", verdict(original.as_ref()));
    let bar = progress::bar(seeds, "branches");
    let mut same = 0;
    for links in 1..=seeds {
        let failure = branch(scenario, seed, Some((from, links)));
        let oracle = |f: &Option<Failure>| f.as_ref().map(|f| f.oracle.clone());
        same += u64::from(failure.is_some() && oracle(&failure) == oracle(&original));
        bar.suspend(|| say!("links {links} from {from:?} on: {}", verdict(failure.as_ref())));
        bar.inc(1);
    }
    bar.finish_and_clear();
    match &original {
        Some(f) => say!("{} recurs in {same} of {seeds} branches", f.oracle),
        None => say!("the original passed"),
    }
    if original.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn branch(scenario: &Scenario, seed: u64, links: Option<(Duration, u64)>) -> Option<Failure> {
    match scenario.machine {
        MachineKind::Node => branch_world(scenario, scenario.world(seed), links),
        MachineKind::Serf => branch_world(scenario, scenario.serf_world(seed), links),
    }
}

fn branch_world<M: Machine>(
    scenario: &Scenario,
    mut world: World<M>,
    links: Option<(Duration, u64)>,
) -> Option<Failure> {
    if let Some((from, links)) = links {
        world.run_until(Instant::ZERO + from);
        world.reseed_links(links);
    }
    Failure::run(scenario, &mut world)
}
