//! What experiments found, for a terminal, a spreadsheet and a browser.

use std::fmt::Write as _;

use super::outcome::{Outcome, Row, Verdict};
use crate::page::{Frame, escape, number};

/// The table of one experiment.
pub(crate) fn text(o: &Outcome) -> String {
    let mut out = String::new();
    let (inside, outside) = o.tally();
    let quick = if o.quick { ", quick" } else { "" };
    let _ = writeln!(out, "{} {}{quick}: {}", o.id, o.name, o.title);
    let width = o.found.rows.iter().map(|r| r.metric.chars().count()).max().unwrap_or(0);
    let _ = writeln!(
        out,
        "  {:<width$} {:>10} {:>12} {:>20} {:<8} {:>10}  unit",
        "metric", "measured", "published", "band", "verdict", "ours"
    );
    for r in &o.found.rows {
        let _ = writeln!(
            out,
            "  {:<width$} {:>10} {:>12} {:>20} {:<8} {:>10}  {}",
            r.metric,
            shown(r.measured),
            r.published,
            r.band.to_string(),
            r.verdict,
            r.ours.map(number).unwrap_or_default(),
            r.unit
        );
    }
    for note in &o.found.notes {
        let _ = writeln!(out, "  note: {note}");
    }
    let _ = writeln!(
        out,
        "  {inside} inside, {outside} outside; {}; {} events in {:.1} s\n",
        o.found.seeds,
        number(o.events as f64),
        o.wall_s
    );
    out
}

/// A line for each experiment, with its verdict.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut out = format!(
        "{:<4} {:<16} {:<8} {:>6} {:>8} {:>10} {:>9}\n",
        "id", "experiment", "verdict", "inside", "outside", "M events", "s"
    );
    for o in outcomes {
        let (inside, outside) = o.tally();
        let events = o.events as f64 / 1e6;
        let _ = writeln!(
            out,
            "{:<4} {:<16} {:<8} {inside:>6} {outside:>8} {events:>10.1} {:>9.1}",
            o.id, o.name, o.verdict, o.wall_s
        );
    }
    let count = |v| outcomes.iter().filter(|o| o.verdict == v).count();
    let (inside, outside) = (count(Verdict::Inside), count(Verdict::Outside));
    let seconds: f64 = outcomes.iter().map(|o| o.wall_s).sum();
    let all = outcomes.len();
    let _ = writeln!(out, "{all} experiments: {inside} inside, {outside} outside; {seconds:.0} s");
    out
}

/// The rows of some experiments, with a head.
pub(crate) fn csv(outcomes: &[Outcome]) -> String {
    let mut out = String::from(
        "id,name,quick,metric,unit,measured,published,band,verdict,ours,seeds,events,wall_s\n",
    );
    for o in outcomes {
        for r in &o.found.rows {
            let verdict =
                if r.verdict == Verdict::Shown { String::new() } else { r.verdict.to_string() };
            let cells = [
                o.id.clone(),
                o.name.clone(),
                o.quick.to_string(),
                r.metric.clone(),
                r.unit.clone(),
                r.measured.map(|v| v.to_string()).unwrap_or_default(),
                r.published.clone(),
                r.band.to_string(),
                verdict,
                r.ours.map(|v| v.to_string()).unwrap_or_default(),
                o.found.seeds.clone(),
                o.events.to_string(),
                format!("{:.2}", o.wall_s),
            ];
            let cells: Vec<String> = cells.iter().map(|c| quoted(c)).collect();
            let _ = writeln!(out, "{}", cells.join(","));
        }
    }
    out
}

/// The page of some experiments.
pub(crate) fn page(outcomes: &[Outcome]) -> String {
    let mut page = Frame::new("Published results, reproduced");
    page.text(
        "Each experiment runs the shipped core in virtual time. Bands were set before the first \
         run. Hollow circles and dashed black curves are published or derived; solid marks are \
         measured here. Ours is the same measurement with the settings that this implementation \
         ships.",
    );
    let rows: Vec<Vec<String>> = outcomes.iter().map(summary).collect();
    page.table(
        &["", "experiment", "verdict", "rows inside", "outside", "events", "wall time"],
        &rows,
    );
    for o in outcomes {
        chapter(&mut page, o);
    }
    page.finish()
}

fn summary(o: &Outcome) -> Vec<String> {
    let (inside, outside) = o.tally();
    vec![
        format!("<a href=\"#{0}\">{0}</a>", escape(&o.id)),
        escape(&format!("{}{}", o.title, if o.quick { " (quick)" } else { "" })),
        chip(o.verdict).to_owned(),
        inside.to_string(),
        outside.to_string(),
        number(o.events as f64),
        format!("{:.1} s", o.wall_s),
    ]
}

fn chapter(page: &mut Frame, o: &Outcome) {
    page.heading(&o.id, &format!("{} {}", o.id, o.name));
    page.text(&o.title);
    let rows: Vec<Vec<String>> = o.found.rows.iter().map(cells).collect();
    page.table(&["metric", "measured", "published", "band", "verdict", "ours", "unit"], &rows);
    if !o.found.plots.is_empty() {
        page.raw("<div class=\"plots\">");
        for plot in &o.found.plots {
            page.raw(&plot.figure());
        }
        page.raw("</div>");
    }
    if !o.found.notes.is_empty() {
        page.raw("<ul>");
        for note in &o.found.notes {
            page.raw(&format!("<li>{}</li>", escape(note)));
        }
        page.raw("</ul>");
    }
    page.text(&format!("Published: {}. Seeds: {}.", o.source, o.found.seeds));
}

fn cells(r: &Row) -> Vec<String> {
    vec![
        escape(&r.metric),
        shown(r.measured),
        escape(&r.published),
        r.band.to_string(),
        chip(r.verdict).to_owned(),
        r.ours.map(number).unwrap_or_default(),
        escape(&r.unit),
    ]
}

const fn chip(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Inside => "<span class=\"in\">✓ inside</span>",
        Verdict::Outside => "<span class=\"out\">✗ outside</span>",
        Verdict::Shown => "",
    }
}

fn shown(measured: Option<f64>) -> String {
    measured.map_or_else(|| "never".to_owned(), number)
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::outcome::{Band, Found};
    use super::*;

    fn outcome() -> Outcome {
        let row = Row::new("mean, N=8", "periods", 1.7).published(1.515).band(Band::AtMost(1.6));
        let found = Found { seeds: "1..=3".to_owned(), rows: vec![row], ..Found::default() };
        Outcome {
            id: "E1".to_owned(),
            name: "swim-detect".to_owned(),
            title: "t".to_owned(),
            source: "s".to_owned(),
            quick: true,
            verdict: found.verdict(),
            events: 5,
            wall_s: 0.25,
            found,
        }
    }

    #[test]
    fn a_row_outside_of_its_band_says_so_everywhere() {
        let o = outcome();
        assert!(text(&o).contains("OUTSIDE") && text(&o).contains("0 inside, 1 outside"));
        let table = table(std::slice::from_ref(&o));
        assert!(table.contains("E1   swim-detect      OUTSIDE       0        1"), "{table}");
        assert!(table.ends_with("1 experiments: 0 inside, 1 outside; 0 s\n"), "{table}");
        assert!(page(std::slice::from_ref(&o)).contains("✗ outside"));
        let csv = csv(&[o]);
        let row = csv.lines().nth(1).unwrap();
        assert_eq!(
            row,
            "E1,swim-detect,true,\"mean, N=8\",periods,1.7,1.515,≤ 1.6,OUTSIDE,,1..=3,5,0.25"
        );
    }

    #[test]
    fn an_outcome_survives_its_json() {
        let json = serde_json::to_string(&outcome()).unwrap();
        let back: Outcome = serde_json::from_str(&json).unwrap();
        assert_eq!(back.found.rows, outcome().found.rows);
    }
}
