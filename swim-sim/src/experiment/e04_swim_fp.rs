//! E4: how often a lossy network makes a live member look dead (SWIM sections 3.1 and 4.2).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use swim_core::{Config, ConfigBuilder, Event, Instant};

use super::lab::Lab;
use super::outcome::{Band, Experiment, Found, Row};
use super::tap::{Notes, Tap};
use crate::link::Links;
use crate::machine::Machine as _;
use crate::page::{Mark, Plot, number};
use crate::world::{World, WorldConfig};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "E4",
    name: "swim-fp",
    title: "Live members declared dead under packet loss, without and with suspicion",
    source: "Gupta, Chandra, Goldszmidt (PODC 2001), as used by SWIM; derived values",
    cost: "about 5 minutes of CPU",
    run,
};

const N: u32 = 32;
const LOSSES: [f64; 4] = [0.01, 0.05, 0.10, 0.20];
const HELPERS: [u32; 4] = [1, 2, 3, 4];

fn run(lab: &Lab) -> Found {
    let (periods, times) = lab.pick((5_000, 8), (1_000, 2));
    let cells: Vec<(f64, u32)> = LOSSES.iter().flat_map(|l| HELPERS.map(|k| (*l, k))).collect();
    let rate = |config: fn(u32) -> ConfigBuilder, count: fn(Deaths) -> u64| -> Vec<f64> {
        let run = |c: &(f64, u32), seed| count(lossy(lab, config(c.1), c.0, periods, seed));
        let all = lab.repeat(&cells, |_| times, run);
        let member_periods = f64::from(N) * periods as f64 * times as f64;
        all.into_iter()
            .map(|events| events.into_iter().sum::<u64>() as f64 / member_periods)
            .collect()
    };
    let off = whole_groups(lab, &cells, periods * times);
    let on = rate(swim2002, |d| d.declared);
    let ours = rate(|k| Config::lan().indirect_checks(k), |d| d.declared);
    let mut found = Found { seeds: format!("1..={times} for each cell"), ..Found::default() };
    let member_periods = f64::from(N) * periods as f64 * times as f64;
    for (i, &(loss, k)) in cells.iter().enumerate() {
        let (expected, percent) = (failed(loss, k), loss * 100.0);
        // Three deviations of a count, where that is more than 5 %.
        let slack = expected * (3.0 / (expected * member_periods).sqrt()).max(0.05);
        let band = Band::Within((expected - slack).max(0.0), expected + slack);
        found.rows.push(
            Row::new(
                format!("no suspicion, {percent} % loss, k={k}"),
                "FP / member / period",
                off[i],
            )
            .published(expected)
            .band(band),
        );
    }
    for (i, &(loss, k)) in cells.iter().enumerate() {
        // Ten times fewer than a handful cannot be told from chance.
        let told = off[i] * member_periods >= 30.0;
        let band = if told { Band::AtMost(off[i] / 10.0) } else { Band::Free };
        let metric = format!("with suspicion, {} % loss, k={k}", loss * 100.0);
        found.rows.push(
            Row::new(metric, "FP / member / period", on[i])
                .published_as("≥ 10 times fewer")
                .band(band)
                .ours(ours[i]),
        );
    }
    found.plots.push(plot(&off, &on, &cells));
    let worst = lossy(lab, without_suspicion(1), 0.20, periods, 1);
    found.note(
        "Without suspicion a failed probe is a death. The formula is about a group that holds all \
         its members for live, so it is the first probe of each member in a world of its own that \
         is judged, once for each member and period.",
    );
    found.note(format!(
        "A group without suspicion does not stay whole: in {periods} periods at 20 % loss and k=1 \
         there were {} probes for each member and period, since members that hold each other for \
         dead do not probe each other; {} of them failed, where the formula has {}.",
        number(worst.probes as f64 / f64::from(N) / periods as f64),
        number(worst.failed_probes as f64 / worst.probes as f64),
        number(failed(0.20, 1)),
    ));
    found.note(
        "With suspicion a death counts once for a member and incarnation, whoever declares it.",
    );
    found
}

/// Failed probes for each member and period without suspicion, while all are held for live: worlds
/// of two periods, in which every member's first probe starts in the first and ends in the second.
fn whole_groups(lab: &Lab, cells: &[(f64, u32)], periods: u64) -> Vec<f64> {
    let batches = periods.div_ceil(BATCH);
    let batch = |c: &(f64, u32), batch: u64| -> u64 {
        let seeds = (batch - 1) * BATCH + 1..=batch * BATCH;
        seeds.map(|seed| lossy(lab, without_suspicion(c.1), c.0, 2, seed).failed_probes).sum()
    };
    let failed = lab.repeat(cells, |_| batches, batch);
    let probes = (batches * BATCH) as f64 * f64::from(N);
    failed.into_iter().map(|counts| counts.into_iter().sum::<u64>() as f64 / probes).collect()
}

/// Worlds of two periods that one job runs.
const BATCH: u64 = 100;

/// P(a probe of a live member fails): ping and ack, then k helpers with four messages each.
fn failed(loss: f64, k: u32) -> f64 {
    let q = 1.0 - loss;
    (1.0 - q.powi(2)) * (1.0 - q.powi(4)).powi(k as i32)
}

fn swim2002(k: u32) -> ConfigBuilder {
    Config::lan().swim2002().indirect_checks(k)
}

fn without_suspicion(k: u32) -> ConfigBuilder {
    swim2002(k).ablate(|switches| switches.suspicion = false)
}

/// What went wrong in a run.
struct Deaths {
    /// Probes that nobody answered, all of live members.
    failed_probes: u64,
    /// All probes.
    probes: u64,
    /// Members declared dead, once for each incarnation.
    declared: u64,
}

fn lossy(lab: &Lab, config: ConfigBuilder, loss: f64, periods: u64, seed: u64) -> Deaths {
    let mut world = WorldConfig::new(seed, N);
    world.core = config.build().expect("the presets are valid");
    world.links = Links::default().with_loss(loss).expect("a share");
    let dead = Arc::new(Mutex::new(BTreeSet::new()));
    let shared = Arc::clone(&dead);
    let mut world = World::converged_with(world, Tap::make(move |_| Declared(Arc::clone(&shared))));
    world.run_until(Instant::from_secs(periods));
    lab.count(&world);
    let stats = || (0..N).filter_map(|i| world.machine(i)).map(|m| m.stats());
    let (failed_probes, probes) =
        (stats().map(|s| s.probes_failed).sum(), stats().map(|s| s.probes).sum());
    let declared = dead.lock().expect("one thread runs a world").len() as u64;
    Deaths { failed_probes, probes, declared }
}

/// Who was declared dead at which incarnation, by all nodes of a world.
struct Declared(Arc<Mutex<BTreeSet<(String, u32)>>>);

impl Notes for Declared {
    fn on_event(&mut self, _: Instant, event: &Event) {
        if let Event::Down { member, .. } = event {
            let mut dead = self.0.lock().expect("one thread runs a world");
            dead.insert((member.name().to_owned(), member.incarnation().0));
        }
    }
}

fn plot(off: &[f64], on: &[f64], cells: &[(f64, u32)]) -> Plot {
    let by_loss = |rates: &[f64], k: u32| -> Vec<(f64, f64)> {
        let chosen = cells.iter().zip(rates).filter(|(c, _)| c.1 == k);
        chosen.map(|(c, rate)| (c.0 * 100.0, *rate)).filter(|p| p.1 > 0.0).collect()
    };
    let mut plot = Plot::new(
        "Live members declared dead, 32 members",
        "packet loss, %",
        "false positives / member / period",
    )
    .log_y();
    for k in HELPERS {
        let theory = LOSSES.iter().map(|l| (l * 100.0, failed(*l, k))).collect();
        plot = plot.with(Mark::Line, &format!("k={k}"), by_loss(off, k)).with(
            Mark::Published,
            &format!("k={k}, published"),
            theory,
        );
    }
    plot.with(Mark::Line, "k=1 with suspicion", by_loss(on, 1))
}
