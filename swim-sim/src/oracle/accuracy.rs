//! Accuracy: nobody healthy is taken for failed.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use swim_core::{Cause, Config, Instant};

use super::{Formula, Inspect, Oracle, Violation};
use crate::change::{Change, Claim, Says, Strike, What};

/// No node reports a node as failed that was up, reachable and unstalled, as was the node that
/// reports it and the one that accuses it, during the last `W`: the longest suspicion, a slowed
/// probe and the spread ([`Formula::accusation`]).
///
/// While packets are lost, refutations can be. Then the bound is a rate: with loss `p`, `q = 1 - p`
/// and `k` helpers, one probe of a healthy member fails with
/// `PM = (1 - q^2) (1 - q^4)^k` (SWIM 3.1; times `1 - q^3` if streams are tried as well), and at
/// most one in a hundred of these may end in a report, plus five.
#[derive(Debug)]
pub struct Accuracy {
    window: Duration,
    /// `PM` as a function of loss needs these.
    helpers: i32,
    streams: bool,
    interval: Duration,
    nodes: Vec<Condition>,
    splits: Vec<Partition>,
    loss: f64,
    /// When loss was last seen, and the time and largest share under loss so far.
    lossy_until: Option<Instant>,
    lossy_since: Instant,
    lossy: Duration,
    loss_max: f64,
    /// Wrongly reported (node, incarnation) under loss.
    wrong: BTreeSet<(u32, u32)>,
    cases: u64,
    excused: u64,
}

/// What a node went through.
#[derive(Clone, Copy, Debug, Default)]
struct Condition {
    up_since: Option<Instant>,
    leaving: bool,
    /// Since when it is not stalled; `None` while it is.
    clear_since: Option<Instant>,
}

#[derive(Debug)]
struct Partition {
    groups: Arc<[u16]>,
    until: Option<Instant>,
}

impl Accuracy {
    /// For a world of `n` nodes with these settings.
    pub fn new(config: &Config, n: u32) -> Self {
        Self {
            window: Formula::new(config, n).accusation(config),
            helpers: config.indirect_checks() as i32,
            streams: config.stream_pings(),
            interval: config.probe_interval(),
            nodes: vec![Condition::default(); n as usize],
            splits: Vec::new(),
            loss: 0.0,
            lossy_until: None,
            lossy_since: Instant::ZERO,
            lossy: Duration::ZERO,
            loss_max: 0.0,
            wrong: BTreeSet::new(),
            cases: 0,
            excused: 0,
        }
    }

    /// How many (node, incarnation) were wrongly reported under loss, and the bound.
    fn lossy_verdict(&self, now: Instant) -> (usize, f64) {
        let running = if self.loss > 0.0 { now.since(self.lossy_since) } else { Duration::ZERO };
        let periods = (self.lossy + running).div_duration_f64(self.interval);
        let q = 1.0 - self.loss_max;
        let direct = 1.0 - q * q;
        let indirect = (1.0 - q * q * q * q).powi(self.helpers);
        let stream = if self.streams { 1.0 - q * q * q } else { 1.0 };
        let failed = periods * self.nodes.len() as f64 * direct * indirect * stream;
        (self.wrong.len(), failed / 100.0 + 5.0)
    }

    fn on_down(&mut self, now: Instant, claim: &Claim, by: Option<u32>) -> Result<(), Violation> {
        let subject = self.nodes[claim.subject as usize];
        if subject.up_since.is_none() || subject.leaving {
            self.cases += 1;
            return Ok(());
        }
        let start = now - self.window;
        let accuser = by.unwrap_or(claim.observer);
        let involved = [claim.subject, claim.observer, accuser];
        let steady = involved.iter().all(|&i| self.nodes[i as usize].steady_since(start));
        if !steady || self.separated(start, claim, by) {
            self.excused += 1;
            return Ok(());
        }
        self.cases += 1;
        let lossy = self.loss > 0.0 || self.lossy_until.is_some_and(|t| t > start);
        if lossy {
            self.wrong.insert((claim.subject, claim.incarnation));
            return Ok(());
        }
        let text = format!(
            "{claim}, which was up, reachable and unstalled for the last {:?}, as was its accuser",
            self.window
        );
        Err(Violation::new(NAME, now, text))
    }

    /// Whether a partition lay between subject and accuser since `start`; if the accuser is not
    /// known, any partition may have been the reason.
    fn separated(&self, start: Instant, claim: &Claim, by: Option<u32>) -> bool {
        let recent = |p: &&Partition| p.until.is_none_or(|t| t > start);
        self.splits.iter().filter(recent).any(|p| {
            let group = |i: u32| p.groups[i as usize];
            let s = group(claim.subject);
            by.is_none_or(|by| group(by) != s) || group(claim.observer) != s
        })
    }

    fn on_strike(&mut self, now: Instant, strike: &Strike) {
        match strike {
            Strike::Started { node, converged, .. } => {
                // A world that starts converged has behaved for ever.
                let since = if *converged { Instant::ZERO } else { now };
                self.nodes[*node as usize] =
                    Condition { up_since: Some(since), leaving: false, clear_since: Some(since) };
            }
            Strike::Crashed(node) | Strike::Gone(node) => {
                self.nodes[*node as usize].up_since = None;
            }
            Strike::Leaving(node) => self.nodes[*node as usize].leaving = true,
            Strike::Stalled { node, .. } => self.nodes[*node as usize].clear_since = None,
            Strike::Resumed(node) => self.nodes[*node as usize].clear_since = Some(now),
            Strike::Split(groups) => {
                self.end_split(now);
                self.splits.push(Partition { groups: Arc::clone(groups), until: None });
            }
            Strike::Healed => self.end_split(now),
            Strike::Loss(p) => self.on_loss(now, *p),
        }
    }

    fn end_split(&mut self, now: Instant) {
        let start = now - self.window;
        self.splits.retain(|p| p.until.is_none_or(|t| t > start));
        for p in &mut self.splits {
            p.until.get_or_insert(now);
        }
    }

    fn on_loss(&mut self, now: Instant, p: f64) {
        if self.loss > 0.0 {
            self.lossy += now.since(self.lossy_since);
            self.lossy_until = Some(now);
        }
        self.loss = p;
        self.lossy_since = now;
        self.loss_max = self.loss_max.max(p);
    }
}

impl Condition {
    /// Whether it was up and unstalled since before `start`.
    fn steady_since(&self, start: Instant) -> bool {
        let before = |t: Option<Instant>| t.is_some_and(|t| t <= start);
        before(self.up_since) && before(self.clear_since)
    }
}

impl Oracle for Accuracy {
    fn name(&self) -> &'static str {
        NAME
    }

    fn on_change(&mut self, change: &Change) -> Result<(), Violation> {
        match &change.what {
            What::Strike(strike) => self.on_strike(change.at, strike),
            What::Claim(claim) => {
                if let Says::Down { cause: Cause::Failed, by } = claim.says {
                    return self.on_down(change.at, claim, by);
                }
            }
        }
        Ok(())
    }

    fn at_end(&mut self, world: &dyn Inspect) -> Result<(), Violation> {
        let (wrong, bound) = self.lossy_verdict(world.now());
        if wrong as f64 <= bound {
            return Ok(());
        }
        let percent = self.loss_max * 100.0;
        let text =
            format!("{wrong} healthy nodes reported at {percent:.1} % loss, at most {bound:.1}");
        Err(Violation::new(NAME, world.now(), text))
    }

    fn cases(&self) -> u64 {
        self.cases
    }

    fn excused(&self) -> u64 {
        self.excused
    }
}

const NAME: &str = "accuracy";
