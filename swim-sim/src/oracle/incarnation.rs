//! Incarnations: raised by their owner only, never lowered.

use std::collections::BTreeMap;

use super::takeovers::{Takeovers, WHY};
use super::{Excused, Oracle, Violation};
use crate::change::{Change, Claim, Says, Strike, What};

/// No node speaks of an incarnation that its owner never had, and what a node says of another's
/// incarnation never falls while it remembers it. A case is a report.
///
/// Excused is a name whose owner has moved since it was last taken back: it gives itself up to the
/// new address, at whatever incarnation.
#[derive(Debug, Default)]
pub struct Incarnations {
    /// What was last said, by (observer, subject).
    said: BTreeMap<(u32, u32), u32>,
    takeovers: Takeovers,
    cases: u64,
}

impl Incarnations {
    /// Knows of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn check(&mut self, claim: &Claim) -> Option<String> {
        self.cases += 1;
        let Claim { observer, subject, incarnation, issued, says, .. } = *claim;
        let key = (observer, subject);
        if says == Says::Reaped {
            self.said.remove(&key);
            return None;
        }
        if incarnation > issued {
            return Some(format!("{claim}, but n{subject} itself has never gone past {issued}"));
        }
        let before = self.said.insert(key, incarnation)?;
        let fell = before > incarnation;
        let moved = fell && says == Says::Up && self.takeovers.explains(observer, subject);
        (fell && !moved).then(|| format!("{claim}, but it has said {before} before"))
    }
}

impl Oracle for Incarnations {
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
                forget_observer(&mut self.said, *node);
                Ok(())
            }
            What::Strike(Strike::Moved(node)) => {
                self.takeovers.on_moved(*node);
                Ok(())
            }
            What::Strike(_) => Ok(()),
        }
    }

    fn cases(&self) -> u64 {
        self.cases
    }

    fn excused(&self) -> Vec<Excused> {
        vec![Excused::new(WHY, self.takeovers.explained())]
    }
}

/// A process that starts again remembers nothing.
pub(super) fn forget_observer<T>(said: &mut BTreeMap<(u32, u32), T>, observer: u32) {
    let mut after = said.split_off(&(observer, 0));
    if let Some(next) = observer.checked_add(1) {
        said.append(&mut after.split_off(&(next, 0)));
    }
}

const NAME: &str = "incarnation";
