//! The summary of a run, for a person.

use std::fmt::Write as _;

use super::say::say;
use crate::counts::FaultCounts;
use crate::oracle::Verdict;
use crate::report::{Report, Spread};
use crate::scenario::Measure;
use crate::serf::{Share, Tally};

/// Prints the summary, or the parts of it that are asked for.
pub(super) fn print(report: &Report, measure: &[Measure]) {
    say!("{}", text(report, measure).trim_end());
}

/// The summary, a line per fact.
pub(super) fn text(r: &Report, measure: &[Measure]) -> String {
    let mut out = Rows::default();
    out.row("nodes, seed", format!("{} nodes, seed {}", thousands(r.nodes.into()), r.seed));
    out.row("virtual time", format!("{:.1} s", r.virtual_s));
    for part in Measure::ALL.into_iter().filter(|part| measure.contains(part)) {
        match part {
            Measure::Faults => fault_rows(&mut out, r),
            Measure::Detection => detection_rows(&mut out, r),
            Measure::FalsePositives => false_positive_rows(&mut out, r),
            Measure::Views => view_rows(&mut out, r),
            Measure::Serf => serf_rows(&mut out, r),
            Measure::Traffic => traffic_rows(&mut out, r),
        }
    }
    out.row(
        "events",
        format!(
            "{} in {:.2} s: {:.2} M/s, {:.0} virtual s per s",
            thousands(r.traffic.total.events),
            r.speed.wall_s,
            r.speed.events_per_s / 1e6,
            r.speed.virtual_per_wall
        ),
    );
    if let Some(bytes) = r.speed.memory_peak_bytes {
        out.row("memory", format!("{} kB at most", thousands(bytes / 1000)));
    }
    out.row("digest", r.digest.clone());
    oracles(&mut out.0, r);
    for text in r.unmet.iter().take(SHOWN) {
        let _ = writeln!(out.0, "VACUOUS {text}");
    }
    out.0
}

#[derive(Default)]
struct Rows(String);

impl Rows {
    fn row(&mut self, name: &str, value: String) {
        let _ = writeln!(self.0, "{name:<22} {value}");
    }
}

fn fault_rows(out: &mut Rows, r: &Report) {
    let (struck, befell) = faults(&r.faults);
    out.row("faults", struck);
    if !befell.is_empty() {
        out.row("datagrams lost", befell);
    }
    if r.faults.streams_failed > 0 {
        out.row("streams failed", thousands(r.faults.streams_failed));
    }
}

fn detection_rows(out: &mut Rows, r: &Report) {
    let d = &r.detection;
    if d.crashes == 0 {
        return;
    }
    let mut known = format!("{} of {} known to every live node", d.reported_by_all, d.crashes);
    let (got, expected) = (thousands(d.reports), thousands(d.reports_expected));
    known += &format!(", {got} of {expected} reports");
    if d.restarted > 0 {
        known += &format!(", {} restarted before", d.restarted);
    }
    out.row("crashes", known);
    out.row("  first report after", spread(&d.first_s));
    out.row("  known to all after", spread(&d.all_s));
    out.row("  each report after", spread(&d.each_s));
}

fn false_positive_rows(out: &mut Rows, r: &Report) {
    let (wrong, cut) = (r.false_positives.reachable, r.false_positives.across_partition);
    let mut positives = format!("{} reports of reachable live nodes", thousands(wrong));
    if cut > 0 {
        positives += &format!(" ({} more across partitions and blocks)", thousands(cut));
    }
    out.row("false positives", positives);
}

fn view_rows(out: &mut Rows, r: &Report) {
    out.row("views", views(r));
    if let [Some(a), Some(b), Some(c)] = r.views.known_s
        && c > 0.0
    {
        out.row(
            "known pairs",
            format!("99 % at {a:.2} s, 99.9 % at {b:.2} s, 99.99 % at {c:.2} s"),
        );
    }
}

fn serf_rows(out: &mut Rows, r: &Report) {
    for (name, text) in r.serf.iter().flat_map(serf_facts) {
        out.row(name, text);
    }
}

/// What Serf nodes sent and were told: a name and a text for each fact.
pub(super) fn serf_facts(t: &Tally) -> Vec<(&'static str, String)> {
    let of = |share: &Share| format!("{} of {}", thousands(share.got), thousands(share.due));
    let mut facts = Vec::new();
    if t.events > 0 {
        let text = format!("{} sent, {} deliveries", thousands(t.events), of(&t.delivered));
        facts.push(("user events", text));
    }
    if t.queries > 0 {
        let heard = format!("{} asked, {} heard", thousands(t.queries), thousands(t.heard));
        let mut text = format!("{heard}, {} answers", thousands(t.answers));
        if t.acks > 0 {
            text += &format!(", {} acknowledgements", thousands(t.acks));
        }
        facts.push(("queries", format!("{text}, {} over", thousands(t.ended))));
    }
    if t.left > 0 {
        let told = of(&t.leaves_told);
        facts.push(("left", format!("{} nodes, {told} reports", thousands(t.left))));
    }
    for (name, count) in [("changes of tags", t.tags), ("forced leaves", t.force_leaves)] {
        if count > 0 {
            facts.push((name, thousands(count)));
        }
    }
    facts
}

fn traffic_rows(out: &mut Rows, r: &Report) {
    let t = &r.traffic;
    out.row(
        "datagrams per node",
        format!("{:.2} /s, {:.0} B/s", t.datagrams_per_node_s, t.datagram_bytes_per_node_s),
    );
    out.row(
        "streams per node",
        format!("{:.3} /s, {:.0} B/s", t.streams_per_node_s, t.stream_bytes_per_node_s),
    );
    out.row(
        "busiest node",
        format!("{} datagrams, {} B", thousands(t.datagrams_max), thousands(t.datagram_bytes_max)),
    );
}

/// What struck, and what was lost by it.
fn faults(counts: &FaultCounts) -> (String, String) {
    let phrase = |(name, n): (&str, u64)| {
        let name = name.replace('_', " ");
        match (name.as_str(), n) {
            ("crashes", 1) => "1 crash".to_owned(),
            ("lost", _) => format!("{} by chance", thousands(n)),
            ("cut", _) => format!("{} across a partition", thousands(n)),
            ("blocked", _) => format!("{} by blocks", thousands(n)),
            ("oversized", _) => format!("{} by their size", thousands(n)),
            ("congested", _) => format!("{} by full interfaces", thousands(n)),
            ("overflowed", _) => format!("{} by full sockets", thousands(n)),
            (name, 1) => format!("1 {}", name.trim_end_matches('s')),
            (name, _) => format!("{} {name}", thousands(n)),
        }
    };
    let happened: Vec<(&str, u64)> = {
        let shown = |&(name, n): &(&str, u64)| n > 0 && name != "streams_failed";
        counts.iter().filter(shown).collect()
    };
    let befell = |name: &str| LOST.contains(&name);
    let list = |which: bool| {
        let chosen = happened.iter().filter(|(name, _)| befell(name) == which);
        chosen.map(|&f| phrase(f)).collect::<Vec<_>>().join(", ")
    };
    let struck = list(false);
    (if struck.is_empty() { "none".to_owned() } else { struck }, list(true))
}

/// Counters of datagrams that did not arrive.
const LOST: [&str; 7] =
    ["lost", "cut", "blocked", "oversized", "congested", "to_the_dead", "overflowed"];

fn views(r: &Report) -> String {
    match (&r.views.difference, r.views.converged_s) {
        (Some(difference), _) => format!("differ: {difference}"),
        (None, Some(s)) if r.faults.iter().any(|(_, n)| n > 0) => {
            format!("equal, {s:.2} s after the last fault")
        }
        (None, Some(s)) => format!("equal, {s:.2} s after the start"),
        (None, None) => "equal".to_owned(),
    }
}

fn oracles(out: &mut String, r: &Report) {
    if r.oracles.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n{:<16} {:>12} {:>10} {:>10} {:>12}",
        "oracle", "cases", "excused", "open", "violations"
    );
    for v in &r.oracles {
        let _ = writeln!(
            out,
            "{:<16} {:>12} {:>10} {:>10} {:>12}",
            v.oracle,
            thousands(v.cases),
            thousands(v.excused),
            thousands(v.open),
            thousands(v.violations)
        );
    }
    for excused in r.oracles.iter().filter_map(excuses) {
        let _ = writeln!(out, "{excused}");
    }
    for v in r.oracles.iter().filter(|v| v.open > 0) {
        let open = thousands(v.open);
        let _ = writeln!(out, "OPEN {}: {open} cases, since the run ended too soon", v.oracle);
    }
    for text in r.violations.iter().take(SHOWN) {
        let _ = writeln!(out, "VIOLATION {text}");
    }
    if r.violations.len() > SHOWN {
        let _ = writeln!(out, "... and {} more", r.violations.len() - SHOWN);
    }
}

/// What excused cases of an oracle, if anything did.
pub(super) fn excuses(verdict: &Verdict) -> Option<String> {
    let told = verdict.excuses.iter().filter(|e| e.cases > 0);
    let told: Vec<String> = told.map(|e| format!("{} {}", thousands(e.cases), e.why)).collect();
    let judged = thousands(verdict.cases);
    let told = (!told.is_empty()).then(|| told.join(", "))?;
    Some(format!("{}: {judged} judged; excused: {told}", verdict.oracle))
}

fn spread(s: &Spread) -> String {
    if s.count == 0 {
        return "never".to_owned();
    }
    format!("median {:.2} s, p99 {:.2} s, max {:.2} s", s.median, s.p99, s.max)
}

/// `1234567` as `1,234,567`.
pub(super) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Violations that a summary shows.
const SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(n), text);
        }
    }
}
