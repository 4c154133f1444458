//! `swim-sim vopr`: many small worlds with random faults, under every oracle.

use core::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use super::{progress, table::thousands, usage, value};
use crate::counts::FaultCounts;
use crate::oracle::{Trace, Verdict};
use crate::swarm::{Asked, Outcome, Swarm};

/// Run many small worlds with random faults, under every oracle.
///
/// Each seed draws its own world: settings, delays, loss of 0 to 20 %, up to 10 crashes and
/// restarts, up to 3 partitions of 5 to 120 s, stalls of 0.1 to 20 s. A chaos phase is followed by
/// a calm one, at whose end all views must be equal.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 if all is well, 1 if an oracle objects, or if a fault that was \
                        asked for never struck or an oracle had nothing to judge, 2 if an argument \
                        makes no sense."
)]
pub(super) struct Args {
    /// Which seeds: A..B, B not included, or one alone
    #[arg(long, value_name = "A..B", default_value = "0..100", value_parser = value::seeds)]
    seeds: Range<u64>,
    /// How many nodes each world has
    #[arg(long, value_name = "N", default_value_t = 50)]
    nodes: u32,
    /// How many worlds run at a time; 0 is one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    jobs: usize,
    /// Print every world's trace
    #[arg(short, long)]
    verbose: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// All seeds together.
#[derive(Debug, Default, serde::Serialize)]
struct Batch {
    seeds: u64,
    failed: Vec<u64>,
    /// A hash over the digests of all worlds, in order of their seeds.
    digest: String,
    events: u64,
    virtual_s: f64,
    asked: Asked,
    faults: FaultCounts,
    oracles: Vec<Verdict>,
    violations: Vec<String>,
    /// What the batch failed to exercise.
    vacuous: Vec<String>,
    wall_s: f64,
}

/// Runs the seeds.
pub(super) fn main(args: &Args) -> ExitCode {
    if !(5..=500).contains(&args.nodes) {
        return usage(&format!("--nodes is {}, not in 5..=500", args.nodes));
    }
    #[expect(clippy::disallowed_methods, reason = "the summary tells how fast this machine is")]
    let clock = std::time::Instant::now();
    let mut batch = run(args);
    batch.wall_s = clock.elapsed().as_secs_f64();
    if args.json {
        let json = serde_json::to_string_pretty(&batch).expect("a batch is plain data");
        println!("{json}");
    } else {
        print(&batch, args);
    }
    if batch.failed.is_empty() && batch.vacuous.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs the seeds on several threads and adds them up in order.
fn run(args: &Args) -> Batch {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = if args.jobs == 0 { cores } else { args.jobs };
    // A trace must not be mixed with another.
    let jobs = if args.verbose { 1 } else { jobs };
    let next = AtomicU64::new(args.seeds.start);
    let (done, outcomes) = mpsc::sync_channel(1024);
    let bar = progress::bar(args.seeds.end - args.seeds.start, "worlds");
    let mut batch = Batch::default();
    let mut digest = crate::digest::Digest::default();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let done = done.clone();
            let next = &next;
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= args.seeds.end || done.send((seed, run_one(args, seed))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut early = std::collections::BTreeMap::new();
        let mut due = args.seeds.start;
        for (seed, outcome) in outcomes {
            bar.inc(1);
            early.insert(seed, outcome);
            while let Some(outcome) = early.remove(&due) {
                if !outcome.violations.is_empty() {
                    bar.suspend(|| print_failure(args, due, &outcome));
                }
                digest.words(due, outcome.digest);
                batch.add(due, outcome);
                due += 1;
            }
        }
    });
    bar.finish_and_clear();
    batch.digest = format!("{:016x}", digest.value());
    batch.vacuous = batch.vacuous();
    batch
}

fn run_one(args: &Args, seed: u64) -> Outcome {
    let swarm = Swarm::draw(seed, args.nodes);
    let mut world = swarm.world();
    if args.verbose {
        eprintln!("seed {seed}: {swarm}");
        world.watch(Trace::new(|change| eprintln!("{change}")));
    }
    world.watch_all();
    swarm.run(world)
}

fn print_failure(args: &Args, seed: u64, outcome: &Outcome) {
    eprintln!("seed {seed} FAILED");
    for text in outcome.violations.iter().take(3) {
        eprintln!("  {text}");
    }
    eprintln!("  replay: swim-sim vopr --nodes {} --seeds {seed}..{} -v", args.nodes, seed + 1);
}

impl Batch {
    fn add(&mut self, seed: u64, outcome: Outcome) {
        self.seeds += 1;
        if !outcome.violations.is_empty() {
            self.failed.push(seed);
        }
        self.events += outcome.events;
        self.virtual_s += outcome.virtual_s;
        self.asked.add(&outcome.asked);
        self.faults.add(&outcome.faults);
        let texts = outcome.violations.into_iter().map(|v| format!("seed {seed}: {v}"));
        self.violations.extend(texts);
        if self.oracles.is_empty() {
            self.oracles = outcome.oracles;
        } else {
            for (sum, verdict) in self.oracles.iter_mut().zip(&outcome.oracles) {
                sum.add(verdict);
            }
        }
    }

    /// What was asked for and did not happen. An oracle without a case counts only in a batch of
    /// some size, since one world may draw no crash.
    fn vacuous(&self) -> Vec<String> {
        let mut found: Vec<String> = self
            .asked
            .against(&self.faults)
            .into_iter()
            .filter(|(_, asked, struck)| *asked > 0 && *struck == 0)
            .map(|(fault, asked, _)| format!("{fault}: asked for {asked} times, never struck"))
            .collect();
        if self.seeds >= BATCH_MIN {
            let idle = self.oracles.iter().filter(|v| v.cases == 0 && v.oracle != "trace");
            found.extend(idle.map(|v| format!("{}: had no case to judge", v.oracle)));
            let never = self.asked.against(&self.faults).into_iter().filter(|(_, n, _)| *n == 0);
            found.extend(never.map(|(fault, ..)| format!("{fault}: never asked for")));
        }
        found
    }
}

fn print(b: &Batch, args: &Args) {
    println!(
        "{} worlds of {} nodes: {} passed, {} failed",
        thousands(b.seeds),
        args.nodes,
        thousands(b.seeds - b.failed.len() as u64),
        b.failed.len()
    );
    println!(
        "{} events, {:.0} virtual s in {:.1} s: {:.2} M events/s",
        thousands(b.events),
        b.virtual_s,
        b.wall_s,
        b.events as f64 / b.wall_s.max(1e-9) / 1e6
    );
    println!("digest of all worlds {}\n", b.digest);
    println!("{:<16} {:>12} {:>12}", "fault", "asked for", "struck");
    for (fault, asked, struck) in b.asked.against(&b.faults) {
        println!("{fault:<16} {:>12} {:>12}", thousands(asked), thousands(struck));
    }
    println!(
        "\n{:<16} {:>12} {:>10} {:>8} {:>12}",
        "oracle", "cases", "excused", "open", "violations"
    );
    for v in &b.oracles {
        let (cases, excused) = (thousands(v.cases), thousands(v.excused));
        let (open, violations) = (thousands(v.open), thousands(v.violations));
        println!("{:<16} {cases:>12} {excused:>10} {open:>8} {violations:>12}", v.oracle);
    }
    for text in &b.vacuous {
        println!("VACUOUS {text}");
    }
    if !b.failed.is_empty() {
        let seeds: Vec<String> = b.failed.iter().take(20).map(ToString::to_string).collect();
        println!(
            "failed seeds: {}{}",
            seeds.join(" "),
            if b.failed.len() > 20 { " ..." } else { "" }
        );
    }
}

/// A batch of at least this many worlds must exercise everything.
const BATCH_MIN: u64 = 50;
