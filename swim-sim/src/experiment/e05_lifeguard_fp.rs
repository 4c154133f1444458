//! E5: false positives while some members block, with and without Lifeguard's parts.

use swim_core::{Config, ConfigBuilder};

use super::lab::Lab;
use super::lifeguard::{self, Counts, PUBLISHED, Point, VARIANTS};
use super::outcome::{Band, Experiment, Found, Row};
use crate::page::{Mark, Plot};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "E5",
    name: "lifeguard-fp",
    title: "128 members, 1 to 32 of them block again and again: healthy members held for failed",
    source: "Lifeguard (DSN 2018), aggregated false positives and figure 2",
    cost: "2.6 G messages for 4,320 runs of six configurations: hours of CPU; --repeats 1 takes a \
           tenth",
    run,
};

/// For each of the paper's: FP and FP- in % of SWIM, and their bands.
const TABLE: [(f64, Band, f64, Band); PUBLISHED] = [
    (100.0, Band::Free, 100.0, Band::Free),
    (67.72, Band::Within(45.0, 85.0), 32.88, Band::Free),
    (3.00, Band::AtMost(6.0), 6.71, Band::Free),
    (94.08, Band::Within(80.0, 105.0), 44.57, Band::Free),
    (1.53, Band::AtMost(3.0), 1.89, Band::AtMost(4.0)),
];

/// Figure 2: false positives of 480 runs, by concurrency.
const FIGURE: [(&str, [f64; 9]); PUBLISHED] = [
    ("SWIM", [975., 5888., 11.4e3, 23.1e3, 34.6e3, 45.5e3, 58.9e3, 76.6e3, 81.5e3]),
    ("LHA-Probe", [526., 3231., 7.3e3, 15.2e3, 22.0e3, 36.3e3, 41.9e3, 50.1e3, 52.6e3]),
    ("LHA-Suspicion", [51., 312., 147., 590., 1354., 1135., 1785., 2916., 2002.]),
    ("Buddy System", [1013., 6460., 8.6e3, 20.2e3, 34.9e3, 46.6e3, 58.1e3, 70.1e3, 71.3e3]),
    ("Lifeguard", [21., 138., 115., 231., 579., 763., 865., 1348., 1211.]),
];
const FIGURE_RUNS: f64 = 480.0;

/// Of SWIM, in all runs.
const FP: f64 = 339_002.0;
const FP_HEALTHY: f64 = 1326.0;
const RUNS: f64 = 4320.0;

fn run(lab: &Lab) -> Found {
    let points = lifeguard::points(lab);
    let grid: Vec<Vec<(u32, Counts)>> =
        VARIANTS.iter().map(|v| lifeguard::by_concurrency(lab, &points, *v)).collect();
    let sums: Vec<Counts> = grid.iter().map(|g| Counts::sum(g.iter().map(|(_, c)| *c))).collect();
    let mut found = Found {
        seeds: format!("{} points (C, D, I, repetition) of each configuration", points.len()),
        ..Found::default()
    };
    let percent = |a: u64, b: u64| a as f64 / b as f64 * 100.0;
    for (i, (fp, fp_band, healthy, healthy_band)) in TABLE.into_iter().enumerate() {
        let name = VARIANTS[i].0;
        let ours = (name == "Lifeguard").then(|| {
            (percent(sums[5].fp, sums[0].fp), percent(sums[5].fp_healthy, sums[0].fp_healthy))
        });
        found.rows.push(
            Row::new(format!("FP, {name}"), "% of SWIM", percent(sums[i].fp, sums[0].fp))
                .published(fp)
                .band(fp_band)
                .ours(ours.map(|o| o.0)),
        );
        let share = percent(sums[i].fp_healthy, sums[0].fp_healthy);
        found.rows.push(
            Row::new(format!("FP at healthy members, {name}"), "% of SWIM", share)
                .published(healthy)
                .band(healthy_band)
                .ours(ours.map(|o| o.1)),
        );
    }
    let swim = &grid[0];
    let at = |c: u32| swim.iter().find(|g| g.0 == c).map_or(0.0, |g| g.1.fp as f64);
    found.rows.push(
        Row::new("FP of SWIM, C=32 to C=1", "times", at(32) / at(1))
            .published(84.0)
            .band(Band::Within(40.0, 160.0)),
    );
    let falls = swim.windows(2).filter(|w| w[1].1.fp < w[0].1.fp).count();
    found.rows.push(Row::new("FP of SWIM falls with C", "times", falls as f64).published(0.0));
    let per_run = |fp: u64, runs: u64| fp as f64 / runs as f64;
    found.rows.push(
        Row::new("FP of SWIM", "per run", per_run(sums[0].fp, sums[0].runs)).published(FP / RUNS),
    );
    found.rows.push(
        Row::new(
            "FP of SWIM at healthy members",
            "per run",
            per_run(sums[0].fp_healthy, sums[0].runs),
        )
        .published(FP_HEALTHY / RUNS),
    );
    found.plots.push(figure(&grid));
    explain(lab, &points, &mut found);
    found
}

/// What comes of it if a member that is blocked does not probe and gossip, either.
fn explain(lab: &Lab, points: &[Point], found: &mut Found) {
    let swim = lifeguard::by_concurrency(lab, &lifeguard::frozen(points), VARIANTS[0]);
    let sum = Counts::sum(swim.iter().map(|(_, counts)| *counts));
    let at = |c: u32| swim.iter().find(|g| g.0 == c).map_or(0.0, |g| g.1.fp as f64);
    let per_run = |fp: u64| fp as f64 / sum.runs as f64;
    let row = |what: &str, unit, value, published| {
        Row::new(format!("whole driver frozen: {what}"), unit, value).published(published)
    };
    found.rows.extend([
        row("FP of SWIM", "per run", per_run(sum.fp), FP / RUNS),
        row("FP of SWIM at healthy members", "per run", per_run(sum.fp_healthy), FP_HEALTHY / RUNS),
        row("FP of SWIM, C=32 to C=1", "times", at(32) / at(1), 84.0),
    ]);
    found.note(
        "Cause: here a blocked member goes on probing and gossiping, and what it sends waits. It \
         suspects one member for each second that it is blocked, and its word of their deaths \
         goes out before it reads that they live. In the published program each of these tasks \
         waits in its first send. With whole drivers frozen there are fewer false positives than \
         published instead of more, hardly any at healthy members, and they grow with C as \
         published: the program lies between the two. What would close it: a fault that blocks \
         probes, gossip and answers each at its first send and lets suspicions end.",
    );
}

/// Figure 2, scaled to the number of runs that it shows.
fn figure(grid: &[Vec<(u32, Counts)>]) -> Plot {
    let mut plot = Plot::new(
        "False positives by members that block at once (480 runs each)",
        "members that block at once",
        "false positives",
    )
    .log_y();
    for ((name, _), counts) in VARIANTS.iter().zip(grid) {
        let scaled = |c: &Counts| c.fp as f64 * FIGURE_RUNS / c.runs as f64;
        plot = plot.with(
            Mark::Line,
            name,
            counts.iter().map(|(c, n)| (f64::from(*c), scaled(n))).filter(|p| p.1 > 0.0).collect(),
        );
    }
    for (name, published) in FIGURE {
        let points = lifeguard::CONCURRENT.iter().zip(published).map(|(c, v)| ((*c).into(), v));
        plot = plot.with(Mark::Published, &format!("{name}, published"), points.collect());
    }
    plot
}

/// Lifeguard whose members do not answer accusations, for the negative control.
pub(super) fn control(lab: &Lab) -> Row {
    fn mute() -> ConfigBuilder {
        Config::lan().lifeguard().ablate(|switches| switches.refute = false)
    }
    let quick: Vec<_> = lifeguard::points(lab).into_iter().step_by(6).collect();
    let fp = |variant| {
        Counts::sum(lifeguard::by_concurrency(lab, &quick, variant).into_iter().map(|(_, c)| c)).fp
    };
    let (swim, mute) = (fp(VARIANTS[0]), fp(("Lifeguard without refutation", mute)));
    Row::new("E5 FP, Lifeguard without refutation", "% of SWIM", mute as f64 / swim as f64 * 100.0)
        .published(1.53)
        .band(Band::AtMost(3.0))
}
