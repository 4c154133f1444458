//! Who takes what handles ask for, and sends the answers back.

use std::net::SocketAddr;
use std::sync::Arc;

use swim_core::{Command, Event, Instant, Node, Outcome};

use super::{Machine, Ops, Request};
use crate::journal::Kept;
use crate::snapshot::{AgentStats, Snapshot};
use crate::stream::Shared;

/// Serves the handles of one machine.
pub(crate) trait Desk: Send + 'static {
    type Machine: Machine;
    type Request: Send + 'static;

    /// Serves a request.
    fn on_request(
        &mut self,
        machine: &mut Self::Machine,
        now: Instant,
        request: Self::Request,
    ) -> Next;

    /// Keeps an event that somebody waits for; gives back what the embedder shall hear.
    fn on_event(
        &mut self,
        machine: &Self::Machine,
        event: <Self::Machine as Machine>::Event,
    ) -> Option<<Self::Machine as Machine>::Event>;

    /// The machine has nothing more to tell for now.
    fn on_drained(&mut self, machine: &Self::Machine, now: Instant) {
        let _ = (machine, now);
    }

    /// The machine has stopped; waits until what is to be kept of it is kept.
    fn close(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// An exchange with `to` failed: whoever joins by it is told why. Whether there is anybody.
    fn note_failure(&mut self, to: SocketAddr, why: &str) -> bool;
}

pub(crate) enum Next {
    Continue,
    Stop,
}

/// Serves the handles of a bare node.
pub(crate) struct BareDesk {
    ops: Ops<Kept<Node>>,
    shared: Arc<Shared>,
}

impl BareDesk {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { ops: Ops::default(), shared }
    }
}

impl Desk for BareDesk {
    type Machine = Kept<Node>;
    type Request = Request;

    fn on_request(&mut self, node: &mut Kept<Node>, now: Instant, request: Request) -> Next {
        // Those who asked may have stopped waiting.
        match request {
            // A datagram is sent or lost; nothing tells of its end.
            Request::Command { command: command @ Command::Send { reliable: false, .. }, done } => {
                let begun = self.ops.begin(node, now, command);
                drop(done.send(begun.map(|_| Outcome::Applied)));
            }
            Request::Command { command, done } => self.ops.command(node, now, command, done),
            Request::Join { seats, done } => {
                self.ops.join(node, now, &seats, Command::Join(seats.clone()), done);
            }
            Request::Members(reply) => {
                let members = node.members().collect();
                let snapshot = Snapshot { me: node.me(), members, health: node.health() };
                drop(reply.send(snapshot));
            }
            Request::Stats(reply) => {
                let driver = self.shared.counters.read();
                let _ = reply.send(AgentStats { node: node.stats(), driver });
            }
            Request::Keyring(reply) => drop(reply.send(node.keyring().clone())),
            Request::Stop => return Next::Stop,
        }
        Next::Continue
    }

    fn on_event(&mut self, _: &Kept<Node>, event: Event) -> Option<Event> {
        match event {
            Event::Done { op, outcome } => {
                self.ops.done(op, outcome);
                None
            }
            event => Some(event),
        }
    }

    fn note_failure(&mut self, to: SocketAddr, why: &str) -> bool {
        self.ops.note_failure(to, why)
    }
}
