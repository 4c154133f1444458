//! Faults: what is done to the nodes and links of a world, and when.

use core::time::Duration;
use std::collections::BTreeMap;

use swim_core::Instant;
use swim_core::serf::Tags;

use crate::block::{Ends, Plane};
use crate::change::Stall;
use crate::course::Course;

/// Something to do to a world at a time of its own. See
/// [`WorldConfig::faults`](crate::WorldConfig).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// Processes end without a word.
    Crash(Who),
    /// Crashed nodes start again: same name and address, incarnation from scratch. They join by
    /// nodes that are up, and try again until one answers.
    Restart(Who),
    /// Machines lose their power: processes end, and nothing at their addresses answers. Streams to
    /// them are half-open and run into their deadlines, instead of being refused or closed.
    Vanish(Who),
    /// As [`Self::Restart`], at another address. Nodes that hold the name at the old one refuse it
    /// unless [`Config::dead_node_reclaim_time`](swim_core::Config::dead_node_reclaim_time) lets it
    /// be taken.
    Move(Who),
    /// Nodes leave the cluster and end once they have said so.
    Leave(Who),
    /// Nodes freeze for a time.
    Stall {
        /// Which.
        who: Who,
        /// What of them.
        part: Stall,
        /// For how long.
        time: Duration,
    },
    /// Nodes freeze again and again.
    Stalls {
        /// Which; chosen once.
        who: Who,
        /// What of them.
        part: Stall,
        /// When.
        course: Course,
        /// For how long in all.
        time: Duration,
    },
    /// Every input takes nodes some time; what arrives meanwhile waits. A slow node cannot freeze
    /// besides, and is fast again when it starts again.
    Slow {
        /// Which; chosen once.
        who: Who,
        /// How long each input takes.
        cost: Duration,
        /// When.
        course: Course,
        /// For how long in all.
        time: Duration,
    },
    /// Clocks run fast or slow, and stay ahead or behind when that is over. More than
    /// [`DRIFT_IMPAIRS_PPM`] excuses a node before the oracles.
    Drift {
        /// Whose.
        who: Who,
        /// Parts per million by which they run fast, negative for slow; held within
        /// [`DRIFT_MAX_PPM`](crate::DRIFT_MAX_PPM).
        ppm: i32,
        /// For how long; [`Duration::MAX`] is for good.
        time: Duration,
    },
    /// Every open stream of nodes breaks: who asked learns that it was closed, who was asked learns
    /// nothing.
    Reset(Who),
    /// The network drops packets between some nodes, one way or both. Blocks add up.
    Block {
        /// Between which.
        ends: Ends,
        /// On which transport. A stream whose packets are dropped is late, or runs into its
        /// deadline if all of them are.
        plane: Plane,
        /// The share of packets that is dropped, 0 to 1.
        share: f64,
        /// When.
        course: Course,
        /// For how long in all; [`Duration::MAX`] is for good.
        time: Duration,
    },
    /// Nodes of different groups do not reach each other from now on. Replaces the groups before.
    Partition(Split),
    /// All nodes reach each other again: ends the partition and every block.
    Heal,
    /// From now on, links lose this share of their packets.
    Loss(f64),
    /// Nodes get a command: no fault, but what a timeline is for, too.
    Command {
        /// Which.
        who: Who,
        /// What.
        order: Order,
    },
}

impl Fault {
    /// What it is called in a summary.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Crash(_) => "crash",
            Self::Restart(_) => "restart",
            Self::Vanish(_) => "vanish",
            Self::Move(_) => "move",
            Self::Leave(_) => "leave",
            Self::Stall { .. } | Self::Stalls { .. } => "stall",
            Self::Slow { .. } => "slow",
            Self::Drift { .. } => "drift",
            Self::Reset(_) => "reset",
            Self::Block { .. } => "block",
            Self::Partition(_) => "partition",
            Self::Heal => "heal",
            Self::Loss(_) => "loss",
            Self::Command { order, .. } => order.name(),
        }
    }
}

/// A command that a timeline can give.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Send a text to every member by gossip.
    Broadcast(String),
    /// Replace the metadata, at most 512 bytes.
    SetMeta(String),
    /// Join by these nodes.
    Join(Vec<u32>),
    /// Serf: send a user event. No two have the same payload.
    Event {
        /// What it is called.
        name: String,
        /// Bytes of its payload, [`EVENT_BYTES_MIN`] at least.
        bytes: u32,
    },
    /// Serf: ask every node. No two queries have the same payload.
    Query {
        /// What it is called.
        name: String,
        /// How long to wait for answers; by default as long as Serf does.
        deadline: Option<Duration>,
        /// Whether who hears it shall say so.
        ack: bool,
        /// By how many other nodes an answer is sent besides directly.
        relay: u8,
    },
    /// Serf: say that these nodes leave. A random one is one that is down.
    ForceLeave {
        /// Which.
        of: Who,
        /// Whether to forget them at once.
        prune: bool,
    },
    /// Serf: replace the tags.
    Tags(Tags),
}

impl Order {
    /// What it is called in a summary, and by a scenario's `do`.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Broadcast(_) => "broadcast",
            Self::SetMeta(_) => "meta",
            Self::Join(_) => "join",
            Self::Event { .. } => "event",
            Self::Query { .. } => "query",
            Self::ForceLeave { .. } => "force-leave",
            Self::Tags(_) => "tags",
        }
    }
}

/// Bytes of the shortest payload of an event: it says who sent it, in which life, and which it is.
pub const EVENT_BYTES_MIN: u32 = 24;

/// Clocks that drift more than this, a thousandth, count as impaired: quartz is ten times better.
pub const DRIFT_IMPAIRS_PPM: i32 = 1_000;

/// Which nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Who {
    /// All that the fault applies to.
    All,
    /// Those of these that it applies to.
    Nodes(Vec<u32>),
    /// This one, if it is in a state that the fault applies to.
    Node(u32),
    /// This many, drawn from those that the fault applies to.
    Random(u32),
}

impl Who {
    /// The nodes, if they are named.
    pub(crate) fn named(&self) -> &[u32] {
        match self {
            Self::Node(node) => core::slice::from_ref(node),
            Self::Nodes(nodes) => nodes,
            Self::All | Self::Random(_) => &[],
        }
    }
}

/// The groups of a partition.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "given or drawn")]
pub enum Split {
    /// These nodes; nodes that no group names form one more.
    Groups(Vec<Vec<u32>>),
    /// Groups of these sizes, members drawn; what is left over joins the last.
    Sizes(Vec<u32>),
}

impl Split {
    /// The groups, if they are named.
    pub(crate) fn named(&self) -> &[Vec<u32>] {
        match self {
            Self::Groups(groups) => groups,
            Self::Sizes(_) => &[],
        }
    }
}

/// Faults by time, those of one instant in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    items: BTreeMap<(Instant, u64), Act>,
    count: u64,
}

/// What a world does by itself.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Fault(Fault),
    /// A node starts for the first time.
    Start(u32),
    /// A node that was started, in this life, joins by nodes that are up.
    Join {
        node: u32,
        life: u32,
    },
    /// A stall, by its number, ends.
    Resume {
        node: u32,
        stall: u32,
    },
    /// A fault that lasts comes or goes.
    Turn {
        spell: usize,
        on: bool,
    },
    /// A fault that lasts is over.
    EndSpell(usize),
    /// A slow node, in a stall of this number, has worked through an input.
    Work {
        node: u32,
        stall: u32,
    },
    /// A node that has left ends.
    End {
        node: u32,
        life: u32,
    },
}

impl Agenda {
    pub(crate) fn add(&mut self, at: Instant, act: Act) {
        self.count += 1;
        self.items.insert((at, self.count), act);
    }

    /// When the next act is due.
    pub(crate) fn next(&self) -> Instant {
        self.items.first_key_value().map_or(Instant::MAX, |((at, _), _)| *at)
    }

    pub(crate) fn pop(&mut self) -> Option<Act> {
        self.items.pop_first().map(|(_, act)| act)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_come_by_time_then_in_the_order_added() {
        let mut agenda = Agenda::default();
        for (at, node) in [(5, 1), (3, 2), (5, 3), (9, 4), (3, 5)] {
            agenda.add(Instant::from_secs(at), Act::Start(node));
        }
        assert_eq!(agenda.next(), Instant::from_secs(3));
        let order: Vec<u32> = core::iter::from_fn(|| agenda.pop())
            .map(|act| if let Act::Start(node) = act { node } else { 0 })
            .collect();
        assert_eq!(order, [2, 5, 1, 3, 4]);
        assert_eq!(agenda.next(), Instant::MAX);
    }
}
