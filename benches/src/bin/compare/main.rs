//! Prints the table of all rows, ours beside the peer's, with ratios.
//!
//! `cargo run --release -p swim-benches --features ring -- [--runs N] [--all | ROW ...]`

use swim_benches::counting::Counting;
use swim_benches::table::{self, Row};

mod child;
mod memory;
mod packets;
mod simulators;
mod wire;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if child::run(&args) {
        return;
    }
    let plan = Plan::parse(&args).unwrap_or_else(|why| {
        eprintln!("{why}\n{USAGE}");
        std::process::exit(2);
    });
    println!("{}", table::heading());
    packets::rows(&plan);
    wire::rows(&plan);
    memory::rows(&plan);
    simulators::rows(&plan);
}

/// What is asked for on the command line.
pub(crate) struct Plan {
    runs: usize,
    rows: Vec<u32>,
}

impl Plan {
    fn parse(args: &[String]) -> Result<Self, String> {
        let mut plan = Self { runs: RUNS, rows: Vec::new() };
        let (mut all, mut args) = (false, args.iter());
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--all" => all = true,
                "--runs" => {
                    let runs = args.next().ok_or("--runs takes a number from 1 to 31")?;
                    plan.runs = number(runs, 1..=31).ok_or_else(|| {
                        format!("--runs takes a number from 1 to 31, and not {runs:?}")
                    })? as usize;
                }
                row => plan.rows.push(number(row, ROWS).ok_or_else(|| {
                    format!("there is no row {row:?}: rows are numbered 1 to {}", ROWS.end())
                })?),
            }
        }
        match (all, plan.rows.is_empty()) {
            (true, false) => return Err("--all leaves no rows to choose".into()),
            (true, true) => plan.rows.extend(ROWS),
            (false, true) => plan.rows.extend(ROWS.filter(|row| !SLOW.contains(row))),
            (false, false) => {}
        }
        Ok(plan)
    }

    /// How often every side runs.
    pub(crate) fn runs(&self) -> usize {
        self.runs
    }

    /// Whether the row of this number was asked for.
    pub(crate) fn wants(&self, number: &str) -> bool {
        number.parse().is_ok_and(|number| self.rows.contains(&number))
    }

    /// Prints a row, unless only others were asked for.
    pub(crate) fn row(&self, row: Row) {
        if self.wants(row.number()) {
            println!("{}", row.line());
        }
    }

    pub(crate) fn note(&self, text: &str) {
        println!("     {text}");
    }
}

fn number(text: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
    text.parse().ok().filter(|number| range.contains(number))
}

const USAGE: &str = "usage: compare [--runs N] [--all | ROW ...]";
const RUNS: usize = 9;
const ROWS: std::ops::RangeInclusive<u32> = 1..=13;
/// foca takes minutes to load ten thousand full rosters; printed if asked for.
const SLOW: [u32; 1] = [12];

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Result<Plan, String> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Plan::parse(&args)
    }

    #[test]
    fn the_slow_row_is_printed_if_asked_for() {
        let wants = |line, row| plan(line).unwrap_or_else(|why| panic!("{why}")).wants(row);
        assert!(wants("", "11") && wants("", "13") && !wants("", "12"));
        assert!(wants("--all", "12") && wants("--all --runs 3", "1"));
        assert!(wants("12 3", "12") && wants("12 3", "3") && !wants("12 3", "4"));
    }

    #[test]
    fn a_row_that_is_not_there_is_refused() {
        for line in ["99", "0", "-1", "x", "--runs", "--runs 0", "--runs 32", "--all 3"] {
            assert!(plan(line).is_err(), "{line}");
        }
        let why = plan("99").err();
        assert_eq!(why.as_deref(), Some("there is no row \"99\": rows are numbered 1 to 13"));
    }
}
