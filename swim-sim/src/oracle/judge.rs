//! What an oracle is, what it may look at, what it finds.

use core::fmt;

use swim_core::{Config, Instant};

use crate::change::Change;
use crate::machine::Seen;

/// A judge of one property, fed with changes. It never looks at all pairs except at the end.
pub trait Oracle: Send {
    /// The property's name.
    fn name(&self) -> &'static str;

    /// Something happened.
    fn on_change(&mut self, change: &Change) -> Result<(), Violation> {
        let _ = change;
        Ok(())
    }

    /// A second of virtual time has passed.
    fn on_tick(&mut self, world: &dyn Inspect) -> Result<(), Violation> {
        let _ = world;
        Ok(())
    }

    /// The run is over.
    fn at_end(&mut self, world: &dyn Inspect) -> Result<(), Violation> {
        let _ = world;
        Ok(())
    }

    /// How many cases it has judged. An oracle without a case has proved nothing.
    fn cases(&self) -> u64;

    /// How many it let pass because a fault excused them, by fault.
    fn excused(&self) -> Vec<Excused> {
        Vec::new()
    }

    /// How many it could not judge because the run ended too soon.
    fn open(&self) -> u64 {
        0
    }
}

/// A world, as an oracle sees it.
pub trait Inspect {
    /// The virtual time.
    fn now(&self) -> Instant;
    /// How many nodes there are, up or down.
    fn nodes(&self) -> u32;
    /// The settings of the nodes.
    fn config(&self) -> &Config;
    /// Whether a node is up and has not been told to leave.
    fn observes(&self, node: u32) -> bool;
    /// The incarnation that a node that is up has itself.
    fn incarnation(&self, node: u32) -> u32;
    /// Shows every member that a node knows.
    fn view(&self, node: u32, show: &mut dyn FnMut(Seen<'_>));
    /// Shows those members of whom a node may hold something else than that they are alive at
    /// incarnation 1, and says whether it holds that of all others; if not, what it shows says
    /// nothing.
    fn view_changes(&self, node: u32, show: &mut dyn FnMut(Seen<'_>)) -> bool {
        let _ = (node, show);
        false
    }
    /// How much a node holds and has sent.
    fn load(&self, node: u32) -> Load;
}

/// How much a node holds, and has sent in this life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests of oracles make it")]
pub struct Load {
    /// Members that it knows, live or not.
    pub known: usize,
    /// User broadcasts that wait.
    pub queued: usize,
    /// Claims about members that wait.
    pub rumours: usize,
    /// Datagrams sent.
    pub sent: u64,
    /// Datagrams received.
    pub received: u64,
    /// Time-outs handled.
    pub wakes: u64,
    /// Deadlines that wait.
    pub timers: usize,
    /// How often it was started before.
    pub life: u32,
}

/// A formula did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Whose formula.
    pub oracle: &'static str,
    /// When.
    pub at: Instant,
    /// What was the case instead, with value and bound.
    pub text: String,
}

impl Violation {
    /// A violation of `oracle`'s formula.
    pub const fn new(oracle: &'static str, at: Instant, text: String) -> Self {
        Self { oracle, at, text }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.oracle, self.at, self.text)
    }
}

/// Cases that one kind of fault excused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Excused {
    /// The fault, in words.
    pub why: &'static str,
    /// How many.
    pub cases: u64,
}

impl Excused {
    /// So many cases, excused by this fault.
    pub const fn new(why: &'static str, cases: u64) -> Self {
        Self { why, cases }
    }
}

/// What an oracle found in a run.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// Which oracle.
    pub oracle: &'static str,
    /// Cases judged.
    pub cases: u64,
    /// Cases that a fault excused.
    pub excused: u64,
    /// The same by fault.
    pub excuses: Vec<Excused>,
    /// Cases that the end of the run left open.
    pub open: u64,
    /// Violations.
    pub violations: u64,
}

impl Verdict {
    pub(crate) fn of(oracle: &dyn Oracle, violations: &[Violation]) -> Self {
        let name = oracle.name();
        let excuses = oracle.excused();
        Self {
            oracle: name,
            cases: oracle.cases(),
            excused: excuses.iter().map(|e| e.cases).sum(),
            excuses,
            open: oracle.open(),
            violations: violations.iter().filter(|v| v.oracle == name).count() as u64,
        }
    }

    /// Adds what the same oracle found in another run.
    pub fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.excused += other.excused;
        for (sum, excused) in self.excuses.iter_mut().zip(&other.excuses) {
            sum.cases += excused.cases;
        }
        self.open += other.open;
        self.violations += other.violations;
    }
}
