//! Convergence: when faults have ended, all views are equal.

use core::time::Duration;

use swim_core::{Config, Instant, State};

use super::disturbances::Disturbances;
use super::{Formula, Inspect, Oracle, Violation};
use crate::change::{Change, What};
use crate::machine::Seen;
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
/// they do not. Looks at all pairs, except in views that are much as they were at the start.
pub(crate) fn difference(world: &dyn Inspect) -> Option<String> {
    let mut truth = Truth::of(world);
    let mut observers = (0..world.nodes()).filter(|&i| world.observes(i));
    observers.find_map(|i| if truth.is_told(world, i) { None } else { truth.differs(world, i) })
}

/// What views must say.
struct Truth {
    /// The incarnation of each node that is up.
    own: Vec<Option<u32>>,
    live: usize,
    /// How many of them are at incarnation 1.
    at_rest: usize,
    /// Who was first seen to hold a name as dead, and at which incarnation.
    dead: Vec<Option<(u32, u32)>>,
}

impl Truth {
    fn of(world: &dyn Inspect) -> Self {
        let own: Vec<Option<u32>> =
            (0..world.nodes()).map(|i| world.observes(i).then(|| world.incarnation(i))).collect();
        Self {
            live: own.iter().flatten().count(),
            at_rest: own.iter().filter(|&&own| own == AT_REST).count(),
            dead: vec![None; own.len()],
            own,
        }
    }

    fn subject(&self, name: &str) -> Option<usize> {
        place::node_named(name).map(|i| i as usize).filter(|&i| i < self.own.len())
    }

    /// Whether `observer` holds somebody as live; an error if it holds something wrong.
    fn look(&mut self, observer: u32, seen: Seen<'_>) -> Result<bool, String> {
        let Some(subject) = self.subject(seen.name) else {
            return Err(format!("n{observer} holds {}, whom nobody knows", seen.name));
        };
        let wrong = match (self.own[subject], seen.state.is_live()) {
            (Some(own), true) if own == seen.incarnation => return Ok(true),
            (Some(own), true) => format!("whose incarnation is {own}"),
            (Some(_), false) => "who is up".to_owned(),
            (None, true) => "who is down".to_owned(),
            (None, false) if seen.state == State::Left => return Ok(false),
            (None, false) => {
                let (other, at) = *self.dead[subject].get_or_insert((observer, seen.incarnation));
                if at == seen.incarnation {
                    return Ok(false);
                }
                format!("n{other} at {at}")
            }
        };
        let (state, incarnation) = (seen.state, seen.incarnation);
        Err(format!("n{observer} holds n{subject} as {state} {incarnation}, {wrong}"))
    }

    /// Looks at what has changed in a view since the start, if that can be told; whether the whole
    /// view is right by that.
    fn is_told(&mut self, world: &dyn Inspect, observer: u32) -> bool {
        // Of those who have not changed, who are at rest is held rightly, and nobody else is.
        let (mut right, mut wrong) = (self.at_rest, self.own.len() - self.at_rest);
        let mut fine = true;
        let told = world.view_changes(observer, &mut |seen| {
            match self.subject(seen.name).map(|i| self.own[i] == AT_REST) {
                Some(true) => right -= 1,
                Some(false) => wrong -= 1,
                None => fine = false,
            }
            match self.look(observer, seen) {
                Ok(live) => right += usize::from(live),
                Err(_) => fine = false,
            }
        });
        told && fine && wrong == 0 && right == self.live
    }

    /// How a view is not right.
    fn differs(&mut self, world: &dyn Inspect, observer: u32) -> Option<String> {
        let (mut right, mut found) = (0, None);
        world.view(observer, &mut |seen| match self.look(observer, seen) {
            Ok(live) => right += usize::from(live),
            Err(text) => drop(found.get_or_insert(text)),
        });
        let live = self.live;
        let lacking = || format!("n{observer} knows {right} of {live} live nodes");
        found.or_else(|| (right < live).then(lacking))
    }
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

/// The incarnation of a node that is up and as it was at the start.
const AT_REST: Option<u32> = Some(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Fault, Who};
    use crate::world::{World, WorldConfig};

    #[test]
    fn a_look_at_changes_finds_what_a_look_at_all_finds() {
        let second = |s| Instant::from_secs(s);
        let mut config = WorldConfig::new(3, 100);
        config.faults = vec![
            (second(2), Fault::Crash(Who::Random(3))),
            (second(25), Fault::Restart(Who::Random(1))),
            (second(30), Fault::Leave(Who::Random(1))),
        ];
        let mut world = World::converged(config);
        let (mut told, mut equal) = (0, 0);
        for step in 0..400 {
            world.run_until(Instant::ZERO + Duration::from_millis(100) * step);
            let (mut truth, mut whole) = (Truth::of(&world), Truth::of(&world));
            for i in (0..world.len()).filter(|&i| world.observes(i)) {
                let differs = whole.differs(&world, i);
                if truth.is_told(&world, i) {
                    told += 1;
                    assert_eq!(differs, None, "at {}", world.now());
                }
                // A node that has restarted has a table of its own.
                equal += u32::from(differs.is_none());
            }
        }
        assert!(told > 10_000 && 10 * (equal - told) < equal, "{told} of {equal}");
    }
}
