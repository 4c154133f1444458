//! The stream plane, as far as it concerns the node.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use swim_core::{Exchange, ExchangeError, InboundId, Input, Instant, OutboundId};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};
use tracing::Instrument as _;

use super::Machine;
use crate::layers::Layers;
use crate::limit::Buckets;
use crate::recv::canonical;
use crate::stream::{Answer, Call, Inbound, Mailbox, Shared, Slots, call, serve};
use crate::throttle::Plane;
use crate::transport::Transport;

/// The transport of streams, and the tasks of the streams.
pub(crate) struct Streams<T> {
    transport: Arc<T>,
    limit: Option<Buckets>,
    slots: Arc<Slots>,
    tasks: JoinSet<()>,
    last_id: u64,
    /// Peers that wait for an answer.
    asked: HashMap<InboundId, oneshot::Sender<Answer>>,
    calls: HashMap<OutboundId, AbortHandle>,
    backoff: Backoff,
    mailbox: Mailbox,
    shared: Arc<Shared>,
}

impl<T: Transport> Streams<T> {
    /// Streams that peers hold open at a time, and that one of them does. A push/pull takes
    /// milliseconds; memberlist serves 127 of them at a time.
    const OPEN_MAX: u32 = 256;
    const OPEN_BY_SOURCE_MAX: u32 = 128;

    pub(crate) fn new(
        transport: Arc<T>,
        limit: Option<Buckets>,
        mailbox: Mailbox,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            transport,
            limit,
            slots: Slots::new(Self::OPEN_MAX, Self::OPEN_BY_SOURCE_MAX),
            tasks: JoinSet::new(),
            last_id: 0,
            asked: HashMap::new(),
            calls: HashMap::new(),
            backoff: Backoff::default(),
            mailbox,
            shared,
        }
    }

    /// The next stream that a peer opens. Cancel safe.
    pub(crate) async fn accept(&mut self) -> (T::Stream, SocketAddr) {
        loop {
            self.backoff.wait().await;
            match self.transport.accept().await {
                Ok((stream, from)) => {
                    self.backoff = Backoff::default();
                    return (stream, canonical(from));
                }
                // The peer is gone already.
                Err(e) if e.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(e) => {
                    self.shared.counters.streams_unaccepted.up();
                    tracing::warn!("cannot accept a stream: {e}");
                    self.backoff.longer();
                }
            }
        }
    }

    pub(crate) fn on_accepted(
        &mut self,
        node: &impl Machine,
        now: Instant,
        stream: T::Stream,
        from: SocketAddr,
    ) {
        let counters = &self.shared.counters;
        counters.streams_accepted.up();
        if let Some(limit) = &mut self.limit
            && !limit.admit(now, from.ip())
        {
            return counters.streams_limited.up();
        }
        let Some(slot) = self.slots.take(from.ip()) else { return counters.streams_crowded.up() };
        self.last_id += 1;
        let id = InboundId(self.last_id);
        let inbound = Inbound { id, from, stream, layers: Layers::of(node.node()), slot };
        let task = serve(self.shared.clone(), self.mailbox.clone(), inbound);
        self.tasks.spawn(task.in_current_span());
    }

    pub(crate) fn on_request(
        &mut self,
        node: &mut impl Machine,
        now: Instant,
        id: InboundId,
        from: SocketAddr,
        message: &[u8],
        answer: oneshot::Sender<Answer>,
    ) {
        self.asked.insert(id, answer);
        if let Err(e) = node.handle(now, Input::Request { id, from, bytes: message }) {
            tracing::debug!("stream from {from}: {e}");
        }
        self.asked.retain(|_, answer| !answer.is_closed());
    }

    pub(crate) fn on_reply(
        &mut self,
        node: &mut impl Machine,
        now: Instant,
        id: OutboundId,
        to: SocketAddr,
        result: Result<Bytes, ExchangeError>,
    ) {
        self.calls.remove(&id);
        let result = result.as_deref().map_err(|e| *e);
        if let Err(e) = node.handle(now, Input::Reply { id, result }) {
            tracing::debug!("reply from {to}: {e}");
        }
    }

    /// Logs why a stream of ours failed, loudly if somebody has to set it right who was not told.
    pub(crate) fn report(
        &self,
        now: Instant,
        to: SocketAddr,
        result: &Result<Bytes, ExchangeError>,
        why: &str,
        told: bool,
    ) {
        match result {
            // The other side speaks, but not with this node.
            Ok(_) | Err(ExchangeError::Malformed | ExchangeError::Remote) if !told => {
                self.shared.throttle.warn(now, to, Plane::Answer, &why);
            }
            _ => tracing::debug!("stream to {to} failed: {why}"),
        }
    }

    /// Does everything on the stream plane that the node wants done.
    pub(crate) fn act(&mut self, node: &mut impl Machine) {
        while let Some(finished) = self.tasks.try_join_next() {
            if let Err(e) = finished
                && e.is_panic()
            {
                tracing::error!("the task of a stream panicked: {e}");
            }
        }
        let mut buf = BytesMut::new();
        while let Some(exchange) = node.poll_exchange(&mut buf) {
            let message = buf.split().freeze();
            match exchange {
                Exchange::Open { id, to, name, reply_due, deadline, .. } => {
                    let deadline = self.shared.clock.tokio_instant(deadline);
                    let layers = Layers::of(node.node());
                    let new = Call { id, to, name, message, reply_due, deadline, layers };
                    let (shared, mailbox) = (self.shared.clone(), self.mailbox.clone());
                    let task = call(shared, mailbox, self.transport.clone(), new);
                    self.calls.insert(id, self.tasks.spawn(task.in_current_span()));
                }
                Exchange::Reply { id, .. } => self.answer(node, id, message),
                Exchange::Refuse { id, text, .. } => {
                    tracing::debug!("stream refused: {text}");
                    self.answer(node, id, message);
                }
                Exchange::Close { id } => drop(self.asked.remove(&id)),
                Exchange::Cancel { id } => {
                    if let Some(task) = self.calls.remove(&id) {
                        task.abort();
                    }
                }
                _ => tracing::error!("the node wants something that this driver does not know"),
            }
        }
    }

    fn answer(&mut self, node: &impl Machine, id: InboundId, message: Bytes) {
        if let Some(asked) = self.asked.remove(&id) {
            // The peer may have gone.
            let _ = asked.send(Answer { message, layers: Layers::of(node.node()) });
        }
    }

    /// Closes every stream; what carried them.
    pub(crate) async fn close(mut self) -> Arc<T> {
        self.tasks.shutdown().await;
        self.transport
    }
}

/// Pauses between attempts to accept while the system cannot (memberlist spec 7).
#[derive(Debug, Default)]
struct Backoff {
    pause: Duration,
    until: Option<tokio::time::Instant>,
}

impl Backoff {
    const MIN: Duration = Duration::from_millis(5);
    const MAX: Duration = Duration::from_secs(1);

    fn longer(&mut self) {
        self.pause = (self.pause * 2).clamp(Self::MIN, Self::MAX);
        self.until = Some(tokio::time::Instant::now() + self.pause);
    }

    async fn wait(&self) {
        if let Some(until) = self.until {
            tokio::time::sleep_until(until).await;
        }
    }
}
