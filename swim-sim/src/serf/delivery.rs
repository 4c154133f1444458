//! Delivery: a user event comes to every node, once.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use swim_core::{Config, Instant};

use super::ledger::{Entry, Ledger};
use crate::change::{Change, What};
use crate::oracle::{Disturbances, Excused, Formula, Inspect, Oracle, Violation};

/// A node is told of an event at most once in a life; and at the end, what one live node was told
/// in this life, all others were told that were up when it was sent, and have been since. What dies
/// with its sender before anybody else has heard of it is excused.
///
/// An event that was sent after the last fault, with none that lasts, must be everywhere two
/// push/pull intervals later: what gossip misses, push/pulls bring. One that was sent before it has
/// [`Self::within`] from that fault on. A case is an event at a node.
///
/// An event is known by its payload, which no other may have. The formula holds in runs without so
/// many events that rings overflow.
#[derive(Debug)]
pub struct Delivery {
    ledger: Ledger,
    seen: usize,
    sent: BTreeMap<Vec<u8>, Sent>,
    /// Events at nodes: payload, node and life.
    told: BTreeSet<(Vec<u8>, u32, u32)>,
    /// Each node's life, and the place of its start in the ledger.
    born: BTreeMap<u32, (u32, usize)>,
    disturbances: Disturbances,
    cases: u64,
    excused: u64,
    open: u64,
}

/// When an event was sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    /// The place in the ledger.
    line: usize,
    /// The first look of the oracle after it.
    at: Instant,
}

impl Delivery {
    /// Judges what stands in this ledger.
    pub fn new(ledger: &Ledger) -> Self {
        Self {
            ledger: ledger.clone(),
            seen: 0,
            sent: BTreeMap::new(),
            told: BTreeSet::new(),
            born: BTreeMap::new(),
            disturbances: Disturbances::default(),
            cases: 0,
            excused: 0,
            open: 0,
        }
    }

    /// How long after the last fault `n` nodes with these settings may lack an event that was sent
    /// before it: until the sides of a partition have found each other, and then `log2 n + 4`
    /// push/pull intervals. An event from the other side comes by push/pull only; in an interval at
    /// least twice as many nodes have it, until half of them do, and then the share that lacks it
    /// is squared.
    pub fn within(config: &Config, n: u32) -> Duration {
        let formula = Formula::new(config, n);
        let doublings = u32::BITS - (n.max(1) - 1).leading_zeros();
        formula.reconnect + formula.push_pull * (doublings + 4)
    }

    fn read(&mut self, now: Instant) -> Result<(), Violation> {
        let first = self.seen;
        for (i, (at, node, life, entry)) in
            self.ledger.since(&mut self.seen).into_iter().enumerate()
        {
            let line = first + i;
            match entry {
                Entry::Born => drop(self.born.insert(node, (life, line))),
                Entry::Sent { payload } => drop(self.sent.insert(payload, Sent { line, at: now })),
                Entry::Delivered { ltime, payload } => {
                    self.cases += 1;
                    let text = format!("n{node} was told twice of {ltime} {}", shown(&payload));
                    if !self.told.insert((payload, node, life)) {
                        return Err(Violation::new(NAME, at, text));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn knows(&self, node: u32, life: u32, payload: &[u8]) -> bool {
        self.told.contains(&(payload.to_vec(), node, life))
    }

    /// When everybody must have been told; `None` while a fault lasts.
    fn due(&self, sent: Sent, world: &dyn Inspect) -> Option<Instant> {
        let (calm, config, n) = (self.disturbances.calm_since()?, world.config(), world.nodes());
        if sent.at > calm + LOOKS {
            return Some(sent.at + Formula::new(config, n).push_pull * 2);
        }
        Some(calm + Self::within(config, n))
    }
}

impl Oracle for Delivery {
    fn name(&self) -> &'static str {
        NAME
    }

    fn on_change(&mut self, change: &Change) -> Result<(), Violation> {
        if let What::Strike(strike) = &change.what {
            self.disturbances.on_strike(change.at, strike);
        }
        Ok(())
    }

    fn on_tick(&mut self, world: &dyn Inspect) -> Result<(), Violation> {
        self.read(world.now())
    }

    fn at_end(&mut self, world: &dyn Inspect) -> Result<(), Violation> {
        self.read(world.now())?;
        let live = || {
            let all = self.born.iter().filter(|(node, _)| world.observes(**node));
            all.map(|(&node, &(life, line))| (node, life, line))
        };
        let (mut excused, mut open) = (0, 0);
        for (payload, &sent) in &self.sent {
            let due = live().filter(|&(_, _, line)| line < sent.line);
            let mut lack = due.filter(|&(node, life, _)| !self.knows(node, life, payload));
            let Some((node, ..)) = lack.next() else { continue };
            if !live().any(|(node, life, _)| self.knows(node, life, payload)) {
                excused += 1;
            } else if self.due(sent, world).is_none_or(|due| due > world.now()) {
                open += 1;
            } else {
                let lack = 1 + lack.count();
                let (event, at) = (shown(payload), sent.at);
                let text = format!(
                    "n{node} was never told of {event}, sent before {at}, like {lack} nodes in all"
                );
                return Err(Violation::new(NAME, world.now(), text));
            }
        }
        (self.excused, self.open) = (excused, open);
        Ok(())
    }

    fn cases(&self) -> u64 {
        self.cases
    }

    fn excused(&self) -> Vec<Excused> {
        vec![Excused::new("lost with its sender", self.excused)]
    }

    fn open(&self) -> u64 {
        self.open
    }
}

/// A payload in a message: most of a long one is padding.
fn shown(payload: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(payload).trim_end_matches('.'))
}

/// Time between two looks at the ledger.
const LOOKS: Duration = Duration::from_secs(1);

const NAME: &str = "delivery";
