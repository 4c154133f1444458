//! Completeness: everybody notices a crash.

use core::time::Duration;
use std::collections::BTreeSet;

use swim_core::{Config, Instant};

use super::disturbances::Disturbances;
use super::pairs::Pairs;
use super::{Excused, Formula, Inspect, Oracle, Violation};
use crate::change::{Change, Claim, Says, Strike, What};

/// Every live node that took a crashed node for live reports it as down within `D`: its probe
/// round, slowed by its health score, the longest suspicion and the spread
/// ([`Formula::detection`]).
///
/// `D` counts from the crash or from the last other fault, whichever is later, and not while a
/// partition or a stall lasts. A node that starts again before that is excused. A case is a crash.
#[derive(Debug)]
pub struct Completeness {
    within: Duration,
    /// Who takes whom for live.
    live: Pairs,
    up: Vec<bool>,
    crashes: Vec<Crash>,
    disturbances: Disturbances,
    cases: u64,
    excused: u64,
    open: u64,
}

#[derive(Debug)]
struct Crash {
    node: u32,
    at: Instant,
    /// Who has still to report it.
    waiting: BTreeSet<u32>,
}

impl Completeness {
    /// For a world of `n` nodes with these settings.
    pub fn new(config: &Config, n: u32) -> Self {
        Self {
            within: Formula::new(config, n).detection(config),
            live: Pairs::new(n),
            up: vec![false; n as usize],
            crashes: Vec::new(),
            disturbances: Disturbances::default(),
            cases: 0,
            excused: 0,
            open: 0,
        }
    }

    fn on_claim(&mut self, claim: &Claim) {
        let Claim { observer, subject, .. } = *claim;
        let live = match claim.says {
            Says::Up => true,
            Says::Down { .. } | Says::Reaped => false,
            Says::Changed | Says::Suspected { .. } | Says::Trusted => return,
        };
        self.live.set(observer, subject, live);
        if let Some(crash) = self.crashes.iter_mut().find(|c| c.node == subject) {
            if live {
                crash.waiting.insert(observer);
            } else {
                crash.waiting.remove(&observer);
            }
        }
    }

    fn on_strike(&mut self, now: Instant, strike: &Strike) {
        match *strike {
            Strike::Started { node, converged, .. } => {
                self.up[node as usize] = true;
                self.live.fill_row(node, converged);
                if let Some(i) = self.crashes.iter().position(|c| c.node == node) {
                    let crash = self.crashes.swap_remove(i);
                    self.excused += u64::from(!crash.waiting.is_empty());
                    self.cases += u64::from(crash.waiting.is_empty());
                }
            }
            Strike::Crashed(node) => {
                self.observer_goes(node);
                let takes_for_live = |&i: &u32| self.up[i as usize] && self.live.get(i, node);
                let waiting = (0..self.up.len() as u32).filter(takes_for_live).collect();
                self.crashes.push(Crash { node, at: now, waiting });
            }
            Strike::Leaving(node) | Strike::Gone(node) => self.observer_goes(node),
            _ => {}
        }
        self.disturbances.on_strike(now, strike);
    }

    fn observer_goes(&mut self, node: u32) {
        self.up[node as usize] = false;
        for crash in &mut self.crashes {
            crash.waiting.remove(&node);
        }
    }

    /// Judges the crashes that are due.
    fn judge(&mut self, now: Instant) -> Result<(), Violation> {
        let Some(calm) = self.disturbances.calm_since() else { return Ok(()) };
        let due = |c: &Crash| now >= c.at.max(calm) + self.within;
        let mut wronged = None;
        while wronged.is_none()
            && let Some(i) = self.crashes.iter().position(due)
        {
            let crash = self.crashes.swap_remove(i);
            self.cases += 1;
            wronged = Some(crash).filter(|crash| !crash.waiting.is_empty());
        }
        let Some(crash) = wronged else { return Ok(()) };
        let who: Vec<String> = crash.waiting.iter().take(5).map(|i| format!("n{i}")).collect();
        let text = format!(
            "n{} crashed at {}; {} live nodes have not reported it within {:?}: {}",
            crash.node,
            crash.at,
            crash.waiting.len(),
            self.within,
            who.join(" ")
        );
        Err(Violation::new(NAME, now, text))
    }
}

impl Oracle for Completeness {
    fn name(&self) -> &'static str {
        NAME
    }

    fn on_change(&mut self, change: &Change) -> Result<(), Violation> {
        match &change.what {
            What::Claim(claim) => self.on_claim(claim),
            What::Strike(strike) => self.on_strike(change.at, strike),
        }
        Ok(())
    }

    fn on_tick(&mut self, world: &dyn Inspect) -> Result<(), Violation> {
        self.judge(world.now())
    }

    fn at_end(&mut self, world: &dyn Inspect) -> Result<(), Violation> {
        let verdict = self.judge(world.now());
        for crash in &self.crashes {
            // All have reported it: right, if early.
            self.cases += u64::from(crash.waiting.is_empty());
            self.open += u64::from(!crash.waiting.is_empty());
        }
        verdict
    }

    fn cases(&self) -> u64 {
        self.cases
    }

    fn excused(&self) -> Vec<Excused> {
        vec![Excused::new("started again before", self.excused)]
    }

    fn open(&self) -> u64 {
        self.open
    }
}

const NAME: &str = "completeness";
