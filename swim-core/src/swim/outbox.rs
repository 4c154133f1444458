//! Datagrams that wait for `poll_transmit`, as small records: their bytes are made when they go.

use alloc::collections::VecDeque;
use core::net::SocketAddr;

use bytes::Bytes;

use super::members::SlotId;
use crate::config::Knobs;
use crate::ids::NodeName;
use crate::time::Instant;

/// One datagram to be made.
#[derive(Clone, Debug)]
pub(crate) enum Packet {
    /// Answers a ping.
    Ack { to: SocketAddr, seq: u32, expires: Instant },
    /// Passes a relayed target's answer on to the requester.
    RelayedAck { to: SocketAddr, seq: u32, expires: Instant },
    /// Tells the requester that its target has not answered.
    Nack { to: SocketAddr, seq: u32, expires: Instant },
    /// Pings another's target.
    Relay { to: SocketAddr, name: NodeName, seq: u32, expires: Instant },
    /// Pings the target of the probe under way.
    Probe { target: SlotId, seq: u32 },
    /// Asks a helper to ping the target of the probe under way.
    AskHelper { helper: SlotId, target: SlotId, seq: u32, nack: bool },
    /// A ping of the embedder's.
    Ping { to: SocketAddr, name: NodeName, seq: u32 },
    /// A direct message of the embedder's.
    Direct { to: SocketAddr, payload: Bytes },
    /// One target of a gossip round.
    Gossip { to: SlotId },
}

/// The four queues, served in the order of the fields.
pub(crate) struct Outbox {
    replies: VecDeque<Packet>,
    probes: VecDeque<Packet>,
    direct: VecDeque<Packet>,
    gossip: VecDeque<Packet>,
    direct_bytes: usize,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self {
            replies: VecDeque::new(),
            probes: VecDeque::new(),
            direct: VecDeque::new(),
            gossip: VecDeque::new(),
            direct_bytes: 0,
        }
    }

    /// Queues an ack, nack or relayed ping; false if `max` of them wait already.
    pub(crate) fn reply(&mut self, packet: Packet, max: u32) -> bool {
        let room = self.replies.len() < max as usize;
        if room {
            self.replies.push_back(packet);
        }
        room
    }

    /// Queues a packet of a probe; their number is bounded by that of the probes.
    pub(crate) fn probe(&mut self, packet: Packet) {
        self.probes.push_back(packet);
    }

    /// Drops what a probe that has ended did not get to send.
    pub(crate) fn drop_probe(&mut self, ended: u32) {
        self.probes.retain(|packet| match packet {
            Packet::Probe { seq, .. } | Packet::AskHelper { seq, .. } => *seq != ended,
            _ => true,
        });
    }

    /// Queues a direct message; false if more than `bytes_max` would wait.
    pub(crate) fn direct(&mut self, to: SocketAddr, payload: Bytes, bytes_max: u32) -> bool {
        let bytes = self.direct_bytes + payload.len();
        let room = bytes <= bytes_max as usize;
        if room {
            self.direct_bytes = bytes;
            self.direct.push_back(Packet::Direct { to, payload });
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
        if let Some(packet) = self.replies.pop_front().or_else(|| self.probes.pop_front()) {
            return Some(packet);
        }
        if let Some(packet) = self.direct.pop_front() {
            if let Packet::Direct { payload, .. } = &packet {
                self.direct_bytes -= payload.len();
            }
            return Some(packet);
        }
        self.gossip.pop_front()
    }

    /// What must hold at all times.
    pub(crate) fn audit(&self, knobs: &Knobs) {
        assert!(self.replies.len() <= knobs.replies_max as usize);
        // The probe under way, and the embedder's pings.
        let probes_max = 1 + knobs.indirect_checks + knobs.exchanges_max;
        assert!(self.probes.len() <= probes_max as usize, "{} probes", self.probes.len());
        assert!(self.gossip.len() <= knobs.gossip_nodes as usize);
        assert!(self.direct_bytes <= knobs.direct_bytes_max as usize);
        let waiting = |packet: &Packet| match packet {
            Packet::Direct { payload, .. } => payload.len(),
            _ => 0,
        };
        assert_eq!(self.direct.iter().map(waiting).sum::<usize>(), self.direct_bytes);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.replies.is_empty()
            && self.probes.is_empty()
            && self.direct.is_empty()
            && self.gossip.is_empty()
    }
}
