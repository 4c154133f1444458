//! Delivery: a user event comes to every node, once.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use swim_core::Instant;

use super::ledger::{Entry, Ledger};
use crate::change::{Change, Strike, What};
use crate::oracle::{Inspect, Oracle, Violation};

/// A node is told of an event at most once in a life; and an event that was sent early enough is
/// told to every node that was up when it was sent and is up at the end. Early enough is two
/// push/pull intervals, scaled as the nodes scale them, before the end: what gossip misses,
/// push/pulls bring. A case is an event at a node.
///
/// The formula holds in runs without partitions that are still there at the end, and without so
/// many events that rings overflow.
#[derive(Debug)]
pub struct Delivery {
    ledger: Ledger,
    seen: usize,
    /// When each event was sent, by its payload.
    sent: BTreeMap<Vec<u8>, Instant>,
    /// Events at nodes: payload, node, life and time.
    told: BTreeSet<(Vec<u8>, u32, u32, u64)>,
    /// Since when each node is up, and in which life.
    up: BTreeMap<u32, (Instant, u32)>,
    cases: u64,
    open: u64,
}

impl Delivery {
    /// Judges what stands in this ledger.
    pub fn new(ledger: &Ledger) -> Self {
        Self {
            ledger: ledger.clone(),
            seen: 0,
            sent: BTreeMap::new(),
            told: BTreeSet::new(),
            up: BTreeMap::new(),
            cases: 0,
            open: 0,
        }
    }

    fn read(&mut self) -> Result<(), Violation> {
        for (at, node, life, entry) in self.ledger.since(&mut self.seen) {
            match entry {
                Entry::Sent { payload } => drop(self.sent.insert(payload, at)),
                Entry::Delivered { ltime, payload } => {
                    self.cases += 1;
                    let text = || format!("n{node} was told twice of {ltime} {payload:?}");
                    if self.told.contains(&(payload.clone(), node, life, ltime)) {
                        return Err(Violation::new(NAME, at, text()));
                    }
                    self.told.insert((payload, node, life, ltime));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Oracle for Delivery {
    fn name(&self) -> &'static str {
        NAME
    }

    fn on_change(&mut self, change: &Change) -> Result<(), Violation> {
        if let What::Strike(Strike::Started { node, life, .. }) = &change.what {
            self.up.insert(*node, (change.at, *life));
        }
        Ok(())
    }

    fn on_tick(&mut self, _: &dyn Inspect) -> Result<(), Violation> {
        self.read()
    }

    fn at_end(&mut self, world: &dyn Inspect) -> Result<(), Violation> {
        self.read()?;
        let time = 2 * spread(world);
        for (payload, &sent) in &self.sent {
            if sent + time > world.now() {
                self.open += 1;
                continue;
            }
            for (&node, &(since, life)) in &self.up {
                let told = || {
                    let at = |ltime| (payload.clone(), node, life, ltime);
                    self.told.range(at(0)..=at(u64::MAX)).next().is_some()
                };
                if world.observes(node) && since < sent && !told() {
                    let text = format!("n{node} was never told of {payload:?}, sent at {sent}");
                    return Err(Violation::new(NAME, world.now(), text));
                }
            }
        }
        Ok(())
    }

    fn cases(&self) -> u64 {
        self.cases
    }

    fn open(&self) -> u64 {
        self.open
    }
}

/// The time in which every node opens a push/pull, as memberlist scales it.
fn spread(world: &dyn Inspect) -> Duration {
    let doublings = u32::BITS - (world.nodes().max(1) - 1).leading_zeros();
    world.config().push_pull_interval() * (doublings.saturating_sub(5) + 1)
}

const NAME: &str = "delivery";
