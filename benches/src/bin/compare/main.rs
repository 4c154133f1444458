//! Prints the table of all rows, ours beside the peer's, with ratios.
//!
//! `cargo run --release -p swim-benches --features ring [-- [--runs N] [ROW ...]]`

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
    let Some(plan) = Plan::parse(&args) else {
        eprintln!("usage: compare [--runs N] [ROW ...], with rows 1 to 13");
        std::process::exit(2);
    };
    println!("{}", table::heading());
    packets::rows(&plan);
    wire::rows(&plan);
    memory::rows(&plan);
    simulators::rows(&plan);
}

/// What is asked for on the command line.
pub(crate) struct Plan {
    runs: usize,
    rows: Vec<String>,
}

impl Plan {
    fn parse(args: &[String]) -> Option<Self> {
        let mut plan = Self { runs: RUNS, rows: Vec::new() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--runs" {
                plan.runs = args.next()?.parse().ok().filter(|runs| (1..=31).contains(runs))?;
            } else {
                let row: u32 = arg.parse().ok()?;
                plan.rows.push(row.to_string());
            }
        }
        Some(plan)
    }

    /// How often every side runs.
    pub(crate) fn runs(&self) -> usize {
        self.runs
    }

    /// Whether the row of this number was asked for.
    pub(crate) fn wants(&self, number: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|row| row == number)
    }

    /// Whether it was asked for by its number.
    pub(crate) fn wants_by_name(&self, number: &str) -> bool {
        !self.rows.is_empty() && self.wants(number)
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

const RUNS: usize = 9;
