//! What struck, from when to when.

use core::time::Duration;

use crate::change::{Stall, Strike};

/// Faults as spells of time.
#[derive(Debug)]
pub(crate) struct Spells {
    end: Duration,
    list: Vec<Spell>,
    open: Vec<usize>,
    /// Spells that found no place.
    pub(crate) dropped: u64,
}

/// One fault, from when to when; of a node, or of the network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spell {
    pub(crate) kind: &'static str,
    pub(crate) node: Option<u32>,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    /// The strike in words.
    pub(crate) text: String,
}

impl Spells {
    pub(super) const fn new(end: Duration) -> Self {
        Self { end, list: Vec::new(), open: Vec::new(), dropped: 0 }
    }

    /// All spells in the order in which they began; those that last reach to the end of the run.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Spell> {
        self.list.iter()
    }

    pub(super) fn on_strike(&mut self, at: Duration, strike: &Strike) {
        match strike {
            Strike::Started { node, life, .. } => {
                self.close(at, DOWN, Some(*node));
                self.close(at, GONE, Some(*node));
                if *life > 0 {
                    self.note(at, at, "restart", Some(*node), strike);
                }
            }
            Strike::Crashed(node) => {
                for kind in [STALL, IO_STALL] {
                    self.close(at, kind, Some(*node));
                }
                self.begin(at, DOWN, Some(*node), strike);
            }
            Strike::Leaving(node) => self.begin(at, GONE, Some(*node), strike),
            Strike::Stalled { node, part, until } => {
                let kind = if *part == Stall::Io { IO_STALL } else { STALL };
                let to = until.since(swim_core::Instant::ZERO).min(self.end);
                self.note(at, to, kind, Some(*node), strike);
            }
            Strike::Split(_) => {
                self.close(at, PARTITION, None);
                self.begin(at, PARTITION, None, strike);
            }
            Strike::Healed => self.close(at, PARTITION, None),
            Strike::Loss(share) => {
                self.close(at, LOSS, None);
                if *share > 0.0 {
                    self.begin(at, LOSS, None, strike);
                }
            }
            _ => {}
        }
    }

    /// A fault that lasts until it is closed.
    fn begin(&mut self, at: Duration, kind: &'static str, node: Option<u32>, strike: &Strike) {
        if self.note(at, self.end, kind, node, strike) {
            self.open.push(self.list.len() - 1);
        }
    }

    fn note(
        &mut self,
        at: Duration,
        to: Duration,
        kind: &'static str,
        node: Option<u32>,
        strike: &Strike,
    ) -> bool {
        if self.list.len() == SPELLS_MAX {
            self.dropped += 1;
            return false;
        }
        let text = strike.to_string().trim_start_matches("** ").to_owned();
        self.list.push(Spell { kind, node, from: at, to, text });
        true
    }

    fn close(&mut self, at: Duration, kind: &str, node: Option<u32>) {
        let list = &mut self.list;
        self.open.retain(|&i| {
            let ends = list[i].kind == kind && list[i].node == node;
            if ends {
                list[i].to = at;
            }
            !ends
        });
    }
}

/// Kinds of spells whose end is told by another strike.
const DOWN: &str = "crash";
const GONE: &str = "leave";
const STALL: &str = "stall";
const IO_STALL: &str = "io stall";
const PARTITION: &str = "partition";
const LOSS: &str = "loss";
/// Spells kept.
const SPELLS_MAX: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spell_ends_when_its_fault_does_or_with_the_run() {
        let s = Duration::from_secs;
        let mut spells = Spells::new(s(100));
        spells.on_strike(s(10), &Strike::Crashed(3));
        spells.on_strike(s(20), &Strike::Crashed(4));
        spells.on_strike(s(40), &Strike::Started { node: 3, life: 1, converged: false });
        let times: Vec<_> = spells.iter().map(|p| (p.kind, p.node, p.from, p.to)).collect();
        assert_eq!(
            times,
            [
                ("crash", Some(3), s(10), s(40)),
                ("crash", Some(4), s(20), s(100)),
                ("restart", Some(3), s(40), s(40)),
            ]
        );
    }
}
