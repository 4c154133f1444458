//! Clusters of real nodes: joins, crashes, healing, and the digest.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

use core::time::Duration;
use std::sync::Arc;

use swim_core::journal::replay;
use swim_core::{Config, Instant, State};
use swim_sim::oracle::Convergence;
use swim_sim::report::Outcome;
use swim_sim::swarm::Swarm;
use swim_sim::{Course, Ends, Fault, Links, Plane, Report, Split, Who, World, WorldConfig};

const MS: fn(u64) -> Duration = Duration::from_millis;

fn passes(world: &mut World) {
    let verdicts = world.verdicts();
    assert!(world.violations().is_empty(), "{:?}\n{verdicts:?}", world.violations());
}

fn config(seed: u64, nodes: u32) -> WorldConfig {
    let mut config = WorldConfig::new(seed, nodes);
    config.core = Config::lan().evidence_events(true).build().unwrap();
    config
}

#[test]
fn nodes_that_join_by_one_find_all() {
    let mut world = World::cold(config(1, 100));
    world.watch_all();
    world.run_until(Instant::from_secs(30));
    for node in 0..100 {
        assert_eq!(world.machine(node).unwrap().live_len(), 100, "n{node}");
    }
    assert!(world.tracker().agreed_at().is_some());
    passes(&mut world);
}

#[test]
fn ten_crashes_are_known_to_all() {
    let mut config = config(7, 200);
    config.faults = vec![(Instant::from_secs(20), Fault::Crash(Who::Random(10)))];
    let mut world = World::converged(config);
    world.watch_all();
    world.run_until(Instant::from_secs(60));
    assert_eq!(world.tracker().crashes().len(), 10);
    assert!(world.tracker().crashes().iter().all(|c| c.known_to_all() && c.reports == 190));
    let report = Report::of(&mut world, Duration::ZERO);
    assert_eq!(report.outcome, Outcome::Passed);
    assert_eq!((report.detection.reports, report.detection.reports_expected), (1900, 1900));
    assert_eq!(world.tracker().downs_of_reachable(), 0);
    passes(&mut world);
}

#[test]
fn a_restarted_node_comes_back_and_a_leaver_does_not() {
    let mut world = World::converged(config(3, 20));
    world.watch_all();
    world.run_until(Instant::from_secs(5));
    world.crash(4);
    world.strike(Fault::Leave(Who::Node(9)));
    world.run_until(Instant::from_secs(60));
    world.restart(4);
    world.restart(9);
    world.run_until(Instant::from_secs(90));
    let seen = |name: &str| world.machine(0).unwrap().member(name).unwrap();
    assert_eq!((seen("n4").state(), seen("n4").incarnation().0), (State::Alive, 2));
    assert_eq!(seen("n9").state(), State::Left);
    assert!(world.machine(9).is_none());
    passes(&mut world);
}

#[test]
fn a_partition_longer_than_the_longest_suspicion_heals() {
    let mut config = config(5, 30);
    config.faults = vec![
        (Instant::from_secs(10), Fault::Partition(Split::Sizes(vec![10, 20]))),
        (Instant::from_secs(100), Fault::Heal),
    ];
    let mut world = World::converged(config);
    world.watch_all();
    world.run_until(Instant::from_secs(90));
    let mut sizes: Vec<usize> = (0..30).map(|i| world.machine(i).unwrap().live_len()).collect();
    sizes.sort_unstable();
    assert_eq!((sizes[0], sizes[29]), (10, 20));
    world.run_until(Instant::from_secs(300));
    assert!((0..30).all(|i| world.machine(i).unwrap().live_len() == 30));
    passes(&mut world);
}

#[test]
fn who_died_again_behind_a_partition_is_dead_at_one_incarnation() {
    let mut config = config(6, 20);
    let at = |s, fault| (Instant::from_secs(s), fault);
    config.faults = vec![
        at(5, Fault::Crash(Who::Node(15))),
        at(40, Fault::Partition(Split::Groups(vec![(0..5).collect()]))),
        at(45, Fault::Restart(Who::Node(15))),
        at(80, Fault::Crash(Who::Node(15))),
        at(120, Fault::Heal),
    ];
    let mut world = World::converged(config);
    world.watch_all();
    let death = |world: &World, node: u32| {
        let member = world.machine(node).unwrap().member("n15").unwrap();
        (member.state(), member.incarnation().0)
    };
    world.run_until(Instant::from_secs(119));
    assert_eq!((death(&world, 0), death(&world, 6)), ((State::Dead, 1), (State::Dead, 2)));
    world.run_until(Instant::from_secs(600));
    for node in (0..20).filter(|&i| i != 15) {
        assert_eq!(death(&world, node), (State::Dead, 2), "n{node}");
    }
    passes(&mut world);
}

#[test]
fn the_digest_depends_on_the_seed_and_on_every_fault_only() {
    let run = |seed, loss, crash: bool| {
        let mut config = config(seed, 50);
        config.links = Links::default().with_loss(loss).unwrap();
        if crash {
            config.faults = vec![(Instant::from_secs(29), Fault::Crash(Who::Node(1)))];
        }
        let mut world = World::converged(config);
        world.run_until(Instant::from_secs(30));
        world.digest()
    };
    assert_eq!(run(1, 0.05, true), run(1, 0.05, true));
    let digests = [run(1, 0.05, true), run(2, 0.05, true), run(1, 0.06, true), run(1, 0.05, false)];
    for (i, a) in digests.iter().enumerate() {
        assert!(digests[i + 1..].iter().all(|b| a != b), "{digests:x?}");
    }
}

#[test]
fn slices_of_time_do_not_show_in_the_digest() {
    let digest = |slice: Duration| {
        let mut world = World::cold(config(9, 30));
        while world.now() < Instant::from_secs(20) {
            world.run_until((world.now() + slice).min(Instant::from_secs(20)));
        }
        world.digest()
    };
    let whole = digest(Duration::from_secs(20));
    assert_eq!(digest(Duration::from_millis(7)), whole);
    assert_eq!(digest(Duration::from_micros(12_345)), whole);
}

#[test]
fn a_node_may_come_back_at_another_address_when_its_name_may_be_claimed() {
    let mut config = config(3, 20);
    let reclaim = config.core.to_builder().dead_node_reclaim_time(Duration::from_secs(10));
    let reclaim = reclaim.build().unwrap();
    config.core = Arc::clone(&reclaim);
    config.faults = vec![
        (Instant::from_secs(5), Fault::Crash(Who::Node(4))),
        (Instant::from_secs(80), Fault::Move(Who::Node(4))),
    ];
    let mut world = World::converged(config);
    world.watch(Convergence::new(&reclaim, 20));
    world.run_until(Instant::from_secs(300));
    for node in (0..20).filter(|&node| node != 4) {
        let seen = world.machine(node).unwrap().member("n4").unwrap();
        assert_eq!((seen.state(), seen.addr().to_string()), (State::Alive, "11.0.0.5:7946".into()));
    }
    passes(&mut world);
}

#[test]
fn no_oracle_objects_to_who_moves_before_its_death_is_noticed_or_long_after() {
    for (second, oracle) in [(25, "accuracy"), (80, "resurrection")] {
        let mut config = config(52, 20);
        let reclaim = config.core.to_builder().dead_node_reclaim_time(Duration::from_secs(10));
        config.core = reclaim.build().unwrap();
        config.faults = vec![
            (Instant::from_secs(24), Fault::Crash(Who::Node(0))),
            (Instant::from_secs(second), Fault::Move(Who::Node(0))),
        ];
        let mut world = World::converged(config);
        world.watch_all();
        world.run_until(Instant::from_secs(600));
        let verdicts = world.verdicts();
        let verdict = verdicts.iter().find(|v| v.oracle == oracle).unwrap();
        let moved = verdict.excuses.iter().find(|e| e.why.starts_with("moved")).unwrap();
        assert!(moved.cases > 0, "{verdict:?}");
        passes(&mut world);
    }
}

#[test]
fn faults_with_their_choices_made_do_the_same() {
    let (share, course) = (0.8, Course::Turns { on: MS(900), off: MS(700) });
    let mut config = config(6, 40);
    config.faults = vec![
        (Instant::from_secs(5), Fault::Crash(Who::Random(3))),
        (Instant::from_secs(9), Fault::Restart(Who::Random(2))),
        (Instant::from_secs(12), Fault::Partition(Split::Sizes(vec![10, 25, 5]))),
        (Instant::from_secs(20), Fault::Heal),
        (
            Instant::from_secs(22),
            Fault::Block {
                ends: Ends::Into(Who::Random(4)),
                plane: Plane::Datagrams,
                share,
                course,
                time: Duration::from_secs(9),
            },
        ),
        (Instant::from_secs(30), Fault::Leave(Who::Random(1))),
        (Instant::from_secs(31), Fault::Restart(Who::All)),
    ];
    let run = |config: WorldConfig| {
        let mut world = World::converged(config);
        world.record_strikes();
        world.run_until(Instant::from_secs(60));
        (world.digest(), world.strikes().to_vec())
    };
    let (digest, strikes) = run(config.clone());
    assert_eq!(strikes.len(), config.faults.len());
    assert_ne!(strikes, config.faults);
    config.faults = strikes.clone();
    assert_eq!(run(config), (digest, strikes));
}

#[test]
fn another_future_has_the_same_past() {
    let run = |links: Option<u64>, until: u64| {
        let mut config = config(6, 20);
        config.links = Links::default().with_loss(0.1).unwrap();
        let mut world = World::converged(config);
        world.run_until(Instant::from_secs(10));
        if let Some(links) = links {
            world.reseed_links(links);
        }
        world.run_until(Instant::from_secs(until));
        world.digest()
    };
    assert_eq!(run(None, 10), run(Some(1), 10));
    assert_eq!(run(Some(1), 20), run(Some(1), 20));
    assert_ne!(run(None, 20), run(Some(1), 20));
    assert_ne!(run(Some(2), 20), run(Some(1), 20));
}

#[test]
fn random_worlds_pass_every_oracle() {
    for seed in 0..12 {
        let swarm = Swarm::draw(seed, 25);
        let mut world = swarm.world();
        world.watch_all();
        let outcome = swarm.run(world);
        assert!(outcome.violations.is_empty(), "seed {seed}, {swarm}: {:?}", outcome.violations);
    }
}

#[test]
fn a_journal_of_a_faulty_world_replays_bit_for_bit() {
    let mut config = config(4, 12);
    config.links = Links::default().with_loss(0.1).unwrap();
    config.faults = vec![
        (Instant::from_secs(5), Fault::Crash(Who::Node(3))),
        (Instant::from_secs(20), Fault::Partition(Split::Sizes(vec![4, 8]))),
        (Instant::from_secs(60), Fault::Heal),
        (Instant::from_secs(70), Fault::Restart(Who::Node(3))),
    ];
    let mut world = World::recorded(config);
    let mut journals = vec![Vec::new(); 12];
    for second in 1..=100 {
        world.run_until(Instant::from_secs(second));
        for (node, journal) in (0..).zip(&mut journals) {
            // The crash ends one journal, and the restart begins another.
            if node != 3 {
                world.record(node, journal).unwrap();
            }
        }
    }
    for (node, mut journal) in (0..).zip(journals) {
        let recorder = world.remove(node).unwrap();
        let digest = recorder.digest();
        journal.extend_from_slice(&recorder.finish());
        let replayed = replay(&journal).unwrap_or_else(|e| panic!("n{node}: {e}"));
        assert_eq!(replayed.digest(), digest, "n{node}");
        assert!(replayed.digests_checked() > 0);
    }
}
