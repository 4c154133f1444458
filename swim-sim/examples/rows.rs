//! Rows 11 to 18 of the performance table, our side: steady state, start, and join storms.
//!
//! ```text
//! rows steady N VIRTUAL_SECONDS [push-pull]    rows 11, 12, 17 and 18
//! rows storm N SEED                            rows 13 to 15
//! rows storms N A..B                           row 16: the last view is whole after how long
//! ```
//!
//! Everywhere: `shared` exchanges states by reference, `threads=T` shares the work. Times are CPU
//! time of the process, memory is its peak. foca's side of rows 11 to 13 is in `benches/`.

use core::ops::Range;
use core::time::Duration;

use swim_core::{Config, Instant};
use swim_sim::{Links, States, World, WorldConfig};

fn main() {
    let args = Args(std::env::args().skip(1).collect());
    match args.word(0) {
        "storm" => storm(&args, args.number(1, 1000), args.number(2, 1).into()),
        "storms" => storms(&args, args.number(1, 1000), args.range(2)),
        "steady" => steady(&args, args.number(1, 1000), args.number(2, 60)),
        other => panic!("{other:?} is none of steady, storm, storms"),
    }
}

struct Args(Vec<String>);

impl Args {
    fn word(&self, i: usize) -> &str {
        self.0.get(i).map_or("", String::as_str)
    }

    fn number(&self, i: usize, default: u32) -> u32 {
        self.0.get(i).map_or(default, |a| a.parse().expect("a number"))
    }

    fn range(&self, i: usize) -> Range<u64> {
        let (a, b) = self.word(i).split_once("..").expect("seeds A..B");
        a.parse().expect("a number")..b.parse().expect("a number")
    }

    fn has(&self, word: &str) -> bool {
        self.0.iter().any(|a| a == word)
    }

    fn threads(&self) -> usize {
        let threads = self.0.iter().find_map(|a| a.strip_prefix("threads="));
        threads.map_or(1, |n| n.parse().expect("a number of threads"))
    }

    /// A fixed delay of 1 ms, as in the peer's harness.
    fn config(&self, seed: u64, nodes: u32) -> WorldConfig {
        let mut config = WorldConfig::new(seed, nodes);
        let delay = Duration::from_millis(1);
        config.links = Links::fixed(delay).expect("a delay within the bounds");
        config.states = if self.has("shared") { States::Shared } else { States::Bytes };
        config
    }
}

/// CPU time of this process so far, all threads: other work on the machine does not show in it.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux tells it");
    // Behind the name, which may hold blanks: fields 14 and 15, in ticks of 10 ms.
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
    let ticks: u64 = fields.take(2).map(|n| n.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 10)
}

/// The most memory that this process has held, in MB.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the line");
    let kib = line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("a number");
    kib * 1024 / 1_000_000
}

fn steady(args: &Args, nodes: u32, seconds: u32) {
    let mut config = args.config(1, nodes);
    let push_pull = args.has("push-pull");
    if !push_pull {
        let core = Config::lan().push_pull_interval(Duration::ZERO);
        config.core = core.build().expect("the preset is valid");
    }
    let clock = cpu();
    let mut world = World::converged(config);
    world.set_threads(args.threads());
    let start = cpu() - clock;
    world.run_until(Instant::from_secs(6));
    let before = *world.traffic();
    let clock = cpu();
    world.run_until(Instant::from_secs(6 + u64::from(seconds)));
    let took = cpu() - clock;
    let events = world.traffic().events - before.events;
    let packets = world.traffic().datagrams - before.datagrams;
    println!(
        "steady n={nodes} push_pull={push_pull} start_s={:.3} ms_per_virtual_s={:.3} \
         events={events} mev_per_s={:.2} ns_per_event={:.1} packets_per_node_s={:.2} \
         peak_mb={} digest={:016x}",
        start.as_secs_f64(),
        took.as_secs_f64() * 1e3 / f64::from(seconds),
        events as f64 / took.as_secs_f64() / 1e6,
        took.as_nanos() as f64 / events as f64,
        packets as f64 / f64::from(nodes) / f64::from(seconds),
        peak_mb(),
        world.digest(),
    );
}

/// A world of joins, run until all know all: virtual time and CPU at 99, 99.9, 99.99 and 100 %.
fn run_storm(args: &Args, nodes: u32, seed: u64) -> (World, [Option<(f64, f64)>; 4]) {
    let clock = cpu();
    let mut world = World::cold(args.config(seed, nodes));
    world.set_threads(args.threads());
    let mut reached = [None; 4];
    while reached[3].is_none() && world.now() < Instant::from_secs(300) {
        let next = world.now() + Duration::from_millis(10);
        world.run_until(next);
        let known = world.tracker().known_at();
        let all = world.tracker().agreed_at().filter(|_| known[2].is_some());
        for (have, at) in reached.iter_mut().zip([known[0], known[1], known[2], all]) {
            if let (None, Some(at)) = (*have, at) {
                *have = Some((at.as_secs_f64(), (cpu() - clock).as_secs_f64()));
            }
        }
    }
    (world, reached)
}

fn storm(args: &Args, nodes: u32, seed: u64) {
    let (world, reached) = run_storm(args, nodes, seed);
    let traffic = world.traffic();
    println!(
        "storm n={nodes} seed={seed} (virtual s, CPU s) to 99/99.9/99.99/100 %: {reached:.3?} \
         events={} datagrams={} bytes={} streams={} stream_bytes={} peak_mb={} digest={:016x}",
        traffic.events,
        traffic.datagrams,
        traffic.datagram_bytes,
        traffic.streams,
        traffic.stream_bytes,
        peak_mb(),
        world.digest()
    );
}

fn storms(args: &Args, nodes: u32, seeds: Range<u64>) {
    let whole = seeds.clone().map(|seed| run_storm(args, nodes, seed).1[3].map(|(at, _)| at));
    let mut whole: Vec<f64> = whole.map(|at| at.unwrap_or(f64::INFINITY)).collect();
    whole.sort_by(f64::total_cmp);
    let (first, last) = (whole[0], whole[whole.len() - 1]);
    let median = whole[whole.len() / 2];
    println!(
        "storms n={nodes} seeds={seeds:?} complete after {first:.2} to {last:.2} s, median {median:.2}"
    );
}
