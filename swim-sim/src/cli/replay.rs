//! `swim-sim replay`: one run again, as far and as closely as one likes.

use core::time::Duration;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use swim_core::Instant;

use super::{branch, journal, scenario, usage, value};
use crate::failure::Failure;
use crate::machine::{Machine, MachineKind};
use crate::oracle::{Inspect, Trace};
use crate::place;
use crate::scenario::Scenario;
use crate::swarm::Swarm;
use crate::text;
use crate::world::World;

/// Run a scenario, a seed of `vopr` or a node's journal again, and look at it.
///
/// Prints what every node reports and what befalls it, and stops where it is told to. With --from
/// it branches: the run up to that time is the same, what the links do from there on is drawn anew,
/// and a table tells how often the failure recurs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 if nothing went wrong, 1 if something did, 2 if an argument makes \
                  no sense.\n\nExamples:\n  swim-sim replay seed-4711.toml --stop \"n3 failed\" \
                  --view n7 --steps 20\n  swim-sim replay --seed 4711 --from 80s --seeds 50"
)]
pub(super) struct Args {
    /// A scenario (TOML), the name of a built-in one, or a journal
    #[arg(value_name = "FILE", required_unless_present = "seed")]
    file: Option<String>,
    /// The seed: of the scenario, else of `swim-sim vopr`
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// How many nodes `vopr` had
    #[arg(long, value_name = "N", default_value_t = 50)]
    nodes: u32,
    /// What kind of nodes `vopr` had
    #[arg(long, value_name = "KIND", default_value = "node", value_parser = value::machine(),
        conflicts_with = "file")]
    machine: MachineKind,
    /// Stop at this time
    #[arg(long, value_name = "TIME", value_parser = text::duration)]
    until: Option<Duration>,
    /// Stop at the first line that contains this text
    #[arg(long, value_name = "TEXT")]
    stop: Option<String>,
    /// Where it stops, go on by this many steps and tell the time of each
    #[arg(long, value_name = "K", default_value_t = 0)]
    steps: u64,
    /// Where it stops, show this node's view of the cluster
    #[arg(long, value_name = "NODE", value_parser = node)]
    view: Option<u32>,
    /// Print no lines, only where it stops
    #[arg(short, long)]
    quiet: bool,
    /// Branch at this time
    #[arg(long, value_name = "TIME", value_parser = text::duration, requires = "seeds",
        conflicts_with_all = ["until", "stop", "steps", "view", "quiet"])]
    from: Option<Duration>,
    /// How many branches
    #[arg(long, value_name = "K", requires = "from")]
    seeds: Option<u64>,
}

fn node(name: &str) -> Result<u32, String> {
    place::node_named(name).ok_or_else(|| format!("{name:?} is not a node such as n7"))
}

/// Replays what the arguments name.
pub(super) fn main(args: &Args) -> ExitCode {
    if let Some(file) = &args.file
        && let Some(bytes) = journal::load(file)
    {
        let of_worlds = [
            ("--seed", args.seed.is_some()),
            ("--view", args.view.is_some()),
            ("--steps", args.steps > 0),
            ("--from", args.from.is_some()),
        ];
        if let Some((flag, _)) = of_worlds.into_iter().find(|(_, given)| *given) {
            return usage(&format!("{flag}: {file} is the journal of one node, not a world"));
        }
        let look = journal::Look {
            until: args.until.map(|until| Instant::ZERO + until),
            stop: args.stop.as_deref(),
            quiet: args.quiet,
        };
        return journal::replay(file, &bytes, &look);
    }
    let (scenario, seed) = match source(args) {
        Ok(source) => source,
        Err(text) => return usage(&text),
    };
    if let Some(node) = args.view.filter(|&node| node >= scenario.world.nodes) {
        return usage(&format!(
            "--view is n{node}, the last node is n{}",
            scenario.world.nodes - 1
        ));
    }
    match (args.from, args.seeds) {
        (Some(from), Some(seeds)) => branch::main(&scenario, seed, from, seeds),
        _ => match scenario.machine {
            MachineKind::Node => watch(args, &scenario, scenario.world(seed)),
            MachineKind::Serf => watch(args, &scenario, scenario.serf_world(seed)),
        },
    }
}

/// The scenario and the seed to run.
fn source(args: &Args) -> Result<(Scenario, u64), String> {
    if let Some(file) = &args.file {
        let scenario = scenario::load(file)?;
        let seed = args.seed.unwrap_or(scenario.seeds.start);
        return Ok((scenario, seed));
    }
    value::swarm_nodes(args.nodes)?;
    let seed = args.seed.unwrap_or_default();
    Ok((Scenario::of_swarm(&Swarm::draw_of(args.machine, seed, args.nodes)), seed))
}

/// Lines that a trace has written and nobody has printed yet.
type Lines = Arc<Mutex<Vec<String>>>;

fn take(lines: &Lines) -> Vec<String> {
    core::mem::take(&mut lines.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Runs to where it should stop, and shows what is there.
fn watch<M: Machine>(args: &Args, scenario: &Scenario, mut world: World<M>) -> ExitCode {
    let lines = Lines::default();
    let sink = Arc::clone(&lines);
    world.watch(Trace::new(move |change| {
        sink.lock().unwrap_or_else(PoisonError::into_inner).push(change.to_string());
    }));
    let end = scenario.end();
    let until = args.until.map_or(end, |until| (Instant::ZERO + until).min(end));
    let mut stopped = false;
    // Whoever reads may have seen enough.
    let mut out = std::io::stdout().lock();
    while !stopped && world.violations().is_empty() && world.step_until(until) {
        for line in take(&lines) {
            stopped |= args.stop.as_ref().is_some_and(|stop| line.contains(stop));
            if !args.quiet && writeln!(out, "{line}").is_err() {
                return ExitCode::SUCCESS;
            }
        }
    }
    if !stopped && world.violations().is_empty() {
        world.run_until(until);
        if until == end {
            world.verdicts();
        }
    }
    let _ = writeln!(out, "stopped at {}", world.now());
    for violation in world.violations().iter().take(1) {
        let _ = writeln!(out, "FAILED {violation}");
    }
    for step in 1..=args.steps {
        if !world.step() {
            break;
        }
        let _ = writeln!(out, "step {step}: {} ns", world.now().as_nanos());
        for line in take(&lines) {
            let _ = writeln!(out, "{line}");
        }
    }
    if let Some(node) = args.view {
        let _ = write!(out, "{}", view(&world, node));
    }
    if world.violations().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a node holds of the cluster.
fn view<M: Machine>(world: &World<M>, node: u32) -> String {
    use core::fmt::Write as _;
    let Some(machine) = world.machine(node) else { return format!("n{node} is down\n") };
    let load = world.load(node);
    let mut out = format!(
        "n{node}: incarnation {}, health {}, {} live of {} known, {} claims to gossip, \
         {} datagrams sent, {} received\n",
        world.incarnation(node),
        machine.health(),
        machine.live_len(),
        load.known,
        load.rumours,
        load.sent,
        load.received,
    );
    if let Some(at) = machine.poll_timeout() {
        let _ = writeln!(out, "  its clock wakes it at {at}");
    }
    world.view(node, &mut |seen| {
        let _ =
            writeln!(out, "  {:<8} {:<8} {}", seen.name, seen.state.to_string(), seen.incarnation);
    });
    out
}

/// What went wrong in a run, in a line.
pub(super) fn verdict(failure: Option<&Failure>) -> String {
    failure.map_or_else(|| "passed".to_owned(), |f| format!("FAILED {} at {}", f.oracle, f.at))
}
