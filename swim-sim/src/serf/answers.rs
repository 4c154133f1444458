//! Answers: nobody hears a query twice, or answers it twice.

use std::collections::BTreeSet;

use super::ledger::{Entry, Ledger};
use crate::oracle::{Inspect, Oracle, Violation};

/// A node is told of a query at most once in a life; its asker is told of at most one answer and
/// one acknowledgement of each node, and of none after its end. A case is an answer.
///
/// A query is known by its time, asker and payload, so a run must not let one node ask the same
/// twice at one time.
#[derive(Debug)]
pub struct Answers {
    ledger: Ledger,
    seen: usize,
    heard: BTreeSet<(u32, u32, u64, String, Vec<u8>)>,
    acked: BTreeSet<(u32, u32, u64, String)>,
    answered: BTreeSet<(u32, u32, u64, String)>,
    ended: BTreeSet<(u32, u32, u64)>,
    cases: u64,
}

impl Answers {
    /// Judges what stands in this ledger.
    pub fn new(ledger: &Ledger) -> Self {
        Self {
            ledger: ledger.clone(),
            seen: 0,
            heard: BTreeSet::new(),
            acked: BTreeSet::new(),
            answered: BTreeSet::new(),
            ended: BTreeSet::new(),
            cases: 0,
        }
    }

    fn read(&mut self) -> Result<(), Violation> {
        for (at, node, life, entry) in self.ledger.since(&mut self.seen) {
            let wrong = match entry {
                Entry::Heard { ltime, source, payload } => {
                    let text = format!("n{node} was told twice of the query {ltime} of {source}");
                    (!self.heard.insert((node, life, ltime, source, payload))).then_some(text)
                }
                Entry::Acked { op, from } => {
                    let text = format!("n{node}: {from} acknowledged its query {op} wrongly");
                    let late = self.ended.contains(&(node, life, op));
                    (late || !self.acked.insert((node, life, op, from))).then_some(text)
                }
                Entry::Answered { op, from } => {
                    self.cases += 1;
                    let text = format!("n{node} got an answer of {from} that does not count");
                    let late = self.ended.contains(&(node, life, op));
                    (late || !self.answered.insert((node, life, op, from))).then_some(text)
                }
                Entry::Ended { op } => {
                    let text = format!("n{node}: the query {op} ended twice");
                    (!self.ended.insert((node, life, op))).then_some(text)
                }
                _ => None,
            };
            if let Some(text) = wrong {
                return Err(Violation::new(NAME, at, text));
            }
        }
        Ok(())
    }
}

impl Oracle for Answers {
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

const NAME: &str = "answers";
