//! Events and queries in a large pool under loss, with the oracles of Serf watching.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

use core::time::Duration;

use swim_core::{Command, Config, Instant, Lane};
use swim_sim::serf::{Answers, Clocks, Delivery, Entry, Ledger, SerfMachine, Tombstones};
use swim_sim::{Fault, World, WorldConfig};

/// What came of a run.
#[derive(Debug, Default)]
struct Counts {
    events: usize,
    delivered: usize,
    queries: usize,
    answered: usize,
    ended: usize,
}

/// Five times a second a random node sends an event or, each fifth time, asks a query; 5 % of the
/// datagrams are lost meanwhile. Then it takes two push/pulls for all events to be everywhere.
fn run(nodes: u32, events: u32, queries: u32, push_pull: Duration) -> Counts {
    let ledger = Ledger::default();
    let mut config = WorldConfig::new(7, nodes);
    config.core = Config::lan().push_pull_interval(push_pull).build().unwrap();
    let start = Instant::from_secs(60);
    config.faults = vec![(start, Fault::Loss(0.05))];
    let mut world = World::cold_with(config, SerfMachine::maker(&ledger));
    world.watch(Delivery::new(&ledger));
    world.watch(Answers::new(&ledger));
    world.watch(Clocks::new(&ledger));
    world.watch(Tombstones::new());
    let (mut draw, mut sent, mut asked, mut at) = (1_u64, 0, 0, start);
    while sent < events || asked < queries {
        at = at + Duration::from_millis(200);
        world.run_until(at);
        // Knuth's MMIX.
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let node = (draw >> 33) as u32 % nodes;
        let asks = asked < queries && ((sent + asked) % 5 == 4 || sent == events);
        let (lane, count) = match asks {
            true => (Lane::Normal, &mut asked),
            false => (Lane::Low, &mut sent),
        };
        let payload = format!("{lane:?}-{count}").into_bytes().into();
        *count += 1;
        world.command(node, Command::Broadcast { lane, key: None, payload });
    }
    // As nodes scale the interval, twice, and a second for what is under way.
    let doublings = u32::BITS - (nodes - 1).leading_zeros();
    world
        .run_until(at + 2 * push_pull * (doublings.saturating_sub(5) + 1) + Duration::from_secs(1));
    for violation in world.violations() {
        println!("{violation}");
    }
    for verdict in world.verdicts() {
        println!("{}: {} cases, {} violations", verdict.oracle, verdict.cases, verdict.violations);
        assert_eq!(verdict.violations, 0, "{}", verdict.oracle);
        assert!(verdict.cases > 0 || verdict.oracle == "tombstones");
    }
    let mut counts = Counts::default();
    for entry in ledger.take() {
        match entry {
            Entry::Sent { .. } => counts.events += 1,
            Entry::Delivered { .. } => counts.delivered += 1,
            Entry::Asked { .. } => counts.queries += 1,
            Entry::Answered { .. } => counts.answered += 1,
            Entry::Ended { .. } => counts.ended += 1,
            _ => {}
        }
    }
    let nodes = nodes as usize;
    println!(
        "{nodes} nodes: {} of {} events delivered, {} of {} answers, {} of {} queries ended",
        counts.delivered,
        counts.events * nodes,
        counts.answered,
        counts.queries * nodes,
        counts.ended,
        counts.queries,
    );
    assert_eq!(counts.delivered, counts.events * nodes);
    assert_eq!((counts.events, counts.queries), (events as usize, queries as usize));
    assert_eq!(counts.ended, counts.queries);
    // A lost answer is lost: it is sent once. What gossip loses comes on top.
    assert!(counts.answered * 100 >= counts.queries * nodes * 85, "{counts:?}");
    counts
}

#[test]
fn events_reach_a_hundred_nodes_once_and_so_do_answers_under_loss() {
    run(100, 40, 10, Duration::from_secs(10));
}

/// `cargo test --release -p swim-sim --test serf_scale -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn four_hundred_events_reach_a_thousand_nodes_once_and_so_do_answers_under_loss() {
    run(1000, 400, 100, Duration::from_secs(30));
}
