//! How a scenario fails, and the smallest one that fails the same way.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use swim_core::Instant;

use crate::machine::{Machine, MachineKind};
use crate::scenario::{Scenario, nodes};
use crate::serf::SerfMachine;
use crate::shrink::{Shrunk, shrink};
use crate::world::{Make, World};

/// The first thing that went wrong in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The oracle that objected, or [`PANIC`].
    pub oracle: String,
    /// When.
    pub at: Instant,
    /// What it said.
    pub text: String,
}

impl Failure {
    /// Runs a scenario with its first seed; `None` if nothing goes wrong.
    pub fn of(scenario: &Scenario) -> Option<Self> {
        match scenario.machine {
            MachineKind::Node => Self::of_machines(scenario, &nodes),
            MachineKind::Serf => Self::of_machines(scenario, &SerfMachine::make),
        }
    }

    /// The smallest scenario found that fails as this one does, with at most `tries_max` runs.
    pub(crate) fn shrink_scenario(&self, scenario: &Scenario, tries_max: u32) -> Shrunk {
        match scenario.machine {
            MachineKind::Node => self.shrink(scenario, tries_max, &nodes),
            MachineKind::Serf => self.shrink(scenario, tries_max, &SerfMachine::make),
        }
    }

    /// The same of other machines.
    pub fn of_machines<M: Machine>(
        scenario: &Scenario,
        make: &dyn Fn() -> Make<M>,
    ) -> Option<Self> {
        let mut world = scenario.world_with(scenario.seeds.start, make());
        Self::run(scenario, &mut world)
    }

    /// Runs a world of a scenario to its end.
    pub fn run<M: Machine>(scenario: &Scenario, world: &mut World<M>) -> Option<Self> {
        // A world that has panicked is only asked for its time.
        let ran = catch_unwind(AssertUnwindSafe(|| scenario.run(world)));
        let at = world.now();
        match ran {
            Err(panic) => Some(Self { oracle: PANIC.to_owned(), at, text: words(&*panic) }),
            Ok(true) => None,
            Ok(false) => world.violations().first().map(|v| Self {
                oracle: v.oracle.to_owned(),
                at: v.at,
                text: v.to_string(),
            }),
        }
    }

    /// The smallest scenario found that fails by the same oracle, with at most `tries_max` runs.
    pub fn shrink<M: Machine>(
        &self,
        scenario: &Scenario,
        tries_max: u32,
        make: &dyn Fn() -> Make<M>,
    ) -> Shrunk {
        let fails = |candidate: &Scenario| {
            Self::of_machines(candidate, make).filter(|f| f.oracle == self.oracle).map(|f| f.at)
        };
        // With every choice made, a fault can be left out without changing the others.
        let concrete = scenario.concrete(make());
        let start = if fails(&concrete).is_some() { &concrete } else { scenario };
        shrink(start, tries_max, fails)
    }
}

/// What a panic said.
pub(crate) fn words(panic: &(dyn core::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref().copied()).unwrap_or("no text").to_owned()
}

/// Stands for the oracle where a run has panicked.
pub const PANIC: &str = "panic";
