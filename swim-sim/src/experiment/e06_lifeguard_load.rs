//! E6: what Lifeguard's parts cost in messages and bytes, on the grid of E5.

use super::lab::Lab;
use super::lifeguard::{self, Counts, PUBLISHED, VARIANTS};
use super::outcome::{Band, Experiment, Found, Row};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "E6",
    name: "lifeguard-load",
    title: "The runs of E5: messages and bytes in % of SWIM",
    source: "Lifeguard (DSN 2018), message load",
    cost: "as E5",
    run,
};

/// Messages and bytes of the paper's five, in % of SWIM.
const TABLE: [(f64, f64); PUBLISHED] =
    [(100.0, 100.0), (98.46, 90.03), (111.31, 106.52), (100.07, 99.01), (110.59, 97.97)];

fn run(lab: &Lab) -> Found {
    let points = lifeguard::points(lab);
    let sums: Vec<Counts> = VARIANTS
        .iter()
        .map(|v| lifeguard::by_concurrency(lab, &points, *v))
        .map(|grid| Counts::sum(grid.into_iter().map(|(_, c)| c)))
        .collect();
    let (swim, ours) = (sums[0], sums[PUBLISHED]);
    let mut found = Found {
        seeds: format!("{} points (C, D, I, repetition) of each configuration", points.len()),
        ..Found::default()
    };
    let percent = |a: u64, b: u64| a as f64 / b as f64 * 100.0;
    for (i, (messages, bytes)) in TABLE.into_iter().enumerate().skip(1) {
        let (name, last) = (VARIANTS[i].0, i + 1 == PUBLISHED);
        found.rows.push(
            Row::new(
                format!("messages, {name}"),
                "% of SWIM",
                percent(sums[i].messages, swim.messages),
            )
            .published(messages)
            .band(Band::Within(messages - 5.0, messages + 5.0))
            .ours(last.then(|| percent(ours.messages, swim.messages))),
        );
        found.rows.push(
            Row::new(format!("bytes, {name}"), "% of SWIM", percent(sums[i].bytes, swim.bytes))
                .published(bytes)
                .band(Band::Within(bytes - 10.0, bytes + 10.0))
                .ours(last.then(|| percent(ours.bytes, swim.bytes))),
        );
    }
    let seconds = swim.runs as f64 * 135.0 * f64::from(lifeguard::N);
    found.rows.push(
        Row::new("messages of a SWIM member", "/s", swim.messages as f64 / seconds).published(6.6),
    );
    found.rows.push(
        Row::new("bytes of a message, SWIM", "B", swim.bytes as f64 / swim.messages as f64)
            .published(368.0),
    );
    found.note(
        "Messages are datagrams and messages of streams; the published totals may count parts.",
    );
    found.note("Names here are 2 to 4 bytes and members have no metadata; Consul's have both.");
    found.note(
        "Cause: the news of these runs is that of E5's false positives, of which SWIM has a hundred \
         times the published here, so what a part of Lifeguard saves and costs is of another total.",
    );
    found
}
