//! Oracles: who watches, what they are told, what they find.

use core::time::Duration;
use std::sync::Arc;

use swim_core::{Config, Instant};

use super::World;
use crate::change::{Change, Strike, What};
use crate::machine::{Machine, Seen};
use crate::oracle::{self, Inspect, Load, Oracle, Verdict, Violation};

impl<M: Machine> World<M> {
    /// Lets an oracle judge what happens from now on.
    pub fn watch(&mut self, oracle: impl Oracle + 'static) {
        self.watch_boxed(Box::new(oracle));
    }

    /// Lets every oracle judge what happens from now on.
    pub fn watch_all(&mut self) {
        for oracle in oracle::all(&Arc::clone(&self.core), self.len()) {
            self.watch_boxed(oracle);
        }
    }

    /// Lets the oracles of the Serf layer judge what happens from now on, too.
    pub fn watch_serf(&mut self) {
        for oracle in crate::serf::oracles(&self.ledger) {
            self.watch_boxed(oracle);
        }
    }

    fn watch_boxed(&mut self, mut oracle: Box<dyn Oracle>) {
        self.tell_start(oracle.as_mut());
        self.oracles.push(oracle);
        self.next_tick = self.next_tick.min(self.now + TICK);
        self.next_act = self.next_act.min(self.next_tick);
    }

    /// Asks the oracles for their last word, and hands out what all of them found.
    pub fn verdicts(&mut self) -> Vec<Verdict> {
        let mut oracles = core::mem::take(&mut self.oracles);
        for oracle in &mut oracles {
            if let Err(v) = oracle.at_end(self) {
                self.note_violation(v);
            }
        }
        let verdicts = oracles.iter().map(|o| Verdict::of(o.as_ref(), &self.violations)).collect();
        self.oracles = oracles;
        verdicts
    }

    /// What oracles have objected to so far; the first [`VIOLATIONS_MAX`] are kept.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    pub(super) fn note_violation(&mut self, violation: Violation) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(violation);
        }
    }

    /// Tells every oracle.
    pub(super) fn tell(&mut self, change: &Change) {
        for i in 0..self.oracles.len() {
            if let Err(v) = self.oracles[i].on_change(change) {
                self.note_violation(v);
            }
        }
    }

    /// Tells every oracle, and the tracker, what the world does.
    pub(super) fn tell_strike(&mut self, strike: Strike) {
        if !self.oracles.is_empty() {
            self.tell(&Change::strike(self.now, strike));
        }
    }

    /// Tells an oracle that comes late what is already the case.
    fn tell_start(&self, oracle: &mut dyn Oracle) {
        for (node, host) in (0..).zip(&self.hosts) {
            if host.machine.is_some() {
                let (life, converged) = (host.life, true);
                let what = What::Strike(Strike::Started { node, life, converged });
                // An oracle that objects to a mere start has nothing to compare it with yet.
                let _ = oracle.on_change(&Change { at: self.now, what });
            }
        }
        for node in (0..self.len()).filter(|&node| self.is_impaired(node)) {
            let what = What::Strike(Strike::Impaired(node));
            let _ = oracle.on_change(&Change { at: self.now, what });
        }
        if self.links.loss() > 0.0 {
            let what = What::Strike(Strike::Loss(self.links.loss()));
            let _ = oracle.on_change(&Change { at: self.now, what });
        }
        if !self.groups.is_empty() {
            let what = What::Strike(Strike::Split(Arc::clone(&self.groups)));
            let _ = oracle.on_change(&Change { at: self.now, what });
        }
    }
}

impl<M: Machine> Inspect for World<M> {
    fn now(&self) -> Instant {
        self.now
    }

    fn nodes(&self) -> u32 {
        self.len()
    }

    fn config(&self) -> &Config {
        &self.core
    }

    fn observes(&self, node: u32) -> bool {
        self.hosts[node as usize].observes()
    }

    fn incarnation(&self, node: u32) -> u32 {
        self.machine(node).map_or(0, Machine::incarnation)
    }

    fn view(&self, node: u32, show: &mut dyn FnMut(Seen<'_>)) {
        if let Some(machine) = self.machine(node) {
            machine.view(show);
        }
    }

    fn view_changes(&self, node: u32, show: &mut dyn FnMut(Seen<'_>)) -> bool {
        self.machine(node).is_some_and(|machine| machine.view_changes(show))
    }

    fn load(&self, node: u32) -> Load {
        self.hosts[node as usize].load()
    }
}

/// Violations that a world keeps; a broken protocol has thousands, and the first tells most.
pub const VIOLATIONS_MAX: usize = 100;

/// Time between two looks of the oracles at every node.
pub(super) const TICK: Duration = Duration::from_secs(1);
