//! E7: what a smaller alpha gains in detection and costs in false positives.

use core::time::Duration;

use swim_core::{Config, ConfigBuilder, Instant};

use super::lab::Lab;
use super::lifeguard::{self, Counts, N, PUBLISHED, Point, VARIANTS, Variant};
use super::outcome::{Band, Experiment, Found, Row};
use super::sums::{median, quantile};
use crate::fault::{Fault, Who};
use crate::page::{Mark, Plot};
use crate::world::{Driver, World, WorldConfig};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "E7",
    name: "lifeguard-tune",
    title: "Lifeguard with alpha 5, 4, 3, 2 at beta 6: detection of true crashes, false positives",
    source: "HashiCorp's tuning chart; Lifeguard v1; derived for N = 128",
    cost: "a tenth of the grid of E5 for five configurations",
    run,
};

const ALPHAS: [u32; 4] = [5, 4, 3, 2];
/// Published for each alpha: latency and false positives in % of SWIM, and the bands.
type Published = (Option<f64>, Band, Option<f64>, Band);
const TABLE: [Published; 4] = [
    (Some(100.1), Band::Within(96.1, 104.1), Some(1.7), Band::Free),
    (Some(84.3), Band::Within(80.3, 88.3), Some(4.5), Band::AtMost(8.0)),
    (None, Band::Free, None, Band::Free),
    (Some(56.6), Band::Within(52.6, 60.6), Some(13.6), Band::AtMost(20.0)),
];
const CRASHES: [u32; 6] = [1, 2, 4, 8, 16, 32];

fn run(lab: &Lab) -> Found {
    let seeds = lab.pick(40, 4);
    let points: Vec<Point> = lifeguard::points(lab).into_iter().step_by(lab.pick(10, 4)).collect();
    let swim = Latencies::of(lab, lifeguard::swim, seeds);
    let swim_fp = fp(lab, &points, VARIANTS[0]);
    let mut found = Found {
        seeds: format!(
            "1..={seeds} for each number of crashes; {} points of the grid",
            points.len()
        ),
        ..Found::default()
    };
    let base = median(&swim.all);
    found.rows.push(
        Row::new("SWIM, alpha 5: median full detection", "s", base)
            .published_as("12.2 to 12.9")
            .band(Band::Within(11.9, 13.0)),
    );
    found.rows.push(
        Row::new("SWIM, alpha 5: median first report", "s", median(&swim.first)).published(12.44),
    );
    let ours = Latencies::of(lab, Config::lan, seeds);
    let ours =
        (median(&ours.all) / base * 100.0, share(fp(lab, &points, VARIANTS[PUBLISHED]), swim_fp));
    let mut curves = vec![("SWIM, alpha 5".to_owned(), swim.all.clone())];
    for (alpha, (latency, latency_band, wrong, wrong_band)) in ALPHAS.into_iter().zip(TABLE) {
        let variant = lifeguard_with(alpha);
        let times = Latencies::of(lab, variant.1, seeds);
        let mut rows = [
            Row::new(
                format!("alpha {alpha}: median full detection"),
                "% of SWIM",
                median(&times.all) / base * 100.0,
            )
            .band(latency_band),
            Row::new(
                format!("alpha {alpha}: FP"),
                "% of SWIM",
                share(fp(lab, &points, variant), swim_fp),
            )
            .band(wrong_band),
        ];
        for (row, published) in rows.iter_mut().zip([latency, wrong]) {
            row.published = published.map(crate::page::number).unwrap_or_default();
        }
        if alpha == 4 {
            (rows[0].ours, rows[1].ours) = (Some(ours.0), Some(ours.1));
        }
        found.rows.extend(rows);
        found.rows.push(Row::new(
            format!("alpha {alpha}: p99 full detection"),
            "s",
            quantile(&times.all, 0.99),
        ));
        curves.push((format!("Lifeguard, alpha {alpha}"), times.all));
    }
    found.plots.push(plot(&curves));
    found.note("Full detection: the last of all live members reports the crash.");
    found.note(
        "Cause: memberlist asks for alpha - 2 confirmations, at alpha 2 for none, so a suspicion is \
         SWIM's with a shorter time, 4.2 s, and so are the false positives. The paper has K = 3, \
         with which alpha 2 is slower and quieter, as published.",
    );
    found
}

fn lifeguard_with(alpha: u32) -> Variant {
    match alpha {
        5 => VARIANTS[PUBLISHED - 1],
        4 => ("alpha 4", || Config::lan().lifeguard().suspicion_mult(4)),
        3 => ("alpha 3", || Config::lan().lifeguard().suspicion_mult(3)),
        _ => ("alpha 2", || Config::lan().lifeguard().suspicion_mult(2)),
    }
}

fn fp(lab: &Lab, points: &[Point], variant: Variant) -> u64 {
    Counts::sum(lifeguard::by_concurrency(lab, points, variant).into_iter().map(|(_, c)| c)).fp
}

fn share(fp: u64, of: u64) -> f64 {
    fp as f64 / of as f64 * 100.0
}

/// Seconds from each crash to its first report, and to the last.
struct Latencies {
    first: Vec<f64>,
    all: Vec<f64>,
}

impl Latencies {
    fn of(lab: &Lab, config: fn() -> ConfigBuilder, seeds: u64) -> Self {
        let runs = lab.repeat(&CRASHES, |_| seeds, |k, seed| crash(lab, config(), *k, seed));
        let all = || runs.iter().flatten().flatten();
        Self { first: all().map(|c| c.0).collect(), all: all().map(|c| c.1).collect() }
    }
}

/// One run with some crashes at once: first and last report of each that all have reported.
fn crash(lab: &Lab, config: ConfigBuilder, crashes: u32, seed: u64) -> Vec<(f64, f64)> {
    let mut world = WorldConfig::new(seed, N);
    world.core = config.build().expect("the presets are valid");
    world.driver = Driver::TimersFirst;
    let at = Instant::from_millis(15_000 + crate::draw::hash(seed, 7, 0, 0) % 1000);
    world.faults = vec![(at, Fault::Crash(Who::Random(crashes)))];
    let mut world = World::converged(world);
    world.run_until(at + Duration::from_secs(90));
    lab.count(&world);
    let time = |t: Option<Instant>| t.map(|t| t.since(at).as_secs_f64());
    let known = world.tracker().crashes().iter().filter(|c| c.known_to_all());
    known.filter_map(|c| Some((time(c.first)?, time(c.last)?))).collect()
}

fn plot(curves: &[(String, Vec<f64>)]) -> Plot {
    let mut plot = Plot::new(
        "Full detection of a crash, N = 128",
        "seconds after the crash",
        "share of crashes",
    );
    for (name, times) in curves {
        let mut sorted = times.clone();
        sorted.sort_by(f64::total_cmp);
        let share = |i: usize| (i + 1) as f64 / sorted.len() as f64;
        let every = (sorted.len() / 200).max(1);
        let points = (0..sorted.len()).step_by(every).map(|i| (sorted[i], share(i))).collect();
        plot = plot.with(Mark::Steps, name, points);
    }
    plot
}
