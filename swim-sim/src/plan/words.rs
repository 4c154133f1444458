//! The answer in plain words and a table.

use std::fmt::Write as _;

use super::{Answer, Estimate, Question, Rate};
use crate::page::number;
use crate::text::duration_text;

/// The whole answer, for a person.
pub(crate) fn text(question: &Question, answers: &[Answer]) -> String {
    let Some((asked, others)) = answers.split_first() else { return String::new() };
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} nodes, round trip {}, {} % of packets lost\n",
        question.nodes,
        question.rtt.map_or_else(|| "1 to 4 ms".to_owned(), duration_text),
        number(question.loss * 100.0)
    );
    let _ = writeln!(out, "With {}:", asked.name);
    for line in [crash(asked), change(asked), wronged(asked), traffic(asked, question.nodes)] {
        let _ = writeln!(out, "  * {line}");
    }
    for line in warnings(question, asked) {
        let _ = writeln!(out, "  ! {line}");
    }
    let _ = writeln!(out);
    for other in others {
        let _ = writeln!(out, "{}", compared(asked, other));
    }
    out += &table(answers);
    out += &confidence(answers);
    out
}

fn crash(a: &Answer) -> String {
    if a.first_s.count == 0 {
        return "No crash was noticed while the worlds ran.".to_owned();
    }
    let (first, all) = (&a.first_s, &a.all_s);
    let mut line = format!(
        "A crash is noticed by the first node after {} and known to all after {}.",
        time(first),
        time(all)
    );
    if a.unnoticed > 0 {
        let _ = write!(line, " {} crashes were not known to all by then.", a.unnoticed);
    }
    line
}

fn change(a: &Answer) -> String {
    let mut line =
        format!("A change (of tags, say) reaches every node after {}.", time(&a.change_s));
    if a.unheard > 0 {
        let _ = write!(
            line,
            " {} of {} changes had not reached all when their world ended; a push/pull will.",
            a.unheard,
            a.unheard + a.change_s.count
        );
    }
    line
}

/// A median and what few exceed.
fn time(e: &Estimate) -> String {
    let most = if e.tells_p99() { ("p99", e.p99) } else { ("at most", e.max) };
    format!("{} s (median; {} {} s)", number(e.median), most.0, number(most.1))
}

fn wronged(a: &Answer) -> String {
    let Rate { count, watched_h, per_day, low_per_day, high_per_day } = a.wronged;
    let watched = number(watched_h);
    if count == 0 {
        return format!(
            "No live node was declared dead in {watched} hours of the cluster: less than {} a day, \
             at 95 % confidence.",
            number(high_per_day)
        );
    }
    format!(
        "Live nodes are declared dead {} times a day in the whole cluster ({count} in {watched} \
         hours; {} to {} a day, at 95 % confidence).",
        number(per_day),
        number(low_per_day),
        number(high_per_day)
    )
}

fn traffic(a: &Answer, nodes: u32) -> String {
    let headers = a.datagrams_per_node_s * HEADERS;
    format!(
        "A node sends {} bytes a second when nothing happens, {} with headers; all together {} \
         kB/s.",
        number(a.bytes_per_node_s.round()),
        number((a.bytes_per_node_s + headers).round()),
        number(((a.bytes_per_node_s + headers) * f64::from(nodes) / 1000.0).round())
    )
}

/// What does not fit together.
fn warnings(question: &Question, a: &Answer) -> Vec<String> {
    let mut lines = Vec::new();
    let longest = question.rtt.unwrap_or_default().as_secs_f64() * 1.2;
    if longest > a.probe_timeout_s {
        lines.push(format!(
            "Round trips take up to {} s, longer than probe_timeout ({} s): probes fail though \
             nothing is wrong. Raise probe_timeout and probe_interval, or use wan.",
            number(longest),
            number(a.probe_timeout_s)
        ));
    }
    if a.wronged.low_per_day > 1.0 {
        lines.push(
            "More than one false positive a day: a larger suspicion_mult gives refutations more \
             time; it delays detection by as much."
                .to_owned(),
        );
    }
    lines
}

/// Another setting beside the one that was asked about.
fn compared(asked: &Answer, other: &Answer) -> String {
    let times = |a: f64, b: f64| a / b.max(1e-9);
    let detect = times(other.all_s.median, asked.all_s.median);
    let pace = match detect {
        _ if asked.all_s.count == 0 || other.all_s.count == 0 => "cannot be compared".to_owned(),
        x if x > 1.05 => format!("takes {} times as long to tell all of a crash", number(x)),
        x if x < 0.95 => format!("tells all of a crash {} times as fast", number(1.0 / x)),
        _ => "is as fast".to_owned(),
    };
    let bytes = number(times(other.bytes_per_node_s, asked.bytes_per_node_s));
    let wrongs = if other.wronged.low_per_day > asked.wronged.high_per_day {
        ", with more false positives"
    } else if other.wronged.high_per_day < asked.wronged.low_per_day {
        ", with fewer false positives"
    } else {
        "; their false positives cannot be told apart"
    };
    format!("{} {pace}, for {bytes} times the bytes{wrongs}.", other.name)
}

/// A line for each figure, a column for each of the settings.
fn table(answers: &[Answer]) -> String {
    type Cell = fn(&Answer) -> String;
    let rows: [(&str, Cell); 10] = [
        ("crash noticed, median, s", |a| shown(a.first_s.count, a.first_s.median)),
        ("crash noticed, p99, s", |a| tail(&a.first_s)),
        ("crash known to all, median, s", |a| shown(a.all_s.count, a.all_s.median)),
        ("crash known to all, p99, s", |a| tail(&a.all_s)),
        ("change at all, median, s", |a| shown(a.change_s.count, a.change_s.median)),
        ("change at all, p99, s", |a| tail(&a.change_s)),
        ("false positives a day", |a| match a.wronged.count {
            0 => format!("< {}", number(a.wronged.high_per_day)),
            _ => number(a.wronged.per_day),
        }),
        ("bytes per node and s", |a| number(a.bytes_per_node_s.round())),
        ("the same with headers", |a| {
            number((a.bytes_per_node_s + a.datagrams_per_node_s * HEADERS).round())
        }),
        ("datagrams per node and s", |a| number(a.datagrams_per_node_s)),
    ];
    let cells: Vec<Vec<String>> =
        rows.iter().map(|(_, cell)| answers.iter().map(cell).collect()).collect();
    let width = |i: usize| {
        let widest = cells.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
        widest.max(answers[i].name.chars().count()) + 2
    };
    let widths: Vec<usize> = (0..answers.len()).map(width).collect();
    let mut out = format!("\n{:<30}", "");
    for (a, width) in answers.iter().zip(&widths) {
        let _ = write!(out, "{:>width$}", a.name);
    }
    for ((name, _), row) in rows.iter().zip(&cells) {
        let _ = write!(out, "\n{name:<30}");
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(out, "{cell:>width$}");
        }
    }
    out + "\n"
}

fn shown(count: u64, value: f64) -> String {
    if count == 0 { "never".to_owned() } else { number(value) }
}

/// The 99th percentile, or the largest value marked as such.
fn tail(e: &Estimate) -> String {
    match e.count {
        0 => "never".to_owned(),
        _ if e.tells_p99() => number(e.p99),
        _ => format!("≤ {}", number(e.max)),
    }
}

/// How much was run, and what that can tell.
fn confidence(answers: &[Answer]) -> String {
    let mut out = String::from("\nMeasured on the shipped code, in virtual time:\n");
    for a in answers {
        let _ = writeln!(
            out,
            "  {}: {} worlds (seeds 1 to {}), {} crashes, {} changes, {} hours without a fault; \
             the median of detection by all lies within {} to {} s (95 %)",
            a.name,
            a.worlds,
            a.worlds,
            a.first_s.count.max(a.unnoticed),
            a.change_s.count + a.unheard,
            number(a.wronged.watched_h),
            number(a.all_s.median_low),
            number(a.all_s.median_high)
        );
    }
    out += "  \"≤\" marks the largest of fewer than 100 values, where a p99 cannot be told. Loss is \
            independent\n  from packet to packet, hosts are never slow and clocks never drift: \
            real clusters are worse.\n  --effort 10 measures ten times as much.\n";
    out
}

/// Bytes of the headers of IP and UDP.
const HEADERS: f64 = 28.0;
