//! What a run has shown, in numbers.

use core::time::Duration;

use serde::Serialize;
use swim_core::Instant;

use crate::counts::FaultCounts;
use crate::machine::Machine;
use crate::memory;
use crate::oracle::{self, Inspect as _, Verdict};
use crate::place;
use crate::serf::Tally;
use crate::tracker::Crash;
use crate::world::{Traffic, World};

/// The summary of a run. All but [`Report::speed`] is a function of the world's configuration.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// How many nodes.
    pub nodes: u32,
    /// The seed.
    pub seed: u64,
    /// Virtual time of the run, in seconds.
    pub virtual_s: f64,
    /// The digest over everything that nodes emitted, in 16 hexadecimal digits.
    pub digest: String,
    /// Whether the oracles are content.
    pub outcome: Outcome,
    /// Crashes, and how they were noticed.
    pub detection: Detection,
    /// The same crash by crash, in order.
    pub crashes: Vec<Noticed>,
    /// Live nodes reported as failed.
    pub false_positives: FalsePositives,
    /// How views agree.
    pub views: Views,
    /// What nodes sent.
    pub traffic: Sent,
    /// What Serf nodes told, in a world of such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serf: Option<Tally>,
    /// How often each fault struck.
    pub faults: FaultCounts,
    /// Faults that were asked for and found too few nodes to strike, in words.
    pub unmet: Vec<String>,
    /// What the oracles found.
    pub oracles: Vec<Verdict>,
    /// What they objected to, in words.
    pub violations: Vec<String>,
    /// How fast the machine was that ran it; differs from run to run.
    pub speed: Speed,
}

/// What the oracles make of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "there is no third way to have no objection")]
pub enum Outcome {
    /// None objects, and none was left with an open case.
    Passed,
    /// None objects, but the run ended before all cases could be judged.
    Open,
    /// One objects.
    Failed,
    /// There was none.
    Unwatched,
}

/// How one crash was noticed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Noticed {
    /// The name of who crashed.
    pub node: String,
    /// When, in virtual seconds.
    pub at_s: f64,
    /// How many nodes reported it.
    pub reports: u32,
    /// How many should have, by the end: those that were up when it crashed and have reported it or
    /// are still up.
    pub expected: u32,
    /// Whether it started again.
    pub restarted: bool,
    /// Seconds from the crash to the first report.
    pub first_s: Option<f64>,
    /// Seconds from the crash to the report of the last live node, if all have reported it.
    pub all_s: Option<f64>,
}

/// How crashes were noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Detection {
    /// Crashes.
    pub crashes: u64,
    /// Those that every live node has reported.
    pub reported_by_all: u64,
    /// Those whose node started again before that.
    pub restarted: u64,
    /// Reports of all crashes.
    pub reports: u64,
    /// Reports that there should be: see [`Noticed::expected`].
    pub reports_expected: u64,
    /// Seconds from the crash to the first report.
    pub first_s: Spread,
    /// Seconds from the crash to the report of the last live node.
    pub all_s: Spread,
    /// Seconds from the crash, over the reports of all nodes.
    pub each_s: Spread,
}

/// Live nodes reported as failed, one for each report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FalsePositives {
    /// Of nodes that could be reached at that moment.
    pub reachable: u64,
    /// Of nodes across a partition: right as far as the observer can tell.
    pub across_partition: u64,
}

/// How views agree.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Views {
    /// Whether all live nodes hold equal and true sets of (name, incarnation, live or not) now.
    pub equal: bool,
    /// If not, the first difference.
    pub difference: Option<String>,
    /// Seconds from the last fault until all live nodes agreed on who is live, and went on to.
    pub converged_s: Option<f64>,
    /// Virtual seconds until 99, 99.9 and 99.99 % of all pairs knew each other, in a cold world.
    pub known_s: [Option<f64>; 3],
}

/// What nodes sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Sent {
    /// In all.
    pub total: Traffic,
    /// Datagrams per node and virtual second.
    pub datagrams_per_node_s: f64,
    /// Bytes of datagrams per node and virtual second.
    pub datagram_bytes_per_node_s: f64,
    /// Stream messages per node and virtual second.
    pub streams_per_node_s: f64,
    /// Bytes of stream messages per node and virtual second.
    pub stream_bytes_per_node_s: f64,
    /// The most datagrams that one node sent in one life.
    pub datagrams_max: u64,
    /// The most bytes of datagrams that one node sent in one life.
    pub datagram_bytes_max: u64,
}

/// How fast a run was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Speed {
    /// Seconds by the wall clock.
    pub wall_s: f64,
    /// Events per second of it.
    pub events_per_s: f64,
    /// Virtual seconds per second of it.
    pub virtual_per_wall: f64,
    /// Most memory that the process has held so far, in bytes, where the system tells it.
    pub memory_peak_bytes: Option<u64>,
}

/// Median, 99th percentile and largest of some values; all 0 if there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Spread {
    /// How many values.
    pub count: u64,
    /// Half of them are at most this.
    pub median: f64,
    /// 99 in 100 of them are at most this.
    pub p99: f64,
    /// All of them are at most this.
    pub max: f64,
}

impl Spread {
    /// Of these times, in seconds.
    pub fn of(times: impl Iterator<Item = Duration>) -> Self {
        let mut sorted: Vec<Duration> = times.collect();
        sorted.sort_unstable();
        let rank = |percent: usize| {
            // Nearest rank: the smallest value that `percent` of a hundred do not exceed.
            let i = (sorted.len() * percent).div_ceil(100).max(1) - 1;
            sorted.get(i).map_or(0.0, |d| (d.as_secs_f64() * 1e3).round() / 1e3)
        };
        Self { count: sorted.len() as u64, median: rank(50), p99: rank(99), max: rank(100) }
    }
}

impl Report {
    /// The summary of a world that has run to its end; asks its oracles for their last word.
    pub fn of<M: Machine>(world: &mut World<M>, wall: Duration) -> Self {
        let oracles = world.verdicts();
        let difference = oracle::difference(world);
        let tracker = world.tracker();
        let since = |at: Instant, from: Instant| (at >= from).then(|| at.since(from));
        let crashes = || tracker.crashes().iter();
        let first = crashes().filter_map(|c| since(c.first?, c.at));
        let all = crashes().filter(|c| c.known_to_all()).filter_map(|c| since(c.last?, c.at));
        let noticed: Vec<Noticed> = crashes().map(Noticed::of).collect();
        let sum = |count: fn(&Noticed) -> u32| noticed.iter().map(|n| u64::from(count(n))).sum();
        let detection = Detection {
            crashes: crashes().count() as u64,
            reported_by_all: crashes().filter(|c| c.known_to_all()).count() as u64,
            restarted: crashes().filter(|c| c.restarted && !c.known_to_all()).count() as u64,
            reports: sum(|n| n.reports),
            reports_expected: sum(|n| n.expected),
            first_s: Spread::of(first),
            all_s: Spread::of(all),
            each_s: Spread::of(tracker.latencies()),
        };
        let from = tracker.disturbed_at().unwrap_or(Instant::ZERO);
        let converged = tracker.agreed_at().map(|at| at.since(from).as_secs_f64());
        let views = Views {
            equal: difference.is_none(),
            difference,
            converged_s: converged,
            known_s: tracker.known_at().map(|at| at.map(Instant::as_secs_f64)),
        };
        let false_positives = FalsePositives {
            reachable: tracker.downs_of_reachable(),
            across_partition: tracker.downs_across_cut(),
        };
        let wall_s = wall.as_secs_f64();
        let virtual_s = world.now().as_secs_f64();
        let speed = Speed {
            wall_s,
            events_per_s: world.traffic().events as f64 / wall_s.max(1e-9),
            virtual_per_wall: virtual_s / wall_s.max(1e-9),
            memory_peak_bytes: memory::peak_bytes(),
        };
        Self {
            nodes: world.nodes(),
            seed: world.seed(),
            virtual_s,
            digest: format!("{:016x}", world.digest()),
            outcome: Outcome::of(&oracles),
            detection,
            crashes: noticed,
            false_positives,
            views,
            traffic: Sent::of(world),
            serf: Tally::of(world.ledger(), world),
            faults: *world.fault_counts(),
            unmet: world.unmet().to_vec(),
            oracles,
            violations: world.violations().iter().map(ToString::to_string).collect(),
            speed,
        }
    }

    /// Whether no oracle objected, and every fault struck whom it should.
    pub const fn passed(&self) -> bool {
        self.violations.is_empty() && self.unmet.is_empty()
    }
}

impl Outcome {
    fn of(oracles: &[Verdict]) -> Self {
        if oracles.is_empty() {
            Self::Unwatched
        } else if oracles.iter().any(|v| v.violations > 0) {
            Self::Failed
        } else if oracles.iter().any(|v| v.open > 0) {
            Self::Open
        } else {
            Self::Passed
        }
    }
}

impl Noticed {
    fn of(crash: &Crash) -> Self {
        let after = |at: Option<Instant>| at.map(|at| at.since(crash.at).as_secs_f64());
        Self {
            node: place::name(crash.node),
            at_s: crash.at.as_secs_f64(),
            reports: crash.reports,
            expected: crash.reports + crash.due,
            restarted: crash.restarted,
            first_s: after(crash.first),
            all_s: after(crash.last.filter(|_| crash.known_to_all())),
        }
    }
}

impl Sent {
    fn of<M: Machine>(world: &World<M>) -> Self {
        let total = *world.traffic();
        let per = |n: u64| {
            n as f64 / f64::from(world.nodes().max(1)) / world.now().as_secs_f64().max(1e-9)
        };
        let sent = || (0..world.nodes()).map(|i| world.sent(i));
        Self {
            total,
            datagrams_per_node_s: per(total.datagrams),
            datagram_bytes_per_node_s: per(total.datagram_bytes),
            streams_per_node_s: per(total.streams),
            stream_bytes_per_node_s: per(total.stream_bytes),
            datagrams_max: sent().map(|s| s.0).max().unwrap_or(0),
            datagram_bytes_max: sent().map(|s| s.1).max().unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_case_is_no_pass() {
        let verdict = |open, violations| Verdict {
            oracle: "some",
            cases: 1,
            excused: 0,
            excuses: Vec::new(),
            open,
            violations,
        };
        let of = |verdicts: &[Verdict]| Outcome::of(verdicts);
        assert_eq!(of(&[verdict(0, 0), verdict(0, 0)]), Outcome::Passed);
        assert_eq!(of(&[verdict(0, 0), verdict(1, 0)]), Outcome::Open);
        assert_eq!(of(&[verdict(1, 0), verdict(0, 1)]), Outcome::Failed);
        assert_eq!(of(&[]), Outcome::Unwatched);
    }

    #[test]
    fn ranks_are_values_that_occur() {
        let s = Spread::of((1..=200).map(Duration::from_secs));
        assert_eq!((s.count, s.median, s.p99, s.max), (200, 100.0, 198.0, 200.0));
        let one = Spread::of([Duration::from_millis(1500)].into_iter());
        assert_eq!((one.median, one.p99, one.max), (1.5, 1.5, 1.5));
        assert_eq!(Spread::of([].into_iter()), Spread::default());
    }
}
