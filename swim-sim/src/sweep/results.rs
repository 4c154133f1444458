//! The results of a whole sweep: run by run, and the means over the seeds of each combination.

use std::fmt::Write as _;
use std::path::Path;

use super::row::Metrics;
use super::store::{Found, write_whole};
use crate::scenario::Sweep;

/// One combination of values, over all its seeds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Combination {
    pub(crate) values: Vec<String>,
    pub(crate) runs: u64,
    pub(crate) passed: u64,
    /// Mean of each metric over the runs that have it.
    pub(crate) means: Vec<Option<f64>>,
}

/// Writes `results.jsonl`, `results.csv` and `summary.csv` of a sweep whose runs are all there, and
/// gives what the last one tells. The bytes depend on nothing but the results.
pub(crate) fn write(dir: &Path, sweep: &Sweep, found: &Found) -> Result<Vec<Combination>, String> {
    let lines: Vec<&str> = found.values().map(|(_, line)| line.as_str()).collect();
    write_whole(&dir.join("results.jsonl"), &(lines.join("\n") + "\n"))?;
    write_whole(&dir.join("results.csv"), &table(sweep, found))?;
    let summary = summary(sweep, found);
    write_whole(&dir.join("summary.csv"), &summary_table(sweep, &summary))?;
    Ok(summary)
}

fn table(sweep: &Sweep, found: &Found) -> String {
    let keys = sweep.parameters().iter().map(|p| p.key.as_str());
    let head = ["run"].into_iter().chain(keys).chain(["seed", "outcome"]);
    let head = head.chain(Metrics::NAMES.iter().copied()).chain(["digest", "violation"]);
    let mut out = csv_line(head);
    for (row, _) in found.values() {
        let (cell, seed) = (row.cell.to_string(), row.seed.to_string());
        let numbers: Vec<String> = row.metrics.values().into_iter().map(number).collect();
        let cells = [cell.as_str()].into_iter().chain(sweep.cell(row.cell).values);
        let cells = cells.chain([seed.as_str(), &row.outcome]);
        let cells = cells.chain(numbers.iter().map(String::as_str));
        let cells = cells.chain([row.digest.as_str(), row.violation.as_deref().unwrap_or("")]);
        out += &csv_line(cells);
    }
    out
}

fn summary(sweep: &Sweep, found: &Found) -> Vec<Combination> {
    let rows: Vec<_> = found.values().map(|(row, _)| row).collect();
    let combination = |rows: &[&super::row::Row]| {
        let mean = |metric: usize| {
            let values: Vec<f64> =
                rows.iter().filter_map(|row| row.metrics.values()[metric]).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        Combination {
            values: sweep.cell(rows[0].cell).values.into_iter().map(str::to_owned).collect(),
            runs: rows.len() as u64,
            passed: rows.iter().filter(|row| row.passed()).count() as u64,
            means: (0..Metrics::NAMES.len()).map(mean).collect(),
        }
    };
    rows.chunk_by(|a, b| a.cell / sweep.seeds() == b.cell / sweep.seeds())
        .map(combination)
        .collect()
}

fn summary_table(sweep: &Sweep, summary: &[Combination]) -> String {
    let keys = sweep.parameters().iter().map(|p| p.key.as_str());
    let mut out = csv_line(keys.chain(["runs", "passed"]).chain(Metrics::NAMES.iter().copied()));
    for c in summary {
        let (runs, passed) = (c.runs.to_string(), c.passed.to_string());
        let means: Vec<String> = c.means.iter().copied().map(number).collect();
        let cells = c.values.iter().map(String::as_str).chain([runs.as_str(), &passed]);
        out += &csv_line(cells.chain(means.iter().map(String::as_str)));
    }
    out
}

/// The shortest digits that read back as the same number; empty where there is none.
fn number(value: Option<f64>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}

fn csv_line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for (i, cell) in cells.enumerate() {
        let comma = if i > 0 { "," } else { "" };
        let _ = if cell.contains([',', '"', '\n', '\r']) {
            write!(out, "{comma}\"{}\"", cell.replace('"', "\"\""))
        } else {
            write!(out, "{comma}{cell}")
        };
    }
    out + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::row::Row;
    use super::*;

    #[test]
    fn tables_quote_what_they_must_and_average_over_seeds() {
        let text = "name = \"x\"\nnodes = 5\nduration = \"9s\"\nseeds = \"0..2\"\n\
                    [sweep]\nlinks.loss = [\"0%\", \"5%\"]\n";
        let sweep = Sweep::parse(text).unwrap();
        let row = |cell: u64| Row {
            cell,
            seed: cell % 2,
            outcome: "passed".to_owned(),
            digest: "d".to_owned(),
            violation: (cell == 3).then(|| "one, \"two\"".to_owned()),
            metrics: Metrics { crashes: Some(cell as f64), ..Metrics::default() },
        };
        let found: Found = (0..4).map(|cell| (cell, (row(cell), String::new()))).collect();
        let csv = table(&sweep, &found);
        assert!(csv.starts_with("run,links.loss,seed,outcome,crashes,"), "{csv}");
        assert!(csv.contains("\n3,5%,1,passed,3,,"), "{csv}");
        assert!(csv.ends_with(",d,\"one, \"\"two\"\"\"\n"), "{csv}");
        let summary = summary(&sweep, &found);
        assert_eq!((summary.len(), summary[1].runs, summary[1].passed), (2, 2, 1));
        assert_eq!(summary[1].means[..2], [Some(2.5), None]);
        assert!(summary_table(&sweep, &summary).contains("\n5%,2,1,2.5,,"));
    }
}
