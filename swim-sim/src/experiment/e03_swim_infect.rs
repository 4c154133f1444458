//! E3: how an update spreads on the back of probes (SWIM sections 4.1 and 5).

use core::time::Duration;

use bytes::Bytes;
use swim_core::{Command, Config, ConfigBuilder, Event, Instant};

use super::lab::Lab;
use super::outcome::{Band, Experiment, Found, Row};
use super::sums::{mean, median};
use super::tap::{Notes, Tap};
use crate::draw::Draw;
use crate::page::{Mark, Plot};
use crate::place;
use crate::world::{World, WorldConfig};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "E3",
    name: "swim-infect",
    title: "One member changes its metadata; who knows of it after how many periods",
    source: "SWIM (DSN 2002): n/(1+(n-1)e^(-(2-1/n)t)); n - n^-(2λ-2) after λ ln n periods",
    cost: "about 10 minutes of CPU",
    run,
};

const SIZES: [u32; 5] = [16, 32, 128, 1000, 10_000];
const LAMBDAS: [u32; 4] = [1, 2, 3, 4];
/// The multiplier that the paper found to suffice.
const ENOUGH: u32 = 3;

fn run(lab: &Lab) -> Found {
    let sizes = &SIZES[..lab.pick(5, 4)];
    let points: Vec<(u32, u32)> =
        sizes.iter().flat_map(|n| LAMBDAS.map(|lambda| (*n, lambda))).collect();
    let times = |n: u32| match n {
        0..200 => lab.pick(500, 200),
        200..2000 => lab.pick(500, 20),
        _ => 20,
    };
    let spread = |p: &(u32, u32), seed| spread(lab, swim2002(p.1), p.0, seed);
    let spreads = lab.repeat(&points, |p| times(p.0), spread);
    let ours = lab.repeat(sizes, |_| 10, |n, seed| self::spread(lab, Config::lan(), *n, seed));

    let mut found = Found {
        seeds: format!("1..={}; N=1000: 1..={}; N=10,000: 1..=20", times(16), times(1000)),
        ..Found::default()
    };
    let (mut complete, mut all) = (0, 0);
    for (i, &(n, lambda)) in points.iter().enumerate() {
        let runs = &spreads[i];
        if lambda == ENOUGH {
            let half = half_time(n);
            let slack = (half * 0.1).max(1.0);
            let t50: Vec<f64> = runs.iter().filter_map(|s| s.after(0.5)).collect();
            let mine: Vec<f64> =
                ours[i / LAMBDAS.len()].iter().filter_map(|s| s.after(0.5)).collect();
            found.rows.push(
                Row::new(format!("half know it, N={n}, λ=3"), "periods", mean(t50))
                    .published(half)
                    .band(Band::Within(half - slack, half + slack))
                    .ours(mean(mine)),
            );
            complete += runs.iter().filter(|s| s.missed() == 0).count();
            all += runs.len();
        }
    }
    let mine = || ours.iter().flatten();
    found.rows.push(
        Row::new("runs in which all know it, λ=3", "%", complete as f64 / all as f64 * 100.0)
            .published(100.0)
            .band(Band::AtLeast(99.9))
            .ours(
                mine().filter(|s| s.missed() == 0).count() as f64 / mine().count() as f64 * 100.0,
            ),
    );
    for (&(n, lambda), runs) in points.iter().zip(&spreads) {
        if n == 1000 {
            let missed = mean(runs.iter().map(|s| s.missed() as f64));
            let theory = f64::from(n).powf(2.0 - 2.0 * f64::from(lambda));
            let row = Row::new(
                format!("members that never hear it, N={n}, λ={lambda}"),
                "members",
                missed,
            );
            found.rows.push(row.published(theory));
        }
    }
    let at = points.iter().position(|p| *p == (1000, ENOUGH)).unwrap_or(0);
    found.plots.push(curve(&spreads[at], &ours[3]));
    found.plots.push(half_times(&points, &spreads));
    found.note(
        "λ counts sends of each member, λ⌈ln(N+1)⌉ pings and acks together, as the paper's rule.",
    );
    found
}

fn swim2002(lambda: u32) -> ConfigBuilder {
    Config::lan().swim2002().retransmit_mult(lambda)
}

/// When the logistic curve reaches one half.
fn half_time(n: u32) -> f64 {
    let n = f64::from(n);
    (n - 1.0).ln() / (2.0 - 1.0 / n)
}

/// Who has heard of an update when, in periods; sorted, the origin first.
struct Spread {
    n: u32,
    heard: Vec<f64>,
}

impl Spread {
    /// When this share of all knew it.
    fn after(&self, share: f64) -> Option<f64> {
        let rank = (f64::from(self.n) * share).ceil() as usize;
        self.heard.get(rank.max(1) - 1).copied()
    }

    fn missed(&self) -> usize {
        self.n as usize - self.heard.len()
    }

    fn known_at(&self, t: f64) -> f64 {
        self.heard.partition_point(|h| *h <= t) as f64
    }
}

/// One world, one update.
fn spread(lab: &Lab, config: ConfigBuilder, n: u32, seed: u64) -> Spread {
    let mut draw = Draw::new(seed, "E3");
    let origin = draw.below(n.into()) as u32;
    let start = Instant::from_nanos(draw.between(1_000_000_000, 1_999_999_999));
    let mut world = WorldConfig::new(seed, n);
    world.core = config.build().expect("the presets are valid");
    let rumour_ends = periods_max(world.core.retransmit_mult(), n);
    let about = place::name(origin);
    let mut world =
        World::converged_with(world, Tap::make(move |_| Heard { about: about.clone(), at: None }));
    world.run_until(start);
    world.command(origin, Command::SetMeta(Bytes::from_static(b"news")));
    let heard = |world: &World<Tap<Heard>>| -> Vec<Instant> {
        (0..n).filter_map(|i| world.machine(i)?.notes.at).collect()
    };
    for period in 1..=rumour_ends {
        world.run_until(start + Duration::from_secs(period));
        if heard(&world).len() == n as usize {
            break;
        }
    }
    lab.count(&world);
    let mut heard: Vec<f64> =
        heard(&world).into_iter().map(|at| at.since(start).as_secs_f64()).collect();
    heard.sort_by(f64::total_cmp);
    Spread { n, heard }
}

/// By then every member has sent the update as often as it may, at two messages a period.
fn periods_max(lambda: u32, n: u32) -> u64 {
    let log = f64::from(n + 1).ln().ceil();
    (3.0 * log + f64::from(lambda) * log / 2.0) as u64 + 10
}

/// Notes when a node learns of another's change; that node itself knows it at once.
struct Heard {
    about: String,
    at: Option<Instant>,
}

impl Notes for Heard {
    fn on_event(&mut self, now: Instant, event: &Event) {
        if let Event::Changed(member) = event
            && member.name() == self.about
        {
            self.at.get_or_insert(now);
        }
    }
}

fn curve(runs: &[Spread], ours: &[Spread]) -> Plot {
    let n = 1000.0;
    let times = || (0..=60).map(|i| f64::from(i) * 0.2);
    let share = |runs: &[Spread]| -> Vec<(f64, f64)> {
        times().map(|t| (t, mean(runs.iter().map(|s| s.known_at(t) / n)))).collect()
    };
    let logistic = |t: f64| 1.0 / (1.0 + (n - 1.0) * (-(2.0 - 1.0 / n) * t).exp());
    Plot::new(
        "Who knows the update, N = 1,000, λ = 3 (mean of all runs)",
        "periods",
        "share of members",
    )
    .with(Mark::Line, "swim2002", share(runs))
    .with(Mark::Line, "our defaults", share(ours))
    .with(Mark::Theory, "logistic curve", times().map(|t| (t, logistic(t))).collect())
}

fn half_times(points: &[(u32, u32)], spreads: &[Vec<Spread>]) -> Plot {
    let enough = || points.iter().zip(spreads).filter(|(p, _)| p.1 == ENOUGH);
    let after = |share: f64| -> Vec<(f64, f64)> {
        let time = |runs: &[Spread]| {
            median(&runs.iter().filter_map(|s| s.after(share)).collect::<Vec<_>>())
        };
        enough().map(|(p, runs)| (p.0.into(), time(runs))).collect()
    };
    let theory = enough().map(|(p, _)| (p.0.into(), half_time(p.0))).collect();
    Plot::new("Time until half and all know it, λ = 3 (median)", "members", "periods")
        .log_x()
        .with(Mark::Line, "half", after(0.5))
        .with(Mark::Line, "all", after(1.0))
        .with(Mark::Published, "half, published", theory)
}
