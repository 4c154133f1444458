//! The SWIM machine. [`Node`] routes each input to the sub-machine that it is for; those keep their
//! own state and share a [`ctx::Ctx`].

mod above;
mod audit;
mod claims;
mod commands;
mod ctx;
mod datagram;
mod events;
mod exchange;
mod fast_join;
mod members;
mod merge;
mod node;
mod order;
mod outbox;
mod pick;
mod pings;
mod probe;
mod queue;
mod refusals;
mod relay;
mod roster;
mod rules;
mod rumours;
mod sharing;
mod streams;
mod support;
mod suspects;
mod suspicion;
mod timers;
mod transmit;
mod upkeep;
mod verdicts;

pub(crate) use above::{Letter, Mail, Mark, Sum};
pub(crate) use ctx::Ctx;
pub(crate) use members::SlotId;
pub use node::Node;
pub use roster::Roster;
pub(crate) use verdicts::Verdict;

#[cfg(test)]
pub(crate) mod tests_only {
    //! Private parts that have scenario tests of their own.

    pub(crate) use super::members::{Base, Members};
    pub(crate) use super::sharing::{Shared, wire_len, write};
    pub(crate) use super::suspicion::{timeout, timeout_min};
    pub(crate) use super::upkeep::push_pull_interval;
}
