//! A node of the core with somebody who takes notes of what goes in and out.

use core::net::SocketAddr;

use bytes::BytesMut;
use swim_core::{Event, Exchange, Input, Instant, Node, Rejected, Stats};

use crate::machine::{Machine, Seen};
use crate::world::Make;

/// Takes notes of one node; what it does not care for it leaves out.
pub(super) trait Notes: Send {
    /// The node put out a datagram.
    fn on_sent(&mut self, now: Instant, to: SocketAddr, bytes: &[u8]) {
        let _ = (now, to, bytes);
    }

    /// The node put out a message of a stream.
    fn on_sent_stream(&mut self, now: Instant, bytes: &[u8]) {
        let _ = (now, bytes);
    }

    /// The node takes a datagram, or a message of a stream.
    fn on_taken(&mut self, now: Instant, bytes: &[u8]) {
        let _ = (now, bytes);
    }

    /// The node raised an event.
    fn on_event(&mut self, now: Instant, event: &Event) {
        let _ = (now, event);
    }
}

/// A node and its notes. It behaves as the node does.
pub(super) struct Tap<N> {
    node: Node,
    now: Instant,
    pub(super) notes: N,
}

impl<N: Notes> Tap<N> {
    /// Makes the machines of a world; `notes` makes those of node `index`.
    pub(super) fn make(notes: impl Fn(u32) -> N + Send + 'static) -> Make<Self> {
        Box::new(move |birth| Self {
            node: birth.node(),
            now: birth.now,
            notes: notes(birth.index),
        })
    }
}

impl<N: Notes> Machine for Tap<N> {
    fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        self.now = now;
        match input {
            Input::Datagram { bytes, .. }
            | Input::Request { bytes, .. }
            | Input::Reply { result: Ok(bytes), .. } => self.notes.on_taken(now, bytes),
            _ => {}
        }
        self.node.handle(now, input)
    }

    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<SocketAddr> {
        let start = buf.len();
        let to = Machine::poll_transmit(&mut self.node, buf)?;
        self.notes.on_sent(self.now, to, &buf[start..]);
        Some(to)
    }

    fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        let start = buf.len();
        let exchange = self.node.poll_exchange(buf)?;
        if buf.len() > start {
            self.notes.on_sent_stream(self.now, &buf[start..]);
        }
        Some(exchange)
    }

    fn poll_event(&mut self) -> Option<Event> {
        let event = self.node.poll_event()?;
        self.notes.on_event(self.now, &event);
        Some(event)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.node.poll_timeout()
    }

    fn incarnation(&self) -> u32 {
        Machine::incarnation(&self.node)
    }

    fn view(&self, show: &mut dyn FnMut(Seen<'_>)) {
        self.node.view(show);
    }

    fn live_len(&self) -> usize {
        self.node.live_len()
    }

    fn known_len(&self) -> usize {
        self.node.known_len()
    }

    fn queue_len(&self) -> usize {
        Machine::queue_len(&self.node)
    }

    fn rumours_len(&self) -> usize {
        self.node.rumours_len()
    }

    fn timers_len(&self) -> usize {
        Machine::timers_len(&self.node)
    }

    fn health(&self) -> u32 {
        self.node.health()
    }

    fn stats(&self) -> Stats {
        self.node.stats()
    }
}
