//! Serf nodes in a world, and what must hold of them.
//!
//! [`SerfMachine`] is a [`swim_core::serf::Serf`] that a [`World`](crate::World) can run. What it
//! tells beyond what a bare node tells goes into a [`Ledger`] that its world shares with the
//! oracles: [`Delivery`], [`Answers`], [`Clocks`]. [`Tombstones`] judges what every world tells.
//!
//! ```
//! use swim_core::{Command, Instant, Lane};
//! use swim_sim::serf::{Delivery, Ledger, SerfMachine};
//! use swim_sim::{World, WorldConfig};
//!
//! let ledger = Ledger::default();
//! let mut world = World::cold_with(WorldConfig::new(7, 10), SerfMachine::maker(&ledger));
//! world.watch(Delivery::new(&ledger));
//! world.run_until(Instant::from_secs(30));
//! let (lane, key, payload) = (Lane::Low, None, "deploy".into());
//! world.command(3, Command::Broadcast { lane, key, payload });
//! world.run_until(Instant::from_secs(200));
//! let verdict = &world.verdicts()[0];
//! assert_eq!((verdict.cases, verdict.violations), (10, 0));
//! ```

mod answers;
mod clocks;
mod delivery;
mod ledger;
mod machine;
mod tally;
mod tombstones;

pub use answers::Answers;
pub use clocks::Clocks;
pub use delivery::Delivery;
pub use ledger::{Entry, Ledger};
pub use machine::SerfMachine;
pub use tally::{Share, Tally};
pub use tombstones::Tombstones;

use crate::oracle::Oracle;

/// Every oracle of the Serf layer, for a world whose nodes write into this ledger.
pub fn oracles(ledger: &Ledger) -> Vec<Box<dyn Oracle>> {
    vec![
        Box::new(Delivery::new(ledger)),
        Box::new(Answers::new(ledger)),
        Box::new(Clocks::new(ledger)),
        Box::new(Tombstones::new()),
    ]
}
