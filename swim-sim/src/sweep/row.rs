//! What one run of a sweep has shown, as a line of JSON.

use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic::catch_unwind;

use serde::{Deserialize, Serialize};

use crate::failure::{PANIC, words};
use crate::machine::{Machine, MachineKind};
use crate::report::{Outcome, Report};
use crate::scenario::{Cell, Scenario};
use crate::serf::Share;
use crate::world::World;

/// What one run has shown. A function of the scenario and the seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The run's number in the sweep.
    pub(crate) cell: u64,
    pub(crate) seed: u64,
    /// `passed`, `open`, `failed`, `unwatched`, `unmet` if a fault found too few nodes, `panic`.
    pub(crate) outcome: String,
    pub(crate) digest: String,
    /// The first thing that went wrong.
    pub(crate) violation: Option<String>,
    pub(crate) metrics: Metrics,
}

/// Writes the struct, its names and its values from one list.
macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        /// The numbers of a run; `None` where there is nothing to measure.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub(crate) struct Metrics {
            $($(#[$doc])* pub(crate) $name: Option<f64>,)*
        }

        impl Metrics {
            pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];

            /// In the order of [`Self::NAMES`].
            pub(crate) fn values(&self) -> Vec<Option<f64>> {
                vec![$(self.$name),*]
            }
        }
    };
}

metrics! {
    crashes;
    /// Those that every live node has reported.
    known_to_all;
    /// From a crash to its first report.
    first_median_s;
    first_max_s;
    /// From a crash to the last report.
    all_median_s;
    all_max_s;
    /// Over the reports of all nodes.
    each_p99_s;
    /// Reports of live nodes as failed: of reachable ones, and across partitions and blocks.
    false_positives;
    across_partitions;
    /// 1 if all views are equal and true at the end, else 0.
    views_equal;
    /// From the last fault until all agreed on who is live.
    converged_s;
    /// Of each node and second.
    datagrams_per_node_s;
    bytes_per_node_s;
    streams_per_node_s;
    stream_bytes_per_node_s;
    events;
    /// Of Serf nodes: user events, the share of nodes that was told of each in the mean, queries
    /// and the answers to each.
    user_events;
    delivered;
    queries;
    answers_per_query;
    /// Nodes that have left, and the share of the others that was told of each in the mean.
    left;
    told_left;
}

impl Row {
    /// Runs a cell. A panic is a result like others: other runs go on.
    pub(crate) fn run(cell: &Cell<'_>) -> Self {
        let report = catch_unwind(AssertUnwindSafe(|| {
            let (scenario, seed) = (&cell.scenario, cell.seed);
            match scenario.machine {
                MachineKind::Node => Self::report(scenario, scenario.world(seed)),
                MachineKind::Serf => Self::report(scenario, scenario.serf_world(seed)),
            }
        }));
        match report {
            Ok(report) => Self::of(cell, &report),
            Err(panic) => Self {
                cell: cell.index,
                seed: cell.seed,
                outcome: PANIC.to_owned(),
                digest: String::new(),
                violation: Some(words(&*panic)),
                metrics: Metrics::default(),
            },
        }
    }

    fn report<M: Machine>(scenario: &Scenario, mut world: World<M>) -> Report {
        world.run_until(scenario.end());
        Report::of(&mut world, Duration::ZERO)
    }

    fn of(cell: &Cell<'_>, report: &Report) -> Self {
        let outcome = match report.outcome {
            _ if report.violations.is_empty() && !report.unmet.is_empty() => "unmet",
            Outcome::Passed => "passed",
            Outcome::Open => "open",
            Outcome::Failed => "failed",
            Outcome::Unwatched => "unwatched",
        };
        Self {
            cell: cell.index,
            seed: cell.seed,
            outcome: outcome.to_owned(),
            digest: report.digest.clone(),
            violation: report.violations.iter().chain(&report.unmet).next().cloned(),
            metrics: Metrics::of(report),
        }
    }

    /// Whether nothing went wrong.
    pub(crate) const fn passed(&self) -> bool {
        self.violation.is_none()
    }
}

impl Metrics {
    fn of(r: &Report) -> Self {
        let (d, sent) = (&r.detection, &r.traffic);
        let count = |n: u64| Some(n as f64);
        let any = |n: u64, value: f64| (n > 0).then_some(value);
        let share = |s: &Share| any(s.due, s.got as f64 / s.due as f64);
        let serf = r.serf.as_ref();
        Self {
            crashes: count(d.crashes),
            known_to_all: count(d.reported_by_all),
            first_median_s: any(d.first_s.count, d.first_s.median),
            first_max_s: any(d.first_s.count, d.first_s.max),
            all_median_s: any(d.all_s.count, d.all_s.median),
            all_max_s: any(d.all_s.count, d.all_s.max),
            each_p99_s: any(d.each_s.count, d.each_s.p99),
            false_positives: count(r.false_positives.reachable),
            across_partitions: count(r.false_positives.across_partition),
            views_equal: count(r.views.equal.into()),
            converged_s: r.views.converged_s,
            datagrams_per_node_s: Some(sent.datagrams_per_node_s),
            bytes_per_node_s: Some(sent.datagram_bytes_per_node_s),
            streams_per_node_s: Some(sent.streams_per_node_s),
            stream_bytes_per_node_s: Some(sent.stream_bytes_per_node_s),
            events: count(sent.total.events),
            user_events: serf.and_then(|t| count(t.events)),
            delivered: serf.and_then(|t| share(&t.delivered)),
            queries: serf.and_then(|t| count(t.queries)),
            answers_per_query: serf
                .and_then(|t| any(t.queries, t.answers as f64 / t.queries as f64)),
            left: serf.and_then(|t| count(t.left)),
            told_left: serf.and_then(|t| share(&t.leaves_told)),
        }
    }
}
