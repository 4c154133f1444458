//! Names that their owner takes anew at another address.

use std::collections::BTreeMap;

/// Who has moved.
///
/// A member whose name left, or has been dead for
/// [`dead_node_reclaim_time`](swim_core::Config::dead_node_reclaim_time), gives the name up to any
/// address at any incarnation. So each observer may take a name back at a lower one, once for each
/// time that its owner has moved.
#[derive(Debug, Default)]
pub(super) struct Takeovers {
    /// How often each node has moved.
    moves: BTreeMap<u32, u32>,
    /// How many of those moves explained a return, by (observer, subject).
    taken: BTreeMap<(u32, u32), u32>,
    explained: u64,
}

impl Takeovers {
    pub(super) fn on_moved(&mut self, node: u32) {
        *self.moves.entry(node).or_default() += 1;
    }

    /// Whether a move explains that an observer takes a name back, which it does once.
    pub(super) fn explains(&mut self, observer: u32, subject: u32) -> bool {
        let Some(&moves) = self.moves.get(&subject) else { return false };
        let taken = self.taken.entry((observer, subject)).or_default();
        let explains = *taken < moves;
        *taken += u32::from(explains);
        self.explained += u64::from(explains);
        explains
    }

    /// How many returns moves have explained.
    pub(super) const fn explained(&self) -> u64 {
        self.explained
    }
}

/// What excuses them.
pub(super) const WHY: &str = "moved to another address";
