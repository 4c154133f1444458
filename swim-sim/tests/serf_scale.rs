//! Events and queries in a large pool under loss, with the oracles of Serf watching.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

use core::time::Duration;

use swim_core::{Command, Config, Instant, Lane};
use swim_sim::serf::{Answers, Clocks, Delivery, Entry, Ledger, SerfMachine, Tombstones};
use swim_sim::{Fault, Who, World, WorldConfig};

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
    world.run_until(at + two_push_pulls(nodes, push_pull));
    assert_judged(&mut world, &["tombstones"]);
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

/// Two intervals, as so many nodes scale them, and a second for what is under way.
fn two_push_pulls(nodes: u32, interval: Duration) -> Duration {
    let doublings = u32::BITS - (nodes - 1).leading_zeros();
    2 * interval * (doublings.saturating_sub(5) + 1) + Duration::from_secs(1)
}

/// No oracle objects, and each had a case but those named.
fn assert_judged(world: &mut World<SerfMachine>, idle: &[&str]) {
    for violation in world.violations() {
        println!("{violation}");
    }
    for verdict in world.verdicts() {
        println!("{}: {} cases, {} violations", verdict.oracle, verdict.cases, verdict.violations);
        assert_eq!(verdict.violations, 0, "{}", verdict.oracle);
        assert_eq!(verdict.cases == 0, idle.contains(&verdict.oracle), "{}", verdict.oracle);
    }
}

/// A fifth of the nodes leaves within ten seconds while 5 % of the datagrams are lost. Two
/// push/pulls later nobody who stays takes any of them for failed, and neither does anybody a
/// minute after that.
fn storm(nodes: u32, push_pull: Duration) {
    let mut config = WorldConfig::new(7, nodes);
    config.core = Config::lan().push_pull_interval(push_pull).build().unwrap();
    let (start, storm) = (Instant::from_secs(60), Duration::from_secs(10));
    let leavers: Vec<u32> = (0..nodes).filter(|node| node % 5 == 3).collect();
    config.faults = vec![(start, Fault::Loss(0.05))];
    for (nth, &node) in leavers.iter().enumerate() {
        let at = start + storm * nth as u32 / leavers.len() as u32;
        config.faults.push((at, Fault::Leave(Who::Node(node))));
    }
    let mut world = World::cold_with(config, SerfMachine::maker(&Ledger::default()));
    world.watch(Tombstones::new());
    let end = start + storm + two_push_pulls(nodes, push_pull);
    for until in [end, end + Duration::from_secs(60)] {
        world.run_until(until);
        for node in (0..nodes).filter(|node| !leavers.contains(node)) {
            let info = world.machine(node).unwrap().serf().info();
            assert_eq!((info.failed, info.left), (0, leavers.len()), "{node} at {until}: {info:?}");
        }
    }
    assert_judged(&mut world, &[]);
    println!("{} of {nodes} nodes left in {storm:?}, and have left for all others", leavers.len());
}

#[test]
fn who_leaves_in_a_storm_under_loss_has_left_for_all() {
    storm(100, Duration::from_secs(10));
}

/// `cargo test --release -p swim-sim --test serf_scale -- --ignored --nocapture`.
#[test]
#[ignore = "takes a minute"]
fn two_hundred_who_leave_in_a_storm_under_loss_have_left_for_eight_hundred() {
    storm(1000, Duration::from_secs(30));
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
