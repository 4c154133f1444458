//! What the Serf nodes of a world did, in numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::ledger::{Entry, Ledger};
use crate::oracle::Inspect;
use crate::place;

/// What Serf nodes sent, were told and answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tally {
    /// User events sent.
    pub events: u64,
    /// Those told to the nodes that are up at the end and were when each was sent.
    pub delivered: Share,
    /// All that any node was told of.
    pub deliveries: u64,
    /// Queries asked.
    pub queries: u64,
    /// Queries that a node was told of.
    pub heard: u64,
    /// Answers that came back.
    pub answers: u64,
    /// Acknowledgements that came back.
    pub acks: u64,
    /// Queries that are over.
    pub ended: u64,
    /// Changes of tags.
    pub tags: u64,
    /// Forced leaves.
    pub force_leaves: u64,
    /// Nodes that have left by themselves.
    pub left: u64,
    /// Of the nodes that are up at the end and were when each left, who was told so. Who never
    /// heard of it is not told.
    pub leaves_told: Share,
}

/// How many of those that should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Share {
    /// How many did.
    pub got: u64,
    /// How many should.
    pub due: u64,
}

impl Share {
    const fn count(&mut self, got: bool) {
        self.due += 1;
        self.got += got as u64;
    }

    const fn add(&mut self, other: &Self) {
        self.got += other.got;
        self.due += other.due;
    }
}

impl Tally {
    /// What stands in a world's ledger; `None` if it has no Serf nodes.
    pub fn of(ledger: &Ledger, world: &dyn Inspect) -> Option<Self> {
        let lines = ledger.since(&mut 0);
        let mut tally = Self::default();
        let (mut born, mut sent, mut left) = (BTreeMap::new(), Vec::new(), Vec::new());
        let (mut told, mut told_left) = (BTreeSet::new(), BTreeSet::new());
        for (line, (_, node, life, entry)) in lines.iter().enumerate() {
            let count = match entry {
                Entry::Born => {
                    born.insert(*node, (*life, line));
                    continue;
                }
                Entry::HeardLeft { name } => {
                    told_left.insert((*node, *life, place::node_named(name)));
                    continue;
                }
                Entry::Clocks(_) => continue,
                Entry::Sent { payload } => {
                    sent.push((line, payload));
                    &mut tally.events
                }
                Entry::Delivered { payload, .. } => {
                    told.insert((*node, *life, payload));
                    &mut tally.deliveries
                }
                Entry::Left => {
                    left.push((line, *node));
                    &mut tally.left
                }
                Entry::Asked { .. } => &mut tally.queries,
                Entry::Heard { .. } => &mut tally.heard,
                Entry::Acked { .. } => &mut tally.acks,
                Entry::Answered { .. } => &mut tally.answers,
                Entry::Ended { .. } => &mut tally.ended,
                Entry::Tagged => &mut tally.tags,
                Entry::Forced => &mut tally.force_leaves,
            };
            *count += 1;
        }
        for (&node, &(life, start)) in born.iter().filter(|(node, _)| world.observes(**node)) {
            for (_, payload) in sent.iter().filter(|(line, _)| start < *line) {
                tally.delivered.count(told.contains(&(node, life, payload)));
            }
            for (_, gone) in left.iter().filter(|(line, _)| start < *line) {
                tally.leaves_told.count(told_left.contains(&(node, life, Some(*gone))));
            }
        }
        (!born.is_empty()).then_some(tally)
    }

    /// Adds what happened in another world.
    pub const fn add(&mut self, o: &Self) {
        self.events += o.events;
        self.delivered.add(&o.delivered);
        self.deliveries += o.deliveries;
        self.queries += o.queries;
        self.heard += o.heard;
        self.answers += o.answers;
        self.acks += o.acks;
        self.ended += o.ended;
        self.tags += o.tags;
        self.force_leaves += o.force_leaves;
        self.left += o.left;
        self.leaves_told.add(&o.leaves_told);
    }
}
