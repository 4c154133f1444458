//! Serf nodes in a world: what must hold of them does, and every oracle bites.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

mod planted;
mod swarm;

use core::time::Duration;

use swim_core::{Command, Config, Instant, Lane};
use swim_sim::{Fault, Stall, Who, World, WorldConfig};

use crate::planted::{Bug, Planted};

const NODES: u32 = 20;
const BAD: u32 = 7;

/// Runs 20 nodes through events, queries, crashes, leaves and loss; the oracles that object, and
/// those that had no case.
fn run(bug: Bug, seed: u64) -> (Vec<&'static str>, Vec<&'static str>) {
    let mut config = WorldConfig::new(seed, NODES);
    config.core = Config::lan().push_pull_interval(Duration::from_secs(10)).build().unwrap();
    let s = Instant::from_secs;
    config.faults = vec![
        (s(40), Fault::Loss(0.2)),
        (s(50), Fault::Crash(Who::Node(2))),
        (s(60), Fault::Stall { who: Who::Node(4), part: Stall::Io, time: Duration::from_secs(9) }),
        (s(90), Fault::Restart(Who::Node(2))),
        (s(100), Fault::Leave(Who::Node(5))),
        (s(120), Fault::Loss(0.0)),
    ];
    let mut world = World::cold_with(config, Planted::make(bug, |node| node == BAD));
    world.watch_serf();
    for round in 0..12u32 {
        world.run_until(s(30 + 10 * u64::from(round)));
        let node = [1, 3, 6, BAD, 9, 11][round as usize % 6];
        for lane in [Lane::Low, Lane::Normal] {
            let payload = format!("{round}").into_bytes().into();
            world.command(node, Command::Broadcast { lane, key: None, payload });
        }
    }
    world.run_until(s(300));
    let verdicts = world.verdicts();
    for violation in world.violations() {
        println!("{violation}");
    }
    let objects = verdicts.iter().filter(|v| v.violations > 0).map(|v| v.oracle);
    let idle = verdicts.iter().filter(|v| v.cases == 0).map(|v| v.oracle);
    (objects.collect(), idle.collect())
}

#[test]
fn healthy_serf_nodes_satisfy_every_oracle_and_each_has_cases() {
    for seed in 1..=5 {
        assert_eq!(run(Bug::None, seed), (Vec::new(), Vec::new()), "seed {seed}");
    }
}

#[test]
fn delivery_objects_to_an_event_that_comes_twice() {
    assert_eq!(run(Bug::TellsTwice, 1).0, ["delivery"]);
}

#[test]
fn delivery_objects_to_an_event_that_never_comes() {
    assert_eq!(run(Bug::TellsNothing, 1).0, ["delivery"]);
}

#[test]
fn answers_objects_to_an_answer_that_counts_twice() {
    assert_eq!(run(Bug::CountsTwice, 1).0, ["answers"]);
}

#[test]
fn clocks_objects_to_a_clock_that_goes_back() {
    assert_eq!(run(Bug::SetsBack, 1).0, ["clocks"]);
}

#[test]
fn tombstones_objects_to_who_comes_back_without_a_start() {
    assert_eq!(run(Bug::Resurrects, 1).0, ["tombstones"]);
}
