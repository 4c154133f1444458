//! E13: how many gossip rounds a user event takes (Serf's convergence simulator).

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use bytes::Bytes;
use swim_core::{Command, Config, ConfigBuilder, Instant, Lane};

use super::lab::Lab;
use super::outcome::{Band, Experiment, Found, Row};
use super::sums::mean;
use crate::draw::Draw;
use crate::link::Links;
use crate::page::{Mark, Plot};
use crate::serf::{Entry, Ledger, SerfMachine};
use crate::world::{World, WorldConfig};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "E13",
    name: "serf-conv",
    title: "One user event; gossip rounds until 99.99 % have it, and whether all get it under loss",
    source: "Serf's convergence simulator (formula 9); derived: a discrete model with the real \
             retransmit limit",
    cost: "about 5 minutes of CPU",
    run,
};

const ROUND: Duration = Duration::from_millis(200);
/// 99.99 % of all.
const SHARE: f64 = 0.9999;
/// Members, and rounds of the discrete model where they are known.
const SIZES: [(u32, Option<f64>); 5] =
    [(30, None), (100, None), (1000, Some(8.3)), (10_000, Some(10.8)), (20_000, None)];
/// Loss, and how often all of 1,000 get the event.
const LOSSES: [(f64, f64); 3] = [(0.1, 100.0), (0.3, 98.0), (0.5, 73.0)];

fn run(lab: &Lab) -> Found {
    let sizes = &SIZES[..lab.pick(5, 3)];
    let times = |n: u32| if n >= 10_000 { lab.pick(10, 1) } else { lab.pick(100, 10) };
    let unfinished = AtomicU64::new(0);
    let rounds = |config: fn() -> ConfigBuilder| -> Vec<Option<f64>> {
        let run =
            |p: &(u32, Option<f64>), seed| event(lab, config(), p.0, 0.0, seed).rounds_to(SHARE);
        let all = lab.repeat(sizes, |p| times(p.0), run);
        let mean_of = |runs: Vec<Option<f64>>| -> Option<f64> {
            let ended: Vec<f64> = runs.iter().flatten().copied().collect();
            unfinished.fetch_add((runs.len() - ended.len()) as u64, Ordering::Relaxed);
            (!ended.is_empty()).then(|| mean(ended))
        };
        all.into_iter().map(mean_of).collect()
    };
    let (measured, ours) = (rounds(memberlist2018), rounds(Config::lan));
    let in_step = rounds(in_step);
    let lossy = lab.pick(1000, 20);
    let seeds = format!("1..={}; N≥10,000: 1..={}; loss: 1..={lossy}", times(30), times(10_000));
    let mut found = Found { seeds, ..Found::default() };
    for (i, &(n, discrete)) in sizes.iter().enumerate() {
        found.rows.push(
            Row::new(format!("rounds to 99.99 %, N={n}: Serf's formula"), "rounds", measured[i])
                .published(serf_rounds(n))
                .band(Band::AtMost(serf_rounds(n)))
                .ours(ours[i]),
        );
        if let Some(model) = discrete {
            found.rows.push(
                Row::new(
                    format!("rounds to 99.99 %, N={n}, in step: discrete model"),
                    "rounds",
                    in_step[i],
                )
                .published(model)
                .band(Band::Within(model - 1.0, model + 1.0)),
            );
        }
    }
    let complete = |config: fn() -> ConfigBuilder, times: u64| -> Vec<f64> {
        let run = |l: &(f64, f64), seed| event(lab, config(), 1000, l.0, seed).missed() == 0;
        let all = lab.repeat(&LOSSES, |_| times, run);
        all.iter()
            .map(|r| r.iter().filter(|c| **c).count() as f64 / r.len() as f64 * 100.0)
            .collect()
    };
    let (shares, ours_shares) =
        (complete(memberlist2018, lossy), complete(Config::lan, lab.pick(200, 4)));
    for (i, &(loss, expected)) in LOSSES.iter().enumerate() {
        found.rows.push(
            Row::new(
                format!("all of 1,000 get it, {} % loss", loss * 100.0),
                "% of runs",
                shares[i],
            )
            .published(expected)
            // Of a few runs such a share cannot be told.
            .band(lab.pick(Band::Within(expected - 3.0, expected + 3.0), Band::Free))
            .ours(ours_shares[i]),
        );
    }
    found.plots.push(by_size(sizes, &measured, &ours));
    found.plots.push(spread(lab));
    found.note(
        "A round is 200 ms from the moment of the event; members' rounds are in step \
                only in the rows of the discrete model: otherwise a hop waits for half a round.",
    );
    found.note(format!(
        "Means are of the runs that come so far; {} do not. Each member sends an event four times \
         for each digit of N, so that one in e^(4 digits) never hears of it: at N=30 one run in a \
         hundred misses one.",
        unfinished.into_inner()
    ));
    found.note("Members neither probe nor exchange states, as in both models.");
    found
}

fn memberlist2018() -> ConfigBuilder {
    Config::lan().memberlist2018()
}

/// As in the discrete model, all send at the same instants.
fn in_step() -> ConfigBuilder {
    memberlist2018().ablate(|switches| switches.gossip_in_step = true)
}

/// Serf's model: three messages a round, half of them useful, nothing lost.
fn serf_rounds(n: u32) -> f64 {
    ((f64::from(n) + 1.0) * SHARE / (1.0 - SHARE)).ln() / (0.5 * 3.0)
}

/// When the members had the event, in rounds; sorted.
struct Reached {
    n: u32,
    rounds: Vec<f64>,
}

impl Reached {
    fn rounds_to(&self, share: f64) -> Option<f64> {
        self.rounds.get((f64::from(self.n) * share).ceil() as usize - 1).copied()
    }

    fn missed(&self) -> usize {
        self.n as usize - self.rounds.len()
    }
}

/// One world, one event.
fn event(lab: &Lab, config: ConfigBuilder, n: u32, loss: f64, seed: u64) -> Reached {
    let mut draw = Draw::new(seed, "E13");
    let origin = draw.below(n.into()) as u32;
    // A whole number of rounds, for members who are in step.
    let start = Instant::ZERO + ROUND * 10;
    let mut world = WorldConfig::new(seed, n);
    // Neither model has probes, whose pings would carry the event, too, and whose failures under
    // loss are news that goes before it.
    let gossip_only =
        config.probe_interval(Duration::from_secs(3600)).push_pull_interval(Duration::ZERO);
    world.core = gossip_only.build().expect("the presets are valid");
    world.links = Links::default().with_loss(loss).expect("a share");
    let ledger = Ledger::default();
    let mut world = World::converged_with(world, SerfMachine::maker(&ledger));
    world.run_until(start);
    let payload = Bytes::from_static(b"event");
    world.command(origin, Command::Broadcast { lane: Lane::Low, key: None, payload });
    let (mut seen, mut rounds) = (0, Vec::new());
    for _ in 0..ROUNDS_MAX {
        world.run_until(world.now() + ROUND);
        for (at, _, _, entry) in ledger.since(&mut seen) {
            if let Entry::Delivered { .. } = entry {
                rounds.push(at.since(start).as_secs_f64() / ROUND.as_secs_f64());
            }
        }
        if rounds.len() == n as usize {
            break;
        }
    }
    lab.count(&world);
    rounds.sort_by(f64::total_cmp);
    Reached { n, rounds }
}

/// By then nobody sends it any more.
const ROUNDS_MAX: u32 = 50;

fn by_size(sizes: &[(u32, Option<f64>)], measured: &[Option<f64>], ours: &[Option<f64>]) -> Plot {
    let points = |rounds: &[Option<f64>]| -> Vec<(f64, f64)> {
        sizes.iter().zip(rounds).filter_map(|(s, r)| Some((s.0.into(), (*r)?))).collect()
    };
    let serf = sizes.iter().map(|s| (s.0.into(), serf_rounds(s.0))).collect();
    let discrete = sizes.iter().filter_map(|s| Some((s.0.into(), s.1?))).collect();
    Plot::new("Gossip rounds until 99.99 % have the event", "members", "rounds of 200 ms")
        .log_x()
        .with(Mark::Line, "memberlist2018", points(measured))
        .with(Mark::Line, "our defaults", points(ours))
        .with(Mark::Theory, "Serf's formula", serf)
        .with(Mark::Published, "memberlist2018, published (discrete model)", discrete)
}

/// Who has the event when, at 1,000 members.
fn spread(lab: &Lab) -> Plot {
    let losses = [0.0, 0.3, 0.5];
    let runs = lab.each(&losses, |loss| event(lab, memberlist2018(), 1000, *loss, 1));
    let mut plot =
        Plot::new("Who has the event, N = 1,000, one run", "rounds of 200 ms", "share of members");
    for (loss, run) in losses.iter().zip(runs) {
        let share = |i: usize| (i + 1) as f64 / f64::from(run.n);
        let points =
            run.rounds.iter().enumerate().step_by(10).map(|(i, r)| (*r, share(i))).collect();
        plot = plot.with(Mark::Line, &format!("{} % loss", loss * 100.0), points);
    }
    plot
}
