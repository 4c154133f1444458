//! What a journal can be kept of.

use alloc::vec::Vec;
use core::hash::Hash;

use bytes::BytesMut;

use super::Kind;
use super::codec::{Reader, get_command, get_config, get_identity, put_command};
use super::hide::Pseudonyms;
use crate::error::Rejected;
use crate::event::Event;
use crate::input::{Command, Exchange, Input, Transmit};
use crate::rng::Seed;
use crate::swim::Node;
use crate::time::Instant;

/// A machine that a journal can be kept of: a [`Node`] or a [`Serf`](crate::serf::Serf).
pub trait Recorded: Machine {}

impl<M: Machine> Recorded for M {}

/// The call shape of a node, and the form of its header and commands in a journal.
#[expect(unnameable_types, reason = "only machines of this crate have journals")]
pub trait Machine: Sized {
    const KIND: Kind;
    type Command;
    type Event: Hash;
    type Rejected;
    /// What hides its secrets, if anything can.
    type Hiding: Hiding<Self::Command>;

    fn handle(
        &mut self,
        now: Instant,
        input: Input<'_, Self::Command>,
    ) -> Result<(), Self::Rejected>;
    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<Transmit>;
    fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange>;
    fn poll_event(&mut self) -> Option<Self::Event>;
    fn poll_timeout(&self) -> Option<Instant>;
    fn bare(&mut self) -> &mut Node;

    /// The machine that a header describes, and when it began.
    fn open(from: &mut Reader<'_>) -> Option<(Self, Instant)>;
    fn put_command(out: &mut Vec<u8>, command: &Self::Command);
    fn get_command(from: &mut Reader<'_>) -> Option<Self::Command>;
    /// Does what a resume record says; `None` if there cannot be one.
    fn resume(&mut self, times: [u64; 3]) -> Option<()>;
}

/// Replaces the secrets of inputs.
#[expect(unnameable_types, reason = "only machines of this crate have journals")]
pub trait Hiding<C> {
    /// Calls `put` with the input that stands for this one.
    fn hide(&mut self, input: &Input<'_, C>, put: impl FnOnce(&Input<'_, C>));
}

impl Machine for Node {
    const KIND: Kind = Kind::Bare;
    type Command = Command;
    type Event = Event;
    type Rejected = Rejected;
    type Hiding = Pseudonyms;

    fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        Self::handle(self, now, input)
    }

    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<Transmit> {
        Self::poll_transmit(self, buf)
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

    fn bare(&mut self) -> &mut Node {
        self
    }

    fn open(from: &mut Reader<'_>) -> Option<(Self, Instant)> {
        let config = get_config(from)?;
        let me = get_identity(from)?;
        let seed = Seed::from_bytes(*from.take(32)?.first_chunk()?);
        let now = Instant::from_nanos(from.uint()?);
        Some((Self::new(config, me, seed, now), now))
    }

    fn put_command(out: &mut Vec<u8>, command: &Command) {
        put_command(out, command);
    }

    fn get_command(from: &mut Reader<'_>) -> Option<Command> {
        get_command(from)
    }

    fn resume(&mut self, _: [u64; 3]) -> Option<()> {
        None
    }
}

impl Hiding<Command> for Pseudonyms {
    fn hide(&mut self, input: &Input<'_>, put: impl FnOnce(&Input<'_>)) {
        match *input {
            Input::Datagram { at, from, bytes } => {
                let bytes = self.datagram(bytes);
                put(&Input::Datagram { at, from, bytes: &bytes });
            }
            Input::Request { id, from, bytes } => {
                let bytes = self.stream(bytes);
                put(&Input::Request { id, from, bytes: &bytes });
            }
            Input::Reply { id, result: Ok(bytes) } => {
                let bytes = self.stream(bytes);
                put(&Input::Reply { id, result: Ok(&bytes) });
            }
            Input::Command { op, ref command } => {
                put(&Input::Command { op, command: self.command(command.clone()) });
            }
            Input::Timeout | Input::Unsent { .. } | Input::Reply { .. } => put(input),
        }
    }
}
