//! What the node tells, on its way to everybody who hears it.

use std::future::pending;
use std::time::{Duration, Instant};

use swim_tokio::Events;
use swim_tokio::rpc::{AgentEvent, Feed};
use swim_tokio::serf::SerfBackend;
use swim_tokio::swim_core;
use swim_tokio::swim_core::serf::{Change, Coalescer, Event, Finding, Queue, Window};
use swim_tokio::swim_core::{Evidence, State};
use tokio::time::sleep;

use super::handlers::Handlers;
use super::metrics::Push;
use super::print::Printer;

/// Gives what happens to standard output and to the log at once; to streams and to scripts what is
/// left after gathering what belongs together, as Serf's agent does.
pub(crate) struct Pump {
    pub(crate) backend: SerfBackend,
    pub(crate) feed: Feed,
    pub(crate) handlers: Handlers,
    pub(crate) printer: Printer,
    pub(crate) push: Push,
}

/// Why there will be no more events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The cluster takes another node for the owner of this node's name.
    Outvoted,
    /// The node has stopped.
    Stopped,
}

impl Pump {
    pub(crate) async fn run(self, mut events: Events<Event>) -> End {
        let start = Instant::now();
        let now = || swim_core::Instant::ZERO + start.elapsed();
        let mut coalescer = Coalescer::new(Some(Window::AGENT), Some(Window::AGENT));
        loop {
            let due = coalescer.poll_timeout().map(|at| at.since(now()));
            tokio::select! {
                event = events.recv() => match event {
                    None => return End::Stopped,
                    Some(Event::Outvoted { votes, matching }) => {
                        tracing::error!(
                            target: SERF,
                            "minority in name conflict resolution, quitting: {matching} / {votes}"
                        );
                        return End::Outvoted;
                    }
                    Some(event) => self.take_in(&mut coalescer, now(), event),
                },
                () = alarm(due) => coalescer.handle_timeout(now()),
            }
            self.tell_gathered(&mut coalescer);
        }
    }

    fn take_in(&self, coalescer: &mut Coalescer, now: swim_core::Instant, event: Event) {
        self.tell_raw(&event);
        coalescer.handle(now, event);
    }

    fn tell_gathered(&self, coalescer: &mut Coalescer) {
        while let Some(event) = coalescer.poll_event() {
            self.tell(event);
        }
    }

    /// Who said what of whom is noted now: what is gathered comes later than what is not.
    fn tell_raw(&self, event: &Event) {
        self.backend.note(event);
        log(event);
        self.push.on_event(event);
        self.printer.print(event.clone());
    }

    fn tell(&self, event: Event) {
        let Some(event) = self.backend.agent_event(event) else { return };
        match &event {
            AgentEvent::Members { change, .. } => {
                tracing::info!("Received event: {}", change.as_str());
            }
            AgentEvent::User { name, .. } => tracing::info!("Received event: user-event: {name}"),
            AgentEvent::Query { name, .. } => tracing::info!("Received event: query: {name}"),
            _ => {}
        }
        self.handlers.push(&event);
        self.feed.publish(event);
    }
}

/// In Serf's words, which scripts look for.
fn log(event: &Event) {
    match event {
        Event::Members { change, members } => {
            for member in members {
                let (name, addr) = (member.name(), member.addr().canonical().ip());
                match change {
                    Change::Join => tracing::info!(target: SERF, "EventMemberJoin: {name} {addr}"),
                    Change::Leave => {
                        tracing::info!(target: SERF, "EventMemberLeave: {name} {addr}")
                    }
                    Change::Failed => {
                        tracing::info!(target: SERF, "EventMemberFailed: {name} {addr}");
                    }
                    Change::Update => tracing::info!(target: SERF, "EventMemberUpdate: {name}"),
                    Change::Reap => tracing::info!(target: SERF, "EventMemberReap: {name}"),
                }
            }
        }
        Event::User(event) => tracing::debug!(target: SERF, "messageUserEventType: {}", event.name),
        Event::QueryHeard { name } => log_query(name),
        Event::KeyRefused { query, why } => {
            let what = key_action(query).unwrap_or("change keys");
            tracing::error!(target: SERF, "Failed to {what}: {why}");
        }
        Event::Conflict { existing, other } => tracing::warn!(
            target: SERF,
            "Name conflict for '{}' both {} and {} are claiming",
            existing.name(),
            existing.addr(),
            other.addr()
        ),
        Event::QueueDeep { queue, waiting, dropped, waiting_max } => {
            log_queue(*queue, *waiting, *dropped, *waiting_max);
        }
        Event::Evidence { member, finding } => log_finding(member.name(), finding),
        Event::Lagged(count) => tracing::warn!("{count} events were dropped: too many at once"),
        _ => {}
    }
}

fn log_query(name: &str) {
    if key_action(name).is_some() {
        let what = name.trim_start_matches("_serf_");
        tracing::info!(target: SERF, "Received {what} query");
    }
    tracing::debug!(target: SERF, "messageQueryType: {}", name.escape_debug());
}

/// What a query of Serf's own asks to do with keys.
fn key_action(query: &str) -> Option<&'static str> {
    Some(match query {
        "_serf_install-key" => "install key",
        "_serf_use-key" => "change primary key",
        "_serf_remove-key" => "remove key",
        "_serf_list-keys" => "list keys",
        _ => return None,
    })
}

/// What somebody says of a member, or the member of itself; Serf tells of the first two.
fn log_finding(name: &str, finding: &Finding) {
    match finding {
        Finding::Refuted { by, claimed, .. } => {
            let claim = if *claimed == State::Suspect { "suspect" } else { "dead" };
            tracing::warn!(target: MEMBERLIST, "Refuting a {claim} message (from: {by})");
        }
        Finding::Suspected { evidence: Evidence::Probe { .. }, .. } => {
            tracing::info!(target: MEMBERLIST, "Suspect {name} has failed, no acks received");
        }
        Finding::Suspected { evidence: Evidence::PushPull, .. } => {
            tracing::debug!(target: MEMBERLIST, "{name} is suspected: a push/pull shows it so");
        }
        Finding::Suspected { by, .. } => {
            tracing::debug!(target: MEMBERLIST, "{name} is suspected by the word of {by}");
        }
        Finding::Trusted => tracing::debug!(target: MEMBERLIST, "{name} has proved to be alive"),
        Finding::Down { by: Some(by) } => {
            tracing::debug!(target: MEMBERLIST, "{name} is gone by the word of {by}");
        }
        _ => {}
    }
}

fn log_queue(queue: Queue, waiting: usize, dropped: u64, waiting_max: u32) {
    if dropped > 0 {
        // As many as there would be if it were not bounded at all times.
        let depth = dropped + waiting as u64;
        tracing::warn!(
            target: SERF,
            "{queue:?} queue depth ({depth}) exceeds limit ({waiting_max}), dropping messages!"
        );
    } else {
        tracing::warn!(target: SERF, "{queue:?} queue depth: {waiting}");
    }
}

async fn alarm(due: Option<Duration>) {
    match due {
        Some(due) => sleep(due).await,
        None => pending().await,
    }
}

/// Lines about members and messages are Serf's own, not the agent's.
const SERF: &str = "swim::serf";
/// Those about what the bare node does.
const MEMBERLIST: &str = "swim_tokio";

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use swim_tokio::rpc::Backend as _;
    use swim_tokio::rpc::wire::Saying;
    use swim_tokio::serf::SerfAgent;
    use swim_tokio::swim_core::Config;
    use swim_tokio::swim_core::serf::SerfConfig;

    use super::*;
    use crate::flags::Format;

    #[tokio::test]
    async fn what_is_said_is_told_in_the_order_in_which_it_happened() {
        let swim = Config::local().build().unwrap();
        let config: Arc<_> = SerfConfig::builder(swim).build().unwrap();
        let bind = (Ipv4Addr::LOCALHOST, 0).into();
        let started = SerfAgent::builder(config).name("a").bind(bind).spawn().await;
        let (handle, _events) = started.unwrap();
        let backend = SerfBackend::new(handle.clone());
        let pump = Pump {
            backend: backend.clone(),
            feed: Feed::new(),
            handlers: Handlers::new(Vec::new()).0,
            printer: Printer::start(Format::Json),
            push: Push::default(),
        };
        let member = handle.me().await.unwrap();
        let by = handle.name().clone();
        let suspected = Event::Evidence {
            member: member.clone(),
            finding: Finding::Suspected { by: by.clone(), evidence: Evidence::Gossip },
        };
        let failed =
            Event::Evidence { member: member.clone(), finding: Finding::Down { by: Some(by) } };
        let joined = Event::Members { change: Change::Join, members: vec![member] };
        // All of it within the time for which the join is held back.
        let mut coalescer = Coalescer::new(Some(Window::AGENT), Some(Window::AGENT));
        for event in [&suspected, &failed, &joined, &suspected] {
            pump.take_in(&mut coalescer, swim_core::Instant::ZERO, event.clone());
        }
        coalescer.handle_timeout(swim_core::Instant::from_secs(10));
        pump.tell_gathered(&mut coalescer);
        let said: Vec<_> = backend.why("a".into()).await.into_iter().map(|one| one.what).collect();
        assert_eq!(said, [Saying::Told, Saying::Failed, Saying::Trusted, Saying::Told]);
        handle.shutdown().await;
    }
}
