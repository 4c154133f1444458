//! What the embedder's policy decided, so that a replay need not ask it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use core::time::Duration;

use crate::config::Config;
use crate::member::Member;
use crate::policy::{Admission, Candidate};

/// One answer of a [`Policy`](crate::Policy).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Admit(Result<(), String>),
    StreamPing(bool),
    ReapAfter(Option<Duration>),
}

/// Where answers come from.
pub(crate) enum Verdicts {
    /// From the policy.
    Asked,
    /// From the policy, and kept for a journal.
    #[expect(clippy::box_collection, reason = "a node that keeps none stays small")]
    Recorded(Box<VecDeque<Verdict>>),
    /// From a journal.
    #[expect(clippy::box_collection, reason = "a node that keeps none stays small")]
    Replayed(Box<VecDeque<Verdict>>),
}

impl Verdicts {
    /// Whether somebody has an opinion; without one the defaults hold.
    pub(crate) fn are_asked(&self, config: &Config) -> bool {
        config.policy.is_some() || matches!(self, Self::Replayed(verdicts) if !verdicts.is_empty())
    }

    pub(crate) fn admit(
        &mut self,
        config: &Config,
        me: &Member,
        candidates: &[Candidate<'_>],
        why: Admission,
    ) -> Result<(), String> {
        let asked = |config: &Config| {
            let policy = config.policy.as_ref();
            Verdict::Admit(policy.map_or(Ok(()), |policy| policy.admit(me, candidates, why)))
        };
        match self.decide(config, asked) {
            Verdict::Admit(verdict) => verdict,
            _ => Ok(()),
        }
    }

    pub(crate) fn stream_ping(&mut self, config: &Config, name: &str) -> bool {
        let asked = |config: &Config| {
            let policy = config.policy.as_ref();
            Verdict::StreamPing(policy.is_none_or(|policy| policy.stream_ping(name)))
        };
        match self.decide(config, asked) {
            Verdict::StreamPing(verdict) => verdict,
            _ => true,
        }
    }

    pub(crate) fn reap_after(&mut self, config: &Config, member: &Member) -> Option<Duration> {
        let asked = |config: &Config| {
            Verdict::ReapAfter(config.policy.as_ref().and_then(|policy| policy.reap_after(member)))
        };
        match self.decide(config, asked) {
            Verdict::ReapAfter(verdict) => verdict,
            _ => None,
        }
    }

    fn decide(&mut self, config: &Config, asked: impl FnOnce(&Config) -> Verdict) -> Verdict {
        match self {
            Self::Replayed(verdicts) => verdicts.pop_front().unwrap_or_else(|| asked(config)),
            Self::Asked => asked(config),
            Self::Recorded(verdicts) => {
                let verdict = asked(config);
                if config.policy.is_some() {
                    verdicts.push_back(verdict.clone());
                }
                verdict
            }
        }
    }
}
