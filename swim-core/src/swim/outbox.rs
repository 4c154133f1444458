//! Datagrams that wait for `poll_transmit`, as small records: their bytes are made when they go.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use bytes::Bytes;

use super::members::SlotId;
use crate::config::Knobs;
use crate::ids::{Addr, NodeName};
use crate::input::Seat;
use crate::time::Instant;

/// One datagram to be made.
#[derive(Clone, Debug)]
pub(crate) enum Packet {
    /// Answers a ping.
    Ack { to: Addr, seq: u32, expires: Instant },
    /// Passes a relayed target's answer on to the requester.
    RelayedAck { to: Addr, seq: u32, expires: Instant },
    /// Tells the requester that its target has not answered.
    Nack { to: Addr, seq: u32, expires: Instant },
    /// Pings another's target.
    Relay { to: Box<(Addr, NodeName)>, seq: u32, expires: Instant },
    /// Tells a suspect that it is one.
    Challenge { suspect: SlotId },
    /// Tells an accuser that this node lives.
    Refutation { to: Addr },
    /// Pings the target of the probe under way.
    Probe { target: SlotId, seq: u32 },
    /// Asks a helper to ping the target of the probe under way.
    AskHelper { helper: SlotId, target: SlotId, seq: u32, nack: bool },
    /// A ping of the embedder's.
    Ping { to: Box<(Addr, NodeName)>, seq: u32 },
    /// A direct message of the embedder's.
    Direct(Box<Direct>),
    /// One target of a gossip round.
    Gossip { to: SlotId },
    /// An answer, and the name of whom it is for.
    Named(Box<(NodeName, Self)>),
}

/// A message to one node.
#[derive(Clone, Debug)]
pub(crate) struct Direct {
    pub(crate) to: Seat,
    pub(crate) payload: Bytes,
}

impl Packet {
    /// When it is of no use any more; `None` if never.
    pub(crate) fn expires(&self) -> Option<Instant> {
        match *self {
            Self::Ack { expires, .. }
            | Self::RelayedAck { expires, .. }
            | Self::Nack { expires, .. }
            | Self::Relay { expires, .. } => Some(expires),
            _ => None,
        }
    }

    /// For whoever has this name, unless it is none.
    pub(crate) fn for_name(self, name: &[u8]) -> Self {
        match NodeName::from_wire(name) {
            Ok(name) => Self::Named(Box::new((name, self))),
            Err(_) => self,
        }
    }

    /// The packet, and for whom it is if it goes to an address.
    pub(crate) fn split_name(self) -> (Self, Option<NodeName>) {
        match self {
            Self::Named(named) => {
                let (name, packet) = *named;
                (packet, Some(name))
            }
            Self::Relay { ref to, .. } | Self::Ping { ref to, .. } => {
                let name = to.1.clone();
                (self, Some(name))
            }
            Self::Direct(ref direct) => {
                let name = direct.to.name.clone();
                (self, name)
            }
            packet => (packet, None),
        }
    }

    /// Whether this is the answer to this accuser.
    fn is_refutation(&self, accuser: Addr) -> bool {
        match self {
            Self::Refutation { to } => *to == accuser,
            Self::Named(named) => matches!(named.1, Self::Refutation { to } if to == accuser),
            _ => false,
        }
    }
}

/// Direct messages that wait.
#[derive(Default)]
struct Directs {
    waiting: VecDeque<Direct>,
    bytes: usize,
}

/// The queues, served in the order of the fields.
pub(crate) struct Outbox {
    /// Acks, nacks, relayed pings and probes.
    urgent: VecDeque<Packet>,
    direct: Option<Box<Directs>>,
    gossip: VecDeque<Packet>,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self { urgent: VecDeque::new(), direct: None, gossip: VecDeque::new() }
    }

    /// Queues an ack, nack or relayed ping; false if `max` of them wait already.
    pub(crate) fn reply(&mut self, packet: Packet, max: u32) -> bool {
        let room = self.urgent.len() < max as usize;
        if room {
            self.urgent.push_back(packet);
        }
        room
    }

    /// Whether the last to be queued is this node's answer to this accuser.
    pub(crate) fn ends_with_refutation(&self, accuser: Addr) -> bool {
        self.urgent.back().is_some_and(|last| last.is_refutation(accuser))
    }

    /// Queues a packet of a probe; their number is bounded by that of the probes.
    pub(crate) fn probe(&mut self, packet: Packet) {
        self.urgent.push_back(packet);
    }

    /// Drops what a probe that has ended did not get to send.
    pub(crate) fn drop_probe(&mut self, ended: u32) {
        self.urgent.retain(|packet| match packet {
            Packet::Probe { seq, .. } | Packet::AskHelper { seq, .. } => *seq != ended,
            _ => true,
        });
    }

    /// Drops a ping of the embedder's whose time is over.
    pub(crate) fn drop_ping(&mut self, ended: u32) {
        self.urgent.retain(|packet| !matches!(packet, Packet::Ping { seq, .. } if *seq == ended));
    }

    /// Queues a direct message; false if more than `bytes_max` would wait.
    pub(crate) fn direct(&mut self, message: Direct, bytes_max: u32) -> bool {
        let direct = self.direct.get_or_insert_default();
        let bytes = direct.bytes + message.charge();
        let room = bytes <= bytes_max as usize;
        if room {
            direct.bytes = bytes;
            direct.waiting.push_back(message);
        }
        room
    }

    /// Begins a gossip round; what the last one did not get to send is dropped.
    pub(crate) fn begin_gossip(&mut self) {
        self.gossip.clear();
    }

    pub(crate) fn gossip(&mut self, to: SlotId) {
        self.gossip.push_back(Packet::Gossip { to });
    }

    pub(crate) fn pop(&mut self) -> Option<Packet> {
        if let Some(packet) = self.urgent.pop_front() {
            return Some(packet);
        }
        if let Some(direct) = &mut self.direct {
            if let Some(message) = direct.waiting.pop_front() {
                direct.bytes -= message.charge();
                return Some(Packet::Direct(Box::new(message)));
            }
            self.direct = None;
        }
        self.gossip.pop_front()
    }

    /// What must hold at all times.
    pub(crate) fn audit(&self, knobs: &Knobs) {
        // Replies, the probe under way, and the embedder's pings.
        let probes_max = 1 + knobs.indirect_checks + knobs.exchanges_max;
        let urgent_max = knobs.replies_max + probes_max;
        assert!(self.urgent.len() <= urgent_max as usize, "{} urgent", self.urgent.len());
        assert!(self.gossip.len() <= knobs.gossip_nodes as usize);
        if let Some(direct) = &self.direct {
            assert!(direct.bytes <= knobs.direct_bytes_max as usize);
            let bytes = direct.waiting.iter().map(Direct::charge);
            assert_eq!(bytes.sum::<usize>(), direct.bytes);
        }
    }

    /// Gives the memory of what is empty back.
    pub(crate) fn trim(&mut self) {
        if self.gossip.is_empty() {
            self.gossip = VecDeque::new();
        }
        if self.urgent.is_empty() {
            self.urgent = VecDeque::new();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.urgent.is_empty()
            && self.direct.as_ref().is_none_or(|direct| direct.waiting.is_empty())
            && self.gossip.is_empty()
    }
}

impl Direct {
    /// Bytes that the message takes besides payload and name, rounded up.
    const OWN_BYTES: usize = 96;

    /// Bytes that the message is counted for: its own, and its place in the queue, or empty ones
    /// would be free.
    fn charge(&self) -> usize {
        let name = self.to.name.as_ref().map_or(0, |name| name.as_str().len());
        self.payload.len() + name + Self::OWN_BYTES
    }
}
