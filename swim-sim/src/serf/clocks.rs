//! Clocks: Lamport clocks never go back.

use std::collections::BTreeMap;

use super::ledger::{Entry, Ledger};
use crate::oracle::{Inspect, Oracle, Violation};

/// Within a life none of a node's three clocks goes back, and each starts at 1 or later. A case is
/// a step of a clock.
#[derive(Debug)]
pub struct Clocks {
    ledger: Ledger,
    seen: usize,
    last: BTreeMap<(u32, u32), [u64; 3]>,
    cases: u64,
}

impl Clocks {
    /// Judges what stands in this ledger.
    pub fn new(ledger: &Ledger) -> Self {
        Self { ledger: ledger.clone(), seen: 0, last: BTreeMap::new(), cases: 0 }
    }

    fn read(&mut self) -> Result<(), Violation> {
        for (at, node, life, entry) in self.ledger.since(&mut self.seen) {
            let Entry::Clocks(now) = entry else { continue };
            self.cases += 1;
            let before = self.last.insert((node, life), now).unwrap_or([1; 3]);
            if now.iter().zip(&before).any(|(now, before)| now < before) {
                let text = format!("the clocks of n{node} went from {before:?} to {now:?}");
                return Err(Violation::new(NAME, at, text));
            }
        }
        Ok(())
    }
}

impl Oracle for Clocks {
    fn name(&self) -> &'static str {
        NAME
    }

    fn on_tick(&mut self, _: &dyn Inspect) -> Result<(), Violation> {
        self.read()
    }

    fn at_end(&mut self, _: &dyn Inspect) -> Result<(), Violation> {
        self.read()
    }

    fn cases(&self) -> u64 {
        self.cases
    }
}

const NAME: &str = "clocks";
