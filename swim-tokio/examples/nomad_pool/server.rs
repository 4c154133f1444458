//! One server: its place in the pool, its tables, and how its region begins.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use swim_tokio::serf::{Answer, SerfAgent, SerfHandle};
use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::serf::{Change, Event, QueryEvent, QueryParams, SerfConfig, Tags};
use swim_tokio::{Events, Overflow};

use crate::bootstrap::Verdict;
use crate::peer::{Peers, ServersOnly};

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// What a server is started with.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) node: &'static str,
    pub(crate) region: &'static str,
    pub(crate) expect: u32,
    pub(crate) addr: SocketAddr,
}

/// A running server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) plan: Plan,
    pub(crate) serf: SerfHandle,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) peers: Peers,
    /// The peers of Raft, once there are any.
    pub(crate) raft: Option<Vec<String>>,
    /// How often this server began its region.
    pub(crate) bootstraps: u32,
    /// What kept it from that.
    pub(crate) conflicts: Vec<String>,
    /// Members to be taken out of Raft, or put in, in order.
    pub(crate) reconciled: Vec<(String, Change)>,
}

impl Server {
    pub(crate) async fn start(plan: Plan) -> Result<Self, Failure> {
        let ms = Duration::from_millis;
        // Nomad's times are those of a WAN; nobody wants to wait so long for an example.
        let swim = Config::wan()
            .gossip_interval(ms(50))
            .probe_interval(ms(200))
            .probe_timeout(ms(100))
            .push_pull_interval(ms(1000))
            .suspicion_mult(2)
            .reconnect_timeout(Duration::from_secs(72 * 3600))
            .policy(Arc::new(ServersOnly))
            .build()?;
        let config = SerfConfig::builder(swim)
            .protocol(4)
            .leave_propagate_delay(ms(100))
            .name_conflict_resolution(false)
            .build()?;
        let expect = plan.expect.to_string();
        let tags = Tags::new([
            ("role", "nomad"),
            ("region", plan.region),
            ("dc", "dc1"),
            ("build", "1.9.3"),
            ("revision", "4d3c2b1"),
            ("vsn", "1"),
            ("raft_vsn", "3"),
            ("id", plan.node),
            ("port", "4647"),
            ("expect", &expect),
        ])?;
        let (serf, events) = SerfAgent::builder(config)
            .name(format!("{}.{}", plan.node, plan.region))
            .tags(tags)
            .bind(plan.addr)
            .events_max(256)
            .overflow(Overflow::HoldBack)
            .spawn()
            .await?;
        let server = Self { plan, serf, state: Arc::default() };
        tokio::spawn(server.clone().watch(events));
        Ok(server)
    }

    /// Joins the pool; what was before is of no interest.
    pub(crate) async fn join(&self, seed: SocketAddr) -> Result<(), Failure> {
        self.serf.join([seed], false).await?;
        Ok(())
    }

    pub(crate) fn state(&self) -> State {
        self.locked(|state| state.clone())
    }

    fn locked<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().expect("no holder of the lock panics"))
    }

    async fn watch(self, mut events: Events<Event>) {
        while let Some(event) = events.recv().await {
            self.locked(|state| state.peers.handle(&event));
            match event {
                Event::Members { change, members } => {
                    let region = self.plan.region;
                    let near = members.iter().filter(|m| m.tags().get("region") == Some(region));
                    let near = near.map(|member| (member.name().to_owned(), change));
                    self.locked(|state| state.reconciled.extend(near));
                    if change == Change::Join {
                        self.judge();
                    }
                }
                Event::Query(query) => self.answer(&query).await,
                // Nomad takes no user events.
                _ => {}
            }
        }
    }

    /// Looks whether the region is complete, unless it has begun.
    fn judge(&self) {
        let (verdict, has_begun) = self.locked(|state| {
            let peers = state.peers.of_region(self.plan.region);
            (Verdict::of(self.plan.expect, peers), state.raft.is_some())
        });
        if has_begun || self.plan.expect == 0 {
            return;
        }
        match verdict {
            Verdict::Waits { .. } => {}
            Verdict::Conflict(why) => self.locked(|state| {
                if !state.conflicts.contains(&why) {
                    state.conflicts.push(why);
                }
            }),
            // All come to the same verdict, so one may act on it: the first by name.
            Verdict::Complete(peers) if peers[0] == self.serf.name().as_str() => {
                let server = self.clone();
                tokio::spawn(async move { server.begin(peers).await });
            }
            Verdict::Complete(_) => {}
        }
    }

    /// Begins the region, unless one of its servers knows of a Raft already.
    async fn begin(self, peers: Vec<String>) {
        for attempt in 0..6 {
            let answers = self.ask("nomad:raft-peers", "", &peers).await.unwrap_or_default();
            if answers.iter().any(|answer| !answer.is_empty()) {
                return;
            }
            if answers.len() == peers.len() {
                let begins = self.locked(|state| {
                    let begins = state.raft.is_none();
                    if begins {
                        state.raft = Some(peers.clone());
                        state.bootstraps += 1;
                    }
                    begins
                });
                if begins {
                    // As the log of Raft would tell them.
                    let _ = self.ask("nomad:raft-adopt", &peers.join(","), &peers).await;
                }
                return;
            }
            tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
        }
    }

    /// Asks these servers, and gathers what they say.
    async fn ask(&self, name: &str, payload: &str, who: &[String]) -> Result<Vec<String>, Failure> {
        let params = QueryParams::new().nodes(who.iter().cloned());
        let params = params.relay_factor(1).timeout(Duration::from_secs(2));
        let mut answers = self.serf.query(name, payload.to_owned(), params).await?;
        let mut said = Vec::new();
        while said.len() < who.len()
            && let Some(answer) = answers.recv().await
        {
            if let Answer::Response { payload, .. } = answer {
                said.push(String::from_utf8_lossy(&payload).into_owned());
            }
        }
        Ok(said)
    }

    async fn answer(&self, query: &QueryEvent) {
        let answer = self.locked(|state| match query.name.as_str() {
            "nomad:raft-peers" => Some(state.raft.clone().unwrap_or_default().join(",")),
            "nomad:raft-adopt" => {
                let peers = String::from_utf8_lossy(&query.payload);
                let adopted = peers.split(',').map(Into::into).collect();
                state.raft.get_or_insert(adopted);
                Some("adopted".into())
            }
            _ => None,
        });
        if let Some(answer) = answer {
            // Who asks may have given up.
            let _ = self.serf.respond(query.id, answer).await;
        }
    }

    pub(crate) async fn leave(&self) -> Result<(), Failure> {
        self.serf.leave().await?;
        self.serf.shutdown().await;
        Ok(())
    }
}
