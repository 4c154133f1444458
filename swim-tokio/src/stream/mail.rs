//! What the tasks of streams and the driver tell each other.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use swim_core::{ExchangeError, InboundId, OpId, OutboundId};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::counters::Counters;
use crate::layers::Layers;
use crate::stream::Budget;
use crate::throttle::Throttle;
use crate::transport::Names;

/// What the tasks share with the driver.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) counters: Counters,
    pub(crate) throttle: Throttle,
    pub(crate) names: Names,
    /// For what peers send by streams of theirs.
    pub(crate) inbound: Arc<Budget>,
    /// For answers to this node's streams: outsiders cannot use it up.
    pub(crate) outbound: Arc<Budget>,
}

/// What a task tells the driver.
#[derive(Debug)]
pub(crate) enum Mail {
    /// A peer's request is in.
    Request { id: InboundId, from: SocketAddr, message: Bytes, answer: oneshot::Sender<Answer> },
    /// A stream of ours has ended; `why` is for people.
    Reply {
        id: OutboundId,
        to: SocketAddr,
        result: Result<Bytes, ExchangeError>,
        why: Option<String>,
    },
    /// The keyring file is written, or not.
    KeyringSaved { ops: Vec<OpId>, result: Result<(), String> },
}

pub(crate) type Mailbox = mpsc::Sender<Mail>;

/// What to answer on a peer's stream, and how to wrap it. No answer closes it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) message: Bytes,
    pub(crate) layers: Layers,
}
