//! The run in short: who failed and when that was noticed, and who was wronged.

use core::time::Duration;

use super::frame::{Frame, escape};
use super::scale::number;
use crate::history::{History, Spell, Wronged};
use crate::report::Report;

/// Adds the sentences and tables.
pub(super) fn short(page: &mut Frame, report: &Report, history: &History) {
    page.heading("short", "In short");
    failed(page, report);
    left(page, history);
    wronged(page, history);
}

fn failed(page: &mut Frame, r: &Report) {
    if r.crashes.is_empty() {
        page.text("No node failed.");
        return;
    }
    let names: Vec<&str> = r.crashes.iter().map(|c| c.node.as_str()).collect();
    let (all, known) = (r.detection.crashes, r.detection.reported_by_all);
    let noticed = if known == all {
        "Every live node noticed each of them.".to_owned()
    } else {
        format!("Every live node noticed {known} of them.")
    };
    page.text(&format!("{} failed: {}. {noticed}", count(names.len(), "node"), list(&names)));
    let after = |s: Option<f64>| s.map_or_else(|| "never".to_owned(), |s| format!("{s:.2}"));
    let row = |c: &crate::report::Noticed| {
        vec![
            escape(&c.node),
            format!("{:.2}", c.at_s),
            after(c.first_s),
            after(c.all_s),
            format!("{} of {}", c.reports, c.expected),
            if c.restarted { "yes".to_owned() } else { String::new() },
        ]
    };
    let rows: Vec<Vec<String>> = r.crashes.iter().take(ROWS_MAX).map(row).collect();
    page.table(
        &[
            "node",
            "failed at (s)",
            "first noticed after (s)",
            "known to all after (s)",
            "reports",
            "started again",
        ],
        &rows,
    );
    more(page, r.crashes.len());
}

fn left(page: &mut Frame, h: &History) {
    let names: Vec<String> = h
        .spells
        .iter()
        .filter(|s| s.kind == "leave")
        .filter_map(|s| Some(format!("n{} at {} s", s.node?, number(s.from.as_secs_f64()))))
        .collect();
    if !names.is_empty() {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        page.text(&format!("{} left on purpose: {}.", count(names.len(), "node"), list(&names)));
    }
}

fn wronged(page: &mut Frame, h: &History) {
    let all = h.beliefs.wronged();
    if all.is_empty() {
        page.text("Nobody was wronged: no node was reported as failed while it was up.");
        return;
    }
    let names: Vec<String> = all.keys().map(|node| format!("n{node}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    page.text(&format!(
        "{} wronged, that is reported as failed while up: {}.",
        if names.len() == 1 {
            "1 node was".to_owned()
        } else {
            format!("{} nodes were", names.len())
        },
        list(&names)
    ));
    let time = |d: Duration| format!("{:.2}", d.as_secs_f64());
    let row = |(node, w): (&u32, &Wronged)| {
        vec![
            format!("n{node}"),
            time(w.first),
            time(w.last),
            w.reports.to_string(),
            escape(&reasons(h, *node, w)),
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().take(ROWS_MAX).map(row).collect();
    page.table(&["node", "first at (s)", "last at (s)", "reports", "what struck then"], &rows);
    more(page, all.len());
}

/// What had struck the network or the member shortly before and while it was wronged.
fn reasons(h: &History, node: u32, w: &Wronged) -> String {
    let concerns = |s: &&Spell| s.node.is_none() || s.node == Some(node);
    let then = |s: &&Spell| s.from <= w.last && s.to + LATELY >= w.first;
    let mut kinds: Vec<&str> =
        h.spells.iter().filter(concerns).filter(then).map(|s| s.kind).collect();
    kinds.dedup();
    if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// The first names, and how many more there are.
fn list(names: &[&str]) -> String {
    let first = names[..names.len().min(NAMES_MAX)].join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn more(page: &mut Frame, all: usize) {
    if all > ROWS_MAX {
        page.text(&format!("... and {} more.", all - ROWS_MAX));
    }
}

/// What struck so long before a wrong report may have caused it: a suspicion takes its time.
const LATELY: Duration = Duration::from_secs(30);
const NAMES_MAX: usize = 20;
const ROWS_MAX: usize = 20;
