//! What the protocol's server asks of a Serf agent.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use swim_core::serf::{Change, Event, QueryId, QueryParams, Tags};
use tokio::sync::{Notify, mpsc};

use super::why::Sayings;
use super::{convert, keys, log};
use crate::events::Events;
use crate::rpc::wire::{Accusation, Coordinate, Member, Query, QueryRecord, Stats, UserEvent};
use crate::rpc::{AgentEvent, Backend, Feed, JoinOutcome, KeyOutcome, KeyRequest, QueryToken};
use crate::serf::{Answer, SerfHandle, SerfSnapshot};

/// A Serf agent behind a [`Server`](crate::rpc::Server). Clones stand for the same agent.
#[derive(Clone)]
pub struct SerfBackend {
    handle: SerfHandle,
    queries: Arc<Mutex<BTreeMap<QueryToken, QueryId>>>,
    left: Arc<Notify>,
    store_tags: Option<Arc<StoreTags>>,
    handlers: Option<Arc<TellHandlers>>,
    sayings: Arc<Mutex<Sayings>>,
    /// Held while tags change: what is set depends on what was there.
    tags: Arc<tokio::sync::Mutex<()>>,
}

type StoreTags = dyn Fn(&Tags) -> Result<(), String> + Send + Sync;
type TellHandlers = dyn Fn() -> BTreeMap<String, String> + Send + Sync;

impl SerfBackend {
    /// The agent that this handle speaks to.
    pub fn new(handle: SerfHandle) -> Self {
        Self {
            handle,
            queries: Arc::default(),
            left: Arc::default(),
            store_tags: None,
            handlers: None,
            sayings: Arc::default(),
            tags: Arc::default(),
        }
    }

    /// Has `store` keep tags before they are told to the cluster; its error refuses the change.
    /// It may block for as long as a small file takes.
    #[must_use]
    pub fn store_tags(
        mut self,
        store: impl Fn(&Tags) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.store_tags = Some(Arc::new(store));
        self
    }

    /// What the section `event_handlers` of the figures says.
    #[must_use]
    pub fn handlers(
        mut self,
        handlers: impl Fn() -> BTreeMap<String, String> + Send + Sync + 'static,
    ) -> Self {
        self.handlers = Some(Arc::new(handlers));
        self
    }

    /// The agent behind it.
    pub const fn handle(&self) -> &SerfHandle {
        &self.handle
    }

    /// Waits until a client has made the agent leave, and has been told so.
    pub async fn stopped(&self) {
        self.left.notified().await;
    }

    /// Gives the agent's events to `feed` until the agent stops. `each` sees them, too.
    pub async fn feed(&self, mut events: Events<Event>, feed: Feed, mut each: impl FnMut(&Event)) {
        while let Some(event) = events.recv().await {
            each(&event);
            self.note(&event);
            if let Some(event) = self.agent_event(event) {
                feed.publish(event);
            }
        }
    }

    /// Remembers what the event says about failures, which can be [asked for](Backend::why) from
    /// then on. Each event is to be noted once, when it happens: before it is gathered with others.
    pub fn note(&self, event: &Event) {
        match event {
            Event::Members { change: Change::Join, members } => {
                let mut sayings = self.sayings();
                members.iter().for_each(|member| sayings.is_back(member.name()));
            }
            Event::Members { change: Change::Reap, members } => {
                let mut sayings = self.sayings();
                members.iter().for_each(|member| sayings.forget(member.name()));
            }
            Event::Evidence { member, finding } => self.sayings().note(member, finding.clone()),
            _ => {}
        }
    }

    /// The event as streams and scripts are told of it; `None` if they are not. A query can be
    /// [answered](Backend::respond) from then on.
    pub fn agent_event(&self, event: Event) -> Option<AgentEvent> {
        Some(match event {
            Event::Members { change, members } => AgentEvent::Members {
                change: convert::change(change),
                members: members.iter().map(convert::member).collect(),
            },
            Event::User(event) => AgentEvent::User {
                ltime: event.ltime,
                name: event.name,
                payload: event.payload,
                coalesce: event.coalesce,
            },
            Event::Query(query) => AgentEvent::Query {
                token: self.remember(query.id),
                ltime: query.ltime,
                name: query.name,
                payload: query.payload,
                timeout: self.handle.remaining(query.deadline),
            },
            _ => return None,
        })
    }

    fn remember(&self, query: QueryId) -> QueryToken {
        let token = QueryToken(query.number());
        let mut queries = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        if queries.len() >= QUERIES_MAX {
            queries.pop_first();
        }
        queries.insert(token, query);
        token
    }

    fn sayings(&self) -> MutexGuard<'_, Sayings> {
        self.sayings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn snapshot(&self) -> Result<SerfSnapshot, String> {
        self.handle.members().await.map_err(|e| e.to_string())
    }

    async fn my_tags(&self) -> Result<Tags, String> {
        self.handle.me().await.map(|me| me.tags()).map_err(|e| e.to_string())
    }

    async fn change_tags(
        &self,
        set: &BTreeMap<String, String>,
        delete: &[String],
    ) -> Result<(), String> {
        let _changing = self.tags.lock().await;
        let tags = self.my_tags().await?;
        let set = set.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let tags = tags.changed(delete.iter().map(String::as_str), set);
        let tags = tags.map_err(|e| e.to_string())?;
        if let Some(store) = &self.store_tags {
            store(&tags)?;
        }
        self.handle.set_tags(tags).await.map_err(|e| e.to_string())
    }

    async fn ask(&self, query: Query) -> Result<mpsc::Receiver<QueryRecord>, String> {
        let mut params = QueryParams::new().nodes(query.nodes).ack(query.ack);
        params = params.relay_factor(query.relay_factor).timeout(query.timeout);
        for (tag, regex) in query.tags {
            params = params.tag(tag, regex);
        }
        let answers = self.handle.query(query.name, query.payload, params).await;
        let mut answers = answers.map_err(|e| e.to_string())?;
        let (sender, records) = mpsc::channel(ANSWERS_MAX);
        tokio::spawn(async move {
            while let Some(answer) = answers.recv().await {
                let record = match answer {
                    Answer::Ack { from } => QueryRecord::Ack { from: from.as_str().into() },
                    Answer::Response { from, payload } => {
                        QueryRecord::Response { from: from.as_str().into(), payload }
                    }
                };
                if sender.send(record).await.is_err() {
                    return;
                }
            }
        });
        Ok(records)
    }
}

impl Backend for SerfBackend {
    async fn members(&self) -> Vec<Member> {
        let snapshot = self.snapshot().await;
        snapshot.map_or_else(|_| Vec::new(), |s| s.all().iter().map(convert::member).collect())
    }

    async fn join(&self, existing: Vec<String>, replay: bool) -> JoinOutcome {
        log::join(&existing, replay);
        let seeds = existing.iter().map(String::as_str);
        let joined = self.handle.join(seeds, replay).await.map_err(|e| convert::join_error(&e));
        match log::joined(joined) {
            Ok(joined) => JoinOutcome { reached: joined.reached, error: String::new() },
            Err(error) => JoinOutcome { reached: 0, error },
        }
    }

    async fn leave(&self) -> Result<(), String> {
        log::leave();
        let left = self.handle.leave().await.map_err(|e| e.to_string());
        log::outcome("leave", left)
    }

    fn stop(&self) {
        self.left.notify_one();
    }

    async fn force_leave(&self, node: String, prune: bool) -> Result<(), String> {
        log::force_leave(&node, prune);
        let told = self.handle.force_leave(node, prune).await.map_err(|e| e.to_string());
        log::outcome("force leave", told)
    }

    async fn event(&self, event: UserEvent) -> Result<(), String> {
        log::event(&event);
        let UserEvent { name, payload, coalesce } = event;
        let sent = self.handle.user_event(name, payload, coalesce).await.map_err(|e| e.to_string());
        log::outcome("send user event", sent)
    }

    async fn tags(&self, set: BTreeMap<String, String>, delete: Vec<String>) -> Result<(), String> {
        log::tags(&set, &delete);
        log::outcome("change tags", self.change_tags(&set, &delete).await)
    }

    async fn query(&self, query: Query) -> Result<mpsc::Receiver<QueryRecord>, String> {
        log::query(&query);
        log::outcome("start user query", self.ask(query).await)
    }

    async fn respond(&self, query: QueryToken, payload: Bytes) -> Result<(), String> {
        let known = {
            let queries = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
            queries.get(&query).copied()
        };
        let query = known.ok_or("No pending queries matching ID")?;
        self.handle.respond(query, payload).await.map_err(|e| e.to_string())
    }

    async fn keys(&self, request: KeyRequest) -> KeyOutcome {
        log::keys(&request);
        log::keys_done(keys::ask(&self.handle, &request).await)
    }

    async fn stats(&self) -> Stats {
        let mut sections = Stats::new();
        let text = |value: &str| value.to_owned();
        let name = BTreeMap::from([(text("name"), text(self.handle.name().as_str()))]);
        sections.insert(text("agent"), name);
        let cpus = std::thread::available_parallelism().map_or(1, usize::from).to_string();
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let runtime = [
            ("arch", text(arch())),
            ("cpu_count", cpus.clone()),
            // Tasks are what comes closest.
            ("goroutines", tasks.to_string()),
            ("max_procs", cpus),
            ("os", text(std::env::consts::OS)),
            ("version", format!("swim {}", env!("CARGO_PKG_VERSION"))),
        ];
        let runtime = runtime.into_iter().map(|(key, value)| (text(key), value)).collect();
        sections.insert(text("runtime"), runtime);
        let handlers = self.handlers.as_ref().map(|handlers| handlers());
        sections.insert(text("event_handlers"), handlers.unwrap_or_default());
        if let Ok(stats) = self.handle.stats().await {
            sections.insert(text("serf"), convert::info(&stats.info));
        }
        if let Ok(tags) = self.my_tags().await {
            sections.insert(text("tags"), convert::tags(&tags));
        }
        sections
    }

    async fn coordinate(&self, node: String) -> Option<Coordinate> {
        let coordinate = self.handle.coordinate(node).await.ok().flatten();
        coordinate.as_ref().map(convert::coordinate)
    }

    async fn why(&self, node: String) -> Vec<Accusation> {
        self.sayings().of(&node)
    }
}

impl fmt::Debug for SerfBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SerfBackend").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// In Go's words.
fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}

/// Queries that may be answered at a time; the oldest gives way.
const QUERIES_MAX: usize = 4096;

/// Answers that wait for the client; further ones wait in the node's queue.
const ANSWERS_MAX: usize = 64;
