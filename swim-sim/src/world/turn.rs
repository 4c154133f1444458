//! What comes out of a machine after one input, and how the world takes it.

use bytes::BytesMut;
use swim_core::{Event, Exchange, Instant};

use super::World;
use crate::machine::Machine;

/// The end of one input's output in a [`Log`], where the next one's begins, and the state after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) at: Instant,
    pub(super) cause: Cause,
    pub(super) datagrams: u32,
    pub(super) exchanges: u32,
    pub(super) events: u32,
    pub(super) deadline: Instant,
    pub(super) live: u32,
}

/// The input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The datagram in this buffer.
    Packet(u32),
    Timeout,
}

/// Output of many inputs, one after the other.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) turns: Vec<Turn>,
    /// To which node, if there is one, and what.
    pub(super) datagrams: Vec<(Option<u32>, BytesMut)>,
    pub(super) exchanges: Vec<(Exchange, BytesMut)>,
    pub(super) events: Vec<Event>,
    /// Node, its first turn, and the one after its last.
    pub(super) nodes: Vec<(u32, u32, u32)>,
    /// Empty buffers.
    pub(super) stock: Vec<BytesMut>,
}

impl Log {
    pub(super) fn clear(&mut self) {
        self.turns.clear();
        self.datagrams.clear();
        self.exchanges.clear();
        self.events.clear();
        self.nodes.clear();
    }

    /// Where the output of a turn begins: datagrams, exchanges, events.
    fn start(&self, turn: u32) -> (u32, u32, u32) {
        let before = turn.checked_sub(1).map(|before| &self.turns[before as usize]);
        before.map_or((0, 0, 0), |before| (before.datagrams, before.exchanges, before.events))
    }
}

impl<M: Machine> World<M> {
    /// Does with a turn that was worked out ahead what [`drain`](Self::drain) does with a machine.
    pub(super) fn tell_turn(&mut self, node: u32, lane: usize, index: u32) {
        let log = &self.ahead.logs[lane];
        let turn = log.turns[index as usize];
        let (datagrams, exchanges, events) = log.start(index);
        for i in datagrams..turn.datagrams {
            let log = &mut self.ahead.logs[lane];
            let (target, bytes) = core::mem::take(&mut log.datagrams[i as usize]);
            let (packet, empty) = self.arena.put(bytes);
            log.stock.push(empty);
            self.send(node, target, packet);
        }
        for i in exchanges..turn.exchanges {
            let log = &mut self.ahead.logs[lane];
            let (exchange, bytes) = &mut log.exchanges[i as usize];
            let (packet, empty) = self.arena.put(core::mem::take(bytes));
            let exchange = exchange.clone();
            log.stock.push(empty);
            self.enact(node, exchange, packet);
        }
        for i in events..turn.events {
            let event = self.ahead.logs[lane].events[i as usize].clone();
            self.hear(node, &event);
        }
        self.settle(node, turn.deadline, turn.live);
    }
}
