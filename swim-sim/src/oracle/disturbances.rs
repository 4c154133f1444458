//! Since when a world is calm.

use std::collections::BTreeSet;

use swim_core::Instant;

use crate::change::Strike;

/// When the last fault struck, and what lasts.
#[derive(Debug, Default)]
pub(crate) struct Disturbances {
    last: Instant,
    stalled: BTreeSet<u32>,
    impaired: BTreeSet<u32>,
    split: bool,
    lossy: bool,
}

impl Disturbances {
    pub(crate) fn on_strike(&mut self, now: Instant, strike: &Strike) {
        if let Strike::ForcedOut { .. } = strike {
            // What one says of another changes nothing in the world.
            return;
        }
        self.last = now;
        match *strike {
            Strike::Stalled { node, .. } => {
                self.stalled.insert(node);
            }
            Strike::Resumed(node) | Strike::Crashed(node) | Strike::Gone(node) => {
                self.stalled.remove(&node);
            }
            Strike::Impaired(node) => {
                self.impaired.insert(node);
            }
            Strike::Relieved(node) => {
                self.impaired.remove(&node);
            }
            Strike::Split(_) => self.split = true,
            Strike::Healed => self.split = false,
            Strike::Loss(p) => self.lossy = p > 0.0,
            Strike::Started { .. }
            | Strike::Leaving(_)
            | Strike::Moved(_)
            | Strike::ForcedOut { .. } => {}
        }
    }

    /// Since when nothing has struck; `None` while something lasts.
    pub(crate) fn calm_since(&self) -> Option<Instant> {
        let calm = self.stalled.is_empty() && self.impaired.is_empty() && !self.split;
        calm.then_some(self.last)
    }

    /// Whether packets are lost.
    pub(crate) const fn lossy(&self) -> bool {
        self.lossy
    }
}
