//! What oracles are told: what nodes report, and what is done to them.

use core::fmt;
use std::sync::Arc;

use swim_core::{Cause, Instant};

/// Something that happened in a world.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests of oracles make it")]
pub struct Change {
    /// When.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "nodes report, the world strikes")]
pub enum What {
    /// A node said something about a node.
    Claim(Claim),
    /// The world did something.
    Strike(Strike),
}

/// What one node says about another, or about itself.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests of oracles make it")]
pub struct Claim {
    /// Who says it.
    pub observer: u32,
    /// About whom.
    pub subject: u32,
    /// The incarnation that it speaks of.
    pub incarnation: u32,
    /// The highest incarnation that the subject itself has ever had.
    pub issued: u32,
    /// Whether the observer knows the subject at an address at which it is not any more.
    pub elsewhere: bool,
    /// What it says.
    pub says: Says,
}

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the events about members, no others")]
pub enum Says {
    /// It joined, or came back.
    Up,
    /// Its metadata, versions or address changed.
    Changed,
    /// It is suspected.
    Suspected {
        /// Who accuses it, if that is a node of this world.
        by: Option<u32>,
    },
    /// It is not suspected any more.
    Trusted,
    /// It failed or left.
    Down {
        /// Which of the two.
        cause: Cause,
        /// Whose word that is, if told and a node of this world.
        by: Option<u32>,
    },
    /// It was forgotten.
    Reaped,
}

/// What the world does.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "an oracle must know every fault")]
pub enum Strike {
    /// A node starts, for the first time or again.
    Started {
        /// Which.
        node: u32,
        /// How often it was started before.
        life: u32,
        /// Whether it starts out knowing the whole cluster.
        converged: bool,
    },
    /// A node's process ends.
    Crashed(u32),
    /// A node is told to leave the cluster.
    Leaving(u32),
    /// A node that has left ends.
    Gone(u32),
    /// A node's address changes; it starts there next.
    Moved(u32),
    /// A node is told to say of a node that it leaves, whether that is true or not.
    ForcedOut {
        /// Who shall be gone.
        node: u32,
        /// Who says it.
        by: u32,
    },
    /// A node, or its input and output, freezes.
    Stalled {
        /// Which.
        node: u32,
        /// What of it.
        part: Stall,
        /// Until when.
        until: Instant,
    },
    /// It goes on.
    Resumed(u32),
    /// Blocks or its host's troubles begin to keep a node from its part in the protocol.
    Impaired(u32),
    /// It is under none of them any more.
    Relieved(u32),
    /// From now on, nodes of different groups do not reach each other: the group of each node.
    Split(Arc<[u16]>),
    /// All nodes reach each other again.
    Healed,
    /// From now on, this share of packets is lost.
    Loss(f64),
}

/// What of a node freezes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the two anomalies of the literature")]
pub enum Stall {
    /// Sending and receiving block, while timers run: Lifeguard's anomaly.
    Io,
    /// The whole driver is frozen: a suspended machine, a long pause.
    Loop,
}

impl Change {
    /// Something that `observer` says about `subject`.
    pub(crate) const fn claim(at: Instant, claim: Claim) -> Self {
        Self { at, what: What::Claim(claim) }
    }

    pub(crate) const fn strike(at: Instant, strike: Strike) -> Self {
        Self { at, what: What::Strike(strike) }
    }
}

/// One line of a trace.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10} ", self.at.to_string())?;
        match &self.what {
            What::Claim(r) => r.fmt(f),
            What::Strike(s) => s.fmt(f),
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { observer, subject, incarnation, .. } = self;
        write!(f, "n{observer}: n{subject} ")?;
        let by = match self.says {
            Says::Up => return write!(f, "is up, incarnation {incarnation}"),
            Says::Changed => return write!(f, "changed, incarnation {incarnation}"),
            Says::Trusted => return write!(f, "is trusted, incarnation {incarnation}"),
            Says::Reaped => return f.write_str("is forgotten"),
            Says::Suspected { by } => {
                write!(f, "is suspected, incarnation {incarnation}")?;
                by
            }
            Says::Down { cause, by } => {
                let cause = if cause == Cause::Failed { "failed" } else { "left" };
                write!(f, "{cause}, incarnation {incarnation}")?;
                by
            }
        };
        by.map_or(Ok(()), |by| write!(f, ", says n{by}"))
    }
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { node, life: 0, .. } => write!(f, "** n{node} starts"),
            Self::Started { node, life, .. } => write!(f, "** n{node} starts again (life {life})"),
            Self::Crashed(node) => write!(f, "** n{node} crashes"),
            Self::Leaving(node) => write!(f, "** n{node} leaves"),
            Self::Gone(node) => write!(f, "** n{node} has left and ends"),
            Self::Moved(node) => write!(f, "** n{node} moves to another address"),
            Self::ForcedOut { node, by } => write!(f, "** n{node} is forced to leave by n{by}"),
            Self::Stalled { node, part, until } => {
                let part = if *part == Stall::Io { "input and output" } else { "driver" };
                write!(f, "** n{node}: {part} freezes until {until}")
            }
            Self::Resumed(node) => write!(f, "** n{node} goes on"),
            Self::Impaired(node) => write!(f, "** n{node} is impaired from now on"),
            Self::Relieved(node) => write!(f, "** n{node} is not impaired any more"),
            Self::Healed => f.write_str("** all nodes reach each other again"),
            Self::Loss(p) => write!(f, "** {:.1} % of packets are lost from now on", p * 100.0),
            Self::Split(groups) => {
                f.write_str("** partition:")?;
                for group in 0..=groups.iter().copied().max().unwrap_or(0) {
                    let len = groups.iter().filter(|&&g| g == group).count();
                    write!(f, " {len} nodes [")?;
                    let mut members = (0..).zip(groups.iter()).filter(|(_, g)| **g == group);
                    for (node, _) in members.by_ref().take(SHOWN) {
                        write!(f, " n{node}")?;
                    }
                    f.write_str(if members.next().is_some() { " ... ]" } else { " ]" })?;
                }
                Ok(())
            }
        }
    }
}

/// Members of a group that a trace shows.
const SHOWN: usize = 30;
