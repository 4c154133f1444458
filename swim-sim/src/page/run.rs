//! The page of one run: who held what of whom, and when.

use super::frame::Frame;
use super::plot::{Mark, Plot};
use super::scale::number;
use super::short::short;
use super::timeline::{Bar, Level, Timeline};
use crate::history::{Beliefs, History, Opinion, Sample, Spell};
use crate::report::Report;
use crate::serf::Share;

/// The page of a run.
pub(crate) fn run_page(report: &Report, history: &History) -> String {
    let title = format!("swim-sim run: {} nodes, seed {}", report.nodes, report.seed);
    let mut page = Frame::new(&title);
    facts(&mut page, report);
    short(&mut page, report, history);
    page.heading("time", "What nodes held of each other");
    page.raw(
        "<p>A row is a member. Its height is the share of all nodes that suspect it or hold it for \
         failed or left; behind it stands what was really the case.</p><p class=\"keys\">\
         <span class=\"k-suspect\">suspect</span><span class=\"k-failed\">held for failed or left</span>\
         <span class=\"k-gone\">really down or gone</span><span class=\"k-stall\">frozen</span></p>",
    );
    let (html, script) = timeline(history);
    page.raw(&html).script(script);
    page.heading("times", "Detection and dissemination");
    distributions(&mut page, history);
    page.heading("oracles", "Oracles");
    oracles(&mut page, report);
    page.heading("faults", "What struck");
    strikes(&mut page, history);
    page.finish()
}

fn facts(page: &mut Frame, r: &Report) {
    let t = &r.traffic;
    let views = match (&r.views.difference, r.views.converged_s) {
        (None, Some(s)) => format!("equal, {} s after the last fault", number(s)),
        (None, None) => "equal".to_owned(),
        (Some(_), _) => "differ at the end".to_owned(),
    };
    let mut facts = vec![
        ("virtual time", format!("{} s", number(r.virtual_s))),
        (
            "crashes known to all",
            format!("{} of {}", r.detection.reported_by_all, r.detection.crashes),
        ),
        ("reports of nodes that were up and reachable", r.false_positives.reachable.to_string()),
        ("views", views),
        ("datagrams per node and second", number(t.datagrams_per_node_s)),
        ("bytes of datagrams per node and second", number(t.datagram_bytes_per_node_s)),
        ("bytes of streams per node and second", number(t.stream_bytes_per_node_s)),
        ("digest", r.digest.clone()),
    ];
    if let Some(t) = &r.serf {
        let of = |share: &Share| format!("{} of {}", share.got, share.due);
        facts.push(("deliveries of user events", of(&t.delivered)));
        facts.push(("answers to queries", format!("{} to {}", t.answers, t.queries)));
        facts.push(("reports of who left", of(&t.leaves_told)));
    }
    let items: Vec<String> =
        facts.iter().map(|(name, value)| format!("<li><b>{value}</b>{name}</li>")).collect();
    page.raw(&format!("<ul class=\"facts\">{}</ul>", items.concat()));
    if let Some(difference) = &r.views.difference {
        page.text(&format!("Views differ: {difference}"));
    }
}

fn timeline(h: &History) -> (String, &'static str) {
    let mut t = Timeline::new(h.end.as_secs_f64());
    t.axis();
    for kind in ["partition", "loss", "crash", "restart", "leave", "stall", "io stall"] {
        let bars: Vec<Bar> = h.spells.iter().filter(|s| s.kind == kind).map(fault_bar).collect();
        if !bars.is_empty() {
            t.bars(&format!("{kind} ({})", bars.len()), &bars);
        }
    }
    t.heading("All members: how many somebody suspects or holds for failed");
    let all = h.beliefs.affected(0..h.nodes);
    t.levels("all members", 60.0, &[], &levels(h, &all, h.nodes, "members"));
    rows(&mut t, h);
    t.axis();
    panels(&mut t, h);
    t.axis();
    t.finish()
}

/// A row for each member of a small world; of a large one, rows for groups and for those members
/// of whom most was held.
fn rows(t: &mut Timeline, h: &History) {
    let shown: Vec<u32> = if h.nodes <= ROWS_MAX {
        t.heading("Each member");
        (0..h.nodes).collect()
    } else {
        let size = h.nodes.div_ceil(GROUPS);
        t.heading(&format!(
            "Groups of {size}: the share of them that somebody suspects or holds for failed"
        ));
        for first in (0..h.nodes).step_by(size as usize) {
            let last = (first + size).min(h.nodes);
            let opinions = h.beliefs.affected(first..last);
            let name = format!("n{first} to n{}", last - 1);
            t.levels(&name, 10.0, &[], &levels(h, &opinions, last - first, "of them"));
        }
        t.axis();
        let doubted = h.beliefs.most_doubted(DOUBTED);
        t.heading(&format!("The {} members of whom most was held", doubted.len()));
        doubted
    };
    for member in shown {
        let truth: Vec<Bar> =
            h.spells.iter().filter(|s| s.node == Some(member)).filter_map(truth_bar).collect();
        let levels = levels(h, h.beliefs.of(member), h.nodes - 1, "nodes");
        t.levels(&format!("n{member}"), 12.0, &truth, &levels);
    }
}

fn levels(h: &History, opinions: &[Opinion], of: u32, whom: &str) -> Vec<Level> {
    let share = |count: u32| f64::from(count) / f64::from(of.max(1));
    let level = |o: &Opinion| Level {
        at_s: f64::from(o.step) / f64::from(Beliefs::STEPS) * h.end.as_secs_f64(),
        failed: share(o.failed),
        suspect: share(o.suspect),
        text: format!("{} suspect, {} failed of {of} {whom}", o.suspect, o.failed),
    };
    opinions.iter().map(level).collect()
}

fn fault_bar(s: &Spell) -> Bar {
    let class = match s.kind {
        "stall" | "io stall" => "stall",
        "crash" | "leave" => "gone",
        _ => "fault",
    };
    Bar { from_s: s.from.as_secs_f64(), to_s: s.to.as_secs_f64(), class, text: s.text.clone() }
}

/// What a fault means for the member's own row.
fn truth_bar(s: &Spell) -> Option<Bar> {
    matches!(s.kind, "crash" | "leave" | "stall" | "io stall").then(|| fault_bar(s))
}

fn panels(t: &mut Timeline, h: &History) {
    t.heading("All nodes that are up: smallest, median and largest");
    let samples = &h.samples.list;
    let panel = |t: &mut Timeline, name: &str, of: fn(&Sample) -> [f64; 3]| {
        let line = |i: usize| samples.iter().map(|s| (s.at_s, of(s)[i])).collect();
        t.lines(
            name,
            &[
                ("high", "largest", line(2)),
                ("low", "smallest", line(0)),
                ("mid", "median", line(1)),
            ],
        );
    };
    let up = samples.iter().map(|s| (s.at_s, f64::from(s.up))).collect();
    let live = |i: usize| samples.iter().map(|s| (s.at_s, s.live[i])).collect();
    t.lines(
        "members taken for live",
        &[
            ("low", "smallest view", live(0)),
            ("high", "largest view", live(2)),
            ("mid", "nodes up", up),
        ],
    );
    panel(t, "health score (0 is best)", |s| s.health);
    panel(t, "datagrams per second", |s| s.datagrams);
    panel(t, "bytes per second", |s| s.bytes);
}

fn distributions(page: &mut Frame, h: &History) {
    if h.beliefs.detection_s.is_empty() {
        page.text("No crash was reported.");
        return;
    }
    let shares = |title: &str, x: &str, values: &[f64]| {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let share = |i: usize| (i + 1) as f64 / sorted.len() as f64;
        let every = (sorted.len() / 400).max(1);
        let last = sorted.last().map(|v| (*v, 1.0));
        let points = (0..sorted.len()).step_by(every).map(|i| (sorted[i], share(i))).chain(last);
        Plot::new(title, x, "share of reports").with(
            Mark::Steps,
            "all reports of crashes",
            points.collect(),
        )
    };
    let b = &h.beliefs;
    page.raw("<div class=\"plots\">");
    page.raw(&shares("From the crash to each report", "seconds", &b.detection_s).figure());
    page.raw(
        &shares("From the first report of a crash to each other", "seconds", &b.dissemination_s)
            .figure(),
    );
    page.raw("</div>");
}

fn oracles(page: &mut Frame, r: &Report) {
    let judged: Vec<_> =
        r.oracles.iter().filter(|v| v.oracle != "history" && v.oracle != "trace").collect();
    if judged.is_empty() {
        page.text("The run had no oracles.");
        return;
    }
    let row = |v: &&crate::oracle::Verdict| {
        let numbers = [v.cases, v.excused, v.open].map(|n| n.to_string());
        let found = match v.violations {
            0 => "<span class=\"in\">✓ none</span>".to_owned(),
            n => format!("<span class=\"out\">✗ {n}</span>"),
        };
        [vec![v.oracle.to_owned()], numbers.to_vec(), vec![found]].concat()
    };
    let rows: Vec<Vec<String>> = judged.iter().map(row).collect();
    page.table(&["oracle", "cases", "excused", "open", "violations"], &rows);
    for violation in r.violations.iter().take(STRIKES_SHOWN) {
        page.text(violation);
    }
}

fn strikes(page: &mut Frame, h: &History) {
    let time = |d: core::time::Duration| format!("{:.3}", d.as_secs_f64());
    let spells: Vec<&Spell> = h.spells.iter().collect();
    if spells.is_empty() {
        page.text("Nothing.");
        return;
    }
    let rows: Vec<Vec<String>> = spells
        .iter()
        .take(STRIKES_SHOWN)
        .map(|s| vec![time(s.from), time(s.to), super::frame::escape(&s.text)])
        .collect();
    page.table(&["from (s)", "to (s)", "what"], &rows);
    let more = spells.len().saturating_sub(STRIKES_SHOWN) as u64 + h.spells.dropped;
    if more > 0 {
        page.text(&format!("... and {more} more."));
    }
}

/// Worlds of up to this many nodes have a row for each.
const ROWS_MAX: u32 = 150;
/// Larger ones have about this many groups, and rows for this many members.
const GROUPS: u32 = 50;
const DOUBTED: usize = 60;
/// Strikes in the table at most.
const STRIKES_SHOWN: usize = 100;
