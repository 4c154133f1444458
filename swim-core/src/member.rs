//! What is known of a member: the record it gossips, its incarnation, its state.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::ids::{Addr, Incarnation, META_BYTES_MAX, NameError, NodeName};

/// A member as this node sees it. Cloning copies a pointer.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Member {
    pub(crate) record: Record,
    pub(crate) incarnation: Incarnation,
    pub(crate) state: State,
}

impl Member {
    /// The name: the key of a member in its cluster.
    pub fn name(&self) -> &str {
        self.record.name()
    }

    /// The name as a value of its own.
    pub fn node_name(&self) -> NodeName {
        NodeName::new(self.name()).expect("a record holds only a checked name")
    }

    /// Where it takes datagrams and streams.
    pub fn addr(&self) -> Addr {
        self.record.addr()
    }

    /// The application's metadata, at most 512 bytes. Members of Go clusters may announce more.
    pub fn meta(&self) -> &[u8] {
        self.record.meta()
    }

    /// The protocol and application versions that it understands and speaks.
    pub fn versions(&self) -> Versions {
        self.record.versions()
    }

    /// The incarnation of the newest claim about it.
    pub const fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Its state.
    pub const fn state(&self) -> State {
        self.state
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { record, incarnation, state } = self;
        write!(f, "{}@{} {state} {incarnation}", record.name(), record.addr())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Member {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut out = s.serialize_struct("Member", 6)?;
        out.serialize_field("name", self.name())?;
        out.serialize_field("addr", &self.addr())?;
        out.serialize_field("meta", self.meta())?;
        out.serialize_field("versions", &self.versions())?;
        out.serialize_field("incarnation", &self.incarnation)?;
        out.serialize_field("state", &self.state)?;
        out.end()
    }
}

/// A member's state (memberlist spec 2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_enums, reason = "the wire format knows these four")]
#[repr(u8)]
pub enum State {
    /// It answers, or nobody has claimed otherwise.
    Alive = 0,
    /// Somebody got no answer; it may still refute.
    Suspect = 1,
    /// It failed: nobody refuted the suspicion in time.
    Dead = 2,
    /// It said that it leaves.
    Left = 3,
}

impl State {
    /// The state that the wire format numbers so.
    pub(crate) const fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Alive),
            1 => Some(Self::Suspect),
            2 => Some(Self::Dead),
            3 => Some(Self::Left),
            _ => None,
        }
    }

    /// Alive or suspect: still counted as a member of the cluster.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Alive | Self::Suspect)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alive => "alive",
            Self::Suspect => "suspect",
            Self::Dead => "dead",
            Self::Left => "left",
        })
    }
}

/// The six version bytes of an alive message, `pmin pmax pcur dmin dmax dcur` (memberlist spec
/// 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Versions(pub(crate) [u8; 6]);

impl Versions {
    /// Smallest, largest and spoken version of memberlist's protocol.
    pub const fn protocol(&self) -> (u8, u8, u8) {
        (self.0[0], self.0[1], self.0[2])
    }

    /// Smallest, largest and spoken version of the application's protocol.
    pub const fn app(&self) -> (u8, u8, u8) {
        (self.0[3], self.0[4], self.0[5])
    }

    /// The bytes as they are gossiped.
    pub const fn as_bytes(&self) -> &[u8; 6] {
        &self.0
    }
}

impl From<[u8; 6]> for Versions {
    fn from(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }
}

/// Everything an alive message says besides the incarnation, packed into one shared allocation:
/// six version bytes, port, length of IP, length of name, IP, name, metadata.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Record(Arc<[u8]>);

/// What stands in a record.
pub(crate) struct Parts<'a> {
    pub(crate) versions: &'a [u8],
    pub(crate) port: u16,
    /// As it goes on the wire.
    pub(crate) ip: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) meta: &'a [u8],
}

const VERSIONS: usize = 6;
const IP_LEN: usize = 8;
const NAME_LEN: usize = 9;
const IP: usize = 10;

impl Record {
    /// The caller has checked `name` with [`check_name`](crate::ids::check_name).
    pub(crate) fn new(name: &[u8], addr: Addr, meta: &[u8], versions: Versions) -> Self {
        let ip = addr.wire_ip();
        let mut bytes = Vec::with_capacity(IP + ip.len() + name.len() + meta.len());
        bytes.extend_from_slice(&versions.0);
        bytes.extend_from_slice(&addr.port().to_be_bytes());
        bytes.push(ip.len() as u8);
        bytes.push(u8::try_from(name.len()).expect("a checked name has at most 255 bytes"));
        bytes.extend_from_slice(ip);
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(meta);
        Self(bytes.into())
    }

    /// All of it, in one look.
    #[inline]
    pub(crate) fn parts(&self) -> Parts<'_> {
        let (head, rest) = self.0.split_first_chunk::<IP>().expect("every record has a head");
        let versions = &head[..VERSIONS];
        let port = u16::from_be_bytes([head[VERSIONS], head[VERSIONS + 1]]);
        let (ip, rest) = rest.split_at(head[IP_LEN].into());
        let (name, meta) = rest.split_at(head[NAME_LEN].into());
        Parts { versions, port, ip, name, meta }
    }

    pub(crate) fn name(&self) -> &str {
        core::str::from_utf8(self.name_bytes()).expect("a record holds only a checked name")
    }

    #[inline]
    pub(crate) fn name_bytes(&self) -> &[u8] {
        let (head, rest) = self.0.split_first_chunk::<IP>().expect("every record has a head");
        &rest[usize::from(head[IP_LEN])..][..usize::from(head[NAME_LEN])]
    }

    #[inline]
    pub(crate) fn is_named(&self, name: &[u8]) -> bool {
        same(self.name_bytes(), name)
    }

    /// Whether these are IP, in this form, and port.
    #[inline]
    pub(crate) fn is_at(&self, wire_ip: &[u8], port: u16) -> bool {
        let Some((head, rest)) = self.0.split_first_chunk::<IP>() else { return false };
        let ip = rest.get(..usize::from(head[IP_LEN]));
        u16::from_be_bytes([head[VERSIONS], head[VERSIONS + 1]]) == port
            && ip.is_some_and(|ip| same(ip, wire_ip))
    }

    /// Whether these are the metadata and versions.
    #[inline]
    pub(crate) fn says(&self, meta: &[u8], versions: &[u8]) -> bool {
        let Some((head, rest)) = self.0.split_first_chunk::<IP>() else { return false };
        let before = usize::from(head[IP_LEN]) + usize::from(head[NAME_LEN]);
        head.first_chunk::<VERSIONS>().map(<[u8; VERSIONS]>::as_slice) == Some(versions)
            && rest.get(before..).is_some_and(|held| same(held, meta))
    }

    pub(crate) fn wire_ip(&self) -> &[u8] {
        &self.0[IP..IP + usize::from(self.0[IP_LEN])]
    }

    pub(crate) fn port(&self) -> u16 {
        u16::from_be_bytes([self.0[VERSIONS], self.0[VERSIONS + 1]])
    }

    pub(crate) fn addr(&self) -> Addr {
        Addr::from_wire(self.wire_ip(), self.port()).expect("a record holds 4 or 16 bytes of IP")
    }

    pub(crate) fn meta(&self) -> &[u8] {
        &self.0[IP + usize::from(self.0[IP_LEN]) + usize::from(self.0[NAME_LEN])..]
    }

    pub(crate) fn versions(&self) -> Versions {
        Versions(self.version_bytes().try_into().expect("six bytes"))
    }

    pub(crate) fn version_bytes(&self) -> &[u8] {
        &self.0[..VERSIONS]
    }

    /// Reads the first and the last byte, and so what lies in between of a short record.
    pub(crate) fn touch(&self) -> u8 {
        self.0.first().copied().unwrap_or(0) ^ self.0.last().copied().unwrap_or(0)
    }

    /// Largest version of memberlist's protocol that the member understands.
    pub(crate) fn protocol_max(&self) -> u8 {
        self.0[1]
    }

    /// The same record with other metadata and address, for a change of one's own.
    pub(crate) fn with(&self, addr: Addr, meta: &[u8]) -> Self {
        Self::new(self.name_bytes(), addr, meta, self.versions())
    }
}

/// Whether two byte strings are equal. Names and addresses are short: two overlapping comparisons
/// of words beat a call of `memcmp`.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        17..=32 => same_ends::<16>(a, b),
        8..=16 => same_ends::<8>(a, b),
        4..=7 => same_ends::<4>(a, b),
        _ => a == b,
    }
}

/// Whether the first and the last `N` bytes are equal.
#[inline]
fn same_ends<const N: usize>(a: &[u8], b: &[u8]) -> bool {
    a.first_chunk::<N>() == b.first_chunk() && a.last_chunk::<N>() == b.last_chunk()
}

/// Who this node is: valid by construction.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Identity {
    pub(crate) name: NodeName,
    pub(crate) addr: Addr,
    pub(crate) meta: Vec<u8>,
    pub(crate) app_versions: [u8; 3],
}

impl Identity {
    /// A node of this name that takes datagrams and streams at `addr`.
    pub fn new(name: &str, addr: impl Into<Addr>) -> Result<Self, IdentityError> {
        let name = NodeName::new(name).map_err(IdentityError::Name)?;
        let addr = addr.into();
        if addr.port() == 0 || addr.canonical().ip().is_unspecified() {
            return Err(IdentityError::Unreachable(addr));
        }
        Ok(Self { name, addr, meta: Vec::new(), app_versions: [0; 3] })
    }

    /// Sets the application's metadata, at most [`META_BYTES_MAX`] bytes.
    pub fn meta(mut self, meta: &[u8]) -> Result<Self, IdentityError> {
        if meta.len() > META_BYTES_MAX {
            return Err(IdentityError::MetaTooLong(meta.len()));
        }
        self.meta = meta.to_vec();
        Ok(self)
    }

    /// Sets the smallest, largest and spoken version of the application's protocol.
    ///
    /// A node that joins a Serf cluster announces `(2, 5, 4)`.
    pub fn app_versions(mut self, min: u8, max: u8, current: u8) -> Result<Self, IdentityError> {
        if !(min..=max).contains(&current) {
            return Err(IdentityError::AppVersion { min, max, current });
        }
        self.app_versions = [min, max, current];
        Ok(self)
    }

    /// The name.
    pub const fn name(&self) -> &NodeName {
        &self.name
    }

    /// The address that others are told.
    pub const fn addr(&self) -> Addr {
        self.addr
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.addr)
    }
}

/// An [`Identity`] as it is read.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    name: NodeName,
    addr: Addr,
    #[serde(default)]
    meta: Vec<u8>,
    #[serde(default)]
    app_versions: [u8; 3],
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Identity {
    type Error = IdentityError;

    fn try_from(read: Unchecked) -> Result<Self, IdentityError> {
        let [min, max, current] = read.app_versions;
        let me = Self::new(read.name.as_str(), read.addr)?.meta(&read.meta)?;
        me.app_versions(min, max, current)
    }
}

/// Why an [`Identity`] cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityError {
    /// The name is not allowed.
    Name(NameError),
    /// Nobody could reach this address: it is unspecified or its port is 0.
    Unreachable(Addr),
    /// The metadata has this many bytes, more than [`META_BYTES_MAX`].
    MetaTooLong(usize),
    /// The spoken application version lies outside of the understood range.
    AppVersion {
        /// Smallest understood.
        min: u8,
        /// Largest understood.
        max: u8,
        /// Spoken.
        current: u8,
    },
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(e) => e.fmt(f),
            Self::Unreachable(a) => write!(f, "others cannot reach a node at {a}"),
            Self::MetaTooLong(n) => write!(f, "metadata has {n} bytes, at most {META_BYTES_MAX}"),
            Self::AppVersion { min, max, current } => {
                write!(f, "application version {current} is not in {min}..={max}")
            }
        }
    }
}

impl core::error::Error for IdentityError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_strings_of_any_length_are_the_same_only_if_every_byte_is() {
        let bytes: [u8; 70] = core::array::from_fn(|i| i as u8);
        for len in 0..70 {
            assert!(same(&bytes[..len], &bytes[..len]));
            assert!(!same(&bytes[..len], &bytes[..len + 1]));
            for at in 0..len {
                let mut other = bytes;
                other[at] ^= 1;
                assert!(!same(&bytes[..len], &other[..len]), "{at} of {len}");
            }
        }
    }
}
