//! What the driver runs: a bare node, or the Serf layer above one, with or without a journal.

use std::fmt::Display;
use std::net::SocketAddr;

use bytes::BytesMut;
use swim_core::serf::Serf;
use swim_core::{
    Command, Event, Exchange, ExchangeError, Input, Instant, Node, OpId, Outcome, Rejected,
    Transmit, serf,
};

use crate::error::CommandError;
use crate::journal::Kept;

/// A state machine with the call shape of a node.
pub(crate) trait Machine: Send + 'static {
    /// What its embedder asks for.
    type Command;
    /// What it tells its embedder.
    type Event: Told;
    /// How a command ends.
    type Outcome: Send + 'static;
    /// Why it refuses an input.
    type Rejected: Display + Into<CommandError>;

    fn handle(
        &mut self,
        now: Instant,
        input: Input<'_, Self::Command>,
    ) -> Result<(), Self::Rejected>;
    /// Has the node keep the names of those whom it answers.
    fn name_addressees(&mut self);
    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<Transmit>;
    fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange>;
    fn poll_event(&mut self) -> Option<Self::Event>;
    fn poll_timeout(&self) -> Option<Instant>;
    fn is_drained(&self) -> bool;
    /// Has what came since the last time written, if a journal is kept.
    fn flush(&mut self);
    /// Waits until all of the journal is on disk, but not for ever.
    fn close(&mut self) -> impl Future<Output = ()> + Send;
    /// The bare node: its configuration, keyring and members.
    fn node(&self) -> &Node;
    /// The command that answers a change of the keyring.
    fn keyring_saved(saved: bool) -> Self::Command;
    /// How many seeds a join has reached, and why it failed with others.
    fn joined(outcome: Self::Outcome) -> (u32, Vec<(SocketAddr, ExchangeError)>);
}

/// An event on its way to a consumer that may be slow.
pub(crate) trait Told: Send + Sync + 'static {
    /// What tells that so many were dropped.
    fn lagged(n: u64) -> Self;
    /// How many were dropped, if it tells that.
    fn as_lagged(&self) -> Option<u64>;
    /// The change of the keyring, if it tells of one.
    fn keyring_changed(&self) -> Option<OpId>;
}

macro_rules! machine {
    ($machine:ty, $command:ty, $event:ty, $outcome:ty, $rejected:ty, $node:expr) => {
        impl Machine for Kept<$machine> {
            type Command = $command;
            type Event = $event;
            type Outcome = $outcome;
            type Rejected = $rejected;

            fn handle(
                &mut self,
                now: Instant,
                input: Input<'_, $command>,
            ) -> Result<(), $rejected> {
                Self::handle(self, now, input)
            }

            fn name_addressees(&mut self) {
                match self {
                    Self::Plain(machine) => machine.name_addressees(),
                    Self::Recorded(flight) => flight.name_addressees(),
                }
            }

            fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<Transmit> {
                Self::poll_transmit(self, buf)
            }

            fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
                Self::poll_exchange(self, buf)
            }

            fn poll_event(&mut self) -> Option<$event> {
                Self::poll_event(self)
            }

            fn poll_timeout(&self) -> Option<Instant> {
                (**self).poll_timeout()
            }

            fn is_drained(&self) -> bool {
                (**self).is_drained()
            }

            fn flush(&mut self) {
                Self::flush(self);
            }

            fn close(&mut self) -> impl Future<Output = ()> + Send {
                Self::close(self)
            }

            fn node(&self) -> &Node {
                let node: fn(&$machine) -> &Node = $node;
                node(self)
            }

            fn keyring_saved(saved: bool) -> $command {
                <$command>::KeyringSaved(saved)
            }

            fn joined(outcome: $outcome) -> (u32, Vec<(SocketAddr, ExchangeError)>) {
                type Ended = $outcome;
                match outcome {
                    Ended::Joined { reached, failed } => (reached, failed),
                    _ => (0, Vec::new()),
                }
            }
        }

        impl Told for $event {
            fn lagged(n: u64) -> Self {
                Self::Lagged(n)
            }

            fn as_lagged(&self) -> Option<u64> {
                match self {
                    Self::Lagged(n) => Some(*n),
                    _ => None,
                }
            }

            fn keyring_changed(&self) -> Option<OpId> {
                match self {
                    Self::KeyringChanged(op) => Some(*op),
                    _ => None,
                }
            }
        }
    };
}

machine!(Node, Command, Event, Outcome, Rejected, |node| node);
machine!(Serf, serf::Command, serf::Event, serf::Outcome, serf::Rejected, |serf| serf.node());
