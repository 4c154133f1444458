//! The commands of the protocol, as methods.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use super::connection::{self, Call, Reply, Sink};
use super::records::Tally;
use super::{ClientError, Record, Records};
use crate::rpc::wire::{
    Accusation, Answer, BadMessage, Coordinate, EventRecord, KeyReport, LogRecord, Member,
    MemberFilter, Query, QueryRecord, Request, Stats, UserEvent,
};

/// A connection to an agent. Clones share it; it is closed when the last one is dropped.
///
/// Commands are carried out one after another. Streams go on beside them.
///
/// ```no_run
/// use swim_tokio::rpc::Client;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder("127.0.0.1:7373").connect().await?;
/// for member in client.members().await? {
///     println!("{} {} {}", member.name, member.addr, member.status);
/// }
/// let mut events = client.stream("user:deploy").await?;
/// while let Some(event) = events.recv().await? {
///     println!("{event:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    calls: mpsc::Sender<Call>,
    timeout: Duration,
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    addr: String,
    token: String,
    connect_timeout: Duration,
    timeout: Duration,
}

impl ClientBuilder {
    /// The token that the agent asks for. Default: none.
    #[must_use]
    pub fn auth(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// How long connecting may take. Default: 10 s.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long an answer may take. Default: 60 s, for leaving a large cluster takes its time.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Connects and opens the session.
    ///
    /// # Errors
    ///
    /// [`ClientError`] says what went wrong.
    pub async fn connect(self) -> Result<Client, ClientError> {
        let connecting = TcpStream::connect(&self.addr);
        let stream = tokio::time::timeout(self.connect_timeout, connecting).await;
        let stream = stream
            .map_err(|_| ClientError::Timeout(self.connect_timeout))?
            .map_err(|error| ClientError::Connect { addr: self.addr, error })?;
        // Requests are small, and each is waited for.
        let _ = stream.set_nodelay(true);
        let (calls, queue) = mpsc::channel(CALLS_MAX);
        tokio::spawn(connection::run(stream, queue));
        let client = Client { calls, timeout: self.timeout };
        client.command(Request::Handshake(VERSION)).await?;
        if !self.token.is_empty() {
            client.command(Request::Auth(self.token)).await?;
        }
        Ok(client)
    }
}

/// Each method says with [`ClientError`] what went wrong.
#[expect(clippy::missing_errors_doc, reason = "said once for all methods")]
impl Client {
    /// A client for the agent at this address, `host:port`.
    pub fn builder(addr: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            addr: addr.into(),
            token: String::new(),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
        }
    }

    /// All members, whatever their status.
    pub async fn members(&self) -> Result<Vec<Member>, ClientError> {
        match self.answer(Request::Members).await? {
            Answer::Members(members) => Ok(members),
            _ => Err(unexpected()),
        }
    }

    /// The members that match.
    pub async fn members_filtered(&self, by: MemberFilter) -> Result<Vec<Member>, ClientError> {
        match self.answer(Request::MembersFiltered(by)).await? {
            Answer::Members(members) => Ok(members),
            _ => Err(unexpected()),
        }
    }

    /// Sends a user event to all.
    pub async fn event(&self, event: UserEvent) -> Result<(), ClientError> {
        self.command(Request::Event(event)).await
    }

    /// Makes a failed node one that has left; with `prune` it is forgotten at once.
    pub async fn force_leave(&self, node: &str, prune: bool) -> Result<(), ClientError> {
        self.command(Request::ForceLeave { node: node.into(), prune }).await
    }

    /// Joins other nodes; how many of them were reached. With `replay`, user events of the past are
    /// delivered.
    pub async fn join(&self, existing: Vec<String>, replay: bool) -> Result<u32, ClientError> {
        match self.answer(Request::Join { existing, replay }).await? {
            Answer::Joined(reached) => Ok(reached),
            _ => Err(unexpected()),
        }
    }

    /// Changes the agent's tags; deletes first.
    pub async fn tags(
        &self,
        set: BTreeMap<String, String>,
        delete: Vec<String>,
    ) -> Result<(), ClientError> {
        self.command(Request::Tags { set, delete }).await
    }

    /// Events that match a filter: a list with commas of `member-join`, `user`, `user:NAME`,
    /// `query`, ..., or `*`.
    pub async fn stream(&self, filter: &str) -> Result<Records<EventRecord>, ClientError> {
        self.records(Request::Stream(filter.into())).await
    }

    /// Log lines from this level upwards, the latest of the past first.
    pub async fn monitor(&self, level: &str) -> Result<Records<LogRecord>, ClientError> {
        self.records(Request::Monitor(level.into())).await
    }

    /// Makes the agent leave the cluster and end.
    pub async fn leave(&self) -> Result<(), ClientError> {
        self.command(Request::Leave).await
    }

    /// Asks nodes; the records end when the time for answers is over.
    pub async fn query(&self, query: Query) -> Result<Records<QueryRecord>, ClientError> {
        self.records(Request::Query(query)).await
    }

    /// Answers a query that a stream of this client told of.
    pub async fn respond(&self, id: u64, payload: impl Into<Bytes>) -> Result<(), ClientError> {
        self.command(Request::Respond { id, payload: payload.into() }).await
    }

    /// Gives all nodes this key (base64).
    pub async fn install_key(&self, key: &str) -> Result<KeyReport, ClientError> {
        self.keys(Request::InstallKey(key.into())).await
    }

    /// Makes all nodes seal with this key (base64).
    pub async fn use_key(&self, key: &str) -> Result<KeyReport, ClientError> {
        self.keys(Request::UseKey(key.into())).await
    }

    /// Takes this key (base64) from all nodes.
    pub async fn remove_key(&self, key: &str) -> Result<KeyReport, ClientError> {
        self.keys(Request::RemoveKey(key.into())).await
    }

    /// Which keys the nodes have.
    pub async fn list_keys(&self) -> Result<KeyReport, ClientError> {
        self.keys(Request::ListKeys).await
    }

    /// The agent's figures.
    pub async fn stats(&self) -> Result<Stats, ClientError> {
        match self.answer(Request::Stats).await? {
            Answer::Stats(stats) => Ok(stats),
            _ => Err(unexpected()),
        }
    }

    /// Where a node lies, if the agent knows.
    pub async fn coordinate(&self, node: &str) -> Result<Option<Coordinate>, ClientError> {
        match self.answer(Request::Coordinate(node.into())).await? {
            Answer::Coordinate(known) => Ok(known),
            _ => Err(unexpected()),
        }
    }

    /// What was said of a node that may have failed, in order: who accused it, by which evidence,
    /// and when. The agent remembers the latest; Serf's agents refuse the command and close.
    pub async fn why(&self, node: &str) -> Result<Vec<Accusation>, ClientError> {
        match self.answer(Request::Why(node.into())).await? {
            Answer::Why(said) => Ok(said),
            _ => Err(unexpected()),
        }
    }

    async fn command(&self, request: Request) -> Result<(), ClientError> {
        let Reply { error, .. } = self.call(request, None).await?;
        if error.is_empty() { Ok(()) } else { Err(ClientError::Refused(error)) }
    }

    async fn answer(&self, request: Request) -> Result<Answer, ClientError> {
        let Reply { error, answer } = self.call(request, None).await?;
        if error.is_empty() {
            answer.ok_or_else(unexpected)
        } else {
            Err(ClientError::Refused(error))
        }
    }

    async fn keys(&self, request: Request) -> Result<KeyReport, ClientError> {
        let Reply { error: text, answer } = self.call(request, None).await?;
        match answer {
            Some(Answer::Keys(report)) if text.is_empty() => Ok(report),
            Some(Answer::Keys(report)) => Err(ClientError::Keys { text, report: Box::new(report) }),
            _ if text.is_empty() => Err(unexpected()),
            _ => Err(ClientError::Refused(text)),
        }
    }

    async fn records<T: Record>(&self, request: Request) -> Result<Records<T>, ClientError> {
        let (sender, records) = mpsc::channel(RECORDS_MAX);
        let tally = Arc::new(Tally::default());
        let sink = Sink { records: sender, tally: tally.clone() };
        let Reply { error, .. } = self.call(request, Some(sink)).await?;
        if error.is_empty() {
            Ok(Records::new(records, tally))
        } else {
            Err(ClientError::Refused(error))
        }
    }

    async fn call(&self, request: Request, sink: Option<Sink>) -> Result<Reply, ClientError> {
        let (reply, answered) = oneshot::channel();
        let asking = async {
            let call = Call { request, reply, sink };
            self.calls.send(call).await.map_err(|_| ClientError::Closed)?;
            answered.await.map_err(|_| ClientError::Closed)?
        };
        let answered = tokio::time::timeout(self.timeout, asking).await;
        answered.map_err(|_| ClientError::Timeout(self.timeout))?
    }
}

/// An answer to something else.
const fn unexpected() -> ClientError {
    ClientError::Bad(BadMessage::Answer)
}

/// The version of the protocol, the only one that there is.
const VERSION: i64 = 1;

/// Requests that wait for the connection.
const CALLS_MAX: usize = 16;

/// Records of one stream that nobody has taken yet: an agent's backlog of log lines is 512.
const RECORDS_MAX: usize = 2048;
