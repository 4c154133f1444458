//! Random Serf worlds: they pass, and the search finds a bug for each oracle.

use swim_sim::failure::Failure;
use swim_sim::scenario::Scenario;
use swim_sim::swarm::Swarm;
use swim_sim::{Fault, MachineKind, Order};

use crate::planted::{Bug, Planted};

const NODES: u32 = 15;

fn draw(seed: u64) -> Swarm {
    Swarm::draw_of(MachineKind::Serf, seed, NODES)
}

/// Every fourth node has the bug.
fn is_bad(node: u32) -> bool {
    node % 4 == 3
}

#[test]
fn random_worlds_pass_every_oracle_of_both_layers_and_are_a_function_of_their_seed() {
    let (mut events, mut answers) = (0, 0);
    for seed in 0..6 {
        let run = || {
            let mut world = draw(seed).serf_world();
            world.watch_all();
            world.watch_serf();
            draw(seed).run(world)
        };
        let outcome = run();
        assert!(outcome.violations.is_empty(), "seed {seed}: {:?}", outcome.violations);
        assert_eq!(outcome.oracles.len(), 10);
        let tally = outcome.tally.unwrap();
        (events, answers) = (events + tally.events, answers + tally.answers);
        if seed == 0 {
            let again = run();
            assert_eq!((again.digest, again.tally), (outcome.digest, outcome.tally));
        }
    }
    assert!(events > 20 && answers > 100, "{events} events, {answers} answers");
}

/// The first random world in which an oracle objects to a bug.
fn found(bug: Bug, oracle: &str) -> Scenario {
    let fails = |seed| {
        let mut world = draw(seed).world_with(Planted::make(bug, is_bad));
        world.watch_serf();
        let outcome = draw(seed).run(world);
        let objects = outcome.violations.iter().any(|text| text.starts_with(oracle));
        objects.then(|| Scenario::of_swarm(&draw(seed)))
    };
    (0..20).find_map(fails).expect("the bug is no rare one")
}

#[test]
fn the_search_finds_an_event_that_comes_twice_and_shrinks_it_to_one_event() {
    let scenario = found(Bug::TellsTwice, "delivery");
    let make = || Planted::make(Bug::TellsTwice, is_bad);
    let failure = Failure::of_machines(&scenario, &make).unwrap();
    let small = failure.shrink(&scenario, 300, &make).scenario;
    let text = small.to_toml();
    let [(_, Fault::Command { order: Order::Event { .. }, .. })] = &small.world.faults[..] else {
        panic!("{text}");
    };
    // It fails again from its text, and does not without the bug.
    let back = Scenario::parse(&text).unwrap();
    assert_eq!(Failure::of_machines(&back, &make).unwrap().oracle, "delivery", "{text}");
    assert_eq!(Failure::of(&back), None, "{text}");
}

#[test]
fn the_search_finds_an_event_that_never_comes() {
    found(Bug::TellsNothing, "delivery");
}

#[test]
fn the_search_finds_an_answer_that_counts_twice() {
    found(Bug::CountsTwice, "answers");
}

#[test]
fn the_search_finds_a_clock_that_goes_back() {
    found(Bug::SetsBack, "clocks");
}

#[test]
fn the_search_finds_who_comes_back_without_a_start() {
    found(Bug::Resurrects, "tombstones");
}
