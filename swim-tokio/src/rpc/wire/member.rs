//! A member as the agent tells of it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use swim_core::wire::msgpack::Reader;

use super::BadMessage;
use super::read::{fields, map, text};
use super::write::Writer;

/// A member of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// What the asked agent believes of it.
    pub status: MemberStatus,
    /// Smallest, largest and spoken version of memberlist's protocol.
    pub protocol: [u8; 3],
    /// Smallest, largest and spoken version of Serf's protocol.
    pub delegate: [u8; 3],
}

impl Member {
    /// A member without tags, in the versions of Serf 0.9.
    pub fn new(name: impl Into<String>, addr: SocketAddr, status: MemberStatus) -> Self {
        let (protocol, delegate) = ([1, 5, 2], [2, 5, 5]);
        Self { name: name.into(), addr, tags: BTreeMap::new(), status, protocol, delegate }
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, BadMessage> {
        let (mut ip, mut port) = (IpAddr::from(Ipv4Addr::UNSPECIFIED), 0);
        let addr = SocketAddr::new(ip, port);
        let mut member = Self::new("", addr, MemberStatus::None);
        (member.protocol, member.delegate) = ([0; 3], [0; 3]);
        fields(from, FIELDS, |name, from| {
            match name {
                "Name" => member.name = text(from)?,
                "Addr" => ip = ip_addr(from.text()?)?,
                "Port" => port = from.u16()?,
                "Tags" => member.tags = map(from, text)?,
                "Status" => {
                    let status = text(from)?;
                    member.status = status.parse().map_err(|_| BadMessage::Status(status))?;
                }
                "ProtocolMin" => member.protocol[0] = from.u8()?,
                "ProtocolMax" => member.protocol[1] = from.u8()?,
                "ProtocolCur" => member.protocol[2] = from.u8()?,
                "DelegateMin" => member.delegate[0] = from.u8()?,
                "DelegateMax" => member.delegate[1] = from.u8()?,
                _ => member.delegate[2] = from.u8()?,
            }
            Ok(())
        })?;
        member.addr = SocketAddr::new(ip, port);
        Ok(member)
    }

    pub(super) fn write(&self, to: &mut Writer<'_>) {
        to.map(FIELDS.len()).text("Addr");
        match self.addr.ip() {
            IpAddr::V4(ip) => to.bytes(&ip.octets()),
            IpAddr::V6(ip) => to.bytes(&ip.octets()),
        };
        let [min, max, current] = self.delegate.map(u64::from);
        to.text("DelegateCur").uint(current);
        to.text("DelegateMax").uint(max).text("DelegateMin").uint(min);
        to.text("Name").text(&self.name).text("Port").uint(self.addr.port().into());
        let [min, max, current] = self.protocol.map(u64::from);
        to.text("ProtocolCur").uint(current);
        to.text("ProtocolMax").uint(max).text("ProtocolMin").uint(min);
        to.text("Status").text(self.status.as_str()).text("Tags").text_map(&self.tags);
    }
}

/// What an agent believes of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemberStatus {
    /// Nothing yet.
    None,
    /// It is there.
    Alive,
    /// It has said that it leaves.
    Leaving,
    /// It has left, or was made to.
    Left,
    /// It does not answer.
    Failed,
}

impl MemberStatus {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Alive => "alive",
            Self::Leaving => "leaving",
            Self::Left => "left",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for MemberStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for MemberStatus {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::None, Self::Alive, Self::Leaving, Self::Left, Self::Failed];
        all.into_iter().find(|status| status.as_str() == text).ok_or(())
    }
}

fn ip_addr(bytes: &[u8]) -> Result<IpAddr, BadMessage> {
    match bytes.len() {
        // A member of whom nothing but the name is known.
        0 => Ok(Ipv4Addr::UNSPECIFIED.into()),
        4 => Ok(<[u8; 4]>::try_from(bytes).expect("4 bytes").into()),
        16 => Ok(<[u8; 16]>::try_from(bytes).expect("16 bytes").into()),
        len => Err(BadMessage::Addr(len)),
    }
}

/// In the order in which Serf declares them.
const FIELDS: &[&str] = &[
    "Name",
    "Addr",
    "Port",
    "Tags",
    "Status",
    "ProtocolMin",
    "ProtocolMax",
    "ProtocolCur",
    "DelegateMin",
    "DelegateMax",
    "DelegateCur",
];
