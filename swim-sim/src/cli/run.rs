//! `swim-sim run`: one world, its faults on the command line.

use core::ops::Range;
use core::time::Duration;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use swim_core::{Config, Instant};

use super::say::say;
use super::value::{self, At, AtFor, Cut};
use super::{progress, scenario, table, usage};
use crate::change::Stall;
use crate::fault::{EVENT_BYTES_MIN, Fault, Order, Who};
use crate::history::History;
use crate::link::Links;
use crate::machine::{Machine, MachineKind};
use crate::oracle::Trace;
use crate::page::run_page;
use crate::place::NODES_MAX;
use crate::report::Report;
use crate::scenario::{Measure, nodes};
use crate::serf::SerfMachine;
use crate::world::{Make, States, World, WorldConfig};

/// Run one world and print a summary.
///
/// All nodes know each other from the start, unless --cold. Times count from the start of the run.
/// The same arguments give the same digest, on every machine.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 if no oracle objects (cases that the end of the run leaves open are \
                  told), 1 if one does or if a fault found nobody to strike, 2 if an argument \
                  makes no sense.\n\nExamples:\n  \
                  swim-sim run --nodes 1000 --crash 10@20s --seed 7\n  \
                  swim-sim run partition\n  \
                  swim-sim run my.toml --seeds 0..10"
)]
pub(super) struct Args {
    /// A scenario, instead of what the other arguments describe: a file (TOML), or the name of a
    /// built-in one (see `swim-sim scenarios`)
    #[arg(value_name = "SCENARIO", conflicts_with_all = ["nodes", "seed", "duration", "crash",
        "restart", "leave", "partition", "stall", "io_stall", "loss", "delay", "preset", "cold",
        "report", "machine", "events", "queries"])]
    scenario: Option<String>,
    /// The seeds of the scenario, instead of its own
    #[arg(long, value_name = "A..B", requires = "scenario", value_parser = value::seeds)]
    seeds: Option<Range<u64>>,
    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 1000)]
    nodes: u32,
    /// What kind of nodes: bare ones, or Serf nodes, which also send events, queries and tags
    #[arg(long, value_name = "KIND", default_value = "node", value_parser = value::machine())]
    machine: MachineKind,
    /// Where all chance comes from
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How long to run, in virtual time
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = value::duration)]
    duration: Duration,
    /// End the processes of K random nodes at time T; may be repeated
    #[arg(long, value_name = "K@T", value_parser = value::at)]
    crash: Vec<At>,
    /// Start K random crashed nodes again at time T; may be repeated
    #[arg(long, value_name = "K@T", value_parser = value::at)]
    restart: Vec<At>,
    /// Let K random nodes leave the cluster at time T; may be repeated
    #[arg(long, value_name = "K@T", value_parser = value::at)]
    leave: Vec<At>,
    /// Let K random nodes send a user event each at time T, with --machine serf; may be repeated
    #[arg(long, value_name = "K@T", value_parser = value::at)]
    events: Vec<At>,
    /// Let K random nodes ask a query each at time T, with --machine serf; may be repeated
    #[arg(long, value_name = "K@T", value_parser = value::at)]
    queries: Vec<At>,
    /// Keep random groups of nodes from reaching each other from T1 to T2. Sizes are counts or
    /// shares: 10/990, 10%/90%, 30%/30%/40%; may be repeated
    #[arg(long, value_name = "A/B@T1..T2", value_parser = value::cut)]
    partition: Vec<Cut>,
    /// Freeze K random nodes at time T for length L; may be repeated
    #[arg(long, value_name = "K@T+L", value_parser = value::at_for)]
    stall: Vec<AtFor>,
    /// Block sending and receiving of K random nodes at time T for length L, while their timers
    /// run; may be repeated
    #[arg(long, value_name = "K@T+L", value_parser = value::at_for)]
    io_stall: Vec<AtFor>,
    /// Lose this share of all datagrams: 5% or 0.05
    #[arg(long, value_name = "P", default_value = "0%", value_parser = value::share)]
    loss: f64,
    /// Delay of a packet, evenly spread: smallest and largest, or one value
    #[arg(long, value_name = "MIN..MAX", default_value = "0.5ms..2ms", value_parser = value::delays)]
    delay: (Duration, Duration),
    /// Settings of every node
    #[arg(long, value_enum, default_value_t = Preset::Lan)]
    preset: Preset,
    /// Start all nodes but the first within this time, knowing nobody; they join by the first
    #[arg(long, value_name = "WINDOW", value_parser = value::duration)]
    cold: Option<Duration>,
    /// Threads that share the work; their number changes no result
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
    /// How nodes exchange their whole states: what it costs this machine depends on it, and the
    /// digest; what nodes do does not
    #[arg(long, value_enum, default_value_t = Form::BySize)]
    states: Form,
    /// Run without oracles, which is faster
    #[arg(long)]
    no_oracles: bool,
    /// Print what every node reports and what befalls it
    #[arg(short, long)]
    verbose: bool,
    /// Print JSON instead of a table: an object, or for a scenario an array with one for each seed
    #[arg(long)]
    json: bool,
    /// Write a page about the run: who held what of whom, and when
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Preset {
    /// A local network
    Lan,
    /// The internet
    Wan,
    /// One machine
    Local,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Form {
    /// As bytes below 5,000 nodes, by reference from there on
    BySize,
    /// As the bytes of push/pulls
    Bytes,
    /// By reference to what all nodes share
    Shared,
}

/// The experiment that runs when nothing is asked for.
pub(super) fn first() -> ExitCode {
    let experiment = [
        "swim-sim run",
        "--nodes=1000",
        "--duration=120s",
        "--crash=10@20s",
        "--partition=2%/98%@60s..90s",
    ];
    say!("No command: running {}\n", experiment.join(" "));
    let args = <Parsed as clap::Parser>::parse_from(experiment);
    main(&args.run)
}

#[derive(Debug, clap::Parser)]
struct Parsed {
    #[command(flatten)]
    run: Args,
}

/// Runs the world that `args` describe.
pub(super) fn main(args: &Args) -> ExitCode {
    if let Some(name) = &args.scenario {
        let (seeds, oracles) = (args.seeds.clone(), !args.no_oracles);
        let how = scenario::How { seeds, oracles, verbose: args.verbose, json: args.json };
        return scenario::run(name, &how);
    }
    let config = match args.world() {
        Ok(config) => config,
        Err(text) => return usage(&text),
    };
    // Not only at the end of a long run does it turn out that the page cannot be written.
    let page = match args.report.as_ref().map(|file| (file, File::create(file))) {
        None => None,
        Some((_, Ok(page))) => Some(page),
        Some((file, Err(e))) => return usage(&format!("--report {}: {e}", file.display())),
    };
    match args.machine {
        MachineKind::Node => run(args, args.start(config, nodes()), page),
        MachineKind::Serf => run(args, args.start(config, SerfMachine::make()), page),
    }
}

/// Runs a world to its end and tells what it has shown.
fn run<M: Machine>(args: &Args, mut world: World<M>, page: Option<File>) -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "the summary tells how fast this machine is")]
    let clock = std::time::Instant::now();
    world.set_threads(args.threads.into());
    if args.verbose {
        world.watch(Trace::new(|change| eprintln!("{change}")));
    }
    if !args.no_oracles {
        world.watch_all();
    }
    if !args.no_oracles && args.machine == MachineKind::Serf {
        world.watch_serf();
    }
    let mut history = args.report.as_ref().map(|_| History::of(&mut world, args.duration));
    advance(&mut world, args.duration, history.as_mut());
    let report = Report::of(&mut world, clock.elapsed());
    if args.json {
        let json = serde_json::to_string_pretty(&report).expect("a report is plain data");
        say!("{json}");
    } else {
        table::print(&report, &Measure::ALL);
    }
    if let (Some(mut page), Some(history)) = (page, &history)
        && let Err(e) = page.write_all(run_page(&report, history).as_bytes())
    {
        eprintln!("error: the page cannot be written: {e}");
        return ExitCode::FAILURE;
    }
    if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs to the end, a step at a time, for the bar and the history.
pub(super) fn advance<M: Machine>(
    world: &mut World<M>,
    duration: Duration,
    mut history: Option<&mut History>,
) {
    let end = Instant::ZERO + duration;
    let step = history.as_ref().map_or(Duration::from_secs(1), |h| h.step());
    let bar = progress::bar(duration.as_secs(), "virtual s");
    while world.now() < end {
        world.run_until((world.now() + step).min(end));
        if let Some(history) = &mut history {
            history.advance(world);
        }
        bar.set_position(world.now().since(Instant::ZERO).as_secs());
        let rate = world.traffic().events as f64 / bar.elapsed().as_secs_f64().max(1e-3) / 1e6;
        bar.set_message(format!("{rate:.2} M events/s"));
    }
    bar.finish_and_clear();
}

impl Args {
    fn start<M: Machine>(&self, config: WorldConfig, make: Make<M>) -> World<M> {
        if self.cold.is_some() {
            World::cold_with(config, make)
        } else {
            World::converged_with(config, make)
        }
    }

    /// The world, if the arguments fit each other.
    fn world(&self) -> Result<WorldConfig, String> {
        if !(2..=NODES_MAX).contains(&self.nodes) {
            return Err(format!("--nodes is {}, not in 2..={NODES_MAX}", self.nodes));
        }
        let (min, max) = self.delay;
        let links = Links::uniform(min, max).and_then(|l| l.with_loss(self.loss));
        let core = match self.preset {
            Preset::Lan => Config::lan(),
            Preset::Wan => Config::wan(),
            Preset::Local => Config::local(),
        };
        // The accuracy oracle asks who accuses whom, and a page shows suspicions.
        let core = core.evidence_events(!self.no_oracles || self.report.is_some()).build();
        let mut config = WorldConfig::new(self.seed, self.nodes);
        config.core = core.map_err(|e| e.to_string())?;
        config.links = links.map_err(|e| e.to_string())?;
        config.join_window = self.cold.unwrap_or_default();
        config.states = match self.states {
            Form::BySize => States::BySize,
            Form::Bytes => States::Bytes,
            Form::Shared => States::Shared,
        };
        config.faults = self.faults()?;
        Ok(config)
    }

    fn faults(&self) -> Result<Vec<(Instant, Fault)>, String> {
        let mut faults = Vec::new();
        let mut add = |option: &str, at: Duration, fault: Fault| {
            if at >= self.duration {
                return Err(format!(
                    "{option} strikes at {at:?}, the run ends at {:?}",
                    self.duration
                ));
            }
            faults.push((Instant::ZERO + at, fault));
            Ok(())
        };
        let enough = |option: &str, count: u32| {
            let most = self.nodes - 1;
            if count <= most {
                Ok(Who::Random(count))
            } else {
                Err(format!("{option} takes {count} nodes, at most {most} of {}", self.nodes))
            }
        };
        for a in &self.crash {
            add("--crash", a.at, Fault::Crash(enough("--crash", a.count)?))?;
        }
        for a in &self.restart {
            add("--restart", a.at, Fault::Restart(enough("--restart", a.count)?))?;
        }
        for a in &self.leave {
            add("--leave", a.at, Fault::Leave(enough("--leave", a.count)?))?;
        }
        let (name, bytes) = ("event".to_owned(), EVENT_BYTES_MIN);
        let event = Order::Event { name, bytes };
        let name = "query".to_owned();
        let query = Order::Query { name, deadline: None, ack: false, relay: 0 };
        for (option, order, list) in
            [("--events", event, &self.events), ("--queries", query, &self.queries)]
        {
            for a in list {
                if self.machine != MachineKind::Serf {
                    return Err(format!("{option} is for Serf nodes: set --machine serf"));
                }
                let who = enough(option, a.count)?;
                add(option, a.at, Fault::Command { who, order: order.clone() })?;
            }
        }
        for (option, part, stalls) in
            [("--stall", Stall::Loop, &self.stall), ("--io-stall", Stall::Io, &self.io_stall)]
        {
            for a in stalls {
                let who = enough(option, a.count)?;
                add(option, a.at, Fault::Stall { who, part, time: a.time })?;
            }
        }
        for (n, cut) in self.partition.iter().enumerate() {
            if let Some(other) = self.partition[..n].iter().find(|other| cut.overlaps(other)) {
                return Err(format!("--partition {cut} and {other} overlap: one at a time"));
            }
            add("--partition", cut.from, Fault::Partition(cut.split(self.nodes)?))?;
            if cut.until < self.duration {
                add("--partition", cut.until, Fault::Heal)?;
            }
        }
        Ok(faults)
    }
}
