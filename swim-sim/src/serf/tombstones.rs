//! Tombstones: who has left comes back by starting anew, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use swim_core::Cause;

use crate::change::{Change, Claim, Says, Strike, What};
use crate::oracle::{Excused, Oracle, Violation};

/// A node that has told that a name left tells that it is up again only if the node of that name
/// was started since, or if the observer forgot it in between. A case is a name that left.
///
/// Excused is who has only said so yet, and is taken for up at an incarnation that it raised in the
/// meantime: an observer that held it as failed takes the word that it leaves for its leave, before
/// it hears that it is there. Excused is, too, who left only by the word of another, by a forced
/// leave: such a node may be there and say so, and the word may come to some only when it is there
/// again.
#[derive(Debug, Default)]
pub struct Tombstones {
    /// Who left, by (observer, subject).
    left: BTreeSet<(u32, u32)>,
    /// How often each node was started.
    starts: BTreeMap<u32, u32>,
    /// How often it had been when the observer told that it left, and at which incarnation.
    then: BTreeMap<(u32, u32), (u32, u32)>,
    /// Who was told to leave and has not ended yet.
    leaving: BTreeSet<u32>,
    /// Who was ever forced to leave, and has not been told to leave since.
    forced: BTreeSet<u32>,
    cases: u64,
    /// Cases excused, by [`WHY`].
    excused: [u64; 2],
}

impl Tombstones {
    /// Knows of nobody's leave yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn check(&mut self, claim: &Claim) -> Option<String> {
        let key = (claim.observer, claim.subject);
        let starts = self.starts.get(&claim.subject).copied().unwrap_or(0);
        match claim.says {
            Says::Down { cause: Cause::Left, .. } if self.forced.contains(&claim.subject) => {
                self.excused[0] += 1;
                None
            }
            Says::Down { cause: Cause::Left, .. } => {
                self.cases += 1;
                self.left.insert(key);
                self.then.insert(key, (starts, claim.incarnation));
                None
            }
            Says::Reaped => {
                self.left.remove(&key);
                None
            }
            Says::Up if self.left.remove(&key) => {
                let (before, incarnation) = self.then.get(&key).copied().unwrap_or_default();
                let still = self.leaving.contains(&claim.subject);
                if still && before == starts && incarnation < claim.incarnation {
                    self.excused[1] += 1;
                    return None;
                }
                (before == starts)
                    .then(|| format!("{claim}, though it had left and was not started again"))
            }
            _ => None,
        }
    }
}

impl Oracle for Tombstones {
    fn name(&self) -> &'static str {
        NAME
    }

    fn on_change(&mut self, change: &Change) -> Result<(), Violation> {
        match &change.what {
            What::Claim(claim) => {
                let wrong = self.check(claim);
                wrong.map_or(Ok(()), |text| Err(Violation::new(NAME, change.at, text)))
            }
            What::Strike(Strike::Started { node, .. }) => {
                *self.starts.entry(*node).or_default() += 1;
                self.left.retain(|(observer, _)| observer != node);
                Ok(())
            }
            What::Strike(Strike::ForcedOut { node, .. }) => {
                self.forced.insert(*node);
                Ok(())
            }
            What::Strike(Strike::Leaving(node)) => {
                self.forced.remove(node);
                self.leaving.insert(*node);
                Ok(())
            }
            What::Strike(Strike::Gone(node)) => {
                self.leaving.remove(node);
                Ok(())
            }
            What::Strike(_) => Ok(()),
        }
    }

    fn cases(&self) -> u64 {
        self.cases
    }

    fn excused(&self) -> Vec<Excused> {
        WHY.iter().zip(self.excused).map(|(why, cases)| Excused::new(why, cases)).collect()
    }
}

/// What excuses a return.
const WHY: [&str; 2] = ["forced leave", "leaving still"];

const NAME: &str = "tombstones";

#[cfg(test)]
mod tests {
    use swim_core::Instant;

    use super::*;

    /// Whether the oracle lets n1 take n2 for up at an incarnation, after it has left at 7.
    fn passes(before: &[Strike], incarnation: u32) -> bool {
        let mut oracle = Tombstones::new();
        let claim = |says, incarnation| {
            let (observer, subject, issued, elsewhere) = (1, 2, 9, false);
            What::Claim(Claim { observer, subject, incarnation, issued, elsewhere, says })
        };
        let mut tell = |what| oracle.on_change(&Change { at: Instant::ZERO, what });
        tell(claim(Says::Down { cause: Cause::Left, by: None }, 7)).unwrap();
        for strike in before {
            tell(What::Strike(strike.clone())).unwrap();
        }
        tell(claim(Says::Up, incarnation)).is_ok()
    }

    #[test]
    fn who_is_leaving_still_may_be_up_at_a_higher_incarnation_and_nobody_else() {
        assert!(passes(&[Strike::Leaving(2)], 9));
        assert!(!passes(&[Strike::Leaving(2)], 7), "it knew that one");
        assert!(!passes(&[Strike::Leaving(2), Strike::Gone(2)], 9), "it has ended");
        assert!(!passes(&[], 9), "it was never told to leave");
        assert!(passes(&[Strike::Started { node: 2, life: 1, converged: false }], 7));
    }
}
