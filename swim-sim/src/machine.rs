//! What a world runs: the core's node, or anything with its call shape.

use core::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use swim_core::journal::{Recorder, Secrets};
use swim_core::{
    Config, Event, Exchange, Identity, Input, Instant, Lane, Member, Node, OpId, Rejected, Roster,
    Seed, State, Stats, serf,
};

use crate::serf::Ledger;

/// What kind of nodes a world has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the two machines of the core")]
pub enum MachineKind {
    /// Bare nodes: membership and nothing else.
    #[default]
    Node,
    /// Serf nodes: user events, queries and tags besides.
    Serf,
}

impl MachineKind {
    /// Each with its word in scenarios and on the command line.
    pub const WORDS: [(&str, Self); 2] = [("node", Self::Node), ("serf", Self::Serf)];
}

/// A state machine that a world can run: the calls of [`swim_core::Node`], and what oracles read.
pub trait Machine: Send {
    /// Takes one input.
    fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected>;
    /// Takes a command of the Serf layer; whether it does. A bare node takes none.
    fn command(&mut self, now: Instant, op: OpId, command: serf::Command) -> bool {
        let _ = (now, op, command);
        false
    }
    /// Appends the next datagram to `buf`; says where it goes.
    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<SocketAddr>;
    /// Appends the message of the next stream action, if it has one, to `buf`.
    fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange>;
    /// The next event.
    fn poll_event(&mut self) -> Option<Event>;
    /// When to hand in [`Input::Timeout`].
    fn poll_timeout(&self) -> Option<Instant>;
    /// Its own incarnation.
    fn incarnation(&self) -> u32;
    /// Shows every member that it knows, itself included.
    fn view(&self, show: &mut dyn FnMut(Seen<'_>));
    /// Shows those members of whom it may hold something else than the world's roster, and says
    /// whether it holds what that says of all others; if not, it need not show all who differ.
    fn view_changes(&self, show: &mut dyn FnMut(Seen<'_>)) -> bool {
        let _ = show;
        false
    }
    /// How many members it takes for live.
    fn live_len(&self) -> usize;
    /// How many members it knows, live or not.
    fn known_len(&self) -> usize;
    /// How many user broadcasts wait.
    fn queue_len(&self) -> usize;
    /// How many claims about members wait to be gossiped.
    fn rumours_len(&self) -> usize;
    /// How many deadlines wait.
    fn timers_len(&self) -> usize;
    /// Its health score, 0 is best.
    fn health(&self) -> u32;
    /// What it counted.
    fn stats(&self) -> Stats;
}

/// A member as a machine sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "machines of tests make it")]
pub struct Seen<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its incarnation.
    pub incarnation: u32,
    /// Its state.
    pub state: State,
}

impl<'a> Seen<'a> {
    fn of(member: &'a Member) -> Self {
        Self { name: member.name(), incarnation: member.incarnation().0, state: member.state() }
    }
}

/// Everything that a machine is made of.
#[derive(Clone)]
#[non_exhaustive]
pub struct Birth<'a> {
    /// The settings.
    pub config: &'a Arc<Config>,
    /// Its number in the world.
    pub index: u32,
    /// How often it was started before.
    pub life: u32,
    /// Its name and address.
    pub identity: Identity,
    /// What follows the dot in all names of its world.
    pub domain: &'a str,
    /// Its randomness.
    pub seed: Seed,
    /// Now.
    pub now: Instant,
    /// All nodes of the world as they are at first, this one in row `index`.
    pub roster: &'a Roster,
    /// Whether it starts knowing them.
    pub converged: bool,
    /// Whether nodes exchange states by reference to the roster.
    pub shares_states: bool,
    /// Where Serf nodes of the world write what it does not pass on.
    pub ledger: &'a Ledger,
}

impl Birth<'_> {
    /// The node of the core.
    pub fn node(&self) -> Node {
        let (config, seed, now) = (Arc::clone(self.config), self.seed, self.now);
        let mut node = if self.converged {
            Node::with_roster(config, self.roster, self.index as usize, seed, now)
        } else {
            let mut node = Node::new(config, self.identity.clone(), seed, now);
            node.share_records(self.roster);
            node
        };
        if self.shares_states {
            node.share_states(self.roster);
        }
        node
    }

    /// The node of the core, keeping a journal. It starts knowing only itself: a journal begins at
    /// the beginning.
    pub fn recorder(&self) -> Recorder {
        let (config, me) = (Arc::clone(self.config), self.identity.clone());
        Recorder::new(config, me, self.seed, self.now, Secrets::Kept)
    }
}

impl Machine for Node {
    #[inline]
    fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        Self::handle(self, now, input)
    }

    #[inline]
    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<SocketAddr> {
        Self::poll_transmit(self, buf).map(|t| t.to)
    }

    #[inline]
    fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        Self::poll_exchange(self, buf)
    }

    #[inline]
    fn poll_event(&mut self) -> Option<Event> {
        Self::poll_event(self)
    }

    #[inline]
    fn poll_timeout(&self) -> Option<Instant> {
        Self::poll_timeout(self)
    }

    fn incarnation(&self) -> u32 {
        self.me().incarnation().0
    }

    fn view(&self, show: &mut dyn FnMut(Seen<'_>)) {
        self.members().for_each(|m| show(Seen::of(&m)));
    }

    fn view_changes(&self, show: &mut dyn FnMut(Seen<'_>)) -> bool {
        self.unlike_roster().map(|members| members.for_each(|m| show(Seen::of(&m)))).is_some()
    }

    #[inline]
    fn live_len(&self) -> usize {
        Self::live_len(self)
    }

    fn known_len(&self) -> usize {
        Self::known_len(self)
    }

    fn queue_len(&self) -> usize {
        [Lane::High, Lane::Normal, Lane::Low].iter().map(|&l| Self::queue_len(self, l)).sum()
    }

    fn rumours_len(&self) -> usize {
        Self::rumours_len(self)
    }

    fn timers_len(&self) -> usize {
        Self::timers_len(self)
    }

    fn health(&self) -> u32 {
        Self::health(self)
    }

    fn stats(&self) -> Stats {
        Self::stats(self)
    }
}

impl Machine for Recorder {
    fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        Self::handle(self, now, input)
    }

    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<SocketAddr> {
        Self::poll_transmit(self, buf).map(|t| t.to)
    }

    fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        Self::poll_exchange(self, buf)
    }

    fn poll_event(&mut self) -> Option<Event> {
        Self::poll_event(self)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Self::poll_timeout(self)
    }

    fn incarnation(&self) -> u32 {
        Machine::incarnation(self.node())
    }

    fn view(&self, show: &mut dyn FnMut(Seen<'_>)) {
        self.node().view(show);
    }

    fn live_len(&self) -> usize {
        self.node().live_len()
    }

    fn known_len(&self) -> usize {
        self.node().known_len()
    }

    fn queue_len(&self) -> usize {
        Machine::queue_len(self.node())
    }

    fn rumours_len(&self) -> usize {
        self.node().rumours_len()
    }

    fn timers_len(&self) -> usize {
        self.node().timers_len()
    }

    fn health(&self) -> u32 {
        self.node().health()
    }

    fn stats(&self) -> Stats {
        self.node().stats()
    }
}
