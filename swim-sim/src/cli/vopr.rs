//! `swim-sim vopr`: many small worlds with random faults, under every oracle.

use core::ops::Range;
use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use super::batch::Batch;
use super::say::say;
use super::{batch, progress, usage, value};
use crate::failure::{Failure, PANIC, words};
use crate::machine::{Machine, MachineKind};
use crate::oracle::Trace;
use crate::scenario::Scenario;
use crate::swarm::{Outcome, Swarm};
use crate::text::duration_text;
use crate::world::World;

/// Run many small worlds with random faults, under every oracle.
///
/// Each seed draws its own world: settings, links, crashes, restarts, partitions, stalls and more.
/// A chaos phase is followed by a calm one, at whose end all views must be equal. What fails is
/// made smaller, fault by fault, and written as a scenario that fails the same way.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 if all is well, 1 if an oracle objects, or if a fault that was \
                        asked for never struck or an oracle had nothing to judge, 2 if an argument \
                        makes no sense."
)]
pub(super) struct Args {
    /// Which seeds: A..B, B not included, or one alone [default: 0..100; with --minutes, from 0 on]
    #[arg(long, value_name = "A..B", value_parser = value::seeds)]
    seeds: Option<Range<u64>>,
    /// Begin no world after so many minutes
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u32).range(1..=525_600))]
    minutes: Option<u32>,
    /// How many nodes each world has
    #[arg(long, value_name = "N", default_value_t = 50)]
    nodes: u32,
    /// What kind of nodes; worlds of Serf nodes have events, queries, tags and more leaves besides
    #[arg(long, value_name = "KIND", default_value = "node", value_parser = value::machine())]
    machine: MachineKind,
    /// How many worlds run at a time; 0 is one per core
    #[arg(long, value_name = "N", default_value_t = 0,
        value_parser = clap::value_parser!(u16).range(..=1024))]
    jobs: u16,
    /// Runs to spend on making one failure smaller; 0 leaves it as it is
    #[arg(long, value_name = "K", default_value_t = 500)]
    shrink: u32,
    /// The folder for the scenarios of failures
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
    /// Print every world's trace
    #[arg(short, long)]
    verbose: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Runs the seeds.
pub(super) fn main(args: &Args) -> ExitCode {
    if let Err(text) = value::swarm_nodes(args.nodes) {
        return usage(&text);
    }
    #[expect(clippy::disallowed_methods, reason = "the summary tells how fast this machine is")]
    let clock = std::time::Instant::now();
    let mut batch = run(args, &clock);
    batch.wall_s = clock.elapsed().as_secs_f64();
    for &seed in batch.failed.iter().take(SHRUNK_MAX) {
        shrink(args, seed);
    }
    if args.json {
        let json = serde_json::to_string_pretty(&batch).expect("a batch is plain data");
        say!("{json}");
    } else {
        batch::print(&batch, args.nodes);
    }
    if batch.failed.is_empty() && batch.vacuous.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs the seeds on several threads and adds them up in order.
fn run(args: &Args, clock: &std::time::Instant) -> Batch {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = if args.jobs == 0 { cores } else { args.jobs.into() };
    // A trace must not be mixed with another.
    let jobs = if args.verbose { 1 } else { jobs };
    let all = if args.minutes.is_some() { 0..u64::MAX } else { 0..100 };
    let seeds = args.seeds.clone().unwrap_or(all);
    let late = || args.minutes.is_some_and(|m| clock.elapsed() >= Duration::from_secs(60) * m);
    let next = AtomicU64::new(seeds.start);
    let (done, outcomes) = mpsc::sync_channel(1024);
    let open_end = args.minutes.is_some();
    let bar = progress::bar(if open_end { 0 } else { seeds.end - seeds.start }, "worlds");
    let mut batch = Batch::default();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (done, next) = (done.clone(), &next);
            let (end, late) = (seeds.end, &late);
            scope.spawn(move || {
                // The seeds that are run have no gap, whenever time is up.
                while !late() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || done.send((seed, run_one(args, seed))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut early = std::collections::BTreeMap::new();
        let mut due = seeds.start;
        for (seed, outcome) in outcomes {
            bar.inc_length(u64::from(open_end));
            bar.inc(1);
            early.insert(seed, outcome);
            while let Some(outcome) = early.remove(&due) {
                if !outcome.violations.is_empty() {
                    bar.suspend(|| print_failure(args, due, &outcome));
                }
                batch.add(due, outcome);
                due += 1;
            }
        }
    });
    bar.finish_and_clear();
    batch.end(args.nodes);
    batch
}

/// Runs one seed; a panic is a failure like others.
fn run_one(args: &Args, seed: u64) -> Outcome {
    let swarm = Swarm::draw_of(args.machine, seed, args.nodes);
    match args.machine {
        MachineKind::Node => run_world(args, &swarm, swarm.world()),
        MachineKind::Serf => run_world(args, &swarm, swarm.serf_world()),
    }
}

fn run_world<M: Machine>(args: &Args, swarm: &Swarm, mut world: World<M>) -> Outcome {
    if args.verbose {
        let seed = swarm.config.seed;
        eprintln!("seed {seed}: {swarm}");
        world.watch(Trace::new(|change| eprintln!("{change}")));
    }
    world.watch_all();
    if swarm.machine == MachineKind::Serf {
        world.watch_serf();
    }
    catch_unwind(AssertUnwindSafe(|| swarm.run(world)))
        .unwrap_or_else(|panic| swarm.broke_off(format!("{PANIC}: {}", words(&*panic))))
}

fn print_failure(args: &Args, seed: u64, outcome: &Outcome) {
    eprintln!("seed {seed} FAILED, commit {}", commit());
    for text in outcome.violations.iter().take(3) {
        eprintln!("  {text}");
    }
    let kind = if args.machine == MachineKind::Serf { "--machine serf " } else { "" };
    eprintln!("  replay: swim-sim replay {kind}--nodes {} --seed {seed}", args.nodes);
}

/// Writes the smallest scenario that fails as this seed does.
fn shrink(args: &Args, seed: u64) {
    let scenario = Scenario::of_swarm(&Swarm::draw_of(args.machine, seed, args.nodes));
    let Some(failure) = Failure::of(&scenario) else {
        eprintln!("seed {seed} FAILED above and passes now: it is not deterministic");
        return;
    };
    if failure.oracle == PANIC {
        // It was shown once; each try that fails would show it again.
        std::panic::set_hook(Box::new(|_| ()));
    }
    let shrunk = failure.shrink_scenario(&scenario, args.shrink);
    let small = &shrunk.scenario;
    let size = |s: &Scenario| {
        let (faults, nodes) = (s.world.faults.len(), s.world.nodes);
        format!("{faults} faults, {nodes} nodes, {}", duration_text(s.duration))
    };
    let file = args.out.join(format!("seed-{seed}.toml"));
    eprintln!("seed {seed} shrunk from {} to {}", size(&scenario), size(small));
    eprintln!("  in {} tries; fails by {}", shrunk.tries, failure.oracle);
    match write(&file, &small.to_toml()) {
        Ok(()) => eprintln!("  replay: swim-sim replay {}", file.display()),
        Err(e) => eprintln!("  {}: {e}\n{}", file.display(), small.to_toml()),
    }
}

fn write(file: &Path, text: &str) -> std::io::Result<()> {
    file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(file, text)
}

/// The commit of the sources that this program was built from, or its version where they are gone.
fn commit() -> String {
    let args = ["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"];
    let told = std::process::Command::new("git").args(args).output();
    let told = told.ok().filter(|output| output.status.success());
    told.map_or_else(
        || format!("unknown, version {}", env!("CARGO_PKG_VERSION")),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// Failures of a batch that are made smaller: the first ones tell most.
const SHRUNK_MAX: usize = 3;
