//! What an agent tells without being asked each time.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::ClientError;
use crate::rpc::wire::{BadMessage, EventRecord, LogRecord, QueryRecord};

/// The records of a stream, a monitor or a query, in order.
///
/// Dropping it ends a stream. Who does not take records misses some, and finds their number in
/// [`dropped`](Self::dropped); the connection and its other streams go on.
#[derive(Debug)]
pub struct Records<T> {
    records: mpsc::Receiver<Bytes>,
    tally: Arc<Tally>,
    kind: PhantomData<fn() -> T>,
}

/// What the connection tells besides the records.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) dropped: AtomicU64,
    /// The last record has been read: the connection's end is no failure.
    pub(super) ended: AtomicBool,
}

impl<T: Record> Records<T> {
    pub(super) fn new(records: mpsc::Receiver<Bytes>, tally: Arc<Tally>) -> Self {
        Self { records, tally, kind: PhantomData }
    }

    /// The next record; `None` after the last one of a query. Cancel safe.
    ///
    /// # Errors
    ///
    /// [`ClientError::Closed`] if the connection ends, [`ClientError::Bad`] if the record cannot be
    /// understood.
    pub async fn recv(&mut self) -> Result<Option<T>, ClientError> {
        loop {
            let Some(record) = self.records.recv().await else {
                let ended = self.tally.ended.load(Ordering::Acquire);
                return if ended { Ok(None) } else { Err(ClientError::Closed) };
            };
            let record = T::decode(&record).map_err(ClientError::Bad)?;
            if !record.is_noise() {
                return Ok((!record.is_last()).then_some(record));
            }
        }
    }

    /// How many records were dropped because this side did not take them.
    pub fn dropped(&self) -> u64 {
        self.tally.dropped.load(Ordering::Relaxed)
    }
}

/// What a stream consists of.
pub trait Record: Sized {
    /// # Errors
    ///
    /// [`BadMessage`] says what is wrong with the bytes.
    fn decode(bytes: &[u8]) -> Result<Self, BadMessage>;

    /// Whether it is not meant for anybody.
    fn is_noise(&self) -> bool {
        false
    }

    /// Whether no other follows.
    fn is_last(&self) -> bool {
        false
    }
}

impl Record for EventRecord {
    fn decode(bytes: &[u8]) -> Result<Self, BadMessage> {
        Self::decode(bytes)
    }
}

impl Record for LogRecord {
    fn decode(bytes: &[u8]) -> Result<Self, BadMessage> {
        Self::decode(bytes)
    }
}

impl Record for QueryRecord {
    fn decode(bytes: &[u8]) -> Result<Self, BadMessage> {
        Self::decode(bytes)
    }

    /// Serf may tell of answers of nobody when a query ends.
    fn is_noise(&self) -> bool {
        match self {
            Self::Ack { from } | Self::Response { from, .. } => from.is_empty(),
            Self::Done => false,
        }
    }

    fn is_last(&self) -> bool {
        *self == Self::Done
    }
}
