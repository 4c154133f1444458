//! The small values that everything else is made of.

use alloc::sync::Arc;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Longest node name that is accepted, in bytes.
///
/// memberlist sets no bound (memberlist spec 9, hazard 22); Serf refuses names above 128.
pub const NAME_BYTES_MAX: usize = 255;

/// Longest metadata that is accepted, in bytes (memberlist spec 7, fixed constants).
pub const META_BYTES_MAX: usize = 512;

/// A node's name: 1 to [`NAME_BYTES_MAX`] bytes of UTF-8, the key of a member in its cluster.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(Arc<str>);

impl NodeName {
    /// The name, if its length and encoding are allowed.
    pub fn new(name: &str) -> Result<Self, NameError> {
        Self::from_wire(name.as_bytes())
    }

    /// A name as it came from a peer.
    pub(crate) fn from_wire(name: &[u8]) -> Result<Self, NameError> {
        Ok(Self(check_name(name)?.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name is one that Serf calls valid (serf spec 1.7): letters and digits of ASCII,
    /// `-` and `.`, at most 128 of them.
    pub fn is_valid_for_serf(name: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        (1..=128).contains(&name.len()) && name.bytes().all(allowed)
    }
}

/// `name` as text, if its length and encoding are allowed.
pub(crate) fn check_name(name: &[u8]) -> Result<&str, NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(NameError::TooLong(name.len()));
    }
    core::str::from_utf8(name).map_err(|_| NameError::NotUtf8)
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for NodeName {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for NodeName {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

/// Why a name is not a [`NodeName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// The name has no bytes.
    Empty,
    /// The name has this many bytes, more than [`NAME_BYTES_MAX`].
    TooLong(usize),
    /// The name is not UTF-8.
    NotUtf8,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("node name is empty"),
            Self::TooLong(n) => write!(f, "node name has {n} bytes, at most {NAME_BYTES_MAX}"),
            Self::NotUtf8 => f.write_str("node name is not UTF-8"),
        }
    }
}

impl core::error::Error for NameError {}

/// A member's address as its owner gossips it: 4 or 16 bytes of IP, kept verbatim, and a port.
///
/// Go nodes send an IPv4 address in either form and compare the bytes (memberlist spec 2.4), so the
/// form must survive being passed on. [`Self::canonical`] is for comparing and sending.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Addr {
    ip: [u8; 16],
    ip_len: u8,
    port: u16,
}

impl Addr {
    /// The address of `ip` bytes (4 or 16) and `port`.
    pub fn from_wire(ip: &[u8], port: u16) -> Result<Self, AddrError> {
        if ip.len() != 4 && ip.len() != 16 {
            return Err(AddrError(ip.len()));
        }
        let mut bytes = [0; 16];
        bytes[..ip.len()].copy_from_slice(ip);
        Ok(Self { ip: bytes, ip_len: ip.len() as u8, port })
    }

    /// The IP in the form in which it is gossiped: 4 or 16 bytes.
    pub fn wire_ip(&self) -> &[u8] {
        &self.ip[..usize::from(self.ip_len)]
    }

    /// The port, for datagrams and streams alike.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where to send: a mapped IPv4 address becomes IPv4; scope and flow are zero.
    pub fn canonical(&self) -> SocketAddr {
        let ip = if self.ip_len == 4 {
            IpAddr::V4(Ipv4Addr::new(self.ip[0], self.ip[1], self.ip[2], self.ip[3]))
        } else {
            IpAddr::V6(Ipv6Addr::from(self.ip)).to_canonical()
        };
        SocketAddr::new(ip, self.port)
    }

    /// Whether both name the same place, whatever their form.
    pub fn same_place(&self, other: &Self) -> bool {
        self == other || (self.ip_len != other.ip_len && self.canonical() == other.canonical())
    }
}

/// IPv4 takes 4 bytes, IPv6 16; a scope id is dropped, since it means nothing to another host.
impl From<SocketAddr> for Addr {
    fn from(addr: SocketAddr) -> Self {
        let mut ip = [0; 16];
        let ip_len = match addr.ip() {
            IpAddr::V4(v4) => {
                ip[..4].copy_from_slice(&v4.octets());
                4
            }
            IpAddr::V6(v6) => {
                ip = v6.octets();
                16
            }
        };
        Self { ip, ip_len, port: addr.port() }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.canonical().fmt(f)
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.canonical().fmt(f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Addr {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        serde::Serialize::serialize(&self.canonical(), s)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Addr {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        SocketAddr::deserialize(d).map(Self::from)
    }
}

/// An IP of this many bytes, neither 4 nor 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddrError(pub usize);

impl fmt::Display for AddrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "address has {} bytes, not 4 or 16", self.0)
    }
}

impl core::error::Error for AddrError {}

/// How often a member has renewed its claim to be alive. Only the member itself raises it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Incarnation(pub u32);

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names a command, so that its [`Event::Done`](crate::Event::Done) can be matched. The caller
/// chooses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OpId(pub u64);

/// A stream that a peer opened to this node. The driver chooses the number and must not reuse it
/// while the stream is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InboundId(pub u64);

/// A stream that this node asked its driver to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OutboundId(pub u64);

/// A datagram that was handed out, for [`Input::Unsent`](crate::Input::Unsent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Token(pub u64);

/// A member by its place in the table, valid until the next input. See
/// [`Node::peer_name`](crate::Node::peer_name).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(pub(crate) u32);

/// Rank of a user broadcast: lanes are served in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_enums, reason = "a fourth lane would be a new wire behaviour")]
pub enum Lane {
    /// Served first, after membership rumours.
    High,
    /// Served second.
    #[default]
    Normal,
    /// Served last.
    Low,
}

impl Lane {
    /// All of them, in order of rank.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_ipv4_address_are_one_place() {
        let four = Addr::from_wire(&[10, 0, 0, 1], 7946).unwrap();
        let mapped = Addr::from_wire(&Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped().octets(), 7946);
        let mapped = mapped.unwrap();
        assert_ne!(four, mapped);
        assert!(four.same_place(&mapped));
        assert_eq!(mapped.canonical(), "10.0.0.1:7946".parse().unwrap());
        assert_eq!(mapped.wire_ip().len(), 16);
    }

    #[test]
    fn a_scope_id_does_not_leave_the_host() {
        let scoped: SocketAddr = "[fe80::1%3]:7946".parse().unwrap();
        assert_eq!(Addr::from(scoped).canonical(), "[fe80::1]:7946".parse().unwrap());
    }

    #[test]
    fn odd_addresses_and_names_are_refused() {
        assert_eq!(Addr::from_wire(&[1, 2, 3], 1), Err(AddrError(3)));
        assert_eq!(Addr::from_wire(&[], 1), Err(AddrError(0)));
        assert_eq!(NodeName::new(""), Err(NameError::Empty));
        assert_eq!(NodeName::from_wire(&[b'a'; 256]), Err(NameError::TooLong(256)));
        assert_eq!(NodeName::from_wire(&[0xff]), Err(NameError::NotUtf8));
    }
}
