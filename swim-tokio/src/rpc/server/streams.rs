//! Records on their way to one client.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::Instant;

use super::counters::Counters;
use super::log_tap::Line;
use super::{AgentEvent, EventFilter, LogLevel, QueryToken};
use crate::rpc::wire::{EventRecord, LogRecord, QueryRecord, ResponseHeader};

/// What is to be written.
pub(super) enum Chunk {
    /// Whole values.
    Bytes(Bytes),
    /// Nothing, but somebody wants to know when all before it was written.
    Mark(oneshot::Sender<()>),
}

/// Where a stream's records go: whole chunks, which the session writes in order.
#[derive(Clone)]
pub(super) struct Outlet {
    pub(super) seq: u64,
    pub(super) chunks: mpsc::Sender<Chunk>,
    pub(super) counters: Arc<Counters>,
}

impl Outlet {
    /// Fails if the client is gone.
    async fn send(&self, encode: impl FnOnce(&mut BytesMut)) -> Result<(), Gone> {
        let mut chunk = BytesMut::new();
        ResponseHeader::new(self.seq, "").encode(&mut chunk);
        encode(&mut chunk);
        self.chunks.send(Chunk::Bytes(chunk.freeze())).await.map_err(|_| Gone)
    }
}

struct Gone;

/// Tells of events until the client is gone.
pub(super) async fn events(
    outlet: Outlet,
    filter: EventFilter,
    pending: Pending,
    mut feed: broadcast::Receiver<Arc<AgentEvent>>,
) {
    loop {
        let event = match feed.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(events)) => {
                outlet.counters.dropped(events);
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        if filter.matches(&event) {
            let record = record(&event, &pending);
            if outlet.send(|out| record.encode(out)).await.is_err() {
                return;
            }
        }
    }
}

fn record(event: &AgentEvent, pending: &Pending) -> EventRecord {
    match event {
        AgentEvent::Members { change, members } => {
            EventRecord::Members { change: *change, members: members.to_vec() }
        }
        AgentEvent::User { ltime, name, payload, coalesce } => EventRecord::User {
            ltime: *ltime,
            name: name.clone(),
            payload: payload.clone(),
            coalesce: *coalesce,
        },
        AgentEvent::Query { token, ltime, name, payload, timeout } => EventRecord::Query {
            id: pending.add(*token, Instant::now() + *timeout),
            ltime: *ltime,
            name: name.clone(),
            payload: payload.clone(),
        },
    }
}

/// Tells of log lines, the latest of the past first.
pub(super) async fn log(
    outlet: Outlet,
    level: LogLevel,
    (recent, mut live): (Vec<Arc<Line>>, broadcast::Receiver<Arc<Line>>),
) {
    let mut recent = recent.into_iter();
    loop {
        let line = match recent.next() {
            Some(line) => line,
            None => match live.recv().await {
                Ok(line) => line,
                Err(RecvError::Lagged(lines)) => {
                    outlet.counters.dropped(lines);
                    continue;
                }
                Err(RecvError::Closed) => return,
            },
        };
        let record = LogRecord(line.text.clone());
        if line.level >= level && outlet.send(|out| record.encode(out)).await.is_err() {
            return;
        }
    }
}

/// Tells of what nodes answer to a query, and of its end.
pub(super) async fn answers(outlet: Outlet, mut records: mpsc::Receiver<QueryRecord>) {
    while let Some(record) = records.recv().await {
        if outlet.send(|out| record.encode(out)).await.is_err() {
            return;
        }
    }
    // A client that is gone need not be told.
    let _ = outlet.send(|out| QueryRecord::Done.encode(out)).await;
}

/// Queries that a connection may answer, by the number that it was told.
#[derive(Clone, Default)]
pub(super) struct Pending(Arc<Mutex<Open>>);

#[derive(Default)]
struct Open {
    last: u64,
    queries: BTreeMap<u64, (QueryToken, Instant)>,
}

impl Pending {
    fn add(&self, token: QueryToken, deadline: Instant) -> u64 {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        open.queries.retain(|_, (_, deadline)| now < *deadline);
        if open.queries.len() >= QUERIES_MAX {
            open.queries.pop_first();
        }
        open.last += 1;
        let id = open.last;
        open.queries.insert(id, (token, deadline));
        id
    }

    /// The query of this number, until its deadline.
    pub(super) fn find(&self, id: u64) -> Option<QueryToken> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (token, deadline) = open.queries.get(&id)?;
        (Instant::now() < *deadline).then_some(*token)
    }
}

/// Queries that may be answered at a time; the oldest gives way.
const QUERIES_MAX: usize = 1024;
