//! Identities for foca.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use bytes::{Buf, BufMut};
use foca::Identity;

use super::codec::Refused;
use crate::workload::{self, META, NAME_BYTES};

/// An identity that can be made by number and written by [`Raw`](super::Raw).
pub trait Content: Identity {
    /// Bytes on the wire.
    const BYTES: usize;

    /// That of the `i`th member.
    fn of(i: u32) -> Self;

    /// Writes all of it.
    fn put(&self, out: &mut impl BufMut);

    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`Refused`] if bytes are missing.
    fn get(from: &mut impl Buf) -> Result<Self, Refused>;
}

/// Address, generation and 8 bytes of metadata, without a name: an upper bound for foca.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Small {
    addr: SocketAddrV4,
    generation: u16,
    meta: [u8; 8],
}

impl Small {
    /// The number that it was made with.
    pub fn index(&self) -> u32 {
        self.addr.ip().to_bits() - workload::addr(0).ip().to_bits()
    }
}

impl Identity for Small {
    type Addr = SocketAddrV4;

    fn renew(&self) -> Option<Self> {
        Some(Self { generation: self.generation.wrapping_add(1), ..*self })
    }

    fn addr(&self) -> SocketAddrV4 {
        self.addr
    }

    fn win_addr_conflict(&self, other: &Self) -> bool {
        self.generation > other.generation
    }
}

impl Content for Small {
    const BYTES: usize = 16;

    fn of(i: u32) -> Self {
        Self { addr: workload::addr(i), generation: 0, meta: [0x5a; 8] }
    }

    #[inline]
    fn put(&self, out: &mut impl BufMut) {
        let mut bytes = [0; Self::BYTES];
        put_addr(&mut bytes, self.addr, self.generation);
        bytes[8..].copy_from_slice(&self.meta);
        out.put_slice(&bytes);
    }

    #[inline]
    fn get(from: &mut impl Buf) -> Result<Self, Refused> {
        let bytes: [u8; Self::BYTES] = take(from)?;
        let (addr, generation) = addr_of(&bytes);
        let meta = *bytes.last_chunk().ok_or(Refused)?;
        Ok(Self { addr, generation, meta })
    }
}

/// What ours has: name, address, generation and 16 bytes of metadata, all inline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    addr: SocketAddrV4,
    generation: u16,
    name: [u8; NAME_BYTES],
    meta: [u8; META.len()],
}

impl Identity for Named {
    type Addr = SocketAddrV4;

    fn renew(&self) -> Option<Self> {
        Some(Self { generation: self.generation.wrapping_add(1), ..*self })
    }

    fn addr(&self) -> SocketAddrV4 {
        self.addr
    }

    fn win_addr_conflict(&self, other: &Self) -> bool {
        self.generation > other.generation
    }
}

impl Content for Named {
    const BYTES: usize = 8 + NAME_BYTES + META.len();

    fn of(i: u32) -> Self {
        let name = workload::name(i).as_bytes().try_into().expect("names have one length");
        Self { addr: workload::addr(i), generation: 0, name, meta: META }
    }

    #[inline]
    fn put(&self, out: &mut impl BufMut) {
        let mut bytes = [0; Self::BYTES];
        put_addr(&mut bytes, self.addr, self.generation);
        bytes[8..8 + NAME_BYTES].copy_from_slice(&self.name);
        bytes[8 + NAME_BYTES..].copy_from_slice(&self.meta);
        out.put_slice(&bytes);
    }

    #[inline]
    fn get(from: &mut impl Buf) -> Result<Self, Refused> {
        let bytes: [u8; Self::BYTES] = take(from)?;
        let (addr, generation) = addr_of(&bytes);
        let name = *bytes[8..].first_chunk().ok_or(Refused)?;
        let meta = *bytes.last_chunk().ok_or(Refused)?;
        Ok(Self { addr, generation, name, meta })
    }
}

/// The same content in the types that one reaches for first; for the memory row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heap {
    name: String,
    addr: SocketAddr,
    generation: u64,
    meta: Vec<u8>,
}

impl Identity for Heap {
    type Addr = SocketAddr;

    fn renew(&self) -> Option<Self> {
        None
    }

    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn win_addr_conflict(&self, other: &Self) -> bool {
        self.generation > other.generation
    }
}

impl Content for Heap {
    const BYTES: usize = Named::BYTES;

    fn of(i: u32) -> Self {
        let addr = workload::socket_addr(i);
        Self { name: workload::name(i), addr, generation: 0, meta: META.to_vec() }
    }

    fn put(&self, _: &mut impl BufMut) {
        unreachable!("the memory row sends nothing");
    }

    fn get(_: &mut impl Buf) -> Result<Self, Refused> {
        Err(Refused)
    }
}

#[inline]
fn put_addr(bytes: &mut [u8], addr: SocketAddrV4, generation: u16) {
    bytes[..4].copy_from_slice(&addr.ip().octets());
    bytes[4..6].copy_from_slice(&addr.port().to_be_bytes());
    bytes[6..8].copy_from_slice(&generation.to_be_bytes());
}

#[inline]
fn addr_of(b: &[u8]) -> (SocketAddrV4, u16) {
    let addr =
        SocketAddrV4::new(Ipv4Addr::new(b[0], b[1], b[2], b[3]), u16::from_be_bytes([b[4], b[5]]));
    (addr, u16::from_be_bytes([b[6], b[7]]))
}

#[inline]
fn take<const N: usize>(from: &mut impl Buf) -> Result<[u8; N], Refused> {
    if from.remaining() < N {
        return Err(Refused);
    }
    let mut bytes = [0; N];
    from.copy_to_slice(&mut bytes);
    Ok(bytes)
}
