//! Who takes whom for suspect or failed, over time.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use swim_core::Cause;

use crate::change::{Claim, Says, Strike};

/// For each member, how many others suspect it and how many hold it for failed.
#[derive(Debug)]
pub(crate) struct Beliefs {
    end: Duration,
    /// What observers hold of members that they do not take for alive, by (observer, member).
    held: BTreeMap<(u32, u32), Belief>,
    rows: Vec<Row>,
    /// When each member that is down went down.
    down_since: BTreeMap<u32, Duration>,
    first_report: BTreeMap<u32, Duration>,
    /// Members that have been told to leave.
    leaving: BTreeSet<u32>,
    wronged: BTreeMap<u32, Wronged>,
    /// Seconds from a crash to each report of it, and from its first report to each.
    pub(crate) detection_s: Vec<f64>,
    pub(crate) dissemination_s: Vec<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Belief {
    Suspect,
    Failed,
}

/// How many held what of a member from one moment on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opinion {
    /// Time, in steps of the run's length divided by [`Beliefs::STEPS`].
    pub(crate) step: u32,
    pub(crate) suspect: u32,
    pub(crate) failed: u32,
}

/// Reports of a member as failed while it was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wronged {
    pub(crate) first: Duration,
    pub(crate) last: Duration,
    pub(crate) reports: u32,
}

#[derive(Clone, Debug, Default)]
struct Row {
    opinions: Vec<Opinion>,
    suspect: u32,
    failed: u32,
    /// Sum over all changes of how many did not take it for alive: what makes a row worth seeing.
    weight: u64,
}

impl Beliefs {
    /// Steps of time that are told apart.
    pub(crate) const STEPS: u32 = 2000;

    pub(super) fn new(nodes: u32, end: Duration) -> Self {
        Self {
            end,
            held: BTreeMap::new(),
            rows: vec![Row::default(); nodes as usize],
            down_since: BTreeMap::new(),
            first_report: BTreeMap::new(),
            leaving: BTreeSet::new(),
            wronged: BTreeMap::new(),
            detection_s: Vec::new(),
            dissemination_s: Vec::new(),
        }
    }

    /// What was held of a member; empty if all took it for alive all the time.
    pub(crate) fn of(&self, member: u32) -> &[Opinion] {
        self.rows.get(member as usize).map_or(&[], |row| &row.opinions)
    }

    /// The members that somebody reported as failed while they were up.
    pub(crate) const fn wronged(&self) -> &BTreeMap<u32, Wronged> {
        &self.wronged
    }

    /// The members of which most was held for longest, at most `count`, by number.
    pub(crate) fn most_doubted(&self, count: usize) -> Vec<u32> {
        let mut doubted: Vec<(u64, u32)> = (0..)
            .zip(&self.rows)
            .filter(|(_, r)| r.weight > 0)
            .map(|(i, r)| (r.weight, i))
            .collect();
        doubted.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut members: Vec<u32> = doubted.into_iter().take(count).map(|(_, i)| i).collect();
        members.sort_unstable();
        members
    }

    /// How many members somebody suspected, and how many somebody held for failed, from step to
    /// step, among these.
    pub(crate) fn affected(&self, members: core::ops::Range<u32>) -> Vec<Opinion> {
        let mut changes: BTreeMap<u32, (i64, i64)> = BTreeMap::new();
        for member in members {
            let mut before = (0, 0);
            for o in self.of(member) {
                let now = (i64::from(o.suspect > 0), i64::from(o.failed > 0));
                let change = changes.entry(o.step).or_default();
                change.0 += now.0 - before.0;
                change.1 += now.1 - before.1;
                before = now;
            }
        }
        let (mut suspect, mut failed) = (0i64, 0i64);
        let sum = |(step, change): (u32, (i64, i64))| {
            suspect += change.0;
            failed += change.1;
            Opinion { step, suspect: suspect.max(0) as u32, failed: failed.max(0) as u32 }
        };
        changes.into_iter().map(sum).collect()
    }

    pub(super) fn on_claim(&mut self, at: Duration, claim: &Claim) {
        let Claim { observer, subject, .. } = *claim;
        if observer == subject {
            return;
        }
        let belief = match claim.says {
            Says::Suspected { .. } => Some(Belief::Suspect),
            Says::Down { cause, .. } => {
                self.on_report(at, subject, cause);
                Some(Belief::Failed)
            }
            Says::Up | Says::Trusted => None,
            // A changed member is alive, a forgotten one is as dead as before.
            Says::Changed | Says::Reaped => return,
        };
        self.set(at, observer, subject, belief);
    }

    pub(super) fn on_strike(&mut self, at: Duration, strike: &Strike) {
        match *strike {
            Strike::Crashed(node) | Strike::Gone(node) => {
                self.forget_observer(at, node);
                if matches!(strike, Strike::Crashed(_)) {
                    self.down_since.insert(node, at);
                    self.first_report.remove(&node);
                }
            }
            Strike::Started { node, .. } => {
                self.forget_observer(at, node);
                self.down_since.remove(&node);
                self.leaving.remove(&node);
            }
            Strike::Leaving(node) => {
                self.leaving.insert(node);
            }
            _ => {}
        }
    }

    fn on_report(&mut self, at: Duration, subject: u32, cause: Cause) {
        let Some(since) = self.down_since.get(&subject) else {
            if cause == Cause::Failed && !self.leaving.contains(&subject) {
                let none = Wronged { first: at, last: at, reports: 0 };
                let wronged = self.wronged.entry(subject).or_insert(none);
                (wronged.last, wronged.reports) = (at, wronged.reports + 1);
            }
            return;
        };
        if self.detection_s.len() < REPORTS_MAX {
            self.detection_s.push((at - *since).as_secs_f64());
            let first = self.first_report.entry(subject).or_insert(at);
            self.dissemination_s.push((at - *first).as_secs_f64());
        }
    }

    /// A node that is not up holds nothing.
    fn forget_observer(&mut self, at: Duration, node: u32) {
        let held: Vec<u32> =
            self.held.range((node, 0)..=(node, u32::MAX)).map(|(k, _)| k.1).collect();
        for subject in held {
            self.set(at, node, subject, None);
        }
    }

    fn set(&mut self, at: Duration, observer: u32, subject: u32, belief: Option<Belief>) {
        let before = match belief {
            Some(belief) => self.held.insert((observer, subject), belief),
            None => self.held.remove(&(observer, subject)),
        };
        let Some(row) = self.rows.get_mut(subject as usize).filter(|_| before != belief) else {
            return;
        };
        match before {
            Some(Belief::Suspect) => row.suspect -= 1,
            Some(Belief::Failed) => row.failed -= 1,
            None => {}
        }
        match belief {
            Some(Belief::Suspect) => row.suspect += 1,
            Some(Belief::Failed) => row.failed += 1,
            None => {}
        }
        let step = (at.as_secs_f64() / self.end.as_secs_f64() * f64::from(Self::STEPS)) as u32;
        row.note(step.min(Self::STEPS));
    }
}

impl Row {
    /// Keeps the last of each step, and the most that were suspicious within it: a suspicion that
    /// is over at once shows all the same.
    fn note(&mut self, step: u32) {
        let now = Opinion { step, suspect: self.suspect, failed: self.failed };
        self.weight += u64::from(self.suspect + self.failed);
        match self.opinions.last_mut() {
            Some(last) if last.step == step => *last = now,
            _ => self.opinions.push(now),
        }
    }
}

/// Reports of which the time is kept.
const REPORTS_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn claim(observer: u32, subject: u32, says: Says) -> Claim {
        Claim { observer, subject, incarnation: 1, issued: 1, elsewhere: false, says }
    }

    fn down() -> Says {
        Says::Down { cause: Cause::Failed, by: None }
    }

    #[test]
    fn opinions_follow_what_nodes_say() {
        let mut b = Beliefs::new(3, S(100));
        b.on_strike(S(10), &Strike::Crashed(2));
        b.on_claim(S(20), &claim(0, 2, Says::Suspected { by: None }));
        b.on_claim(S(30), &claim(0, 2, down()));
        b.on_claim(S(32), &claim(1, 2, down()));
        b.on_claim(S(40), &claim(0, 2, Says::Up));
        let at = |step, suspect, failed| Opinion { step, suspect, failed };
        assert_eq!(b.of(2), [at(400, 1, 0), at(600, 0, 1), at(640, 0, 2), at(800, 0, 1)]);
        assert_eq!(
            (b.detection_s.as_slice(), b.dissemination_s.as_slice()),
            (&[20.0, 22.0][..], &[0.0, 2.0][..])
        );
        assert_eq!(b.most_doubted(5), [2]);
        assert_eq!(b.affected(0..3).first(), Some(&at(400, 1, 0)));
    }

    #[test]
    fn only_who_is_up_and_stays_is_wronged() {
        let mut b = Beliefs::new(4, S(100));
        b.on_strike(S(10), &Strike::Crashed(2));
        b.on_strike(S(10), &Strike::Leaving(3));
        for (at, subject) in [(20, 1), (21, 2), (22, 3), (25, 1)] {
            b.on_claim(S(at), &claim(0, subject, down()));
        }
        let wronged: Vec<_> = b.wronged().iter().collect();
        assert_eq!(wronged, [(&1, &Wronged { first: S(20), last: S(25), reports: 2 })]);
    }

    #[test]
    fn a_node_that_is_gone_holds_nothing() {
        let mut b = Beliefs::new(3, S(100));
        b.on_claim(S(20), &claim(0, 2, down()));
        b.on_strike(S(30), &Strike::Crashed(0));
        assert_eq!(b.of(2).last(), Some(&Opinion { step: 600, suspect: 0, failed: 0 }));
    }
}
