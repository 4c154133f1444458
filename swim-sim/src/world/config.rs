//! What a world is made of.

use core::time::Duration;
use std::sync::Arc;

use swim_core::{Config, Instant};

use crate::fault::Fault;
use crate::link::Links;

/// What a world is made of. Start from [`WorldConfig::new`] and set what differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorldConfig {
    /// All chance comes from it: links, choices of who crashes, the nodes' own randomness.
    pub seed: u64,
    /// How many nodes, at most [`NODES_MAX`](crate::place::NODES_MAX).
    pub nodes: u32,
    /// The settings of every node.
    pub core: Arc<Config>,
    /// The links between them.
    pub links: Links,
    /// What is done to them, and when.
    pub faults: Vec<(Instant, Fault)>,
    /// What a driver that wakes up late does first.
    pub driver: Driver,
    /// In a cold world, the time within which all nodes but the first start and join.
    pub join_window: Duration,
    /// How nodes exchange their whole states.
    pub states: States,
    /// What follows the dot in each node's name, at most 100 bytes: the names of
    /// real clusters are longer than `n7`, and so are their messages. Default: nothing, and no dot.
    pub domain: String,
}

impl WorldConfig {
    /// `nodes` nodes with memberlist's LAN settings on a local network, without faults.
    pub fn new(seed: u64, nodes: u32) -> Self {
        Self {
            seed,
            nodes,
            core: Config::lan().build().expect("the preset is valid"),
            links: Links::default(),
            faults: Vec::new(),
            driver: Driver::default(),
            join_window: Duration::from_millis(100),
            states: States::default(),
            domain: String::new(),
        }
    }
}

/// A domain has at most so many bytes.
pub(super) const DOMAIN_BYTES_MAX: usize = 100;

/// What a driver that finds both mail and an expired time-out does first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third order")]
pub enum Driver {
    /// It reads its mail, as the contract of the core asks.
    #[default]
    MailFirst,
    /// It runs its timers, as the Go programs of the published experiments did. It sends after it
    /// has read its mail, too: there the next round of gossip comes later than that.
    TimersFirst,
}

/// How nodes exchange their whole states. What they learn, when, and what the links are charged is
/// the same; what it costs this machine is not. Machines of other types may know bytes only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third form")]
pub enum States {
    /// As bytes in small worlds, by reference in worlds of 5,000 nodes and more.
    #[default]
    BySize,
    /// As the bytes of push/pulls.
    Bytes,
    /// By reference to what all nodes share.
    Shared,
}

impl States {
    pub(super) const fn are_shared(self, nodes: u32) -> bool {
        match self {
            Self::BySize => nodes >= SHARED_FROM,
            Self::Bytes => false,
            Self::Shared => true,
        }
    }
}

/// From this size on, coding states takes most of the time of a world.
const SHARED_FROM: u32 = 5000;
