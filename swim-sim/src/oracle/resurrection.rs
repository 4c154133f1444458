//! Resurrection: the dead return by a new incarnation or not at all.

use std::collections::BTreeMap;

use super::incarnation::forget_observer;
use super::takeovers::{Takeovers, WHY};
use super::{Excused, Oracle, Violation};
use crate::change::{Change, Claim, Says, Strike, What};

/// A node that has reported a name as down reports it as up again only at a higher incarnation,
/// unless it has forgotten the name in between. A case is such a return.
///
/// Excused is a name whose owner has moved since it was last taken back: it gives itself up to the
/// new address.
#[derive(Debug, Default)]
pub struct Resurrection {
    /// The incarnation at which each was reported down, by (observer, subject).
    down: BTreeMap<(u32, u32), u32>,
    takeovers: Takeovers,
    cases: u64,
}

impl Resurrection {
    /// Knows of nobody's death yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn check(&mut self, claim: &Claim) -> Option<String> {
        let Claim { observer, subject, incarnation, says, .. } = *claim;
        let key = (observer, subject);
        match says {
            Says::Down { .. } => {
                self.down.insert(key, incarnation);
                None
            }
            Says::Reaped => {
                self.down.remove(&key);
                None
            }
            Says::Up => {
                let fell = self.down.remove(&key)?;
                self.cases += 1;
                let text = || format!("{claim}, though it was reported down at {fell}");
                let low = incarnation <= fell;
                (low && !self.takeovers.explains(observer, subject)).then(text)
            }
            // Who is down has nothing to tell.
            Says::Changed | Says::Suspected { .. } | Says::Trusted => self
                .down
                .contains_key(&key)
                .then(|| format!("{claim}, though it was reported down and not up again")),
        }
    }
}

impl Oracle for Resurrection {
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
                forget_observer(&mut self.down, *node);
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

const NAME: &str = "resurrection";
