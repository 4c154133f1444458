//! Faults: what is done to the nodes and links of a world, and when.

use core::time::Duration;
use std::collections::BTreeMap;

use swim_core::Instant;

use crate::change::Stall;

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
    /// Nodes of different groups do not reach each other from now on. Replaces the groups before.
    Partition(Split),
    /// All nodes reach each other again.
    Heal,
    /// From now on, links lose this share of their packets.
    Loss(f64),
}

/// Which nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one or some")]
pub enum Who {
    /// This one, if it is in a state that the fault applies to.
    Node(u32),
    /// This many, drawn from those that the fault applies to.
    Random(u32),
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

/// How often each kind of fault struck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct FaultCounts {
    /// Processes that ended without a word.
    pub crashes: u64,
    /// Crashed nodes that started again.
    pub restarts: u64,
    /// Nodes that were told to leave.
    pub leaves: u64,
    /// Stalls of input and output.
    pub io_stalls: u64,
    /// Stalls of whole drivers.
    pub loop_stalls: u64,
    /// Partitions begun.
    pub partitions: u64,
    /// Partitions ended.
    pub heals: u64,
    /// Datagrams lost by chance.
    pub lost: u64,
    /// Datagrams between the sides of a partition.
    pub cut: u64,
    /// Datagrams to nodes that were down.
    pub to_the_dead: u64,
    /// Datagrams that found the socket of a frozen node full.
    pub overflowed: u64,
    /// Streams that failed for one of these reasons.
    pub streams_failed: u64,
}

impl FaultCounts {
    /// Every counter with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let Self { crashes, restarts, leaves, io_stalls, loop_stalls, partitions, heals, .. } =
            *self;
        let Self { lost, cut, to_the_dead, overflowed, streams_failed, .. } = *self;
        [
            ("crashes", crashes),
            ("restarts", restarts),
            ("leaves", leaves),
            ("io_stalls", io_stalls),
            ("loop_stalls", loop_stalls),
            ("partitions", partitions),
            ("heals", heals),
            ("lost", lost),
            ("cut", cut),
            ("to_the_dead", to_the_dead),
            ("overflowed", overflowed),
            ("streams_failed", streams_failed),
        ]
        .into_iter()
    }

    /// Adds the counts of another world.
    pub const fn add(&mut self, o: &Self) {
        self.crashes += o.crashes;
        self.restarts += o.restarts;
        self.leaves += o.leaves;
        self.io_stalls += o.io_stalls;
        self.loop_stalls += o.loop_stalls;
        self.partitions += o.partitions;
        self.heals += o.heals;
        self.lost += o.lost;
        self.cut += o.cut;
        self.to_the_dead += o.to_the_dead;
        self.overflowed += o.overflowed;
        self.streams_failed += o.streams_failed;
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
