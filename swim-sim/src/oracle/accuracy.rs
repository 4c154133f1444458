//! Accuracy: nobody healthy is taken for failed.

use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use swim_core::{Cause, Config, Instant};

use super::{Formula, Inspect, Oracle, Violation};
use crate::change::{Change, Claim, Says, Strike, What};

/// No node reports a node as failed that was up, reachable and unstalled, as was the node that
/// reports it and the one that accuses it, during the last `W`: the longest suspicion, a slowed
/// probe and the spread ([`Formula::accusation`]).
///
/// Gossip promises that only with some probability, so the bound is a rate, zero if nobody was
/// accused wrongly. `S` wrong accusations (subject, incarnation) and a residue `r`
/// ([`Formula::residue`] of the sends of a rumour that survive loss) give
///
/// * at most `3 S n r` reports, in the mean, of nodes that had refuted: the observer missed it;
/// * at most `S r e^-m` nodes, in the mean, reported that had not: they heard neither the rumour
///   nor, in the `m` probe intervals of the shortest suspicion, a prober that suspected them.
///
/// In a partition, rumours to the other sides are lost as well: `r` takes the smallest share of
/// nodes that a side kept, and sides of less than half are excused.
///
/// A run fails past the number that a Poisson variable of that mean exceeds once in 10^9 runs.
/// While accusations and refutations are more than gossip can carry within the shortest suspicion,
/// reports are excused.
#[derive(Debug)]
pub struct Accuracy {
    window: Duration,
    n: f64,
    sends: f64,
    /// Probe intervals of the shortest suspicion.
    patience: f64,
    shortest: Duration,
    /// Rumours that a node can send as often as it should within the shortest suspicion.
    capacity: usize,
    nodes: Vec<Condition>,
    splits: Vec<Partition>,
    loss_max: f64,
    /// The smallest share of nodes that a judged node could reach.
    reach_min: f64,
    /// Wrong accusations, and the times of the latest.
    accused: BTreeSet<(u32, u32)>,
    recent: VecDeque<Instant>,
    saturated_until: Option<Instant>,
    /// Reports of nodes that had refuted.
    missed: u64,
    /// Nodes reported that had not, by incarnation.
    unrefuted: BTreeSet<(u32, u32)>,
    first: Option<String>,
    first_unrefuted: Option<String>,
    cases: u64,
    excused: u64,
}

/// What a node went through.
#[derive(Clone, Copy, Debug, Default)]
struct Condition {
    up_since: Option<Instant>,
    leaving: bool,
    /// Since when it is not stalled; `None` while it is.
    clear_since: Option<Instant>,
    /// Whether its links or its host are impaired, and since when they are not.
    impaired: bool,
    relieved: Instant,
}

#[derive(Debug)]
struct Partition {
    groups: Arc<[u16]>,
    until: Option<Instant>,
}

impl Accuracy {
    /// For a world of `n` nodes with these settings.
    pub fn new(config: &Config, n: u32) -> Self {
        let formula = Formula::new(config, n);
        let shortest = formula.suspicion_min;
        let sends = Formula::sends(config, n);
        let datagrams =
            f64::from(config.gossip_nodes()) * shortest.div_duration_f64(config.gossip_interval());
        let carried = (f64::from(config.datagram_bytes_max()) / CLAIM_BYTES).floor();
        Self {
            window: formula.accusation(config),
            n: n.into(),
            sends,
            patience: shortest.div_duration_f64(config.probe_interval()),
            shortest,
            capacity: (datagrams * carried / sends) as usize,
            nodes: vec![Condition::default(); n as usize],
            splits: Vec::new(),
            loss_max: 0.0,
            reach_min: 1.0,
            accused: BTreeSet::new(),
            recent: VecDeque::new(),
            saturated_until: None,
            missed: 0,
            unrefuted: BTreeSet::new(),
            first: None,
            first_unrefuted: None,
            cases: 0,
            excused: 0,
        }
    }

    /// How many reports are let pass: of nodes that had refuted, of nodes that had not.
    fn bounds(&self) -> (u64, u64) {
        let wrong = self.accused.len() as f64;
        let arrive = (1.0 - self.loss_max) * self.reach_min;
        let residue = Formula::residue(self.sends * arrive);
        let patience = self.patience * arrive;
        let missed = 3.0 * wrong * self.n * residue;
        (poisson_bound(missed), poisson_bound(wrong * residue * (-patience).exp()))
    }

    /// Somebody accuses a node that is up.
    fn on_suspected(&mut self, now: Instant, claim: &Claim) {
        if self.nodes[claim.subject as usize].up_since.is_none()
            || !self.accused.insert((claim.subject, claim.incarnation))
        {
            return;
        }
        self.recent.push_back(now);
        let start = now - self.shortest;
        while self.recent.front().is_some_and(|&t| t < start) {
            self.recent.pop_front();
        }
        // Each accusation is a rumour, and so is its refutation.
        if 2 * self.recent.len() > self.capacity {
            self.saturated_until = Some(now + self.window);
        }
    }

    fn on_down(&mut self, now: Instant, claim: &Claim, by: Option<u32>) -> Result<(), Violation> {
        let subject = self.nodes[claim.subject as usize];
        if subject.up_since.is_none() || subject.leaving {
            self.cases += 1;
            return Ok(());
        }
        let start = now - self.window;
        let accuser = by.unwrap_or(claim.observer);
        let involved = [claim.subject, claim.observer, accuser];
        let steady = involved.iter().all(|&i| self.nodes[i as usize].steady_since(start));
        let saturated = self.saturated_until.is_some_and(|t| now <= t);
        if !steady || saturated || self.separated(start, claim, by) {
            self.excused += 1;
            return Ok(());
        }
        self.cases += 1;
        let refuted = claim.issued > claim.incarnation;
        let first = if refuted { &mut self.first } else { &mut self.first_unrefuted };
        first.get_or_insert_with(|| format!("{claim} at {now}"));
        if refuted {
            self.missed += 1;
        } else {
            self.unrefuted.insert((claim.subject, claim.incarnation));
        }
        // Without a wrong accusation there is no bound to wait for.
        if self.accused.is_empty() { self.judge(now) } else { Ok(()) }
    }

    fn judge(&self, now: Instant) -> Result<(), Violation> {
        let (missed_max, unrefuted_max) = self.bounds();
        let (missed, unrefuted) = (self.missed, self.unrefuted.len() as u64);
        if missed <= missed_max && unrefuted <= unrefuted_max {
            return Ok(());
        }
        let told = |first: &Option<String>| first.clone().unwrap_or_default();
        let text = format!(
            "nodes that were up, reachable and unstalled for {:?} were reported as failed: {missed} \
             times after they had refuted, at most {missed_max} [{}]; {unrefuted} that had not, at \
             most {unrefuted_max} [{}]; {} were accused, {:.1} % loss",
            self.window,
            told(&self.first),
            told(&self.first_unrefuted),
            self.accused.len(),
            self.loss_max * 100.0,
        );
        Err(Violation::new(NAME, now, text))
    }

    /// Whether a partition lay between subject and accuser since `start`; if the accuser is not
    /// known, any partition may have been the reason.
    fn separated(&self, start: Instant, claim: &Claim, by: Option<u32>) -> bool {
        let recent = |p: &&Partition| p.until.is_none_or(|t| t > start);
        self.splits.iter().filter(recent).any(|p| {
            let group = |i: u32| p.groups[i as usize];
            let s = group(claim.subject);
            if p.share(s) < 0.5 {
                return true;
            }
            by.is_none_or(|by| group(by) != s) || group(claim.observer) != s
        })
    }

    fn on_strike(&mut self, now: Instant, strike: &Strike) {
        match strike {
            Strike::Started { node, converged, .. } => {
                // A world that starts converged has behaved for ever.
                let since = if *converged { Instant::ZERO } else { now };
                let node = &mut self.nodes[*node as usize];
                let (up_since, clear_since) = (Some(since), Some(since));
                *node = Condition { up_since, leaving: false, clear_since, ..*node };
            }
            Strike::Crashed(node) | Strike::Gone(node) => {
                self.nodes[*node as usize].up_since = None;
            }
            Strike::Leaving(node) => self.nodes[*node as usize].leaving = true,
            Strike::Stalled { node, .. } => self.nodes[*node as usize].clear_since = None,
            Strike::Resumed(node) => self.nodes[*node as usize].clear_since = Some(now),
            Strike::Impaired(node) => self.nodes[*node as usize].impaired = true,
            Strike::Relieved(node) => {
                let node = &mut self.nodes[*node as usize];
                (node.impaired, node.relieved) = (false, now);
            }
            Strike::Split(groups) => {
                self.end_split(now);
                let split = Partition { groups: Arc::clone(groups), until: None };
                let shares = groups.iter().map(|&g| split.share(g)).filter(|&s| s >= 0.5);
                self.reach_min = shares.fold(self.reach_min, f64::min);
                self.splits.push(split);
            }
            Strike::Healed => self.end_split(now),
            Strike::Loss(p) => {
                self.loss_max = self.loss_max.max(*p);
            }
        }
    }

    fn end_split(&mut self, now: Instant) {
        let start = now - self.window;
        self.splits.retain(|p| p.until.is_none_or(|t| t > start));
        for p in &mut self.splits {
            p.until.get_or_insert(now);
        }
    }
}

impl Partition {
    /// The share of nodes in a group.
    fn share(&self, group: u16) -> f64 {
        let side = self.groups.iter().filter(|&&g| g == group).count();
        side as f64 / self.groups.len() as f64
    }
}

impl Condition {
    /// Whether it was up and unstalled since before `start`.
    fn steady_since(&self, start: Instant) -> bool {
        let before = |t: Option<Instant>| t.is_some_and(|t| t <= start);
        let links = !self.impaired && self.relieved <= start;
        before(self.up_since) && before(self.clear_since) && links
    }
}

impl Oracle for Accuracy {
    fn name(&self) -> &'static str {
        NAME
    }

    fn on_change(&mut self, change: &Change) -> Result<(), Violation> {
        match &change.what {
            What::Strike(strike) => self.on_strike(change.at, strike),
            What::Claim(claim) => match claim.says {
                Says::Down { cause: Cause::Failed, by } => {
                    return self.on_down(change.at, claim, by);
                }
                Says::Suspected { .. } => self.on_suspected(change.at, claim),
                _ => {}
            },
        }
        Ok(())
    }

    fn at_end(&mut self, world: &dyn Inspect) -> Result<(), Violation> {
        self.judge(world.now())
    }

    fn cases(&self) -> u64 {
        self.cases
    }

    fn excused(&self) -> u64 {
        self.excused
    }
}

/// The smallest number that a Poisson variable of this mean exceeds less than once in 10^9 times.
fn poisson_bound(mean: f64) -> u64 {
    if mean > 500.0 {
        return (mean + 6.0 * mean.sqrt()).ceil() as u64;
    }
    let (mut term, mut below, mut bound) = ((-mean).exp(), 0.0, 0u64);
    loop {
        below += term;
        if 1.0 - below < 1e-9 {
            return bound;
        }
        bound += 1;
        term *= mean / bound as f64;
    }
}

/// Bytes of a claim in a datagram: an alive message with short names, and its length.
const CLAIM_BYTES: f64 = 64.0;

const NAME: &str = "accuracy";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_zero_without_reason_and_grow_with_it() {
        assert_eq!(poisson_bound(0.0), 0);
        assert_eq!(poisson_bound(1e-12), 0);
        assert_eq!(poisson_bound(1e-6), 1);
        assert_eq!(poisson_bound(1.0), 11);
        let large = poisson_bound(499.0);
        assert!((630..660).contains(&large), "{large}");
    }
}
