//! What a node knew at one moment.

use swim_core::{Member, State};

use crate::counters::DriverStats;

/// The members at one moment, and this node among them.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) me: Member,
    pub(crate) members: Vec<Member>,
    pub(crate) health: u32,
}

impl Snapshot {
    /// This node.
    pub const fn me(&self) -> &Member {
        &self.me
    }

    /// Every member that is known: this node, the dead and the left included.
    pub fn all(&self) -> &[Member] {
        &self.members
    }

    /// Those that are alive or suspect, this node included until it leaves.
    pub fn live(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|m| m.state().is_live())
    }

    /// The member of this name. Looks at every one.
    pub fn get(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|m| m.name() == name)
    }

    /// The state of the member of this name.
    pub fn state(&self, name: &str) -> Option<State> {
        self.get(name).map(Member::state)
    }

    /// Lifeguard's health score of this node: 0 is best.
    pub const fn health(&self) -> u32 {
        self.health
    }
}

/// What was counted so far.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AgentStats {
    /// By the node.
    pub node: swim_core::Stats,
    /// By its driver.
    pub driver: DriverStats,
}
