//! The node.
use crate::keyring::Keyring;
use crate::*;
use alloc::sync::Arc;
use bytes::BytesMut;

/// The table of a cluster at rest, to start many nodes from.
#[derive(Clone)]
pub struct Roster(());
impl Roster {
    /// The table of these nodes, all alive at incarnation 1. Names must differ.
    pub fn new(members: impl IntoIterator<Item = Identity>, protocol_version: u8) -> Self {
        let _ = (members, protocol_version);
        Self(())
    }
    /// How many.
    pub fn len(&self) -> usize {
        0
    }
    /// None?
    pub fn is_empty(&self) -> bool {
        true
    }
}

/// One member of a cluster, as a state machine.
pub struct Node {
    config: Arc<Config>,
    me: Identity,
    keyring: Keyring,
    stats: Stats,
}

impl Node {
    /// A node that knows only itself.
    pub fn new(config: Arc<Config>, me: Identity, seed: Seed, now: Instant) -> Self {
        let _ = (seed, now);
        Self { keyring: config.keyring.clone(), config, me, stats: Stats::default() }
    }
    /// A node that starts out knowing all of `roster`, itself at `index`, everybody alive; the table is shared until it changes.
    pub fn with_roster(
        config: Arc<Config>,
        roster: &Roster,
        index: usize,
        seed: Seed,
        now: Instant,
    ) -> Self {
        let _ = (config, roster, index, seed, now);
        unimplemented!()
    }
    /// Takes one input.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        let _ = (now, input);
        Ok(())
    }
    /// The next datagram.
    pub fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<Transmit> {
        let _ = buf;
        None
    }
    /// The next stream action.
    pub fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        let _ = buf;
        None
    }
    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }
    /// When to hand in [`Input::Timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    /// Its own record.
    pub fn me(&self) -> Member {
        unimplemented!()
    }
    /// All members that are known, this node, the dead and the left included.
    pub fn members(&self) -> impl Iterator<Item = Member> + '_ {
        core::iter::empty()
    }
    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<Member> {
        let _ = name;
        None
    }
    /// The name behind a [`Transmit`]'s peer.
    pub fn peer_name(&self, peer: Peer) -> Option<&str> {
        let _ = peer;
        None
    }
    /// How many members are alive or suspect, this node included.
    pub fn live_len(&self) -> usize {
        1
    }
    /// How many members are known.
    pub fn known_len(&self) -> usize {
        1
    }
    /// The health score, 0 is best.
    pub fn health(&self) -> u32 {
        0
    }
    /// What was counted.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }
    /// The keys.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }
    /// The configuration in force.
    pub fn config(&self) -> &Arc<Config> {
        let _ = &self.me;
        &self.config
    }
    /// How many broadcasts wait in a lane.
    pub fn queue_len(&self, lane: Lane) -> usize {
        let _ = lane;
        0
    }
    /// Whether nothing is left to poll.
    pub fn is_drained(&self) -> bool {
        true
    }
}
