//! What was said of members that may have failed.

use std::collections::{HashMap, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use swim_core::serf::{Finding, Member, Status};
use swim_core::{Evidence, State};

use crate::rpc::wire::{Accusation, Saying};

/// The latest sayings about each member, by its name.
#[derive(Default)]
pub(super) struct Sayings(HashMap<String, VecDeque<Accusation>>);

impl Sayings {
    pub(super) fn note(&mut self, member: &Member, finding: Finding) {
        let (what, by) = match finding {
            Finding::Suspected { by, evidence } => {
                let what = match evidence {
                    Evidence::Probe { helpers, nacks, stream } => {
                        Saying::Silent { helpers, nacks, stream }
                    }
                    Evidence::PushPull => Saying::Shown,
                    // Gossip, and whatever else comes to a node from outside.
                    _ => Saying::Told,
                };
                (what, by.as_str().into())
            }
            Finding::Refuted { by, evidence, claimed } => {
                let what = match (evidence, claimed) {
                    (Evidence::PushPull, _) => Saying::RefutedShown,
                    (_, State::Dead) => Saying::RefutedDeath,
                    (_, State::Left) => Saying::RefutedLeave,
                    _ => Saying::RefutedSuspicion,
                };
                (what, by.as_str().into())
            }
            Finding::Down { by } => {
                let left = member.status() == Status::Left;
                let by = by.map(|by| by.as_str().into()).unwrap_or_default();
                (if left { Saying::Left } else { Saying::Failed }, by)
            }
            _ => (Saying::Trusted, String::new()),
        };
        self.push(member.name(), what, by);
    }

    /// A member is there, which ends what was said of it.
    pub(super) fn is_back(&mut self, name: &str) {
        if self.0.contains_key(name) {
            self.push(name, Saying::Trusted, String::new());
        }
    }

    fn push(&mut self, name: &str, what: Saying, by: String) {
        if self.0.len() >= MEMBERS_MAX && !self.0.contains_key(name) {
            self.forget_oldest();
        }
        let known = self.0.entry(name.into()).or_default();
        if known.len() >= SAYINGS_MAX {
            known.pop_front();
        }
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        known.push_back(Accusation::new(at, what, by));
    }

    pub(super) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub(super) fn of(&self, name: &str) -> Vec<Accusation> {
        self.0.get(name).into_iter().flatten().cloned().collect()
    }

    fn forget_oldest(&mut self) {
        let latest = |known: &VecDeque<Accusation>| known.back().map(|last| last.at);
        let oldest = self.0.iter().min_by_key(|(_, known)| latest(known));
        if let Some(name) = oldest.map(|(name, _)| name.clone()) {
            self.0.remove(&name);
        }
    }
}

/// Sayings about one member.
const SAYINGS_MAX: usize = 32;
/// Members about which there are any.
const MEMBERS_MAX: usize = 1024;
