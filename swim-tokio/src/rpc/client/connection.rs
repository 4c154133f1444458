//! The task that owns a connection: it writes requests and hands out what arrives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};

use super::ClientError;
use super::records::Tally;
use crate::rpc::session_error;
use crate::rpc::wire::{Answer, BadMessage, Frames, QueryRecord, Request, ResponseHeader};

/// A request on its way.
pub(super) struct Call {
    pub(super) request: Request,
    pub(super) reply: oneshot::Sender<Result<Reply, ClientError>>,
    pub(super) sink: Option<Sink>,
}

/// What came back: the error is that of the header.
pub(super) struct Reply {
    pub(super) error: String,
    pub(super) answer: Option<Answer>,
}

/// Where the records go that follow.
pub(super) struct Sink {
    pub(super) records: mpsc::Sender<Bytes>,
    pub(super) tally: Arc<Tally>,
}

/// Serves calls until the last client is dropped or the agent closes.
pub(super) async fn run(stream: TcpStream, mut calls: mpsc::Receiver<Call>) {
    let (read, write) = stream.into_split();
    let mut connection = Connection {
        read,
        write,
        frames: Frames::new(ANSWER_BYTES_MAX),
        out: BytesMut::new(),
        seq: 0,
        open: BTreeMap::new(),
        expects: Expects::Header,
    };
    if let Err(bad) = connection.serve(&mut calls).await {
        calls.close();
        for (_, open) in connection.open {
            if let Some(reply) = open.reply {
                let why = bad.clone().map_or(ClientError::Closed, ClientError::Bad);
                // Whoever has waited for too long is gone.
                let _ = reply.send(Err(why));
            }
        }
    }
}

struct Connection {
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    frames: Frames,
    /// Bytes that wait to be written.
    out: BytesMut,
    /// That of the request before.
    seq: u64,
    open: BTreeMap<u64, Open>,
    expects: Expects,
}

/// A request whose answer, or some of whose records, are to come.
struct Open {
    command: &'static str,
    reply: Option<oneshot::Sender<Result<Reply, ClientError>>>,
    sink: Option<Sink>,
}

/// What the next value is.
enum Expects {
    Header,
    Answer(ResponseHeader),
    Record(u64),
}

/// Why a connection ends: the agent closed it, or said what cannot be understood.
type End = Option<BadMessage>;

impl Connection {
    async fn serve(&mut self, calls: &mut mpsc::Receiver<Call>) -> Result<(), End> {
        loop {
            tokio::select! {
                read = self.read.read_buf(self.frames.buffer()) => {
                    if read.map_err(|_| None)? == 0 {
                        return Err(None);
                    }
                }
                call = calls.recv(), if self.out.len() < OUT_BYTES_MAX => match call {
                    Some(call) => self.send(call),
                    None => return Ok(()),
                },
                ready = self.write.writable(), if !self.out.is_empty() => {
                    ready.map_err(|_| None)?;
                }
            }
            self.flush().map_err(|_| None)?;
            while let Some(value) = self.frames.take().map_err(Some)? {
                self.on_value(&value)?;
            }
        }
    }

    fn send(&mut self, Call { request, reply, sink }: Call) {
        self.seq += 1;
        request.encode(self.seq, &mut self.out);
        let open = Open { command: request.command(), reply: Some(reply), sink };
        self.open.insert(self.seq, open);
    }

    /// Writes what the socket takes.
    fn flush(&mut self) -> std::io::Result<()> {
        while !self.out.is_empty() {
            match self.write.try_write(&self.out) {
                Ok(written) => self.out.advance(written),
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn on_value(&mut self, value: &Bytes) -> Result<(), End> {
        match std::mem::replace(&mut self.expects, Expects::Header) {
            Expects::Header => self.on_header(ResponseHeader::decode(value).map_err(Some)?),
            Expects::Answer(header) => {
                let command = self.open.get(&header.seq).map_or("", |open| open.command);
                let answer = Answer::decode(command, value).map_err(Some)?;
                self.on_answer(header, answer);
                Ok(())
            }
            Expects::Record(seq) => self.on_record(seq, value),
        }
    }

    fn on_header(&mut self, header: ResponseHeader) -> Result<(), End> {
        // An agent that wants a token repeats itself for the body that it did not read.
        let Some(open) = self.open.get(&header.seq) else { return Ok(()) };
        if open.reply.is_none() {
            self.expects = Expects::Record(header.seq);
        } else if !session_error::ALL.contains(&header.error.as_str())
            && Answer::follows(open.command)
        {
            self.expects = Expects::Answer(header);
        } else {
            self.on_answer(header, None);
        }
        Ok(())
    }

    fn on_answer(&mut self, header: ResponseHeader, answer: Option<Answer>) {
        let ResponseHeader { seq, error, .. } = header;
        let Some(open) = self.open.get_mut(&seq) else { return };
        let reply = open.reply.take();
        // What nobody listens to any more is stopped with the first record.
        if open.sink.is_none() || !error.is_empty() {
            self.open.remove(&seq);
        }
        if let Some(reply) = reply {
            let _ = reply.send(Ok(Reply { error, answer }));
        }
    }

    fn on_record(&mut self, seq: u64, record: &Bytes) -> Result<(), End> {
        let Some(open) = self.open.get_mut(&seq) else { return Ok(()) };
        let is_last = open.command == "query"
            && QueryRecord::decode(record).map_err(Some)? == QueryRecord::Done;
        if let Some(sink) = &open.sink {
            match sink.records.try_send(record.clone()) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => {
                    sink.tally.dropped.fetch_add(1, Ordering::Relaxed);
                }
                Err(mpsc::error::TrySendError::Closed(_)) => {
                    let is_query = open.command == "query";
                    open.sink = None;
                    if !is_query {
                        self.stop(seq);
                    }
                }
            }
        }
        if is_last && let Some(Open { sink: Some(sink), .. }) = self.open.remove(&seq) {
            sink.tally.ended.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Tells the agent that nobody listens to a stream. Its number stays known, for records that
    /// are on their way.
    fn stop(&mut self, seq: u64) {
        self.seq += 1;
        Request::Stop(seq).encode(self.seq, &mut self.out);
        let (reply, _) = oneshot::channel();
        self.open.insert(self.seq, Open { command: "stop", reply: Some(reply), sink: None });
    }
}

/// An answer: members of a cluster of a hundred thousand take 20 MB.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Bytes that wait to be written before further requests do.
const OUT_BYTES_MAX: usize = 64 << 10;
