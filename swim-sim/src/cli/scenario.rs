//! `swim-sim run SCENARIO` and `swim-sim scenarios`: scenarios from files, and those built in.

use core::ops::Range;
use std::process::ExitCode;

use super::say::say;
use super::{run, table, usage};
use crate::machine::{Machine, MachineKind};
use crate::oracle::Trace;
use crate::report::Report;
use crate::scenario::{BUILTIN, Scenario};
use crate::world::World;

/// List the built-in scenarios.
///
/// `swim-sim run NAME` runs one, `swim-sim scenarios NAME` prints its text, to start one's own
/// from.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print the text of this one
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Lists the scenarios, or prints one.
pub(super) fn main(args: &Args) -> ExitCode {
    let Some(name) = &args.name else {
        for builtin in BUILTIN {
            let about = Scenario::parse(builtin.text).map_or_else(|e| e.to_string(), |s| s.about);
            say!("{:<14} {about}", builtin.name);
        }
        return ExitCode::SUCCESS;
    };
    match BUILTIN.iter().find(|b| b.name == *name) {
        Some(builtin) => {
            say!("{}", builtin.text.trim_end());
            ExitCode::SUCCESS
        }
        None => usage(&format!("{name:?} is no built-in scenario; they are {}", names())),
    }
}

/// The scenario in a file, or the built-in one of this name.
pub(super) fn load(name: &str) -> Result<Scenario, String> {
    if let Some(builtin) = BUILTIN.iter().find(|b| b.name == name) {
        return Scenario::parse(builtin.text).map_err(|e| format!("{name}: {e}"));
    }
    let text = std::fs::read_to_string(name)
        .map_err(|e| format!("{name:?} is no built-in scenario ({}) and no file: {e}", names()))?;
    Scenario::parse(&text).map_err(|e| format!("{name}: {e}"))
}

fn names() -> String {
    BUILTIN.iter().map(|b| b.name).collect::<Vec<_>>().join(", ")
}

/// How to run a scenario.
#[derive(Debug)]
pub(super) struct How {
    /// Seeds instead of its own.
    pub(super) seeds: Option<Range<u64>>,
    pub(super) oracles: bool,
    pub(super) verbose: bool,
    pub(super) json: bool,
}

/// Runs a scenario, once for each seed.
pub(super) fn run(name: &str, how: &How) -> ExitCode {
    let mut scenario = match load(name) {
        Ok(scenario) => scenario,
        Err(text) => return usage(&text),
    };
    scenario.watched &= how.oracles;
    let seeds = how.seeds.clone().unwrap_or_else(|| scenario.seeds.clone());
    if !how.json {
        say!("{}: {}", scenario.name, scenario.about);
    }
    let mut reports = Vec::new();
    for seed in seeds {
        let report = run_seed(&scenario, seed, how.verbose);
        if !how.json {
            say!("");
            table::print(&report, &scenario.measure);
        }
        reports.push(report);
    }
    if how.json {
        let json = serde_json::to_string_pretty(&reports).expect("reports are plain data");
        say!("{json}");
    }
    if reports.iter().all(Report::passed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_seed(scenario: &Scenario, seed: u64, verbose: bool) -> Report {
    match scenario.machine {
        MachineKind::Node => run_world(scenario, scenario.world(seed), verbose),
        MachineKind::Serf => run_world(scenario, scenario.serf_world(seed), verbose),
    }
}

fn run_world<M: Machine>(scenario: &Scenario, mut world: World<M>, verbose: bool) -> Report {
    #[expect(clippy::disallowed_methods, reason = "the summary tells how fast this machine is")]
    let clock = std::time::Instant::now();
    if verbose {
        world.watch(Trace::new(|change| eprintln!("{change}")));
    }
    run::advance(&mut world, scenario.duration, None);
    Report::of(&mut world, clock.elapsed())
}
