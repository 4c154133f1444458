//! What the embedder hears.

use swim_core::Event;
#[cfg(doc)]
use swim_core::serf;
use tokio::sync::mpsc;

/// The events of an agent, in order: those of a bare node, or [`serf::Event`]s of a Serf agent.
///
/// The queue behind it is bounded ([`Builder::events_max`](crate::Builder::events_max)). What a
/// slow consumer misses is told as [`Event::Lagged`]; it then reads
/// [`Handle::members`](crate::Handle::members) afresh. Dropping it drops the events.
#[derive(Debug)]
pub struct Events<E = Event>(pub(crate) mpsc::Receiver<E>);

impl<E> Events<E> {
    /// The next event; `None` once the agent has stopped and all were taken.
    ///
    /// Cancel safe: no event is lost if the future is dropped.
    pub async fn recv(&mut self) -> Option<E> {
        self.0.recv().await
    }

    /// The next event, if there is one now.
    pub fn try_recv(&mut self) -> Option<E> {
        self.0.try_recv().ok()
    }

    /// Like [`recv`](Self::recv), for a thread outside of the runtime.
    pub fn blocking_recv(&mut self) -> Option<E> {
        self.0.blocking_recv()
    }
}

/// What to do when the consumer of the events does not keep up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Drop events and tell how many.
    #[default]
    Lag,
    /// Keep as many more as the configuration's `events_max` says, and accept no streams meanwhile,
    /// so that senders of reliable messages wait. Datagrams, timers and this node's own exchanges
    /// go on: a slow consumer does not make the node look dead.
    HoldBack,
}
