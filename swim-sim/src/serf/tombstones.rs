//! Tombstones: who has left comes back by starting anew, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use swim_core::Cause;

use crate::change::{Change, Claim, Says, Strike, What};
use crate::oracle::{Oracle, Violation};

/// A node that has told that a name left tells that it is up again only if the node of that name
/// was started since, or if the observer forgot it in between. A case is a name that left.
#[derive(Debug, Default)]
pub struct Tombstones {
    /// Who left, by (observer, subject).
    left: BTreeSet<(u32, u32)>,
    /// How often each node was started.
    starts: BTreeMap<u32, u32>,
    /// How often it had been when the observer told that it left.
    then: BTreeMap<(u32, u32), u32>,
    cases: u64,
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
            Says::Down { cause: Cause::Left, .. } => {
                self.cases += 1;
                self.left.insert(key);
                self.then.insert(key, starts);
                None
            }
            Says::Reaped => {
                self.left.remove(&key);
                None
            }
            Says::Up if self.left.remove(&key) => {
                let anew = self.then.get(&key).is_some_and(|&then| then < starts);
                (!anew).then(|| format!("{claim}, though it had left and was not started again"))
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
            What::Strike(_) => Ok(()),
        }
    }

    fn cases(&self) -> u64 {
        self.cases
    }
}

const NAME: &str = "tombstones";
