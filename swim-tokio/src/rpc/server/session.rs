//! One connection (section 8.2).

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::listener::Shared;
use super::members::filtered;
use super::streams::{self, Chunk, Outlet, Pending};
use super::{Backend, EventFilter, JoinOutcome, KeyOutcome, KeyRequest, LogLevel};
use crate::rpc::session_error;
use crate::rpc::wire::{
    Answer, BadMessage, Frames, Member, MemberFilter, Query, Request, RequestHeader, ResponseHeader,
};

/// Serves a client until it closes, misbehaves or takes nothing for too long.
pub(super) async fn run<B: Backend>(stream: TcpStream, shared: Arc<Shared<B>>) {
    let (read, write) = stream.into_split();
    let (chunks, queue) = mpsc::channel(CHUNKS_MAX);
    let write_timeout = shared.write_timeout;
    let mut session = Session {
        frames: Frames::new(REQUEST_BYTES_MAX),
        read,
        chunks,
        deadline: Some(Instant::now() + shared.handshake_timeout),
        trusted: shared.token.is_empty(),
        streams: BTreeMap::new(),
        monitor: None,
        pending: Pending::default(),
        shared,
    };
    // Either half ends the other; the streams end with the queue.
    let reading = async {
        let end = session.serve().await;
        if let Err(End::Bad(bad)) = end {
            tracing::warn!("a client is cut off: {bad}");
        }
        session.close();
        drop(session);
    };
    tokio::join!(reading, write_all(write, queue, write_timeout));
}

/// Writes chunks until there will be no more, or the client takes none.
async fn write_all(
    mut write: OwnedWriteHalf,
    mut queue: mpsc::Receiver<Chunk>,
    limit: std::time::Duration,
) {
    while let Some(chunk) = queue.recv().await {
        match chunk {
            Chunk::Bytes(bytes) => match timeout(limit, write.write_all(&bytes)).await {
                Ok(Ok(())) => {}
                _ => return,
            },
            Chunk::Mark(written) => drop(written.send(())),
        }
    }
    // The client may be gone already.
    let _ = write.shutdown().await;
}

struct Session<B> {
    shared: Arc<Shared<B>>,
    read: OwnedReadHalf,
    frames: Frames,
    /// What is to be written.
    chunks: mpsc::Sender<Chunk>,
    /// Until when the session must be opened; none once it is.
    deadline: Option<Instant>,
    /// The token was shown, or none is asked for.
    trusted: bool,
    /// Running streams and queries.
    streams: BTreeMap<u64, AbortHandle>,
    /// The number of the monitor.
    monitor: Option<u64>,
    pending: Pending,
}

/// Why a session is over.
enum End {
    /// The client closed, or was told why it is cut off.
    Closed,
    /// The client said what cannot be understood.
    Bad(BadMessage),
}

impl From<BadMessage> for End {
    fn from(bad: BadMessage) -> Self {
        Self::Bad(bad)
    }
}

impl<B: Backend> Session<B> {
    async fn serve(&mut self) -> Result<(), End> {
        loop {
            let header = RequestHeader::decode(&self.value().await?)?;
            self.shared.counters.command();
            if !self.is_open() && header.command != "handshake" {
                self.reply(header.seq, session_error::HANDSHAKE_REQUIRED, None).await?;
                return Err(End::Closed);
            }
            let Some(has_body) = Request::has_body(&header.command) else {
                self.reply(header.seq, session_error::COMMAND, None).await?;
                return Err(End::Closed);
            };
            let body = if has_body { self.value().await? } else { Bytes::new() };
            let Some(request) = Request::decode(&header.command, &body)? else { continue };
            self.on_request(header.seq, request).await?;
        }
    }

    const fn is_open(&self) -> bool {
        self.deadline.is_none()
    }

    /// The next value that the client sends.
    async fn value(&mut self) -> Result<Bytes, End> {
        match self.deadline {
            None => self.value_at_last().await,
            Some(at) => timeout_at(at, self.value_at_last()).await.map_err(|_| End::Closed)?,
        }
    }

    async fn value_at_last(&mut self) -> Result<Bytes, End> {
        loop {
            if let Some(value) = self.frames.take()? {
                return Ok(value);
            }
            let read = tokio::select! {
                read = self.read.read_buf(self.frames.buffer()) => read.map_err(|_| End::Closed)?,
                // It takes nothing any more.
                () = self.chunks.closed() => 0,
            };
            if read == 0 {
                return Err(End::Closed);
            }
        }
    }

    async fn on_request(&mut self, seq: u64, request: Request) -> Result<(), End> {
        match request {
            Request::Handshake(version) => {
                let why = if self.is_open() {
                    session_error::HANDSHAKE_DONE
                } else if version != VERSION {
                    session_error::VERSION
                } else {
                    self.deadline = None;
                    ""
                };
                self.reply(seq, why, None).await
            }
            Request::Auth(token) => {
                let right = is_same(&token, &self.shared.token);
                self.trusted |= right;
                self.reply(seq, if right { "" } else { "Invalid authentication token" }, None).await
            }
            _ if !self.trusted => self.reply(seq, session_error::AUTH_REQUIRED, None).await,
            Request::Stream(filter) => self.on_stream(seq, &filter).await,
            Request::Monitor(level) => self.on_monitor(seq, &level).await,
            Request::Stop(stream) => {
                self.stop(stream);
                self.reply(seq, "", None).await
            }
            Request::Query(query) => self.on_query(seq, query).await,
            Request::Leave => {
                let left = self.shared.backend.leave().await;
                self.reply(seq, &text(left), None).await?;
                // The agent, which ends now, must not take the answer with it.
                let (written, wait) = oneshot::channel();
                let marked = self.chunks.send(Chunk::Mark(written)).await;
                // A client that is gone does not wait for it.
                let _ = wait.await;
                self.shared.backend.stop();
                marked.map_err(|_| End::Closed)
            }
            other => self.on_command(seq, other).await,
        }
    }

    /// Those that only ask the backend.
    async fn on_command(&self, seq: u64, request: Request) -> Result<(), End> {
        let backend = self.shared.backend.clone();
        let (error, answer) = match request {
            Request::Event(event) => (text(backend.event(event).await), None),
            Request::ForceLeave { node, prune } => {
                (text(backend.force_leave(node, prune).await), None)
            }
            Request::Join { existing, replay } => {
                let JoinOutcome { reached, error } = backend.join(existing, replay).await;
                (error, Some(Answer::Joined(reached)))
            }
            Request::Members => (String::new(), Some(Answer::Members(backend.members().await))),
            Request::MembersFiltered(by) => {
                (String::new(), Some(Answer::Members(self.members(&by).await?)))
            }
            Request::Tags { set, delete } => (text(backend.tags(set, delete).await), None),
            Request::Respond { id, payload } => match self.pending.find(id) {
                Some(query) => (text(backend.respond(query, payload).await), None),
                None => ("No pending queries matching ID".into(), None),
            },
            Request::InstallKey(key) => keys(backend.keys(KeyRequest::Install(key)).await),
            Request::UseKey(key) => keys(backend.keys(KeyRequest::Use(key)).await),
            Request::RemoveKey(key) => keys(backend.keys(KeyRequest::Remove(key)).await),
            Request::ListKeys => keys(backend.keys(KeyRequest::List).await),
            Request::Stats => (String::new(), Some(Answer::Stats(backend.stats().await))),
            Request::Coordinate(node) => {
                (String::new(), Some(Answer::Coordinate(backend.coordinate(node).await)))
            }
            Request::Why(node) => (String::new(), Some(Answer::Why(backend.why(node).await))),
            _ => (session_error::COMMAND.into(), None),
        };
        self.reply(seq, &error, answer).await
    }

    /// Serf closes without a word if an expression does not compile; so does this.
    async fn members(&self, by: &MemberFilter) -> Result<Vec<Member>, End> {
        let members = self.shared.backend.members().await;
        filtered(members, by).ok_or(End::Closed)
    }

    async fn on_stream(&mut self, seq: u64, filter: &str) -> Result<(), End> {
        let Ok(filter) = filter.parse::<EventFilter>() else {
            return self.reply(seq, "Invalid event filter", None).await;
        };
        if let Err(why) = self.place(seq) {
            return self.reply(seq, why, None).await;
        }
        // From now on: what happens while the reply is written is told.
        let feed = self.shared.feed.subscribe();
        self.reply(seq, "", None).await?;
        let (outlet, pending) = (self.outlet(seq), self.pending.clone());
        self.start(seq, streams::events(outlet, filter, pending, feed));
        Ok(())
    }

    async fn on_monitor(&mut self, seq: u64, level: &str) -> Result<(), End> {
        let level: LogLevel = match level.parse() {
            Ok(level) => level,
            Err(why) => return self.reply(seq, &why, None).await,
        };
        if self.monitor.is_some() {
            return self.reply(seq, "Monitor already exists", None).await;
        }
        if let Err(why) = self.place(seq) {
            return self.reply(seq, why, None).await;
        }
        let lines = self.shared.log.subscribe();
        self.reply(seq, "", None).await?;
        self.monitor = Some(seq);
        let outlet = self.outlet(seq);
        self.start(seq, streams::log(outlet, level, lines));
        Ok(())
    }

    async fn on_query(&mut self, seq: u64, query: Query) -> Result<(), End> {
        // Serf's own queries are not for clients, but for the test of reachability.
        let is_ping = query.name == "_serf_ping" && query.payload.is_empty();
        if query.name.starts_with("_serf_") && !is_ping {
            return self.reply(seq, "Queries cannot contain the '_serf_' prefix", None).await;
        }
        if let Err(why) = self.place(seq) {
            return self.reply(seq, why, None).await;
        }
        match self.shared.backend.query(query).await {
            Ok(records) => {
                self.reply(seq, "", None).await?;
                let outlet = self.outlet(seq);
                self.start(seq, streams::answers(outlet, records));
                Ok(())
            }
            Err(why) => self.reply(seq, &why, None).await,
        }
    }

    /// Whether there is a place for a stream of this number.
    fn place(&mut self, seq: u64) -> Result<(), &'static str> {
        self.streams.retain(|_, stream| !stream.is_finished());
        if self.streams.contains_key(&seq) {
            return Err("Stream with given sequence exists");
        }
        if self.streams.len() >= STREAMS_MAX { Err("Too many streams") } else { Ok(()) }
    }

    fn outlet(&self, seq: u64) -> Outlet {
        Outlet { seq, chunks: self.chunks.clone(), counters: self.shared.counters.clone() }
    }

    fn start(&mut self, seq: u64, stream: impl Future<Output = ()> + Send + 'static) {
        self.streams.insert(seq, tokio::spawn(stream).abort_handle());
    }

    fn stop(&mut self, seq: u64) {
        if let Some(stream) = self.streams.remove(&seq) {
            stream.abort();
        }
        self.monitor.take_if(|monitor| *monitor == seq);
    }

    async fn reply(&self, seq: u64, error: &str, answer: Option<Answer>) -> Result<(), End> {
        let mut chunk = BytesMut::new();
        ResponseHeader::new(seq, error).encode(&mut chunk);
        if let Some(answer) = answer {
            answer.encode(&mut chunk);
        }
        self.chunks.send(Chunk::Bytes(chunk.freeze())).await.map_err(|_| End::Closed)
    }
}

impl<B> Session<B> {
    fn close(&mut self) {
        for (_, stream) in std::mem::take(&mut self.streams) {
            stream.abort();
        }
    }
}

impl<B> Drop for Session<B> {
    /// The server may drop a session while it runs.
    fn drop(&mut self) {
        self.close();
    }
}

fn text(outcome: Result<(), String>) -> String {
    outcome.err().unwrap_or_default()
}

fn keys(KeyOutcome { report, error }: KeyOutcome) -> (String, Option<Answer>) {
    (error, Some(Answer::Keys(report)))
}

/// Compares in a time that tells nothing of where they differ.
fn is_same(shown: &str, token: &str) -> bool {
    let differences = shown.bytes().zip(token.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    shown.len() == token.len() && differences == 0
}

/// The version of the protocol, the only one that there is.
const VERSION: i64 = 1;

/// A request: members to join and tags take the most.
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Chunks that wait to be written; a stream that finds no room waits, and its feed drops.
const CHUNKS_MAX: usize = 64;

/// Streams, monitors and queries of one connection at a time.
const STREAMS_MAX: usize = 64;
