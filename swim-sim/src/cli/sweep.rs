//! `swim-sim sweep` and `swim-sim merge`: a scenario over many values and seeds.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use super::say::say;
use super::table::thousands;
use super::{progress, usage};
use crate::page::number;
use crate::scenario::{Measure, Sweep};
use crate::sweep::{self, Combination, Found, Metrics, Row, Shard, Store};

/// Run a scenario for every combination of some values and every seed.
///
/// The file is a scenario with a table [sweep], whose keys are places in the scenario and whose
/// values are arrays: `links.loss = ["0%", "5%"]`. Results go to a folder. A sweep that was stopped,
/// whatever way, goes on where it was when it is started again.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 if all is well, 1 if an oracle objects, 2 if an argument makes no \
                  sense.\n\nExamples:\n  swim-sim sweep loss.toml\n  \
                  swim-sim sweep loss.toml --shard 0/4 --out results-0"
)]
pub(super) struct Args {
    /// The sweep (TOML)
    file: PathBuf,
    /// The folder for its results [default: the file's name without its ending]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Run only every N-th cell, from the K-th on, counted from 0: one of N parts
    #[arg(long, value_name = "K/N", value_parser = Shard::parse)]
    shard: Option<Shard>,
    /// How many worlds run at a time; 0 is one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    jobs: usize,
}

/// Put the results of the shards of a sweep together.
///
/// The outcome is, byte for byte, that of a sweep on one machine.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 if all is well, 1 if an oracle objected or runs are missing, 2 \
                        if an argument makes no sense.\n\nExample: swim-sim merge results-* --out all"
)]
pub(super) struct MergeArgs {
    /// Folders that `swim-sim sweep` has written
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// The folder for the whole [default: the first of the others]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs what is missing of a sweep, and tells what all of it has shown.
pub(super) fn main(args: &Args) -> ExitCode {
    match run(args) {
        Ok(code) => code,
        Err(text) => usage(&text),
    }
}

fn run(args: &Args) -> Result<ExitCode, String> {
    let file = args.file.display();
    let text = std::fs::read_to_string(&args.file).map_err(|e| format!("{file}: {e}"))?;
    let sweep = Sweep::parse(&text).map_err(|e| format!("{file}: {e}"))?;
    let shard = args.shard.unwrap_or(Shard::ALL);
    let out = args.out.clone().unwrap_or_else(|| args.file.with_extension(""));
    let mut store = Store::open(&out, &text, sweep.len(), shard)?;
    let mut found = Found::new();
    sweep::gather(&out, sweep.len(), &mut found)?;
    let mine = (0..sweep.len()).filter(|&cell| shard.holds(cell));
    let (done, missing): (Vec<u64>, Vec<u64>) = mine.partition(|cell| found.contains_key(cell));
    eprintln!(
        "{}: {} runs, {} here, {} of them done before",
        sweep.name(),
        thousands(sweep.len()),
        thousands((done.len() + missing.len()) as u64),
        thousands(done.len() as u64)
    );
    run_cells(&sweep, &missing, args.jobs, &mut store)?;
    found.clear();
    sweep::gather(&out, sweep.len(), &mut found)?;
    if args.shard.is_some() && found.len() as u64 != sweep.len() {
        eprintln!("this shard is complete; when all are: swim-sim merge DIR...");
        return Ok(verdict(&found));
    }
    finish(&out, &sweep, &found)
}

/// Puts the results of several folders together.
pub(super) fn merge(args: &MergeArgs) -> ExitCode {
    match merged(args) {
        Ok(code) => code,
        Err(text) => usage(&text),
    }
}

fn merged(args: &MergeArgs) -> Result<ExitCode, String> {
    let text = sweep::sweep_of(&args.dirs[0])?;
    let sweep = Sweep::parse(&text).map_err(|e| format!("{}: {e}", args.dirs[0].display()))?;
    let mut found = Found::new();
    for dir in &args.dirs {
        if sweep::sweep_of(dir)? != text {
            let (a, b) = (args.dirs[0].display(), dir.display());
            return Err(format!("{a} and {b} hold results of different sweeps"));
        }
        sweep::gather(dir, sweep.len(), &mut found)?;
    }
    let out = args.out.as_ref().unwrap_or(&args.dirs[0]);
    std::fs::create_dir_all(out).map_err(|e| format!("--out {}: {e}", out.display()))?;
    finish(out, &sweep, &found)
}

/// Runs cells side by side. One thread writes; what it cannot write ends the sweep.
fn run_cells(sweep: &Sweep, cells: &[u64], jobs: usize, store: &mut Store) -> Result<(), String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = if jobs == 0 { cores } else { jobs };
    let bar = progress::bar(cells.len() as u64, "runs");
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (done, rows) = mpsc::sync_channel(jobs);
    let mut written = Ok(());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (done, next, stop) = (done.clone(), &next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed)
                    && let Some(&cell) = cells.get(next.fetch_add(1, Ordering::Relaxed))
                    && done.send(Row::run(&sweep.cell(cell))).is_ok()
                {}
            });
        }
        drop(done);
        for row in rows {
            if written.is_ok() {
                written = store.add(&row);
                stop.store(written.is_err(), Ordering::Relaxed);
            }
            bar.inc(1);
        }
    });
    bar.finish_and_clear();
    written
}

/// Writes the results of a sweep if all its runs are there, and prints a table.
fn finish(out: &Path, sweep: &Sweep, found: &Found) -> Result<ExitCode, String> {
    let missing: Vec<u64> = (0..sweep.len()).filter(|cell| !found.contains_key(cell)).collect();
    if !missing.is_empty() {
        let first: Vec<String> = missing.iter().take(10).map(u64::to_string).collect();
        eprintln!(
            "{} of {} runs are missing: {}{}",
            thousands(missing.len() as u64),
            thousands(sweep.len()),
            first.join(" "),
            if missing.len() > 10 { " ..." } else { "" }
        );
        return Ok(ExitCode::FAILURE);
    }
    let summary = sweep::write(out, sweep, found)?;
    say!("{}", table(sweep, &summary).trim_end());
    say!("results.csv, results.jsonl and summary.csv are in {}", out.display());
    Ok(verdict(found))
}

fn verdict(found: &Found) -> ExitCode {
    let failed: Vec<&Row> =
        found.values().map(|(row, _)| row).filter(|row| !row.passed()).collect();
    for row in failed.iter().take(5) {
        let text = row.violation.as_deref().unwrap_or_default();
        say!("run {}, seed {}: {} {text}", row.cell, row.seed, row.outcome.to_uppercase());
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The means of each combination of values, as a table.
fn table(sweep: &Sweep, summary: &[Combination]) -> String {
    let measures = &sweep.cell(0).scenario.measure;
    let shown = COLUMNS.iter().filter(|(measure, ..)| measures.contains(measure));
    let shown: Vec<(&str, usize)> = shown
        .filter_map(|(_, name, title)| {
            let metric = Metrics::NAMES.iter().position(|n| n == name)?;
            summary.iter().any(|c| c.means[metric].is_some()).then_some((*title, metric))
        })
        .collect();
    let keys = sweep.parameters().iter().map(|p| p.key.clone());
    let head: Vec<String> = keys
        .chain(["passed".to_owned()])
        .chain(shown.iter().map(|(title, _)| (*title).to_owned()))
        .collect();
    let rows = summary.iter().map(|c| {
        let means = shown.iter().map(|(_, m)| c.means[*m].map_or_else(|| "-".to_owned(), number));
        let passed = format!("{}/{}", c.passed, c.runs);
        c.values.iter().cloned().chain([passed]).chain(means).collect::<Vec<_>>()
    });
    aligned(&[head].into_iter().chain(rows).collect::<Vec<_>>())
}

/// Rows in columns, numbers to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}"));
        cells.collect::<Vec<_>>().join("  ") + "\n"
    };
    rows.iter().map(line).collect()
}

/// What the table shows for each thing to measure: the metric and its title.
const COLUMNS: &[(Measure, &str, &str)] = &[
    (Measure::Detection, "first_median_s", "first report, s"),
    (Measure::Detection, "all_median_s", "known to all, s"),
    (Measure::Detection, "all_max_s", "longest, s"),
    (Measure::FalsePositives, "false_positives", "false positives"),
    (Measure::Views, "converged_s", "views equal after, s"),
    (Measure::Serf, "delivered", "events delivered, share"),
    (Measure::Serf, "answers_per_query", "answers/query"),
    (Measure::Serf, "told_left", "told of a leave, share"),
    (Measure::Traffic, "datagrams_per_node_s", "datagrams/node/s"),
    (Measure::Traffic, "bytes_per_node_s", "bytes/node/s"),
];
