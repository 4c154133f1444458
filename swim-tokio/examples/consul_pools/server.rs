//! Servers, as their tags describe them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use swim_tokio::swim_core::serf::{Change, Event, Member, Status, Tags};

/// What the tags of a Consul server say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// The name without the datacenter.
    pub(crate) name: String,
    pub(crate) dc: String,
    pub(crate) id: String,
    /// Where it takes RPCs.
    pub(crate) rpc: SocketAddr,
    /// The port of its WAN pool, which only the LAN pool tells.
    pub(crate) wan_port: Option<u16>,
    pub(crate) status: Status,
}

impl Server {
    /// A member is a server if its role says so and everything that it tells can be read.
    pub(crate) fn of(member: &Member) -> Option<Self> {
        let tags = member.tags();
        if tags.get("role") != Some("consul") {
            return None;
        }
        tags.get("vsn")?.parse::<u32>().ok()?;
        let numbers = tags.get("build")?.split(':').next()?;
        if numbers.split('.').any(|number| number.parse::<u32>().is_err()) {
            return None;
        }
        let optional = |name: &str| tags.get(name).map(str::parse::<u16>).transpose().ok();
        optional("expect")?;
        let addr = member.addr().canonical();
        let dc = tags.get("dc")?;
        Some(Self {
            name: member
                .name()
                .strip_suffix(&format!(".{dc}"))
                .unwrap_or_else(|| member.name())
                .into(),
            dc: dc.into(),
            id: tags.get("id").unwrap_or_default().into(),
            rpc: SocketAddr::new(addr.ip(), tags.get("port")?.parse().ok()?),
            wan_port: optional("wan_join_port")?,
            status: member.status(),
        })
    }

    /// The name in the WAN pool.
    pub(crate) fn wan_name(&self) -> String {
        format!("{}.{}", self.name, self.dc)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} rpc {}", self.name, self.status, self.rpc)
    }
}

/// The tags of a server.
pub(crate) fn server_tags(dc: &str, id: &str, wan_port: Option<u16>) -> Tags {
    let wan_port = wan_port.map(|port| port.to_string());
    let mut tags = vec![
        ("role", "consul"),
        ("dc", dc),
        ("segment", ""),
        ("id", id),
        ("vsn", "2"),
        ("vsn_min", "2"),
        ("vsn_max", "3"),
        ("raft_vsn", "3"),
        ("build", "1.17.0:abcdef12"),
        ("port", "8300"),
        ("expect", "3"),
        ("ft_fs", "1"),
    ];
    tags.extend(wan_port.as_deref().map(|port| ("wan_join_port", port)));
    Tags::new(tags).expect("they are shorter than 512 bytes")
}

/// The tags of a client that wants to be forgotten soon after it fails.
pub(crate) fn client_tags(dc: &str, id: &str) -> Tags {
    let tags = [("role", "node"), ("dc", dc), ("segment", ""), ("id", id), ("rc_tm", "2s")];
    Tags::new(tags).expect("they are shorter than 512 bytes")
}

/// The servers of each datacenter, kept by the events of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Servers(BTreeMap<String, BTreeMap<String, Server>>);

impl Servers {
    /// Takes an event. A server that has failed is kept, since it may come back; one that has left,
    /// or was forgotten, is not.
    pub(crate) fn handle(&mut self, event: &Event) {
        let Event::Members { change, members } = event else { return };
        for server in members.iter().filter_map(Server::of) {
            let of_dc = self.0.entry(server.dc.clone()).or_default();
            match change {
                Change::Join | Change::Update | Change::Failed => {
                    of_dc.insert(server.name.clone(), server);
                }
                Change::Leave | Change::Reap => drop(of_dc.remove(&server.name)),
            }
        }
        self.0.retain(|_, of_dc| !of_dc.is_empty());
    }

    /// The table that a list of members gives, after events were missed.
    pub(crate) fn of_members<'a>(members: impl IntoIterator<Item = &'a Member>) -> Self {
        let mut servers = Self::default();
        for member in members {
            let change = match member.status() {
                Status::Left => Change::Leave,
                _ => Change::Update,
            };
            servers.handle(&Event::Members { change, members: vec![member.clone()] });
        }
        servers
    }

    /// Datacenters and their servers, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = &Server>)> {
        self.0.iter().map(|(dc, servers)| (dc.as_str(), servers.values()))
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Server> {
        self.0.values().flat_map(BTreeMap::values)
    }
}
