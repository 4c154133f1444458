//! What the protocol's server asks of a Serf agent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use swim_core::serf::{Event, QueryId, QueryParams, Status};
use tokio::sync::{Notify, mpsc};

use super::{convert, keys};
use crate::events::Events;
use crate::rpc::wire::{Coordinate, Member, Query, QueryRecord, Stats, UserEvent};
use crate::rpc::{AgentEvent, Backend, Feed, JoinOutcome, KeyOutcome, KeyRequest, QueryToken};
use crate::serf::{Answer, SerfHandle, SerfSnapshot};

/// A Serf agent behind a [`Server`](crate::rpc::Server). Clones stand for the same agent.
#[derive(Clone, Debug)]
pub struct SerfBackend {
    handle: SerfHandle,
    queries: Arc<Mutex<BTreeMap<QueryToken, QueryId>>>,
    left: Arc<Notify>,
}

impl SerfBackend {
    /// The agent that this handle speaks to.
    pub fn new(handle: SerfHandle) -> Self {
        Self { handle, queries: Arc::default(), left: Arc::default() }
    }

    /// Waits until a client has made the agent leave, and has been told so.
    pub async fn stopped(&self) {
        self.left.notified().await;
    }

    /// Gives the agent's events to `feed` until the agent stops. `each` sees them, too.
    pub async fn feed(&self, mut events: Events<Event>, feed: Feed, mut each: impl FnMut(&Event)) {
        while let Some(event) = events.recv().await {
            each(&event);
            if let Some(event) = self.told(event) {
                feed.publish(event);
            }
        }
    }

    fn told(&self, event: Event) -> Option<AgentEvent> {
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
                timeout: QUERY_TIMEOUT,
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

    async fn snapshot(&self) -> Result<SerfSnapshot, String> {
        self.handle.members().await.map_err(|e| e.to_string())
    }
}

impl Backend for SerfBackend {
    async fn members(&self) -> Vec<Member> {
        let snapshot = self.snapshot().await;
        snapshot.map_or_else(|_| Vec::new(), |s| s.all().iter().map(convert::member).collect())
    }

    async fn join(&self, existing: Vec<String>, replay: bool) -> JoinOutcome {
        let seeds = existing.iter().map(String::as_str);
        match self.handle.join(seeds, replay).await {
            Ok(joined) => JoinOutcome { reached: joined.reached, error: String::new() },
            Err(e) => JoinOutcome { reached: 0, error: convert::join_error(&e) },
        }
    }

    async fn leave(&self) -> Result<(), String> {
        self.handle.leave().await.map_err(|e| e.to_string())
    }

    fn stop(&self) {
        self.left.notify_one();
    }

    async fn force_leave(&self, node: String, prune: bool) -> Result<(), String> {
        self.handle.force_leave(node, prune).await.map_err(|e| e.to_string())
    }

    async fn event(&self, event: UserEvent) -> Result<(), String> {
        let UserEvent { name, payload, coalesce } = event;
        self.handle.user_event(name, payload, coalesce).await.map_err(|e| e.to_string())
    }

    async fn tags(&self, set: BTreeMap<String, String>, delete: Vec<String>) -> Result<(), String> {
        let tags = self.snapshot().await?.me().tags();
        let set = set.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let tags = tags.changed(delete.iter().map(String::as_str), set);
        let tags = tags.map_err(|e| e.to_string())?;
        self.handle.set_tags(tags).await.map_err(|e| e.to_string())
    }

    async fn query(&self, query: Query) -> Result<mpsc::Receiver<QueryRecord>, String> {
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

    async fn respond(&self, query: QueryToken, payload: Bytes) -> Result<(), String> {
        let known = {
            let queries = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
            queries.get(&query).copied()
        };
        let query = known.ok_or("No pending queries matching ID")?;
        let responded = self.handle.respond(query, payload).await;
        responded.map_err(|e| format!("failed to respond to key query: {e}"))
    }

    async fn keys(&self, request: KeyRequest) -> KeyOutcome {
        match self.snapshot().await {
            Ok(snapshot) => {
                let alive = snapshot.all().iter().filter(|m| m.status() == Status::Alive).count();
                keys::ask(&self.handle, &request, u32::try_from(alive).unwrap_or(u32::MAX)).await
            }
            Err(error) => KeyOutcome { error, ..KeyOutcome::default() },
        }
    }

    async fn stats(&self) -> Stats {
        let mut sections = Stats::new();
        let text = |value: &str| value.to_owned();
        let name = BTreeMap::from([(text("name"), text(self.handle.name().as_str()))]);
        sections.insert(text("agent"), name);
        let cpus = std::thread::available_parallelism().map_or(1, usize::from).to_string();
        let runtime = [
            ("arch", std::env::consts::ARCH.to_owned()),
            ("cpu_count", cpus.clone()),
            ("goroutines", text("0")),
            ("max_procs", cpus),
            ("os", text(std::env::consts::OS)),
            ("version", format!("swim {}", env!("CARGO_PKG_VERSION"))),
        ];
        let runtime = runtime.into_iter().map(|(key, value)| (text(key), value)).collect();
        sections.insert(text("runtime"), runtime);
        sections.insert(text("event_handlers"), BTreeMap::new());
        if let Ok(stats) = self.handle.stats().await {
            sections.insert(text("serf"), convert::info(&stats.info));
        }
        if let Ok(snapshot) = self.snapshot().await {
            sections.insert(text("tags"), convert::tags(&snapshot.me().tags()));
        }
        sections
    }

    /// This node keeps no coordinates.
    async fn coordinate(&self, _: String) -> Option<Coordinate> {
        None
    }
}

/// How long a client may try to answer: the node knows whether it is too late.
const QUERY_TIMEOUT: Duration = Duration::from_secs(600);

/// Queries that may be answered at a time; the oldest gives way.
const QUERIES_MAX: usize = 4096;

/// Answers that wait for the client; further ones wait in the node's queue.
const ANSWERS_MAX: usize = 64;
