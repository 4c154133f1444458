//! Convergence: when faults have ended, all views are equal.

use core::time::Duration;

use swim_core::{Config, Instant, State};

use super::disturbances::Disturbances;
use super::{Formula, Inspect, Oracle, Violation};
use crate::change::{Change, What};
use crate::place;

/// At the end, all live nodes hold equal sets of (name, incarnation, live or not), and these are
/// true: who is up is live at the incarnation that it has itself, who is not is not, and all who
/// hold a name as dead hold it so at one incarnation.
///
/// Left and reaped names are apart: a name that is not up need not be held, since some have
/// forgotten it or never heard of it, and one that is held as left is not compared with deaths;
/// nobody may hold it as live. Views that differ are a violation if the last fault lies
/// [`Formula::convergence`] back, else an open case.
#[derive(Debug)]
pub struct Convergence {
    within: Duration,
    disturbances: Disturbances,
    cases: u64,
    open: u64,
}

impl Convergence {
    /// For a world of `n` nodes with these settings.
    pub fn new(config: &Config, n: u32) -> Self {
        let within = Formula::new(config, n).convergence(config);
        Self { within, disturbances: Disturbances::default(), cases: 0, open: 0 }
    }
}

/// How the views of all live nodes differ from the truth or from each other, in words; `None` if
/// they do not. Looks at all pairs.
pub(crate) fn difference(world: &dyn Inspect) -> Option<String> {
    let truth: Vec<Option<u32>> =
        (0..world.nodes()).map(|i| world.observes(i).then(|| world.incarnation(i))).collect();
    let live = truth.iter().flatten().count();
    let observers = (0..world.nodes()).filter(|&i| world.observes(i));
    let mut found = None;
    // Who was first seen to hold a name as dead, and at which incarnation.
    let mut dead: Vec<Option<(u32, u32)>> = vec![None; truth.len()];
    for observer in observers {
        let mut right = 0;
        world.view(observer, &mut |seen| {
            let subject = place::node_named(seen.name).filter(|&i| (i as usize) < truth.len());
            let Some(subject) = subject else {
                let says = || format!("n{observer} holds {}, whom nobody knows", seen.name);
                found.get_or_insert_with(says);
                return;
            };
            let wrong = match (truth[subject as usize], seen.state.is_live()) {
                (Some(own), true) if own == seen.incarnation => {
                    right += 1;
                    return;
                }
                (Some(own), true) => format!("whose incarnation is {own}"),
                (Some(_), false) => "who is up".to_owned(),
                (None, true) => "who is down".to_owned(),
                (None, false) if seen.state == State::Left => return,
                (None, false) => {
                    let (other, at) =
                        *dead[subject as usize].get_or_insert((observer, seen.incarnation));
                    if at == seen.incarnation {
                        return;
                    }
                    format!("n{other} at {at}")
                }
            };
            let (state, incarnation) = (seen.state, seen.incarnation);
            let says = format!("n{observer} holds n{subject} as {state} {incarnation}, {wrong}");
            found.get_or_insert(says);
        });
        if right < live && found.is_none() {
            found = Some(format!("n{observer} knows {right} of {live} live nodes"));
        }
        if found.is_some() {
            break;
        }
    }
    found
}

impl Oracle for Convergence {
    fn name(&self) -> &'static str {
        NAME
    }

    fn on_change(&mut self, change: &Change) -> Result<(), Violation> {
        if let What::Strike(strike) = &change.what {
            self.disturbances.on_strike(change.at, strike);
        }
        Ok(())
    }

    fn at_end(&mut self, world: &dyn Inspect) -> Result<(), Violation> {
        let Some(difference) = difference(world) else {
            self.cases += 1;
            return Ok(());
        };
        let now: Instant = world.now();
        let calm = self.disturbances.calm_since().filter(|_| !self.disturbances.lossy());
        let Some(calm) = calm.filter(|&t| now >= t + self.within) else {
            self.open += 1;
            return Ok(());
        };
        self.cases += 1;
        let (time, bound) = (now.since(calm), self.within);
        let text = format!("{difference}, {time:?} after the last fault, {bound:?} allowed");
        Err(Violation::new(NAME, now, text))
    }

    fn cases(&self) -> u64 {
        self.cases
    }

    fn open(&self) -> u64 {
        self.open
    }
}

const NAME: &str = "convergence";
