//! A server whose agent answers as one did that was recorded.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use swim_tokio::rpc::wire::{
    Answer, Coordinate, EventRecord, Member, Query, QueryRecord, Stats, UserEvent,
};
use swim_tokio::rpc::{
    AgentEvent, Backend, Feed, JoinOutcome, KeyOutcome, KeyRequest, LogLevel, LogTap, QueryToken,
    Server, ServerConfig,
};
use tokio::sync::{mpsc, watch};

use crate::script::Script;

/// A server and what feeds it.
pub(crate) struct Scripted {
    pub(crate) server: Server,
    pub(crate) feed: Feed,
    pub(crate) stopped: watch::Receiver<bool>,
}

impl Scripted {
    pub(crate) async fn start(script: &Script) -> Self {
        let log = LogTap::new();
        for line in &script.log {
            log.push(level(line), line.clone());
        }
        Self::start_with(script, ServerConfig::new().token(script.token), log).await
    }

    pub(crate) async fn start_with(script: &Script, config: ServerConfig, log: LogTap) -> Self {
        let (stop, stopped) = watch::channel(false);
        let agent = Arc::new(Recorded { script: Mutex::new(script.answers.clone()), stop });
        let feed = Feed::new();
        let addr = "127.0.0.1:0".parse().unwrap();
        let server = Server::bind(addr, agent, feed.clone(), log, config).await.unwrap();
        Self { server, feed, stopped }
    }

    /// Tells of an event as the recorded agent did.
    pub(crate) fn publish(&self, record: EventRecord) {
        self.feed.publish(match record {
            EventRecord::Members { change, members } => {
                AgentEvent::Members { change, members: members.into() }
            }
            EventRecord::User { ltime, name, payload, coalesce } => {
                AgentEvent::User { ltime, name, payload, coalesce }
            }
            EventRecord::Query { id, ltime, name, payload } => AgentEvent::Query {
                token: QueryToken(1000 + id),
                ltime,
                name,
                payload,
                timeout: Duration::from_secs(60),
            },
            other => panic!("{other:?}"),
        });
    }
}

fn level(line: &str) -> LogLevel {
    let level = line.split(['[', ']']).nth(1);
    level.unwrap_or_else(|| panic!("{line}: no level")).parse().unwrap()
}

/// What the agent answers to the commands of each name, in order.
pub(crate) type Answers = BTreeMap<String, VecDeque<Reply>>;

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) error: String,
    pub(crate) answer: Option<Answer>,
    pub(crate) records: Vec<QueryRecord>,
}

struct Recorded {
    script: Mutex<Answers>,
    stop: watch::Sender<bool>,
}

impl Recorded {
    fn next(&self, command: &str) -> Reply {
        let mut script = self.script.lock().unwrap();
        let reply = script.get_mut(command).and_then(VecDeque::pop_front);
        reply.unwrap_or_else(|| panic!("the recorded agent was not asked for {command}"))
    }

    fn done(&self, command: &str) -> Result<(), String> {
        let error = self.next(command).error;
        if error.is_empty() { Ok(()) } else { Err(error) }
    }
}

impl Backend for Recorded {
    async fn members(&self) -> Vec<Member> {
        let mut script = self.script.lock().unwrap();
        for command in ["members", "members-filtered"] {
            if let Some(reply) = script.get_mut(command).and_then(VecDeque::pop_front) {
                let Some(Answer::Members(members)) = reply.answer else { panic!("{reply:?}") };
                return members;
            }
        }
        // It was asked, but closed the connection.
        Vec::new()
    }

    async fn join(&self, _: Vec<String>, _: bool) -> JoinOutcome {
        let Reply { error, answer, .. } = self.next("join");
        let Some(Answer::Joined(reached)) = answer else { panic!("{answer:?}") };
        JoinOutcome { reached, error }
    }

    async fn leave(&self) -> Result<(), String> {
        self.done("leave")
    }

    fn stop(&self) {
        self.stop.send(true).unwrap();
    }

    async fn force_leave(&self, _: String, _: bool) -> Result<(), String> {
        self.done("force-leave")
    }

    async fn event(&self, _: UserEvent) -> Result<(), String> {
        self.done("event")
    }

    async fn tags(&self, _: BTreeMap<String, String>, _: Vec<String>) -> Result<(), String> {
        self.done("tags")
    }

    async fn query(&self, _: Query) -> Result<mpsc::Receiver<QueryRecord>, String> {
        let Reply { error, records, .. } = self.next("query");
        if !error.is_empty() {
            return Err(error);
        }
        let (sender, receiver) = mpsc::channel(records.len().max(1));
        for record in records {
            sender.try_send(record).unwrap();
        }
        Ok(receiver)
    }

    async fn respond(&self, query: QueryToken, _: Bytes) -> Result<(), String> {
        assert_eq!(query, QueryToken(1001));
        self.done("respond")
    }

    async fn keys(&self, request: KeyRequest) -> KeyOutcome {
        let command = match request {
            KeyRequest::Install(_) => "install-key",
            KeyRequest::Use(_) => "use-key",
            KeyRequest::Remove(_) => "remove-key",
            KeyRequest::List => "list-keys",
        };
        let Reply { error, answer, .. } = self.next(command);
        let Some(Answer::Keys(report)) = answer else { panic!("{answer:?}") };
        KeyOutcome { report, error }
    }

    async fn stats(&self) -> Stats {
        let Some(Answer::Stats(stats)) = self.next("stats").answer else { panic!("no figures") };
        stats
    }

    async fn coordinate(&self, _: String) -> Option<Coordinate> {
        match self.next("get-coordinate").answer {
            Some(Answer::Coordinate(known)) => known,
            other => panic!("{other:?}"),
        }
    }
}
