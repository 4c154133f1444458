//! What befell nodes lately: whether they could have done better.

use core::time::Duration;
use std::sync::Arc;

use swim_core::Instant;

use crate::change::Strike;

/// Why a report of a live node is no fault of the protocol's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excuse {
    /// One of them had just started.
    Started,
    /// One of them was frozen.
    Stalled,
    /// The links or the host of one of them were impaired.
    Impaired,
    /// A partition lay between them.
    CutOff,
    /// One of them had moved, and the other knows its old address.
    Moved,
}

impl Excuse {
    pub(super) const ALL: [Self; 5] =
        [Self::Started, Self::Stalled, Self::Impaired, Self::CutOff, Self::Moved];

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Started => "just started",
            Self::Stalled => "frozen lately",
            Self::Impaired => "impaired lately",
            Self::CutOff => "cut off lately",
            Self::Moved => "moved elsewhere",
        }
    }
}

/// What every node went through.
#[derive(Debug)]
pub(super) struct Conduct {
    nodes: Vec<Condition>,
    splits: Vec<Partition>,
    /// How far back anybody asks.
    memory: Duration,
    loss: f64,
    /// When packets were last lost.
    lossy_until: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Condition {
    up_since: Option<Instant>,
    leaving: bool,
    /// Until when it is frozen, if it is.
    frozen_until: Option<Instant>,
    thawed: Instant,
    impaired: bool,
    relieved: Instant,
}

#[derive(Debug)]
struct Partition {
    groups: Arc<[u16]>,
    until: Option<Instant>,
}

impl Conduct {
    /// Of `n` nodes; nobody will ask for what lies further back than `memory`.
    pub(super) fn new(n: u32, memory: Duration) -> Self {
        let nodes = vec![Condition::default(); n as usize];
        Self { nodes, splits: Vec::new(), memory, loss: 0.0, lossy_until: None }
    }

    pub(super) fn on_strike(&mut self, now: Instant, strike: &Strike) {
        match strike {
            Strike::Started { node, converged, .. } => {
                let node = &mut self.nodes[*node as usize];
                // A world that starts converged has behaved for ever.
                let since = if *converged { Instant::ZERO } else { now };
                let Condition { impaired, relieved, .. } = *node;
                let up_since = Some(since);
                *node = Condition { up_since, impaired, relieved, ..Condition::default() };
            }
            Strike::Crashed(node) | Strike::Gone(node) => self.node(*node).up_since = None,
            Strike::Leaving(node) => self.node(*node).leaving = true,
            Strike::Stalled { node, until, .. } => self.node(*node).frozen_until = Some(*until),
            Strike::Resumed(node) => {
                let node = self.node(*node);
                (node.frozen_until, node.thawed) = (None, now);
            }
            Strike::Impaired(node) => self.node(*node).impaired = true,
            Strike::Relieved(node) => {
                let node = self.node(*node);
                (node.impaired, node.relieved) = (false, now);
            }
            Strike::Split(groups) => {
                self.end_split(now);
                self.splits.push(Partition { groups: Arc::clone(groups), until: None });
            }
            Strike::Healed => self.end_split(now),
            Strike::Moved(_) | Strike::ForcedOut { .. } => {}
            Strike::Loss(p) => {
                if self.loss > 0.0 {
                    self.lossy_until = Some(now);
                }
                self.loss = *p;
            }
        }
    }

    /// Whether a node is up and means to stay.
    pub(super) fn is_member(&self, node: u32) -> bool {
        let node = &self.nodes[node as usize];
        node.up_since.is_some() && !node.leaving
    }

    /// What since `start` kept one of two nodes from reaching the other and from answering.
    pub(super) fn excuse(&self, start: Instant, a: u32, b: u32) -> Option<Excuse> {
        let both = [a, b].map(|i| &self.nodes[i as usize]);
        if both.iter().any(|node| node.up_since.is_none_or(|t| t > start)) {
            return Some(Excuse::Started);
        }
        if both.iter().any(|node| node.frozen_until.is_some() || node.thawed > start) {
            return Some(Excuse::Stalled);
        }
        if both.iter().any(|node| node.impaired || node.relieved > start) {
            return Some(Excuse::Impaired);
        }
        let recent = |p: &&Partition| p.until.is_none_or(|t| t > start);
        let apart = |p: &Partition| p.groups[a as usize] != p.groups[b as usize];
        self.splits.iter().filter(recent).any(apart).then_some(Excuse::CutOff)
    }

    /// Whether two nodes can reach each other and will take part in the protocol from `at` on,
    /// as they have for `settled` by then.
    pub(super) fn take_part(&self, at: Instant, settled: Duration, a: u32, b: u32) -> bool {
        [a, b].iter().all(|&i| {
            let node = &self.nodes[i as usize];
            node.up_since.is_some_and(|t| t + settled <= at)
                && node.frozen_until.is_none_or(|t| t <= at)
                && !node.impaired
        }) && self.group(a) == self.group(b)
    }

    /// The share of all nodes that `node` can reach.
    pub(super) fn reach(&self, node: u32) -> f64 {
        let Some(split) = self.splits.iter().find(|p| p.until.is_none()) else { return 1.0 };
        let group = split.groups[node as usize];
        let side = split.groups.iter().filter(|&&g| g == group).count();
        side as f64 / split.groups.len() as f64
    }

    /// The share of packets that is lost now.
    pub(super) const fn loss(&self) -> f64 {
        self.loss
    }

    /// Whether packets were lost since `start`.
    pub(super) fn was_lossy(&self, start: Instant) -> bool {
        self.loss > 0.0 || self.lossy_until.is_some_and(|t| t > start)
    }

    fn node(&mut self, node: u32) -> &mut Condition {
        &mut self.nodes[node as usize]
    }

    fn group(&self, node: u32) -> u16 {
        let split = self.splits.iter().find(|p| p.until.is_none());
        split.map_or(0, |p| p.groups[node as usize])
    }

    fn end_split(&mut self, now: Instant) {
        let start = now - self.memory;
        self.splits.retain(|p| p.until.is_none_or(|t| t > start));
        for p in &mut self.splits {
            p.until.get_or_insert(now);
        }
    }
}
