//! E12: ten crashes in a thousand, and what the cluster sends (Rapid figure 8 and table 2).

use core::net::SocketAddr;
use core::time::Duration;

use bytes::BytesMut;
use swim_core::envelope::{Compression as _, Lzw};
use swim_core::{Config, ConfigBuilder, Instant};

use super::lab::Lab;
use super::outcome::{Band, Experiment, Found, Row};
use super::sums::{mean, median, quantile};
use super::tap::{Notes, Tap};
use crate::fault::{Fault, Who};
use crate::page::{Mark, Plot};
use crate::world::{World, WorldConfig};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "E12",
    name: "crash+bw",
    title: "10 of 1,000 members crash at 60 s: detection, and bytes of each process in each second",
    source: "Rapid (USENIX ATC 2018), figure 8 and table 2, memberlist; the time of the crash is \
             derived",
    cost: "about 3 minutes of CPU",
    run,
};

const N: u32 = 1000;
const CRASHES: u32 = 10;
const CRASH_S: u64 = 60;
const END_S: u64 = 120;
/// Time before all that, in which push/pulls, three minutes apart, get going.
const WARM_S: u64 = 360;
/// Makes names as long as an address with its port, which tells the processes of a host apart.
const DOMAIN: &str = "node.dc1";

fn run(lab: &Lab) -> Found {
    let seeds = lab.pick(5, 1);
    let variants = [
        (memberlist2018 as fn() -> ConfigBuilder, true),
        (memberlist2018, false),
        (Config::lan, true),
    ];
    let mut runs =
        lab.repeat(&variants, |_| seeds, |v, seed| crash(lab, v.0(), v.1, seed)).into_iter();
    let mut next = || Measured::of(runs.next().unwrap_or_default());
    let (lzw, plain, ours) = (next(), next(), next());
    let mut found = Found { seeds: format!("1..={seeds}"), ..Found::default() };
    found.rows.push(
        Row::new("detection: median of all reports", "s", median(&lzw.latencies))
            .published_as("14 to 16")
            .band(Band::Within(12.5, 16.0))
            .ours(median(&ours.latencies)),
    );
    found.rows.push(
        Row::new("detection: first report of a crash to its last", "s", lzw.spread)
            .published_as("about 2")
            .band(Band::AtMost(3.0))
            .ours(ours.spread),
    );
    found.rows.push(
        Row::new("detection: first report of all crashes to the last", "s", lzw.spread_of_all)
            .published_as("about 2")
            .ours(ours.spread_of_all),
    );
    let published = [("received", 0.54, 5.61, 7.36), ("sent", 0.64, 6.40, 8.04)];
    for (way, (name, avg, p99, max)) in published.into_iter().enumerate() {
        let (lzw, plain, ours) = (lzw.kb[way], plain.kb[way], ours.kb[way]);
        let twice = |v: f64| Band::Within(v / 2.0, v * 2.0);
        let bands = [(avg, Band::Within(0.35, 0.95)), (p99, twice(p99)), (max, twice(max))];
        for (i, (what, (value, band))) in ["mean", "p99", "max"].into_iter().zip(bands).enumerate()
        {
            found.rows.push(
                Row::new(format!("{name}, {what}, LZW"), "KB/s", lzw[i])
                    .published(value)
                    .band(band)
                    .ours(ours[i]),
            );
            found.rows.push(Row::new(format!("{name}, {what}, uncompressed"), "KB/s", plain[i]));
        }
        let most = format!("{name}, most in a second of any process, LZW");
        found.rows.push(Row::new(most, "KB/s", lzw[3]).ours(ours[3]));
    }
    found.plots.push(detection(&lzw, &ours));
    found.plots.push(bytes_over_time(&lzw, &plain));
    found.note(
        "Bytes are those of datagrams and stream messages, without headers of IP, UDP and TCP.",
    );
    found.note("Names have 11 to 13 bytes, members have no metadata.");
    found.note(
        "The victims' first probes that fail are 2.8 s apart (ten exponential times, from the \
         first to the last: 1 + 1/2 + ... + 1/9), and so are the ends of their suspicions; to that \
         comes the time from a crash's first report to its last. Nothing that probes once a second \
         reports all ten within 2 s other than by luck.",
    );
    found.note(
        "The table is per process: p99 and max are of the 100 seconds of a process, and of that \
         the mean of all. The busiest second of a process has one push/pull in it, that of any \
         process two.",
    );
    found
}

fn memberlist2018() -> ConfigBuilder {
    Config::lan().memberlist2018()
}

/// What one world showed.
struct Run {
    /// Seconds from the crash to each report.
    latencies: Vec<f64>,
    /// Seconds from the first report of a crash to its last, the mean of the ten; of all ten.
    spreads: [f64; 2],
    /// Bytes of each process in each second: received, sent.
    bytes: [Vec<u32>; 2],
}

fn crash(lab: &Lab, config: ConfigBuilder, compress: bool, seed: u64) -> Run {
    let mut world = WorldConfig::new(seed, N);
    world.domain = DOMAIN.into();
    world.core = config.build().expect("the presets are valid");
    world.faults = vec![(Instant::from_secs(WARM_S + CRASH_S), Fault::Crash(Who::Random(CRASHES)))];
    let mut world = World::converged_with(world, Tap::make(move |_| Meter::new(compress)));
    world.run_until(Instant::from_secs(WARM_S + END_S));
    lab.count(&world);
    let crashes = world.tracker().crashes();
    let reports = || crashes.iter().filter_map(|c| Some((c.first?, c.last?)));
    let first = reports().map(|(first, _)| first).min().unwrap_or(Instant::ZERO);
    let last = reports().map(|(_, last)| last).max().unwrap_or(first);
    let each = mean(reports().map(|(first, last)| last.since(first).as_secs_f64()));
    let bytes = [0, 1].map(|way| {
        let meters = (0..N).filter_map(|i| world.machine(i)).map(|tap| &tap.notes);
        meters.flat_map(|m| m.seconds.iter().map(move |s| s[way])).collect()
    });
    Run {
        latencies: world.tracker().latencies().map(|d| d.as_secs_f64()).collect(),
        spreads: [each, last.since(first).as_secs_f64()],
        bytes,
    }
}

/// Counts bytes by the second, as they would be on the network.
struct Meter {
    lzw: Option<(Lzw, BytesMut)>,
    /// Received, sent.
    seconds: Vec<[u32; 2]>,
}

impl Meter {
    fn new(compress: bool) -> Self {
        let lzw = compress.then(Default::default);
        Self { lzw, seconds: vec![[0; 2]; END_S as usize] }
    }

    fn count(&mut self, now: Instant, way: usize, bytes: &[u8]) {
        let Some(second) = now.since(Instant::ZERO).as_secs().checked_sub(WARM_S) else { return };
        // memberlist compresses every message and sends the shorter form.
        let len = match &mut self.lzw {
            Some((lzw, buffer)) if bytes.len() >= SHORTEST => {
                buffer.clear();
                lzw.compress(bytes, buffer);
                buffer.len().min(bytes.len())
            }
            _ => bytes.len(),
        };
        if let Some(second) = self.seconds.get_mut(second as usize) {
            second[way] += len as u32;
        }
    }
}

/// Shorter messages do not get shorter by compression.
const SHORTEST: usize = 100;

impl Notes for Meter {
    fn on_sent(&mut self, now: Instant, _: SocketAddr, bytes: &[u8]) {
        self.count(now, 1, bytes);
    }

    fn on_sent_stream(&mut self, now: Instant, bytes: &[u8]) {
        self.count(now, 1, bytes);
    }

    fn on_taken(&mut self, now: Instant, bytes: &[u8]) {
        self.count(now, 0, bytes);
    }
}

/// What all worlds of a variant showed.
struct Measured {
    latencies: Vec<f64>,
    /// Of one crash, of all; each the mean of all worlds.
    spread: f64,
    spread_of_all: f64,
    /// KB that a process received and sent in a second: mean, p99 and max of a process, each the
    /// mean of all processes, and the max of all processes.
    kb: [[f64; 4]; 2],
    /// Mean KB of a process that is up, by the second.
    mean_kb: Vec<f64>,
}

impl Measured {
    fn of(runs: Vec<Run>) -> Self {
        let kb = |way: usize| -> [f64; 4] {
            let of_one = |bytes: &[u32]| -> [f64; 3] {
                let kb: Vec<f64> = bytes.iter().map(|b| f64::from(*b) / 1000.0).collect();
                [mean(kb.iter().copied()), quantile(&kb, 0.99), quantile(&kb, 1.0)]
            };
            let processes = runs.iter().flat_map(|r| r.bytes[way].chunks_exact(END_S as usize));
            let each: Vec<_> = processes.map(|seconds| of_one(&seconds[FIRST_S..])).collect();
            let of_all = |i: usize| mean(each.iter().map(|one| one[i]));
            let most = each.iter().map(|one| one[2]).fold(0.0, f64::max);
            [of_all(0), of_all(1), of_all(2), most]
        };
        let sent = |second: usize| {
            let all = runs.iter().flat_map(|r| r.bytes[1].chunks_exact(END_S as usize));
            mean(all.map(|s| f64::from(s[second]) / 1000.0))
        };
        Self {
            latencies: runs.iter().flat_map(|r| r.latencies.iter().copied()).collect(),
            spread: mean(runs.iter().map(|r| r.spreads[0])),
            spread_of_all: mean(runs.iter().map(|r| r.spreads[1])),
            kb: [kb(0), kb(1)],
            mean_kb: (0..END_S as usize).map(sent).collect(),
        }
    }
}

/// Before that, a converged start may still show.
const FIRST_S: usize = 20;

fn detection(lzw: &Measured, ours: &Measured) -> Plot {
    let share = |m: &Measured| -> Vec<(f64, f64)> {
        let mut sorted = m.latencies.clone();
        sorted.sort_by(f64::total_cmp);
        let len = sorted.len() as f64;
        let every = (sorted.len() / 300).max(1);
        sorted.iter().enumerate().step_by(every).map(|(i, t)| (*t, i as f64 / len)).collect()
    };
    Plot::new("Reports of the ten crashes", "seconds after the crash", "share of all reports")
        .with(Mark::Steps, "memberlist2018", share(lzw))
        .with(Mark::Steps, "our defaults", share(ours))
}

fn bytes_over_time(lzw: &Measured, plain: &Measured) -> Plot {
    let points = |m: &Measured| -> Vec<(f64, f64)> {
        m.mean_kb.iter().enumerate().map(|(s, kb)| (s as f64, *kb)).collect()
    };
    let mean = Duration::from_secs(END_S).as_secs_f64();
    Plot::new("What a process sends (mean of all)", "seconds", "KB/s")
        .with(Mark::Steps, "LZW", points(lzw))
        .with(Mark::Steps, "uncompressed", points(plain))
        .with(Mark::Theory, "published mean", vec![(0.0, 0.64), (mean, 0.64)])
}
