//! A batch of random worlds: what all of them together have shown.

use super::say::say;
use super::table::{excuses, serf_facts, thousands};
use crate::counts::FaultCounts;
use crate::digest::Digest;
use crate::oracle::Verdict;
use crate::serf::Tally;
use crate::swarm::{Asked, Outcome};

/// All seeds together.
#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Batch {
    pub(super) seeds: u64,
    pub(super) failed: Vec<u64>,
    /// A hash over the digests of all worlds, in order of their seeds.
    pub(super) digest: String,
    pub(super) events: u64,
    pub(super) virtual_s: f64,
    pub(super) asked: Asked,
    pub(super) faults: FaultCounts,
    /// What Serf nodes did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tally: Option<Tally>,
    pub(super) oracles: Vec<Verdict>,
    pub(super) violations: Vec<String>,
    /// What the batch failed to exercise.
    pub(super) vacuous: Vec<String>,
    pub(super) wall_s: f64,
    #[serde(skip)]
    digests: Digest,
}

impl Batch {
    pub(super) fn add(&mut self, seed: u64, outcome: Outcome) {
        self.seeds += 1;
        self.digests.words(seed, outcome.digest);
        if !outcome.violations.is_empty() {
            self.failed.push(seed);
        }
        self.events += outcome.events;
        self.virtual_s += outcome.virtual_s;
        self.asked.add(&outcome.asked);
        self.faults.add(&outcome.faults);
        if let Some(tally) = &outcome.tally {
            self.tally.get_or_insert_default().add(tally);
        }
        let texts = outcome.violations.into_iter().map(|v| format!("seed {seed}: {v}"));
        self.violations.extend(texts);
        if self.oracles.is_empty() {
            self.oracles = outcome.oracles;
        } else {
            for (sum, verdict) in self.oracles.iter_mut().zip(&outcome.oracles) {
                sum.add(verdict);
            }
        }
    }

    /// Concludes what was added.
    pub(super) fn end(&mut self, nodes: u32) {
        self.digest = format!("{:016x}", self.digests.value());
        self.vacuous = self.vacuous(nodes);
    }

    /// What was asked for and did not happen. An oracle with few cases counts only in a batch of
    /// some size, since one world may draw no crash.
    fn vacuous(&self, nodes: u32) -> Vec<String> {
        let mut found: Vec<String> = self
            .asked
            .against(&self.faults, self.tally.as_ref())
            .into_iter()
            .filter(|(_, asked, struck)| *asked > 0 && *struck == 0)
            .map(|(fault, asked, _)| format!("{fault}: asked for {asked} times, never struck"))
            .collect();
        if self.seeds >= BATCH_MIN {
            let idle = self.oracles.iter().filter_map(|v| {
                let least = cases_min(v.oracle, nodes) * self.seeds / 2;
                let text = || format!("{}: judged {} cases, fewer than {least}", v.oracle, v.cases);
                (v.cases < least).then(text)
            });
            found.extend(idle);
            let all = self.asked.against(&self.faults, self.tally.as_ref());
            let never = all.into_iter().filter(|(_, n, _)| *n == 0);
            found.extend(never.map(|(fault, ..)| format!("{fault}: never asked for")));
            if self.asked.long_partitions == 0 {
                found.push("partition: none outlasts the longest suspicion".to_owned());
            }
        }
        found
    }
}

/// Prints the batch for a person.
pub(super) fn print(b: &Batch, nodes: u32) {
    say!(
        "{} worlds of {} nodes: {} passed, {} failed",
        thousands(b.seeds),
        nodes,
        thousands(b.seeds - b.failed.len() as u64),
        b.failed.len()
    );
    say!(
        "{} events, {:.0} virtual s in {:.1} s: {:.2} M events/s",
        thousands(b.events),
        b.virtual_s,
        b.wall_s,
        b.events as f64 / b.wall_s.max(1e-9) / 1e6
    );
    say!("digest of all worlds {}\n", b.digest);
    say!("{:<16} {:>12} {:>12}", "fault", "asked for", "struck");
    for (fault, asked, struck) in b.asked.against(&b.faults, b.tally.as_ref()) {
        say!("{fault:<16} {:>12} {:>12}", thousands(asked), thousands(struck));
    }
    let long = thousands(b.asked.long_partitions);
    say!("{long} of the partitions outlast the longest suspicion");
    for (name, text) in b.tally.iter().flat_map(serf_facts) {
        say!("{name}: {text}");
    }
    say!("\n{:<16} {:>12} {:>10} {:>8} {:>12}", "oracle", "cases", "excused", "open", "violations");
    for v in &b.oracles {
        let (cases, excused) = (thousands(v.cases), thousands(v.excused));
        let (open, violations) = (thousands(v.open), thousands(v.violations));
        say!("{:<16} {cases:>12} {excused:>10} {open:>8} {violations:>12}", v.oracle);
    }
    for excused in b.oracles.iter().filter_map(excuses) {
        say!("{excused}");
    }
    for text in &b.vacuous {
        say!("VACUOUS {text}");
    }
    if !b.failed.is_empty() {
        let seeds: Vec<String> = b.failed.iter().take(20).map(ToString::to_string).collect();
        say!("failed seeds: {}{}", seeds.join(" "), if b.failed.len() > 20 { " ..." } else { "" });
    }
}

/// Cases that an oracle must have judged in two worlds, in the mean.
fn cases_min(oracle: &str, nodes: u32) -> u64 {
    let nodes = u64::from(nodes);
    match oracle {
        // A crash; the views at the end.
        "completeness" | "convergence" => 1,
        // Suspicions and reports of deaths.
        "accuracy" => 4 * nodes,
        // What nodes say of each other.
        "incarnation" => 40 * nodes,
        // The dead that returned.
        "resurrection" => 4 * nodes,
        // Every node in every second.
        "bounded" => 200 * nodes,
        // Events at nodes; answers; steps of clocks; reports of who left.
        "delivery" | "clocks" => 10 * nodes,
        "answers" => 4 * nodes,
        "tombstones" => nodes,
        _ => 0,
    }
}

/// A batch of at least this many worlds must exercise everything.
const BATCH_MIN: u64 = 50;
