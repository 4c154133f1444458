//! `swim-sim experiment`: the published results, run again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::say::say;
use super::{progress, usage};
use crate::experiment::{self, ALL, CONTROLS, Experiment, Known, Lab, Outcome, Verdict};

/// Run published experiments again and compare with what was published.
///
/// Each prints measured values, the published ones, and the band that was set before the first run.
/// With --out it also writes E*.json, results.csv and report.html; the page and the table show
/// every experiment that the directory holds.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 if all lie inside of their bands, 1 if some do not, 2 if an argument \
                  makes no sense.\n\nExample: swim-sim experiment all --quick --out target/experiments"
)]
pub(super) struct Args {
    /// `list`, `all`, `controls` (broken on purpose: must fail), or experiments: E1 E2 ...
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Fewer and smaller runs: all together take some minutes
    #[arg(long)]
    quick: bool,
    /// Repeat each point of the grid of E5, E6 and E7 so often; the paper did ten times
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100))]
    repeats: Option<u64>,
    /// Write JSON, CSV and a page into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Worlds to run side by side; all cores, unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
}

/// Runs what `args` name.
pub(super) fn main(args: &Args) -> ExitCode {
    let jobs = args.jobs.map_or(0, usize::from);
    if let Err(e) = rayon::ThreadPoolBuilder::new().num_threads(jobs).build_global() {
        return usage(&format!("--jobs: {e}"));
    }
    match args.ids.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => list(),
        ["controls"] => controls(args.quick),
        ["all"] => run(args, ALL.iter().collect()),
        _ => match choose(&args.ids) {
            Ok(chosen) => run(args, chosen),
            Err(text) => usage(&text),
        },
    }
}

fn choose(ids: &[String]) -> Result<Vec<&'static Experiment>, String> {
    let known = |id: &str| ALL.iter().find(|e| e.id.eq_ignore_ascii_case(id) || e.name == id);
    ids.iter()
        .map(|id| known(id).ok_or_else(|| format!("no experiment {id}; see: experiment list")))
        .collect()
}

fn list() -> ExitCode {
    for e in ALL {
        say!("{:<4} {:<15} {}\n{:20} full: {}", e.id, e.name, e.title, "", e.cost);
    }
    ExitCode::SUCCESS
}

fn run(args: &Args, chosen: Vec<&Experiment>) -> ExitCode {
    if let Some(dir) = &args.out
        && let Err(e) = fs::create_dir_all(dir)
    {
        return usage(&format!("--out {}: {e}", dir.display()));
    }
    let known = Arc::default();
    let mut outcomes = Vec::new();
    for e in chosen {
        let outcome = one(e, args.quick, args.repeats, &known);
        say!("{}", experiment::text(&outcome).trim_end());
        if let Some(dir) = &args.out
            && let Err(e) = write(dir, &outcome)
        {
            return usage(&format!("--out {}: {e}", dir.display()));
        }
        outcomes.push(outcome);
    }
    say!("\n{}", experiment::table(&outcomes).trim_end());
    let outside = outcomes.iter().any(|outcome| outcome.verdict == Verdict::Outside);
    if outside { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn one(e: &Experiment, quick: bool, repeats: Option<u64>, known: &Arc<Known>) -> Outcome {
    let lab = Lab::new(quick, repeats, progress::bar(0, e.id), Arc::clone(known));
    #[expect(clippy::disallowed_methods, reason = "the report tells what the experiment cost")]
    let clock = std::time::Instant::now();
    let found = (e.run)(&lab);
    Outcome {
        id: e.id.to_owned(),
        name: e.name.to_owned(),
        title: e.title.to_owned(),
        source: e.source.to_owned(),
        quick,
        verdict: found.verdict(),
        events: lab.events(),
        wall_s: clock.elapsed().as_secs_f64(),
        found,
    }
}

/// Writes one outcome, then the table and the page of all that are there.
fn write(dir: &Path, outcome: &Outcome) -> std::io::Result<()> {
    let json = serde_json::to_string_pretty(outcome)?;
    fs::write(dir.join(format!("{}.json", outcome.id)), json)?;
    let mut all = Vec::new();
    for e in ALL {
        // What another version wrote is not shown.
        if let Ok(text) = fs::read(dir.join(format!("{}.json", e.id)))
            && let Ok(outcome) = serde_json::from_slice(&text)
        {
            all.push(outcome);
        }
    }
    fs::write(dir.join("results.csv"), experiment::csv(&all))?;
    fs::write(dir.join("report.html"), experiment::page(&all))
}

/// Runs what is broken on purpose: it passes if all of it lies outside of its bands.
fn controls(quick: bool) -> ExitCode {
    let mut missed = false;
    for control in CONTROLS {
        let lab = Lab::new(quick, None, progress::bar(0, "runs"), Arc::default());
        let row = (control.run)(&lab);
        let fails = row.verdict == Verdict::Outside;
        missed |= !fails;
        let measured = row.measured.map_or_else(|| "never".to_owned(), crate::page::number);
        say!(
            "{:<40} {measured} {}, band {}: {}",
            control.title,
            row.unit,
            row.band,
            if fails { "fails, as it must" } else { "PASSES, and must not" }
        );
    }
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
