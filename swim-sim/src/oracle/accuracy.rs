//! Accuracy: nobody healthy is taken for failed.

use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};

use swim_core::{Cause, Config, Instant};

use super::conduct::{Conduct, Excuse};
use super::{Excused, Formula, Inspect, Oracle, Violation};
use crate::change::{Change, Claim, Says, What};

/// No node reports as failed a node that was up, unstalled and reachable, being up and unstalled
/// itself, during the last `W`.
///
/// A node asks before it believes a death, so that `W` is the probe time-out: what was wrong before
/// is no excuse, and it does not matter who accused whom. With memberlist's own rules
/// ([`Ablation::last_call`](swim_core::Ablation::last_call) off) `W` is the longest suspicion, a
/// slowed probe and the spread ([`Formula::accusation`]), and the accuser must have been well, too.
///
/// Where no packet was lost within `W`, one such report is a violation. With a share `l` of packets
/// lost it is a matter of rate. An observer that suspects a live node reports it wrongly only if
///
/// * question or answer are lost: `q = 1 - (1 - l)^2` (1, if it does not ask), and
/// * the refutation has not reached it by gossip: at most `p = 3 r`, where `r` is the residue of
///   the sends of a rumour that arrive within its side ([`Formula::residue`]). No such promise, so
///   `p = 1`, is made if subject or observer is frozen, impaired, or younger than the shortest
///   suspicion, or they are apart, until less than the spread before the shortest suspicion ends;
///   nor while accusations and refutations are more than gossip can carry in that time.
///
/// At most as many such reports are let pass as a Poisson variable of the mean `sum of q p`, over
/// all suspicions of live nodes, exceeds once in 10^9 runs.
///
/// A case is a suspicion of a live node, or a report that is judged. Reports of live nodes that
/// were cut off, frozen, impaired or just started within `W`, or whose observer was, are excused;
/// so are those of a node that has moved, by an observer that knows it at its old address.
#[derive(Debug)]
pub struct Accuracy {
    window: Duration,
    asks: bool,
    sends: f64,
    spread: Duration,
    shortest: Duration,
    /// Rumours that a node can send as often as it should within the shortest suspicion.
    capacity: usize,
    conduct: Conduct,
    /// Live nodes that were accused, by incarnation, and the times of the latest.
    accused: BTreeSet<(u32, u32)>,
    recent: VecDeque<Instant>,
    saturated_until: Option<Instant>,
    /// How many wrong reports loss explains, in the mean, and how many there were.
    mean: f64,
    wrong: u64,
    first: Option<String>,
    cases: u64,
    excused: [u64; Excuse::ALL.len()],
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
        let asks = config.ablation().last_call && config.ablation().suspicion;
        let window = if asks { config.probe_timeout() } else { formula.accusation(config) };
        Self {
            window,
            asks,
            sends,
            spread: formula.spread,
            shortest,
            capacity: (datagrams * carried / sends) as usize,
            conduct: Conduct::new(n, window),
            accused: BTreeSet::new(),
            recent: VecDeque::new(),
            saturated_until: None,
            mean: 0.0,
            wrong: 0,
            first: None,
            cases: 0,
            excused: [0; Excuse::ALL.len()],
        }
    }

    /// Somebody suspects a node that is up.
    fn on_suspected(&mut self, now: Instant, claim: &Claim) {
        if !self.conduct.is_member(claim.subject) {
            return;
        }
        self.cases += 1;
        if self.accused.insert((claim.subject, claim.incarnation)) {
            self.watch_capacity(now);
        }
        let arrive = 1.0 - self.conduct.loss();
        let unanswered = if self.asks { 1.0 - arrive * arrive } else { 1.0 };
        let (subject, observer) = (claim.subject, claim.observer);
        let in_time = now + self.shortest - self.spread;
        let promised = self.saturated_until.is_none_or(|t| now > t)
            && self.conduct.take_part(in_time, self.shortest, subject, observer);
        let missed = if promised {
            3.0 * Formula::residue(self.sends * arrive * self.conduct.reach(subject))
        } else {
            1.0
        };
        if self.conduct.loss() > 0.0 {
            self.mean += unanswered * missed.min(1.0);
        }
    }

    /// Each accusation is a rumour, and so is its refutation.
    fn watch_capacity(&mut self, now: Instant) {
        self.recent.push_back(now);
        let start = now - self.shortest;
        while self.recent.front().is_some_and(|&t| t < start) {
            self.recent.pop_front();
        }
        if 2 * self.recent.len() > self.capacity {
            self.saturated_until = Some(now + self.shortest);
        }
    }

    fn on_down(&mut self, now: Instant, claim: &Claim, by: Option<u32>) -> Result<(), Violation> {
        if !self.conduct.is_member(claim.subject) {
            self.cases += 1;
            return Ok(());
        }
        let start = now - self.window;
        let excuse = |observer| self.conduct.excuse(start, claim.subject, observer);
        let accuser = by.filter(|_| !self.asks);
        let moved = claim.elsewhere.then_some(Excuse::Moved);
        let found = moved.or_else(|| excuse(claim.observer));
        if let Some(excuse) = found.or_else(|| accuser.and_then(excuse)) {
            self.excused[excuse as usize] += 1;
            return Ok(());
        }
        self.cases += 1;
        self.wrong += 1;
        self.first.get_or_insert_with(|| format!("{claim}, at {now}"));
        if self.conduct.was_lossy(start) {
            return Ok(());
        }
        let (window, observer) = (self.window, claim.observer);
        let text = format!(
            "{claim}, though it and n{observer} were up, unstalled and within reach of each other \
             for {window:?}, and no packet was lost"
        );
        Err(Violation::new(NAME, now, text))
    }

    fn judge(&self, now: Instant) -> Result<(), Violation> {
        let bound = poisson_bound(self.mean);
        if self.wrong <= bound {
            return Ok(());
        }
        let text = format!(
            "{} reports of nodes that were up, unstalled and within reach for {:?}; loss explains \
             {:.3} in the mean, at most {bound}; the first: {}",
            self.wrong,
            self.window,
            self.mean,
            self.first.as_deref().unwrap_or_default(),
        );
        Err(Violation::new(NAME, now, text))
    }
}

impl Oracle for Accuracy {
    fn name(&self) -> &'static str {
        NAME
    }

    fn on_change(&mut self, change: &Change) -> Result<(), Violation> {
        match &change.what {
            What::Strike(strike) => self.conduct.on_strike(change.at, strike),
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

    fn excused(&self) -> Vec<Excused> {
        let of = |excuse: Excuse| Excused::new(excuse.text(), self.excused[excuse as usize]);
        Excuse::ALL.map(of).to_vec()
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
