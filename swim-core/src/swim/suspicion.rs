//! How long a suspicion lasts (Lifeguard section IV.B, memberlist spec 5.5).

use core::time::Duration;

use smallvec::SmallVec;

use crate::config::Config;
use crate::ids::NodeName;
use crate::time::{Instant, nanos};

/// A suspicion under way: it shortens as others confirm it.
pub(crate) struct Suspicion {
    start: Instant,
    min: Duration,
    max: Duration,
    /// Confirmations that shorten it.
    wanted: u32,
    /// Who accused, the first accuser first. The first one is no confirmation.
    accusers: SmallVec<[NodeName; 3]>,
    deadline: Instant,
    /// When the suspect is asked by itself next.
    question: Option<Instant>,
    last_call: LastCall,
}

/// The question to a suspect before it is declared dead.
#[derive(Clone, Copy)]
enum LastCall {
    Never,
    /// It is asked so long before the deadline.
    ToCome(Duration),
    /// It is asked, or about to be, and has so long, until the deadline.
    Made(Duration),
}

impl Suspicion {
    /// A suspicion by `from` at a node that knows `n` members.
    pub(crate) fn new(now: Instant, config: &Config, n: u32, from: NodeName) -> Self {
        let knobs = &config.knobs;
        let dynamic = config.ablation.dynamic_suspicion;
        let min = match config.ablation.natural_log {
            true => knobs.probe_interval * (knobs.suspicion_mult * ln_ceil(n)),
            false => timeout_min(knobs.suspicion_mult, n, knobs.probe_interval),
        };
        let max = if dynamic { min * knobs.suspicion_max_mult } else { min };
        let wanted = if dynamic { confirmations_wanted(knobs.suspicion_mult, n) } else { 0 };
        let first = if wanted == 0 { min } else { max };
        let accusers = SmallVec::from_iter([from]);
        let deadline = now + first;
        let last_call = match config.ablation.last_call {
            true => LastCall::ToCome(knobs.probe_timeout),
            false => LastCall::Never,
        };
        Self { start: now, min, max, wanted, accusers, deadline, question: None, last_call }
    }

    /// When there is something to do: a question, or the death.
    pub(crate) fn due(&self) -> Instant {
        self.question.unwrap_or(match self.last_call {
            LastCall::ToCome(wait) => self.deadline - wait,
            LastCall::Never | LastCall::Made(_) => self.deadline,
        })
    }

    /// Has the suspect asked at `at`. If it is called already, it has as long to answer from then.
    pub(crate) fn ask_at(&mut self, at: Instant) {
        self.question = Some(at);
        if let LastCall::Made(wait) = self.last_call {
            self.deadline = at + wait;
        }
    }

    /// Has the last call made at `at`; the suspect has `wait` to answer, and no more than that.
    pub(crate) fn call_at(&mut self, at: Instant, wait: Duration) {
        self.last_call = LastCall::Made(wait);
        self.ask_at(at);
    }

    /// Whether the last call is still to come.
    pub(crate) fn is_uncalled(&self) -> bool {
        matches!(self.last_call, LastCall::ToCome(_))
    }

    /// Whether a claim of its death has it called, by which it has `wait` to answer. Who was asked
    /// is asked again for the death of a later life, which the answer must outdate, too; but not so
    /// that the suspicion lasts longer than one that nobody confirms.
    pub(crate) fn is_callable(&self, now: Instant, wait: Duration) -> bool {
        let again = self.question.is_none() && now + wait <= self.start + self.max;
        self.is_uncalled() || again
    }

    /// Takes a question whose time has come.
    pub(crate) fn take_question(&mut self, now: Instant) -> bool {
        self.question.take_if(|at| *at <= now).is_some()
    }

    /// Who accused first.
    pub(crate) fn accuser(&self) -> &NodeName {
        &self.accusers[0]
    }

    /// Reads a little of it.
    pub(crate) fn touch(&self) -> u32 {
        self.accusers.len() as u32
    }

    /// Whether it has all confirmations that shorten it.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.accusers.len() as u32 > self.wanted
    }

    /// Whether another accuser is news that shortens the suspicion.
    pub(crate) fn wants(&self, from: &[u8]) -> bool {
        !self.is_confirmed() && self.accusers.iter().all(|a| a.as_str().as_bytes() != from)
    }

    /// Counts an accuser who is [wanted](Self::wants).
    pub(crate) fn confirm(&mut self, from: NodeName) {
        let counted = self.accusers.len() as u32 - 1;
        self.accusers.push(from);
        // Who was asked has the time to answer that it was given.
        if !matches!(self.last_call, LastCall::Made(_)) {
            self.deadline = self.start + timeout(self.min, self.max, counted + 1, self.wanted);
        }
    }

    /// Gives the member the time in which this node did not listen. Who was asked may have answered
    /// in vain, and is asked again.
    pub(crate) fn extend(&mut self, late: Duration) {
        self.start = self.start + late;
        self.deadline = self.deadline + late;
        if let LastCall::Made(wait) = self.last_call {
            self.last_call = LastCall::ToCome(wait);
        }
    }
}

/// The shortest a suspicion lasts: `mult * max(1, log10(n)) * interval`, the logarithm to whole
/// thousandths.
pub(crate) fn timeout_min(mult: u32, n: u32, interval: Duration) -> Duration {
    let scale = libm::log10(f64::from(n.max(1))).max(1.0);
    let thousandths = (scale * 1000.0) as u64;
    let ns = u128::from(mult) * u128::from(thousandths) * u128::from(nanos(interval)) / 1000;
    Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
}

/// `ceil(ln(n + 1))`, by which the SWIM paper scales rumours and suspicions.
pub(crate) fn ln_ceil(n: u32) -> u32 {
    libm::ceil(libm::log(f64::from(n) + 1.0)) as u32
}

/// How many confirmations shorten a suspicion: none if there are too few members to give them.
fn confirmations_wanted(mult: u32, n: u32) -> u32 {
    let wanted = mult.saturating_sub(2);
    if n.saturating_sub(2) < wanted { 0 } else { wanted }
}

/// How long a suspicion lasts in all after `confirmed` of `wanted` confirmations, in whole
/// milliseconds.
pub(crate) fn timeout(min: Duration, max: Duration, confirmed: u32, wanted: u32) -> Duration {
    let done = libm::log(f64::from(confirmed) + 1.0) / libm::log(f64::from(wanted) + 1.0);
    let seconds = max.as_secs_f64() - (max.as_secs_f64() - min.as_secs_f64()) * done;
    Duration::from_millis((seconds * 1000.0) as u64).max(min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_swim_paper_takes_natural_logarithms() {
        assert_eq!([1, 2, 31, 1000, 10_000].map(ln_ceil), [1, 2, 4, 7, 10]);
        let config = Config::lan().swim2002().build().unwrap();
        let from = NodeName::new("a").unwrap();
        let suspicion = Suspicion::new(Instant::ZERO, &config, 31, from);
        assert_eq!(suspicion.due(), Instant::from_secs(3 * 4));
    }
}
