//! The node under test.

use std::hint::black_box;
use std::sync::Arc;

use bytes::BytesMut;
use swim_core::envelope::{Crc, Label, Outer};
use swim_core::keyring::Keyring;
use swim_core::wire::{Alive, Compound, NodeState, Ping, PushPullHeader, Source};
use swim_core::{Config, Identity, InboundId, Input, Instant, Node, Seed};

use crate::workload::{self, Draft, META, Receiver};

/// Version bytes of every member: memberlist's.
pub const VERSIONS: [u8; 6] = [1, 5, 2, 0, 0, 0];

/// A node and the buffer that it writes to.
#[derive(Debug)]
pub struct Ours {
    /// The node.
    pub node: Node,
    now: Instant,
    buf: BytesMut,
    sent: (u64, u64),
}

/// A datagram and where it comes from.
#[derive(Clone, Debug)]
pub struct Packet {
    /// What [`Input::Datagram`] takes.
    pub bytes: Vec<u8>,
    /// The sender's address.
    pub from: std::net::SocketAddr,
}

impl Ours {
    /// A node that knows only itself.
    pub fn alone() -> Self {
        Self::with(Config::lan().build().expect("the preset is valid"))
    }

    /// A node of this configuration that knows only itself.
    pub fn with(config: Arc<Config>) -> Self {
        let me = Identity::new(&workload::name(0), workload::socket_addr(0))
            .and_then(|me| me.meta(&META))
            .expect("the workload's identities are allowed");
        let now = Instant::from_secs(1);
        let node = Node::new(config, me, Seed::from(7), now);
        let mut ours = Self { node, now, buf: BytesMut::with_capacity(65_536), sent: (0, 0) };
        ours.poll();
        ours
    }

    /// Merges a push/pull, all slices of it.
    pub fn merge(&mut self, state: &[u8]) {
        let input =
            Input::Request { id: InboundId(0), from: workload::socket_addr(1), bytes: state };
        self.node.handle(self.now, input).expect("the workload's states are accepted");
        self.poll();
        while self.node.poll_timeout().is_some_and(|at| at <= self.now) {
            self.node.handle(self.now, Input::Timeout).expect("a time-out is never refused");
            self.poll();
        }
    }

    /// Answers a push/pull: all that this node knows, as it would go on the wire.
    pub fn state(&mut self) -> usize {
        let input =
            Input::Request { id: InboundId(0), from: workload::socket_addr(1), bytes: &EMPTY };
        self.node.handle(self.now, input).expect("an empty state is accepted");
        let before = self.sent.1;
        self.poll();
        (self.sent.1 - before) as usize
    }

    /// Takes a datagram with its outer layers on: opens it, and seals what is sent.
    pub fn take_sealed(&mut self, keyring: &Keyring, packet: &Packet, scratch: &mut BytesMut) {
        let outer = Outer::new(Label::EMPTY, keyring);
        let bytes = outer.open_packet(&packet.bytes, scratch).expect("the workload seals right");
        let input = Input::Datagram { at: self.now, from: packet.from, bytes };
        self.node.handle(self.now, input).expect("the workload's packets are accepted");
        self.buf.clear();
        while let Some(sent) = self.node.poll_transmit(&mut self.buf) {
            scratch.clear();
            let start = self.buf.len() - sent.len;
            outer
                .seal_packet(Crc::Add, [0; 12], &self.buf[start..], None, scratch)
                .expect("a short packet can be sealed");
            self.sent = (self.sent.0 + 1, self.sent.1 + scratch.len() as u64);
            black_box(&scratch[..]);
        }
        self.poll();
    }

    /// Polls everything, as a driver would, into nowhere.
    fn poll(&mut self) {
        self.buf.clear();
        while let Some(sent) = self.node.poll_transmit(&mut self.buf) {
            self.sent = (self.sent.0 + 1, self.sent.1 + sent.len as u64);
            black_box(&self.buf[..]);
            self.buf.clear();
        }
        while let Some(exchange) = self.node.poll_exchange(&mut self.buf) {
            self.sent.1 += self.buf.len() as u64;
            black_box((&exchange, &self.buf[..]));
            self.buf.clear();
        }
        while let Some(event) = self.node.poll_event() {
            black_box(&event);
        }
    }

    fn ping(&mut self, ping: &Packet) {
        let input = Input::Datagram { at: self.now, from: ping.from, bytes: &ping.bytes };
        self.node.handle(self.now, input).expect("the workload's packets are accepted");
        self.poll();
    }
}

impl Receiver for Ours {
    type Packet = Packet;

    fn knowing(n: u32) -> Self {
        let mut ours = Self::alone();
        ours.merge(&state(1..n));
        ours.settle();
        assert_eq!(ours.node.live_len(), n as usize);
        ours
    }

    fn encode(&self, draft: &Draft) -> Packet {
        encode(draft)
    }

    #[inline]
    fn take(&mut self, packet: &Packet) {
        self.ping(packet);
    }

    fn settle(&mut self) {
        // An ack carries what is queued; the clock need not move for it.
        let ping = encode(&Draft { sender: 1, seq: 0, updates: Vec::new() });
        while self.node.rumours_len() > 0 {
            self.ping(&ping);
        }
    }

    fn sent(&self) -> (u64, u64) {
        self.sent
    }
}

/// A packet for the node under test.
pub fn encode(draft: &Draft) -> Packet {
    let (to, from) = (workload::name(0), workload::name(draft.sender));
    let ip = workload::addr(draft.sender).ip().octets();
    let source = Source { addr: &ip, port: 7946, node: from.as_bytes() };
    let mut out = BytesMut::new();
    let mut compound = Compound::begin(&mut out);
    let mut part = |write: &dyn Fn(&mut BytesMut)| compound.part(write).expect("few short parts");
    part(&|out| Ping { seq: draft.seq, node: to.as_bytes(), source }.encode(out));
    for &(member, incarnation) in &draft.updates {
        part(&|out| alive(member, incarnation, |claim| claim.encode(out)));
    }
    compound.finish();
    assert!(out.len() <= 1400, "the packet fits a datagram");
    Packet { bytes: out.to_vec(), from: workload::socket_addr(draft.sender) }
}

/// The same with the outer layers of an unencrypted cluster: a checksum.
pub fn seal(packet: &Packet) -> Packet {
    let mut out = BytesMut::new();
    let keyring = Keyring::empty();
    Outer::new(Label::EMPTY, &keyring)
        .seal_packet(Crc::Add, [0; 12], &packet.bytes, None, &mut out)
        .expect("a short packet can be sealed");
    Packet { bytes: out.to_vec(), from: packet.from }
}

/// Lends the claim that a member is alive.
pub fn alive<T>(member: u32, incarnation: u32, with: impl FnOnce(&Alive<'_>) -> T) -> T {
    let (name, ip) = (workload::name(member), workload::addr(member).ip().octets());
    with(&Alive {
        incarnation,
        node: name.as_bytes(),
        addr: Some(&ip),
        port: 7946,
        meta: Some(&META),
        vsn: Some(&VERSIONS),
    })
}

/// A push/pull message with these members, all alive.
pub fn state(members: std::ops::Range<u32>) -> BytesMut {
    let mut out = BytesMut::new();
    PushPullHeader { join: false, nodes: members.len() as u32, user_state_len: 0 }.encode(&mut out);
    for member in members {
        let (name, ip) = (workload::name(member), workload::addr(member).ip().octets());
        NodeState {
            name: name.as_bytes(),
            addr: Some(&ip),
            port: 7946,
            meta: Some(&META),
            incarnation: workload::KNOWN_INCARNATION,
            state: 0,
            vsn: Some(&VERSIONS),
        }
        .encode(&mut out);
    }
    out
}

/// A push/pull without members.
const EMPTY: [u8; 29] = *b"\x06\x83\xa4Join\xc2\xa5Nodes\x00\xacUserStateLen\x00";
