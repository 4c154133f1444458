//! One agent: its LAN pool, and if it is a server the WAN pool besides.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use swim_tokio::serf::{SerfAgent, SerfHandle};
use swim_tokio::swim_core::keyring::Keyring;
use swim_tokio::swim_core::serf::{Change, Event, SerfConfig, Tags};
use swim_tokio::swim_core::{Config, ConfigBuilder, Network};
use swim_tokio::{Events, Overflow};

use crate::fired::Fired;
use crate::merge::{Lan, Wan};
use crate::near::nearest;
use crate::server::{Server, Servers, client_tags, server_tags};

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// What an agent is started with.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) dc: String,
    /// The ID of the node, of which there must not be two.
    pub(crate) id: String,
    pub(crate) ip: IpAddr,
    pub(crate) lan_port: u16,
    /// A client has none.
    pub(crate) wan_port: Option<u16>,
    /// The keys of the LAN pool, if it is encrypted.
    pub(crate) keyring: Option<Keyring>,
}

/// A running agent.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) plan: Plan,
    pub(crate) lan: SerfHandle,
    pub(crate) wan: Option<SerfHandle>,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

/// What an agent has made of the events of its pools.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Servers of its own datacenter, as the LAN pool has them.
    pub(crate) near: Servers,
    /// Servers of all datacenters, as the WAN pool has them.
    pub(crate) all: Servers,
    pub(crate) leaders: Vec<String>,
    pub(crate) fired: Vec<Fired>,
    /// Members whose Raft peer is to go, in order: those who left or were forgotten.
    pub(crate) gone: Vec<(String, Change)>,
}

impl Agent {
    /// Starts an agent that knows nobody yet.
    pub(crate) async fn start(plan: Plan) -> Result<Self, Failure> {
        let policy = Lan { dc: plan.dc.clone(), id: plan.id.clone() };
        let mut swim = timing(Config::lan()).policy(Arc::new(policy));
        if let Some(keyring) = &plan.keyring {
            swim = swim.keyring(keyring.clone());
        }
        let tags = match plan.wan_port {
            Some(port) => server_tags(&plan.dc, &plan.id, Some(port)),
            None => client_tags(&plan.dc, &plan.id),
        };
        let lan = (plan.name.clone(), plan.lan_port, tags);
        let (lan, lan_events) = pool(common(swim)?, plan.ip, lan).await?;
        let seen = Arc::<Mutex<Seen>>::default();
        let (mut wan, mut wan_events) = (None, None);
        if let Some(port) = plan.wan_port {
            let name = format!("{}.{}", plan.name, plan.dc);
            let tags = server_tags(&plan.dc, &plan.id, None);
            let swim = timing(Config::wan()).policy(Arc::new(Wan));
            let (handle, events) = pool(common(swim)?, plan.ip, (name, port, tags)).await?;
            (wan, wan_events) = (Some(handle), Some(events));
        }
        let agent = Self { plan, lan, wan, seen };
        tokio::spawn(agent.clone().watch_lan(lan_events));
        if let Some(events) = wan_events {
            tokio::spawn(agent.clone().watch_wan(events));
            tokio::spawn(agent.clone().flood_often());
        }
        Ok(agent)
    }

    pub(crate) fn seen(&self) -> Seen {
        self.locked(|seen| seen.clone())
    }

    fn locked<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(&mut self.seen.lock().expect("no holder of the lock panics"))
    }

    async fn watch_lan(self, mut events: Events<Event>) {
        while let Some(event) = events.recv().await {
            self.locked(|seen| seen.near.handle(&event));
            match event {
                Event::Members { change: Change::Join, members } if self.wan.is_some() => {
                    for server in members.iter().filter_map(Server::of) {
                        self.flood(&server).await;
                    }
                }
                Event::Members { change: change @ (Change::Leave | Change::Reap), members } => {
                    let gone = members.iter().map(|member| (member.name().to_owned(), change));
                    self.locked(|seen| seen.gone.extend(gone));
                }
                Event::User(event) => self.on_user_event(&event.name, &event.payload),
                // The queue holds senders back, so this is the node's own bound.
                Event::Lagged(_) => {
                    if let Ok(members) = self.lan.members().await {
                        self.locked(|seen| seen.near = Servers::of_members(members.all()));
                    }
                }
                _ => {}
            }
        }
    }

    async fn watch_wan(self, mut events: Events<Event>) {
        while let Some(event) = events.recv().await {
            self.locked(|seen| seen.all.handle(&event));
        }
    }

    /// Only names with Consul's prefix are Consul's.
    fn on_user_event(&self, name: &str, payload: &[u8]) {
        if name == "consul:new-leader" {
            let leader = String::from_utf8_lossy(payload).into_owned();
            self.locked(|seen| seen.leaders.push(leader));
        } else if name.starts_with(Fired::PREFIX)
            && let Some(fired) = Fired::decode(payload)
        {
            self.locked(|seen| seen.fired.push(fired));
        }
    }

    /// Brings a server of the LAN pool into the WAN pool, unless it is known there.
    async fn flood(&self, server: &Server) {
        let (Some(wan), Some(port)) = (&self.wan, server.wan_port) else { return };
        let name = server.wan_name();
        let Ok(members) = wan.members().await else { return };
        if members.get(&name).is_some() {
            return;
        }
        let addr = SocketAddr::new(server.rpc.ip(), port);
        // It may be about to start; whoever joins later floods again, and so does its own agent.
        let _ = wan.join([format!("{name}/{addr}")], false).await;
    }

    /// Floods once a minute, as long as the LAN pool is there.
    async fn flood_often(self) {
        let mut minutes = tokio::time::interval(Duration::from_secs(60) / SPEED);
        loop {
            tokio::select! {
                _ = minutes.tick() => self.flood_all().await,
                () = self.lan.stopped() => return,
            }
        }
    }

    /// Floods with every server of the LAN pool.
    pub(crate) async fn flood_all(&self) {
        for server in self.seen().near.all() {
            self.flood(server).await;
        }
    }

    /// Tells the datacenter who leads it.
    pub(crate) async fn tell_leader(&self) -> Result<(), Failure> {
        Ok(self.lan.user_event("consul:new-leader", self.plan.name.clone(), false).await?)
    }

    /// Fires an event to the datacenter.
    pub(crate) async fn fire(&self, fired: &Fired) -> Result<(), Failure> {
        let name = format!("{}{}", Fired::PREFIX, fired.name);
        Ok(self.lan.user_event(name, fired.encode(), false).await?)
    }

    /// Other datacenters, [`nearest`] first.
    pub(crate) async fn nearest(&self) -> Result<Vec<(Duration, String)>, Failure> {
        let Some(wan) = &self.wan else { return Ok(Vec::new()) };
        let me = wan.coordinate(wan.name().as_str()).await?.ok_or("coordinates are off")?;
        let (all, mut others) = (self.seen().all, Vec::new());
        for (dc, servers) in all.iter().filter(|(dc, _)| *dc != self.plan.dc) {
            let mut known = Vec::new();
            for server in servers {
                known.extend(wan.coordinate(server.wan_name()).await?);
            }
            others.push((dc.to_owned(), known));
        }
        Ok(nearest(&me, others))
    }

    /// Leaves the WAN pool, then the LAN pool, and stops.
    pub(crate) async fn leave(&self) -> Result<(), Failure> {
        for pool in self.wan.iter().chain([&self.lan]) {
            pool.leave().await?;
            pool.shutdown().await;
        }
        Ok(())
    }
}

/// Starts one pool.
async fn pool(
    config: Arc<SerfConfig>,
    ip: IpAddr,
    (name, port, tags): (String, u16, Tags),
) -> Result<(SerfHandle, Events<Event>), Failure> {
    let builder = SerfAgent::builder(config).name(name).tags(tags).bind(SocketAddr::new(ip, port));
    Ok(builder.events_max(2048).overflow(Overflow::HoldBack).spawn().await?)
}

/// What Consul sets in both pools.
fn common(swim: ConfigBuilder) -> Result<Arc<SerfConfig>, Failure> {
    let swim = swim
        .reconnect_timeout(Duration::from_secs(72 * 3600))
        .dead_node_reclaim_time(Duration::from_secs(30))
        .allowed(&["127.0.0.0/8".parse::<Network>()?])
        .build()?;
    let config = SerfConfig::builder(swim)
        .protocol(4)
        .leave_propagate_delay(Duration::from_secs(3) / SPEED)
        .min_queue_depth(4096)
        .queue_depth_warning(1_000_000)
        .name_conflict_resolution(false);
    Ok(config.build()?)
}

/// A profile of Consul's, sped up so that nobody has to wait for the example.
fn timing(profile: ConfigBuilder) -> ConfigBuilder {
    let ms = Duration::from_millis;
    profile
        .gossip_interval(ms(50))
        .probe_interval(ms(200))
        .probe_timeout(ms(100))
        .push_pull_interval(ms(1000))
        .reap_interval(ms(500))
        .suspicion_mult(2)
}

const SPEED: u32 = 10;
