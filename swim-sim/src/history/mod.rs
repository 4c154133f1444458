//! What a run looked like over time: who took whom for suspect or failed, what struck, what was
//! sent.

mod beliefs;
mod samples;
mod spells;

use core::time::Duration;
use std::sync::mpsc::{Receiver, Sender, channel};

use swim_core::Instant;

pub(crate) use self::beliefs::{Beliefs, Opinion, Wronged};
pub(crate) use self::samples::{Sample, Samples};
pub(crate) use self::spells::{Spell, Spells};
use crate::change::{Change, What};
use crate::machine::Machine;
use crate::oracle::{Oracle, Violation};
use crate::world::World;

/// The course of one run. Its size is bounded by nodes and resolution, not by what happens.
#[derive(Debug)]
pub(crate) struct History {
    changes: Receiver<Change>,
    pub(crate) nodes: u32,
    pub(crate) end: Duration,
    pub(crate) beliefs: Beliefs,
    pub(crate) spells: Spells,
    pub(crate) samples: Samples,
}

impl History {
    /// Begins to watch a world that will run until `end`.
    pub(crate) fn of<M: Machine>(world: &mut World<M>, end: Duration) -> Self {
        let (sender, changes) = channel();
        world.watch(Scribe { sender, cases: 0 });
        let nodes = world.len();
        Self {
            changes,
            nodes,
            end,
            beliefs: Beliefs::new(nodes, end),
            spells: Spells::new(end),
            samples: Samples::new(nodes),
        }
    }

    /// Time between two samples.
    pub(crate) fn step(&self) -> Duration {
        (self.end / SAMPLES).max(Duration::from_millis(50))
    }

    /// Takes in what has happened since the last call, and a sample of all nodes.
    pub(crate) fn advance<M: Machine>(&mut self, world: &World<M>) {
        while let Ok(change) = self.changes.try_recv() {
            let at = change.at.since(Instant::ZERO);
            match &change.what {
                What::Claim(claim) => self.beliefs.on_claim(at, claim),
                What::Strike(strike) => {
                    self.beliefs.on_strike(at, strike);
                    self.spells.on_strike(at, strike);
                }
            }
        }
        self.samples.take(world);
    }
}

/// Samples over the whole run.
const SAMPLES: u32 = 240;

/// Passes on what oracles are told.
#[derive(Debug)]
struct Scribe {
    sender: Sender<Change>,
    cases: u64,
}

impl Oracle for Scribe {
    fn name(&self) -> &'static str {
        "history"
    }

    fn on_change(&mut self, change: &Change) -> Result<(), Violation> {
        self.cases += 1;
        // Nobody listens any more once the report is written.
        let _ = self.sender.send(change.clone());
        Ok(())
    }

    fn cases(&self) -> u64 {
        self.cases
    }
}
