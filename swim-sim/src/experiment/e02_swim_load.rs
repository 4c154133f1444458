//! E2: how many messages a member sends (SWIM section 3).

use core::time::Duration;

use swim_core::{Config, ConfigBuilder, Instant};

use super::lab::Lab;
use super::outcome::{Band, Experiment, Found, Row};
use super::sums::slope;
use crate::fault::{Fault, Who};
use crate::page::{Mark, Plot};
use crate::world::{World, WorldConfig};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "E2",
    name: "swim-load",
    title: "Messages that a member sends in a period, without faults and with a tenth crashed",
    source: "SWIM (DSN 2002): one ping and one ack; at most 4k+2 for a probe",
    cost: "about 1 minute of CPU",
    run,
};

const SIZES: [u32; 5] = [8, 32, 128, 1000, 10_000];
const WARM_S: u64 = 5;

fn run(lab: &Lab) -> Found {
    let sizes = &SIZES[..lab.pick(5, 4)];
    let periods = lab.pick(200, 100);
    let swim = lab.each(sizes, |&n| idle_load(lab, swim2002(1), n, periods));
    let ours = lab.each(sizes, |&n| idle_load(lab, Config::lan(), n, periods));
    let mut found = Found { seeds: "1".to_owned(), ..Found::default() };
    for ((n, load), ours) in sizes.iter().zip(&swim).zip(&ours) {
        found.rows.push(
            Row::new(format!("no faults, N={n}"), "messages / member / period", *load)
                .published(2.0)
                .band(Band::share(2.0, 0.005))
                .ours(*ours),
        );
    }
    let points = |loads: &[f64]| -> Vec<(f64, f64)> {
        sizes.iter().zip(loads).map(|(n, load)| (f64::from(*n), *load)).collect()
    };
    let per_decade = |loads: &[f64]| {
        let logs: Vec<(f64, f64)> = points(loads).iter().map(|p| (p.0.log10(), p.1)).collect();
        slope(&logs) / 2.0 * 100.0
    };
    found.rows.push(
        Row::new("slope for ten times the members", "%", per_decade(&swim))
            .published(0.0)
            .band(Band::Within(-0.1, 0.1))
            .ours(per_decade(&ours)),
    );
    let idle_ours = points(&ours);
    let ks = [1, 2, 3];
    let n = lab.pick(1000, 300);
    let worst = lab.each(&ks, |&k| crash_load(lab, swim2002(k), n));
    let ours = lab.each(&[3], |&k| crash_load(lab, Config::lan().indirect_checks(k), n));
    for (k, load) in ks.iter().zip(&worst) {
        let bound = f64::from(4 * k + 2);
        let row =
            Row::new(format!("a tenth crashed, k={k}: busiest period"), "messages / probe", *load)
                .published_as(&format!("≤ {bound}"))
                .band(Band::AtMost(bound));
        found.rows.push(row.ours((*k == 3).then_some(ours[0])));
    }
    found.plots.push(
        Plot::new("Messages per member and period, no faults", "members", "messages")
            .log_x()
            .with(Mark::Line, "swim2002", points(&swim))
            .with(Mark::Line, "our defaults", idle_ours)
            .with(
                Mark::Published,
                "swim2002, published",
                sizes.iter().map(|n| ((*n).into(), 2.0)).collect(),
            ),
    );
    found.note("Ours gossips in rounds of its own and probes by stream, beyond the bound of 2002.");
    found
}

fn swim2002(k: u32) -> ConfigBuilder {
    Config::lan().swim2002().indirect_checks(k)
}

fn world(config: ConfigBuilder, n: u32) -> World {
    let mut world = WorldConfig::new(1, n);
    world.core = config.build().expect("the presets are valid");
    World::converged(world)
}

/// Datagrams that a member sends in a period in which nothing happens.
fn idle_load(lab: &Lab, config: ConfigBuilder, n: u32, periods: u64) -> f64 {
    let mut world = world(config, n);
    world.run_until(Instant::from_secs(WARM_S));
    let before = world.traffic().datagrams;
    world.run_until(Instant::from_secs(WARM_S + periods));
    lab.count(&world);
    (world.traffic().datagrams - before) as f64 / f64::from(n) / periods as f64
}

/// Datagrams for each probe in the busiest of the periods after a tenth has crashed.
fn crash_load(lab: &Lab, config: ConfigBuilder, n: u32) -> f64 {
    let mut world = world(config, n);
    world.run_until(Instant::from_secs(WARM_S));
    world.strike(Fault::Crash(Who::Random(n / 10)));
    let probes = |world: &World| -> u64 {
        (0..n).filter_map(|i| world.machine(i)).map(|m| m.stats().probes).sum()
    };
    let (mut sent, mut begun, mut worst) = (world.traffic().datagrams, probes(&world), 0f64);
    for _ in 0..CRASH_PERIODS {
        let next = world.now() + Duration::from_secs(1);
        world.run_until(next);
        let (s, b) = (world.traffic().datagrams, probes(&world));
        worst = worst.max((s - sent) as f64 / (b - begun).max(1) as f64);
        (sent, begun) = (s, b);
    }
    lab.count(&world);
    worst
}

/// Longer than it takes until the crashed are known to be dead.
const CRASH_PERIODS: u32 = 60;
