//! Servers, as their tags describe them, and the tables that requests are routed by.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use swim_tokio::swim_core::serf::{Change, Event, Member, Status, Tags};
use swim_tokio::swim_core::{self, Admission, Candidate, Policy};

/// What the tags of a Nomad server say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// `NODE.REGION`.
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) dc: String,
    /// How many servers its region waits for before it elects a leader; 0 does not wait.
    pub(crate) expect: u32,
    /// It was told to start a region alone.
    pub(crate) bootstraps: bool,
    pub(crate) votes: bool,
    /// Where it takes RPCs.
    pub(crate) rpc: SocketAddr,
    pub(crate) status: Status,
}

impl Peer {
    /// A member is a server if its role says so and everything that it tells can be read.
    pub(crate) fn of(member: &Member) -> Option<Self> {
        let tags = member.tags();
        let text = Said::of(&tags)?;
        let ip = tags.get("rpc_addr").map(str::parse).transpose().ok()?;
        let ip = ip.unwrap_or_else(|| member.addr().canonical().ip());
        Some(Self {
            name: member.name().into(),
            region: text.region.into(),
            dc: tags.get("dc")?.into(),
            expect: text.expect,
            bootstraps: tags.get("bootstrap").is_some(),
            votes: tags.get("nonvoter").is_none(),
            rpc: SocketAddr::new(ip, text.port),
            status: member.status(),
        })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} {} rpc {}", self.name, self.dc, self.status, self.rpc)
    }
}

/// What every server says.
struct Said<'a> {
    region: &'a str,
    port: u16,
    expect: u32,
}

impl<'a> Said<'a> {
    fn of(tags: &'a Tags) -> Option<Self> {
        if tags.get("role") != Some("nomad") {
            return None;
        }
        if tags.get("build")?.split('.').any(|number| number.parse::<u32>().is_err()) {
            return None;
        }
        let expect = tags.get("expect").map(str::parse).transpose().ok()?.unwrap_or(0);
        Some(Self { region: tags.get("region")?, port: tags.get("port")?.parse().ok()?, expect })
    }
}

/// Only Nomad servers may enter the pool.
pub(crate) struct ServersOnly;

impl Policy for ServersOnly {
    fn admit(
        &self,
        _: &swim_core::Member,
        them: &[Candidate<'_>],
        _: Admission,
    ) -> Result<(), String> {
        let is_server =
            |candidate: &Candidate<'_>| Said::of(&Tags::decode(candidate.meta)).is_some();
        match them.iter().find(|candidate| !is_server(candidate)) {
            Some(other) => Err(format!("{} is no Nomad server", other.name)),
            None => Ok(()),
        }
    }
}

/// The servers of each region, whatever their status, kept by the events of the pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Peers(BTreeMap<String, BTreeMap<String, Peer>>);

impl Peers {
    /// Takes an event.
    pub(crate) fn handle(&mut self, event: &Event) {
        let Event::Members { change, members } = event else { return };
        for peer in members.iter().filter_map(Peer::of) {
            let of_region = self.0.entry(peer.region.clone()).or_default();
            match change {
                Change::Join | Change::Update | Change::Failed => {
                    of_region.insert(peer.name.clone(), peer);
                }
                Change::Leave | Change::Reap => drop(of_region.remove(&peer.name)),
            }
        }
        self.0.retain(|_, of_region| !of_region.is_empty());
    }

    /// Regions, by name.
    pub(crate) fn regions(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// All servers of a region, by name.
    pub(crate) fn of_region(&self, region: &str) -> impl Iterator<Item = &Peer> {
        self.0.get(region).into_iter().flat_map(BTreeMap::values)
    }

    /// A server of a region that a request can be sent to; `draw` chooses among those that are up.
    ///
    /// # Errors
    ///
    /// Nomad's text if there is none.
    pub(crate) fn route(&self, region: &str, draw: usize) -> Result<&Peer, &'static str> {
        let up = || self.of_region(region).filter(|peer| peer.status == Status::Alive);
        let count = up().count();
        let at = draw.checked_rem(count).ok_or("No path to region")?;
        up().nth(at).ok_or("No path to region")
    }

    /// The server of a region whose Raft listens there.
    pub(crate) fn by_rpc(&self, region: &str, rpc: SocketAddr) -> Option<&Peer> {
        self.of_region(region).find(|peer| peer.rpc == rpc)
    }
}
