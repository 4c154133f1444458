//! E9: a whole cluster starts at once (Rapid figure 5 and table 1).

use core::time::Duration;
use std::collections::BTreeSet;

use swim_core::{Config, ConfigBuilder, Instant};

use super::lab::Lab;
use super::outcome::{Band, Experiment, Found, Row};
use super::sums::mean;
use crate::page::{Mark, Plot};
use crate::world::{World, WorldConfig};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "E9",
    name: "boot",
    title: "One seed, then all others at once: time until all agree on all, and sizes reported",
    source: "Rapid (USENIX ATC 2018), figure 5 and table 1, memberlist",
    cost: "about 10 minutes of CPU",
    run,
};

/// Members; seconds and unique sizes published.
const TABLE: [(u32, f64, f64); 3] =
    [(1000, 45.7, 901.0), (1500, 68.6, 1383.0), (2000, 97.6, 1858.0)];

fn run(lab: &Lab) -> Found {
    let table = &TABLE[..lab.pick(3, 1)];
    let seeds = lab.pick(5, 1);
    let measure = |config: fn() -> ConfigBuilder| {
        lab.repeat(table, |_| seeds, |t, seed| boot(lab, config(), t.0, WINDOW, seed))
    };
    let (old, ours) = (measure(memberlist2018), measure(Config::lan));
    let time = |boots: &[Boot]| -> Option<f64> {
        boots.iter().map(|b| b.agreed_s).collect::<Option<Vec<f64>>>().map(mean)
    };
    let sizes = |boots: &[Boot]| mean(boots.iter().map(|b| b.sizes as f64));
    let mut found = Found { seeds: format!("1..={seeds}"), ..Found::default() };
    for (i, &(n, seconds, unique)) in table.iter().enumerate() {
        found.rows.push(
            Row::new(format!("until all report {n}"), "s", time(&old[i]))
                .published(seconds)
                .band(Band::Within(seconds * 0.6, seconds * 1.25)),
        );
        found.rows.push(
            Row::new(format!("sizes reported, N={n}"), "sizes", sizes(&old[i]))
                .published(unique)
                .band(Band::AtLeast(f64::from(n) * 0.85)),
        );
        found.rows.push(
            Row::new(format!("our mode: until all report {n}"), "s", time(&ours[i]))
                .published_as("target 10")
                .band(Band::AtMost(10.0)),
        );
        found.rows.push(
            Row::new(format!("our mode: sizes reported, N={n}"), "sizes", sizes(&ours[i]))
                .published_as("target 10")
                .band(Band::AtMost(10.0)),
        );
    }
    let n = table[0].0;
    let spread = |s: &u64, seed| boot(lab, memberlist2018(), n, Duration::from_secs(*s), seed);
    for (s, boots) in SLOWER_S.iter().zip(lab.repeat(&SLOWER_S, |_| seeds, spread)) {
        let started = format!("N={n}, started within {s} s");
        found.rows.push(Row::new(format!("until all report all, {started}"), "s", time(&boots)));
        found.rows.push(Row::new(format!("sizes reported, {started}"), "sizes", sizes(&boots)));
    }
    if let [first, .., last] = &old[..] {
        let growth = time(last).zip(time(first)).map(|(a, b)| a / b);
        let row = Row::new("growth of the time from 1,000 to 2,000", "times", growth);
        found.rows.push(row.published(97.6 / 45.7).band(Band::AtLeast(1.0)));
    }
    let times = |all: &[Vec<Boot>]| -> Vec<(f64, f64)> {
        table.iter().zip(all).filter_map(|(t, b)| Some((t.0.into(), time(b)?))).collect()
    };
    found.plots.push(
        Plot::new("Time until all members report all", "members", "seconds")
            .with(Mark::Line, "memberlist2018", times(&old))
            .with(Mark::Line, "our defaults", times(&ours))
            .with(
                Mark::Published,
                "memberlist2018, published",
                table.iter().map(|t| (t.0.into(), t.1)).collect(),
            ),
    );
    let mut views =
        Plot::new("Views after the start, N = 1,000, seed 1", "seconds", "members known");
    for (name, boots) in [("memberlist2018", &old[0]), ("our defaults", &ours[0])] {
        for (rank, what) in ["smallest", "largest"].into_iter().enumerate() {
            let points =
                boots[0].views.iter().map(|v| (v.0, f64::from([v.1, v.2][rank]))).collect();
            views = views.with(Mark::Steps, &format!("{name}, {what} view"), points);
        }
    }
    found.plots.push(views);
    found
        .note("The first second is the seed's alone; views are read each second, as in the paper.");
    found.note(
        "Cause: the longer members take to start, the more sizes are seen; within 5 s instead \
         of 0.1 they are nearly as many as published. How long the paper's took is not known.",
    );
    found.note(
        "Our mode ends within two readings of the views; what members know half-way is the rest.",
    );
    found.note("A join that fails is tried again after 5 s by members that are up.");
    found
}

fn memberlist2018() -> ConfigBuilder {
    Config::lan().memberlist2018()
}

struct Boot {
    /// Seconds until all members knew all and went on to.
    agreed_s: Option<f64>,
    /// Different sizes that somebody reported at some second.
    sizes: usize,
    /// Smallest and largest view at each second.
    views: Vec<(f64, u32, u32)>,
}

fn boot(lab: &Lab, config: ConfigBuilder, n: u32, window: Duration, seed: u64) -> Boot {
    let mut world = WorldConfig::new(seed, n);
    world.join_window = window;
    world.core = config.build().expect("the presets are valid");
    let mut world = World::cold(world);
    let (mut sizes, mut views) = (BTreeSet::new(), Vec::new());
    let agreed = |world: &World| {
        world.tracker().agreed_at().filter(|_| (0..n).all(|i| world.machine(i).is_some()))
    };
    while agreed(&world).is_none() && world.now() < END {
        let next = world.now() + Duration::from_secs(1);
        world.run_until(next);
        let seen: Vec<u32> =
            (0..n).filter_map(|i| world.machine(i)).map(|m| m.live_len() as u32).collect();
        let ends = (seen.iter().min().copied(), seen.iter().max().copied());
        views.push((world.now().as_secs_f64(), ends.0.unwrap_or(0), ends.1.unwrap_or(0)));
        sizes.extend(seen);
    }
    lab.count(&world);
    Boot { agreed_s: agreed(&world).map(Instant::as_secs_f64), sizes: sizes.len(), views }
}

/// All at once, as published: as fast as a shell starts processes.
const WINDOW: Duration = Duration::from_millis(100);
/// Slower starts, shown to tell how much of the sizes hangs on that: real processes take their time
/// to start, and the more so the more of them one machine has.
const SLOWER_S: [u64; 2] = [5, 20];

/// A cluster that has not agreed by then never does.
const END: Instant = Instant::from_secs(300);
