//! Rows 11 to 13: clusters in virtual time, each side in its own simulator.

use core::time::Duration;

use swim_benches::clock::{Summary, alternate, cpu_ns_of};
use swim_benches::peer::Simulation;
use swim_benches::table::{Row, Unit};
use swim_core::{Config, Instant};
use swim_sim::{Links, World, WorldConfig};

use crate::Plan;

/// Prints the rows.
pub(crate) fn rows(plan: &Plan) {
    // What performance.md asks for: the peer's figure over ours.
    for (row, n, ratio) in [("11", 1_000, 2.2), ("12", 10_000, 6.8)] {
        if plan.wants(row) {
            at_rest(plan, row, n, ratio);
        }
    }
    if plan.wants("13") {
        storm(plan, 1_000, 19.0);
    }
}

/// CPU time for one virtual second of a cluster in which all know all and nothing happens.
fn at_rest(plan: &Plan, number: &'static str, n: u32, ratio: f64) {
    let runs = if n > 1_000 { 1 } else { plan.runs().min(RUNS_MAX) };
    let (mut ours_events, mut theirs_events) = (0, 0);
    let mut ours = || ours_at_rest(n, Duration::ZERO, &mut ours_events);
    let mut theirs = || {
        let mut simulation = Simulation::new(n, SEED);
        simulation.preload_within(S(1));
        simulation.run(S(WARM_UP_S), |_| false);
        let before = simulation.totals().events;
        let ns = cpu_ns_of(|| {
            simulation.run(S(WARM_UP_S + STEADY_S), |_| false);
        });
        theirs_events = simulation.totals().events - before;
        ns / STEADY_S as f64
    };
    let [a, b] = alternate(runs, [&mut ours, &mut theirs]);
    let what = format!("a virtual second at rest, N={n}");
    plan.row(Row::new(number, what, Unit::Time, a).beside("foca", b).at_least(ratio));
    let per_second =
        |events: u64, side: Summary| events as f64 / STEADY_S as f64 / side.median * 1e9;
    plan.note(&format!(
        "events per CPU second: ours {:.0}, foca {:.0}; ours has fewer, one timer for each node",
        per_second(ours_events, a),
        per_second(theirs_events, b),
    ));
    let interval = Config::lan().build().expect("the preset is valid").push_pull_interval();
    let mut with_exchanges = || ours_at_rest(n, interval, &mut ours_events);
    let [a] = alternate(runs, [&mut with_exchanges]);
    plan.row(Row::new(number, "  with push/pulls, which foca has not", Unit::Time, a));
}

fn ours_at_rest(n: u32, push_pull_interval: Duration, events: &mut u64) -> f64 {
    let core = Config::lan().push_pull_interval(push_pull_interval);
    let mut config = config(n);
    config.core = core.build().expect("the preset is valid");
    let mut world = World::converged(config);
    world.run_until(Instant::from_secs(WARM_UP_S));
    let before = world.traffic().events;
    let ns = cpu_ns_of(|| world.run_until(Instant::from_secs(WARM_UP_S + STEADY_S)));
    *events = world.traffic().events - before;
    ns / STEADY_S as f64
}

/// CPU time of a storm of joins until 99.99 % of all pairs know each other. foca has gossip only,
/// ours push/pulls as well: so the whole traffic stands beside it.
fn storm(plan: &Plan, n: u32, ratio: f64) {
    let pairs = u64::from(n) * u64::from(n - 1);
    let (mut ours_told, mut theirs_told) = (String::new(), String::new());
    let mut ours = || {
        let mut world = World::cold(config(n));
        let reached = |world: &World| world.tracker().known_at()[KNOWN_9999];
        let ns = cpu_ns_of(|| {
            while reached(&world).is_none() {
                assert!(world.now() < Instant::from_secs(STORM_MAX_S), "the storm ends");
                world.run_until(world.now() + STEP);
            }
        });
        let at = reached(&world).expect("the loop ended").as_secs_f64();
        let traffic = world.traffic();
        let (packets, streams) = (traffic.datagrams, traffic.streams);
        let bytes = traffic.datagram_bytes + traffic.stream_bytes;
        ours_told =
            format!("ours {at:.1} virtual s, {packets} packets, {streams} streams, {bytes} bytes");
        ns
    };
    let mut theirs = || {
        let mut simulation = Simulation::new(n, SEED);
        simulation.join_within(Duration::from_millis(100));
        let goal = pairs * 9_999 / 10_000;
        let ns = cpu_ns_of(|| {
            let reached = simulation.run(S(STORM_MAX_S), |totals| totals.ups >= goal);
            assert!(reached, "foca gets this far");
        });
        let totals = simulation.totals();
        theirs_told = format!(
            "foca {:.1} virtual s, {} packets, {} bytes",
            simulation.now().as_secs_f64(),
            totals.packets,
            totals.bytes
        );
        ns
    };
    let [a, b] = alternate(1, [&mut ours, &mut theirs]);
    let what = format!("storm of {n} joins to 99.99 %");
    plan.row(Row::new("13", what, Unit::Time, a).beside("foca", b).at_least(ratio));
    plan.note(&ours_told);
    plan.note(&theirs_told);
}

/// The same delay on both sides.
fn config(n: u32) -> WorldConfig {
    let mut config = WorldConfig::new(SEED, n);
    config.links = Links::fixed(Duration::from_millis(1)).expect("a delay within the bounds");
    config
}

const SEED: u64 = 1;
const WARM_UP_S: u64 = 6;
const STEADY_S: u64 = 30;
const STORM_MAX_S: u64 = 300;
const STEP: Duration = Duration::from_millis(10);
/// Where the tracker has the time at which 99.99 % of all pairs were known.
const KNOWN_9999: usize = 2;
/// A run of a simulation takes its time.
const RUNS_MAX: usize = 3;
const S: fn(u64) -> Duration = Duration::from_secs;
