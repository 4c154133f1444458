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
        }
    }
}

/// What a driver that finds both mail and an expired time-out does first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third order")]
pub enum Driver {
    /// It reads its mail, as the contract of the core asks.
    #[default]
    MailFirst,
    /// It runs its timers, as the Go programs of the published experiments did.
    TimersFirst,
}
