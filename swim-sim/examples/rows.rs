//! Rows 11 to 15 of the performance table: steady state and join storms.
//!
//! `rows steady N VIRTUAL_SECONDS [push-pull]` or `rows storm N`.

use core::time::Duration;

use swim_core::{Config, Instant};
use swim_sim::{Links, World, WorldConfig};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default| args.get(i).map_or(default, |a| a.parse().expect("a number"));
    let nodes = number(1, 1000);
    let push_pull = args.iter().any(|a| a == "push-pull");
    match args.first().map(String::as_str) {
        Some("storm") => storm(nodes, number(2, 1)),
        _ => steady(nodes, number(2, 60), push_pull),
    }
}

/// A fixed delay of 1 ms, as in the peer's harness.
fn config(seed: u64, nodes: u32) -> WorldConfig {
    let mut config = WorldConfig::new(seed, nodes);
    config.links = Links::fixed(Duration::from_millis(1)).expect("a delay within the bounds");
    config
}

/// CPU time of this process so far: other work on the machine does not show in it.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").expect("Linux tells it");
    let ns = text.split(' ').next().and_then(|ns| ns.parse().ok());
    Duration::from_nanos(ns.expect("the first field is a number"))
}

fn steady(nodes: u32, seconds: u32, push_pull: bool) {
    let mut config = config(1, nodes);
    if !push_pull {
        let core = Config::lan().push_pull_interval(Duration::ZERO);
        config.core = core.build().expect("the preset is valid");
    }
    let clock = cpu();
    let mut world = World::converged(config);
    let start = cpu() - clock;
    world.run_until(Instant::from_secs(6));
    let (events, digest) = (world.traffic().events, world.traffic().datagrams);
    let clock = cpu();
    world.run_until(Instant::from_secs(6 + u64::from(seconds)));
    let took = cpu() - clock;
    let events = world.traffic().events - events;
    let packets = world.traffic().datagrams - digest;
    println!(
        "steady n={nodes} push_pull={push_pull} start_s={:.3} ms_per_virtual_s={:.3} events={events} \
         mev_per_s={:.2} ns_per_event={:.1} packets_per_node_s={:.2} digest={:016x}",
        start.as_secs_f64(),
        took.as_secs_f64() * 1e3 / f64::from(seconds),
        events as f64 / took.as_secs_f64() / 1e6,
        took.as_nanos() as f64 / events as f64,
        packets as f64 / f64::from(nodes) / f64::from(seconds),
        world.digest(),
    );
}

fn storm(nodes: u32, seed: u32) {
    let clock = cpu();
    let mut world = World::cold(config(seed.into(), nodes));
    let mut reached = [None; 4];
    let done = |world: &World| {
        let known = world.tracker().known_at();
        let all = world.tracker().agreed_at().filter(|_| known[2].is_some());
        [known[0], known[1], known[2], all]
    };
    while reached[3].is_none() && world.now() < Instant::from_secs(300) {
        let next = world.now() + Duration::from_millis(10);
        world.run_until(next);
        for (have, at) in reached.iter_mut().zip(done(&world)) {
            if let (None, Some(at)) = (*have, at) {
                *have = Some((at.as_secs_f64(), (cpu() - clock).as_secs_f64()));
            }
        }
    }
    let traffic = world.traffic();
    println!(
        "storm n={nodes} seed={seed} (virtual s, CPU s) to 99/99.9/99.99/100 %: {reached:?} events={} \
         datagrams={} bytes={} streams={} stream_bytes={} digest={:016x}",
        traffic.events,
        traffic.datagrams,
        traffic.datagram_bytes,
        traffic.streams,
        traffic.stream_bytes,
        world.digest()
    );
}
