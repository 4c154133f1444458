//! What is sent to the nodes under test: the same senders, members and incarnations for all.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

/// The metadata of every member.
pub const META: [u8; 16] = *b"rack=07;az=eu-1b";

/// Bytes of every member's name.
pub const NAME_BYTES: usize = 15;

/// Updates in a packet that carries any.
pub const UPDATES: usize = 10;

/// Numbers of nodes that the packet rows are taken at.
pub const SIZES: [u32; 5] = [10, 100, 1_000, 10_000, 100_000];

/// The name of the `i`th member. The receiver is the 0th.
pub fn name(i: u32) -> String {
    format!("node-{i:06}.dc1")
}

/// Where the `i`th member is.
pub fn addr(i: u32) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::from_bits(0x0a00_0000 + i), 7946)
}

/// The same for any family.
pub fn socket_addr(i: u32) -> SocketAddr {
    SocketAddr::V4(addr(i))
}

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Case {
    /// A ping alone.
    Ping,
    /// A ping and ten alive updates that change nothing.
    Known,
    /// A ping and ten alive updates with a higher incarnation.
    New,
}

impl Case {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ping, Self::Known, Self::New];

    /// Updates in a packet.
    pub const fn updates(self) -> usize {
        match self {
            Self::Ping => 0,
            Self::Known | Self::New => UPDATES,
        }
    }

    /// As the table names it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Known => "ping + 10 known",
            Self::New => "ping + 10 new",
        }
    }
}

/// One packet before it is encoded.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Who sends it.
    pub sender: u32,
    /// The number of the ping; foca has room for its lowest byte.
    pub seq: u32,
    /// Members and their incarnations.
    pub updates: Vec<(u32, u32)>,
}

/// Draws packets from random known senders about random known members.
#[derive(Debug)]
pub struct Drafts {
    rng: SmallRng,
    n: u32,
    /// Distinct in every packet of news.
    incarnation: u32,
    seq: u32,
}

impl Drafts {
    /// For a receiver that knows `n` members, itself included. Equal for all sides.
    pub fn new(n: u32) -> Self {
        Self { rng: SmallRng::seed_from_u64(42), n, incarnation: KNOWN_INCARNATION, seq: 0 }
    }

    /// The next `packets` packets.
    pub fn draw(&mut self, case: Case, packets: usize) -> Vec<Draft> {
        (0..packets).map(|_| self.one(case)).collect()
    }

    fn one(&mut self, case: Case) -> Draft {
        self.seq += 1;
        let incarnation = match case {
            Case::New => {
                self.incarnation += 1;
                self.incarnation
            }
            _ => KNOWN_INCARNATION,
        };
        let Self { rng, n, seq, .. } = self;
        let mut member = || rng.random_range(1..*n);
        let sender = member();
        let updates = (0..case.updates()).map(|_| (member(), incarnation)).collect();
        Draft { sender, seq: *seq, updates }
    }
}

/// The incarnation at which the receiver knows every member.
pub const KNOWN_INCARNATION: u32 = 1;

/// A node that takes packets: ours, or the peer's.
pub trait Receiver {
    /// A packet as it stands on the wire, and where it comes from.
    type Packet;

    /// A node that knows `n` members, itself included, and has nothing left to say about them.
    fn knowing(n: u32) -> Self;

    /// Encodes a packet for it.
    fn encode(&self, draft: &Draft) -> Self::Packet;

    /// Takes a packet and hands out whatever is to be sent now.
    fn take(&mut self, packet: &Self::Packet);

    /// Sends away the news that wait to be gossiped.
    fn settle(&mut self);

    /// Packets handed out so far, and their bytes.
    fn sent(&self) -> (u64, u64);
}
