//! One of ours: the library in this process.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use swim_tokio::serf::{Answer, Answers, SerfAgent, SerfBuilder, SerfHandle};
use swim_tokio::swim_core::serf::{
    Change, Event, Member, SerfConfig, SerfConfigBuilder, Status, UserEvent,
};
use swim_tokio::swim_core::{Config, ConfigBuilder};

pub(crate) use crate::serf::SOON;

/// The Serf layer over these settings, with the protocol of `serf agent`.
pub(crate) fn layer(swim: ConfigBuilder) -> SerfConfigBuilder {
    SerfConfig::builder(swim.build().unwrap()).protocol(5)
}

pub(crate) fn agent(config: SerfConfigBuilder, name: &str, addr: SocketAddr) -> SerfBuilder {
    SerfAgent::builder(config.build().unwrap()).name(name).bind(addr)
}

/// An agent with the `local` profile.
pub(crate) fn local(name: &str, addr: SocketAddr) -> SerfBuilder {
    agent(layer(Config::local()), name, addr)
}

/// A running agent, what it was told, and its answer to every query named `load`.
#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) handle: SerfHandle,
    told: Arc<Mutex<Vec<Event>>>,
}

impl Ours {
    /// One with the `local` profile that has joined by `seed`.
    pub(crate) async fn join(name: &str, addr: SocketAddr, seed: SocketAddr) -> Self {
        Self::spawn(local(name, addr).join([seed])).await
    }

    pub(crate) async fn spawn(builder: SerfBuilder) -> Self {
        let (handle, mut events) = builder.spawn().await.unwrap();
        let told = Arc::<Mutex<Vec<Event>>>::default();
        let (answers, notes) = (handle.clone(), told.clone());
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let Event::Query(query) = &event
                    && query.name == "load"
                {
                    let answer = format!("{} is idle", answers.name());
                    // Who is held up for too long may not answer any more, and is missed.
                    if let Err(e) = answers.respond(query.id, answer).await {
                        println!("{}: {e}", answers.name());
                    }
                }
                notes.lock().unwrap().push(event);
            }
        });
        Self { handle, told }
    }

    pub(crate) fn told(&self) -> Vec<Event> {
        self.told.lock().unwrap().clone()
    }

    /// What became of the member of this name, in order.
    fn changes(&self, name: &str) -> Vec<Change> {
        let told = self.told().into_iter().filter_map(|event| match event {
            Event::Members { change, members } => Some((change, members)),
            _ => None,
        });
        let of_it = |(change, members): (Change, Vec<Member>)| {
            members.iter().any(|member| member.name() == name).then_some(change)
        };
        told.filter_map(of_it).collect()
    }

    /// Waits until these are the changes of the member, and no others. A member may be seen to have
    /// changed before that is told.
    pub(crate) async fn wait_changes(&self, name: &str, changes: &[Change]) {
        let start = Instant::now();
        while self.changes(name) != changes && start.elapsed() < SOON {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(self.changes(name), changes);
    }

    /// The user events of this name.
    pub(crate) fn user_events(&self, name: &str) -> Vec<UserEvent> {
        let told = self.told().into_iter().filter_map(|event| match event {
            Event::User(event) if event.name == name => Some(event),
            _ => None,
        });
        told.collect()
    }

    pub(crate) async fn status_of(&self, name: &str) -> Option<Status> {
        self.handle.members().await.unwrap().get(name).map(Member::status)
    }

    /// Waits until the member of this name has this status; how long it took.
    pub(crate) async fn wait_status(&self, name: &str, status: Status) -> Duration {
        self.wait(name, Some(status)).await
    }

    /// Waits until no member of this name is known; how long it took.
    pub(crate) async fn wait_gone(&self, name: &str) -> Duration {
        self.wait(name, None).await
    }

    async fn wait(&self, name: &str, status: Option<Status>) -> Duration {
        let start = Instant::now();
        loop {
            let found = self.status_of(name).await;
            if found == status {
                return start.elapsed();
            }
            assert!(start.elapsed() < SOON, "{name} is {found:?}, not {status:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for an event for which `wanted` holds.
    pub(crate) async fn wait_event(&self, wanted: impl Fn(&Event) -> bool) -> Event {
        let start = Instant::now();
        loop {
            if let Some(event) = self.told().into_iter().find(&wanted) {
                return event;
            }
            assert!(start.elapsed() < SOON, "it is not among {:?}", self.told());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Who acknowledged and who said what, each sorted, once the time of the query is over.
pub(crate) async fn gather(mut answers: Answers) -> (Vec<String>, Vec<String>) {
    let (mut acks, mut responses) = (Vec::new(), Vec::new());
    while let Some(answer) = answers.recv().await {
        match answer {
            Answer::Ack { from } => acks.push(from.to_string()),
            Answer::Response { from, payload } => {
                let text = String::from_utf8_lossy(&payload);
                responses.push(format!("{from}: {}", text.trim_end()));
            }
            _ => unreachable!("there are two kinds"),
        }
    }
    acks.sort_unstable();
    responses.sort_unstable();
    (acks, responses)
}

/// Waits until this holds.
pub(crate) async fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < SOON, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
