//! Scale: what nodes hold in common, and threads that share their work, change no result.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

use core::time::Duration;
use std::sync::{Arc, Mutex};

use swim_core::{Config, Instant, Node};
use swim_sim::oracle::Trace;
use swim_sim::{Birth, Fault, Links, Make, Split, States, Traffic, Who, World, WorldConfig};

const NODES: u32 = 500;

/// Everything that nodes report and that befalls them, in order, and what they sent.
#[derive(Debug, PartialEq)]
struct Log {
    lines: Vec<String>,
    traffic: Traffic,
    digest: u64,
}

/// The whole course of a world.
fn log(mut world: World, seconds: u64) -> Log {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    world.watch(Trace::new(move |change| sink.lock().unwrap().push(change.to_string())));
    world.run_until(Instant::from_secs(seconds));
    let (traffic, digest) = (*world.traffic(), world.digest());
    drop(world);
    let lines = Arc::into_inner(lines).unwrap().into_inner().unwrap();
    Log { lines, traffic, digest }
}

/// A bit of everything: crashes, restarts, a partition, leaves, slow and lossy links.
fn config(states: States) -> WorldConfig {
    let mut config = WorldConfig::new(5, NODES);
    let core = Config::lan().evidence_events(true).push_pull_interval(Duration::from_secs(5));
    config.core = core.dead_node_reclaim_time(Duration::from_secs(5)).build().unwrap();
    let ms = Duration::from_millis;
    config.links = Links::uniform(ms(1), ms(20)).unwrap().with_loss(0.01).unwrap();
    config.states = states;
    let at = |seconds, fault| (Instant::from_secs(seconds), fault);
    config.faults = vec![
        at(5, Fault::Crash(Who::Random(20))),
        at(20, Fault::Leave(Who::Random(5))),
        at(30, Fault::Restart(Who::Random(10))),
        at(35, Fault::Partition(Split::Sizes(vec![100, 400]))),
        at(80, Fault::Heal),
    ];
    config
}

/// Nodes with tables of their own.
fn private() -> Make<Node> {
    Box::new(|birth: &Birth<'_>| {
        Node::new(Arc::clone(birth.config), birth.identity.clone(), birth.seed, birth.now)
    })
}

#[test]
fn private_tables_and_tables_of_places_do_the_same_in_a_storm() {
    let shelved = log(World::cold(config(States::Bytes)), 40);
    let private = log(World::cold_with(config(States::Bytes), private()), 40);
    assert!(shelved.lines.len() > NODES as usize * (NODES as usize - 1));
    assert_eq!(shelved.lines, private.lines);
    assert_eq!(shelved, private);
}

#[test]
fn states_by_reference_teach_what_bytes_do() {
    for make in [World::cold, World::converged] {
        let bytes = log(make(config(States::Bytes)), 90);
        let shared = log(make(config(States::Shared)), 90);
        assert!(bytes.lines.len() > 10_000);
        assert_eq!(bytes.lines, shared.lines);
        assert_eq!(bytes.traffic, shared.traffic);
    }
}

#[test]
fn the_number_of_threads_changes_no_result() {
    for (nodes, seconds) in [(50, 60), (1000, 20)] {
        let logs = [1, 2, 8].map(|threads| {
            let mut config = WorldConfig::new(3, nodes);
            config.core = Config::lan().evidence_events(true).build().unwrap();
            let ms = Duration::from_millis;
            config.links = Links::uniform(ms(2), ms(9)).unwrap().with_loss(0.02).unwrap();
            config.faults = vec![(Instant::from_secs(2), Fault::Crash(Who::Random(nodes / 25)))];
            let mut world = World::converged(config);
            world.set_threads(threads);
            log(world, seconds)
        });
        assert!(logs[0].lines.len() > nodes as usize, "{} of {nodes}", logs[0].lines.len());
        assert_eq!(logs[0], logs[1], "two threads, {nodes} nodes");
        assert_eq!(logs[0], logs[2], "eight threads, {nodes} nodes");
    }
}

/// Row 16 of the performance table asks for 15 s at 1,000 nodes.
#[test]
fn a_storm_of_joins_is_complete_in_seconds() {
    for seed in 0..3 {
        let mut config = WorldConfig::new(seed, 200);
        config.states = States::Shared;
        let mut world = World::cold(config);
        world.run_until(Instant::from_secs(10));
        assert!(world.tracker().agreed_at().is_some(), "seed {seed}");
        assert!((0..200).all(|node| world.machine(node).unwrap().live_len() == 200));
    }
}
