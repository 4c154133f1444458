//! E1: how soon somebody probes a member that has crashed (SWIM sections 3 and 4.3).

use core::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use swim_core::{Config, ConfigBuilder, Instant, Seed};

use super::lab::Lab;
use super::outcome::{Band, Experiment, Found, Row};
use super::sums::{half_ci99, mean};
use super::tap::{Notes, Tap};
use crate::draw::Draw;
use crate::machine::Birth;
use crate::page::{Mark, Plot};
use crate::place;
use crate::world::{World, WorldConfig};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "E1",
    name: "swim-detect",
    title: "One member crashes; periods until the first probe of it starts",
    source: "SWIM (DSN 2002), sections 3 and 4.3; e/(e-1) for many members",
    cost: "about 5 minutes of CPU",
    run,
};

/// Numbers of members, and the published means.
const SIZES: [(u32, f64); 7] = [
    (8, 1.515),
    (16, 1.551),
    (32, 1.567),
    (55, 1.573),
    (128, 1.578),
    (1000, 1.5815),
    (10_000, 1.582),
];
const REPETITIONS: u64 = 2000;

fn run(lab: &Lab) -> Found {
    let sizes = &SIZES[..lab.pick(SIZES.len(), SIZES.len() - 1)];
    let times = |n: u32| if n >= 1000 { lab.pick(REPETITIONS, 200) } else { REPETITIONS };
    let measure = |config: fn() -> ConfigBuilder, all: bool| {
        let sizes: Vec<u32> = sizes.iter().map(|s| s.0).filter(|n| all || *n <= 1000).collect();
        lab.repeat(
            &sizes,
            |n| times(*n),
            |n, seed| first_probe(lab, config(), *n, seed, Randomness::Own),
        )
    };
    let (random, in_turn) = (measure(random_order, true), measure(round_robin, true));
    let ours = measure(Config::lan, false);

    let mut found = Found {
        seeds: format!("1..={REPETITIONS}; N≥1000: 1..={}", times(1000)),
        ..Found::default()
    };
    for (i, &(n, published)) in sizes.iter().enumerate() {
        let ours = ours.get(i).map(|periods| mean(periods.iter().copied()));
        let row = |order, periods: &[f64]| {
            Row::new(format!("mean, N={n}, {order}"), "periods", mean(periods.iter().copied()))
                .published(published)
                .band(band(n, published, periods.len()))
        };
        found.rows.push(row("random", &random[i]).ours(ours));
        found.rows.push(row("round-robin", &in_turn[i]));
    }
    bound(lab, &mut found);
    let means = |all: &[Vec<f64>]| -> Vec<(f64, f64)> {
        sizes.iter().zip(all).map(|(s, p)| (s.0.into(), mean(p.iter().copied()))).collect()
    };
    let published = sizes.iter().map(|s| (s.0.into(), s.1)).collect();
    found.plots.push(
        Plot::new("Mean periods to the first probe of a crashed member", "members", "periods")
            .log_x()
            .with(Mark::Line, "random targets", means(&random))
            .with(Mark::Line, "round-robin", means(&in_turn))
            .with(Mark::Published, "random targets, published", published),
    );
    found.plots.push(tail(&random[4], &in_turn[4]));
    found.note("A period counts if it has begun, so a probe within the first counts as 1.");
    found
}

/// 2 %, and what chance does to a mean of so many draws of the geometric law.
fn band(n: u32, published: f64, count: usize) -> Band {
    let missed = missed_by_all(n);
    let deviation = missed.sqrt() / (1.0 - missed);
    let slack = published * 0.02 + half_ci99(deviation, count);
    Band::Within(published - slack, published + slack)
}

/// P(a member is probed by nobody in a period).
fn missed_by_all(n: u32) -> f64 {
    (1.0 - 1.0 / f64::from(n - 1)).powi(n as i32 - 1)
}

/// Share of crashes that nobody has probed after so many periods, at N = 128.
fn tail(random: &[f64], in_turn: &[f64]) -> Plot {
    let share = |periods: &[f64]| -> Vec<(f64, f64)> {
        let later = |t: f64| periods.iter().filter(|p| **p > t).count() as f64;
        (0..8).map(f64::from).map(|t| (t, later(t) / periods.len() as f64)).collect()
    };
    let missed = missed_by_all(SIZES[4].0);
    let theory = (0..8).map(|t| (f64::from(t), missed.powi(t))).collect();
    let above_zero = |points: Vec<(f64, f64)>| points.into_iter().filter(|p| p.1 > 0.0).collect();
    Plot::new("Crashes that nobody has probed yet, N = 128", "periods", "share of crashes")
        .log_y()
        .with(Mark::Line, "random targets", above_zero(share(random)))
        .with(Mark::Line, "round-robin", above_zero(share(in_turn)))
        .with(Mark::Theory, "(1 - 1/(N-1))^(N-1) for each period", theory)
}

/// Round-robin: the longest time that a member is not probed by another one.
fn bound(lab: &Lab, found: &mut Found) {
    let sizes: &[u32] = lab.pick(&[8, 16, 32, 55, 128, 512], &[8, 16, 32, 55, 128]);
    let gaps = lab.repeat(sizes, |_| 3, |&n, seed| worst_gap(lab, round_robin(), n, seed));
    let ours = lab.repeat(sizes, |_| 1, |&n, seed| worst_gap(lab, Config::lan(), n, seed));
    for ((&n, gaps), ours) in sizes.iter().zip(gaps).zip(ours) {
        let worst = gaps.into_iter().max().unwrap_or(0);
        let most = f64::from(2 * n - 1);
        found.rows.push(
            Row::new(format!("longest gap, N={n}, round-robin"), "periods", f64::from(worst))
                .published_as(&format!("≤ {most}"))
                .band(Band::AtMost(most))
                .ours(f64::from(ours[0])),
        );
    }
}

fn random_order() -> ConfigBuilder {
    round_robin().ablate(|switches| switches.random_probe_targets = true)
}

fn round_robin() -> ConfigBuilder {
    Config::lan().swim2002()
}

/// Where the nodes of a world get their randomness.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Randomness {
    /// Each has its own, as it should.
    Own,
    /// All have the same: a negative control.
    Shared,
}

/// Mean periods to the first probe with random targets, for the negative control.
pub(super) fn control(lab: &Lab) -> Row {
    let n = 128;
    let run = |_: &(), seed| first_probe(lab, random_order(), n, seed, Randomness::Shared);
    let periods = lab.repeat(&[()], |()| 40, run).remove(0);
    Row::new(
        "E1 mean, N=128, all nodes draw the same numbers",
        "periods",
        mean(periods.iter().copied()),
    )
    .published(1.578)
    .band(band(n, 1.578, periods.len()))
}

/// One world, one crash: periods until the first probe of the victim starts.
fn first_probe(lab: &Lab, config: ConfigBuilder, n: u32, seed: u64, from: Randomness) -> f64 {
    let mut draw = Draw::new(seed, "E1");
    let victim = draw.below(n.into()) as u32;
    let crash_at = Instant::from_nanos(draw.between(1_000_000_000, 1_999_999_999));
    let first = Arc::new(AtomicU64::new(u64::MAX));
    let mut world = WorldConfig::new(seed, n);
    world.core = config.build().expect("the presets are valid");
    let watch = Watch { victim: place::addr(victim), since: crash_at, first: Arc::clone(&first) };
    let plain = Tap::make(move |_| watch.clone());
    let mut world = World::converged_with(
        world,
        Box::new(move |birth| match from {
            Randomness::Own => plain(birth),
            Randomness::Shared => plain(&Birth { seed: Seed::from(seed), ..birth.clone() }),
        }),
    );
    world.run_until(crash_at);
    world.crash(victim);
    while first.load(Ordering::Relaxed) == u64::MAX && world.step() {}
    lab.count(&world);
    let waited = Instant::from_nanos(first.load(Ordering::Relaxed)).since(crash_at);
    // The crash and a probe may fall into one instant; that probe is in the first period.
    waited.as_secs_f64().ceil().max(1.0)
}

/// Waits for the first ping of a victim.
#[derive(Clone)]
struct Watch {
    victim: SocketAddr,
    since: Instant,
    first: Arc<AtomicU64>,
}

impl Notes for Watch {
    fn on_sent(&mut self, now: Instant, to: SocketAddr, _: &[u8]) {
        if to == self.victim && now >= self.since {
            self.first.fetch_min(now.as_nanos(), Ordering::Relaxed);
        }
    }
}

/// The most periods that lay between two probes of one member by another, over six rounds.
fn worst_gap(lab: &Lab, config: ConfigBuilder, n: u32, seed: u64) -> u32 {
    let mut world = WorldConfig::new(seed, n);
    world.core = config.build().expect("the presets are valid");
    let mut world = World::converged_with(world, Tap::make(move |me| Gaps::new(n, me)));
    world.run_until(Instant::from_secs(u64::from(6 * n)));
    lab.count(&world);
    (0..n).filter_map(|i| world.machine(i)).map(|tap| tap.notes.worst()).max().unwrap_or(0)
}

/// How long ago each member was probed, in own probes.
struct Gaps {
    me: u32,
    probes: u32,
    last: Vec<u32>,
    worst: u32,
}

impl Gaps {
    fn new(n: u32, me: u32) -> Self {
        Self { me, probes: 0, last: vec![0; n as usize], worst: 0 }
    }

    /// The gaps that are open at the end count as well.
    fn worst(&self) -> u32 {
        let others = self.last.iter().enumerate().filter(|(i, _)| *i != self.me as usize);
        others.map(|(_, last)| self.probes - last).max().unwrap_or(0).max(self.worst)
    }
}

impl Notes for Gaps {
    fn on_sent(&mut self, _: Instant, to: SocketAddr, bytes: &[u8]) {
        // Nothing fails and nothing is gossiped, so every ping is a probe.
        if bytes.first() != Some(&PING) {
            return;
        }
        self.probes += 1;
        if let Some(last) = place::node_at(to).and_then(|i| self.last.get_mut(i as usize)) {
            self.worst = self.worst.max(self.probes - *last);
            *last = self.probes;
        }
    }
}

/// The type byte of a ping.
const PING: u8 = 0;

#[cfg(test)]
mod tests {
    use indicatif::ProgressBar;

    use super::*;

    #[test]
    fn a_biased_generator_fails_where_the_real_one_passes() {
        let lab = Lab::new(true, None, ProgressBar::hidden(), Arc::default());
        let good = |seed| first_probe(&lab, random_order(), 32, seed, Randomness::Own);
        let periods: Vec<f64> = (1..=300).map(good).collect();
        let m = mean(periods.iter().copied());
        assert_eq!(band(32, 1.567, 300).judge(Some(m)), super::super::Verdict::Inside, "{m}");
        assert_eq!(control(&lab).verdict, super::super::Verdict::Outside);
    }
}
