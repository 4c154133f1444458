//! Streams: one request, at most one reply, a deadline.

use swim_core::{ExchangeError, Instant, OutboundId};

use crate::link::Reset;

/// Connection attempts are repeated after this, then after twice that, and so on.
pub(crate) const CONNECT_RETRY_NS: u64 = 1_000_000_000;
/// Lost data is sent again after this, then after twice that, and so on.
pub(crate) const DATA_RETRY_NS: u64 = 200_000_000;
/// Tells the fates of stream legs from those of datagrams of the same number.
pub(crate) const STREAM_SALT: u64 = 0x73_7472_6561_6d73;

/// All streams that are open.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    slots: Vec<Stream>,
    free: Vec<u32>,
}

/// One stream. Its number is used again; the generation tells its users apart.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) generation: u32,
    pub(crate) from: u32,
    /// The life of `from` that opened it.
    pub(crate) life: u32,
    pub(crate) to: u32,
    pub(crate) id: OutboundId,
    /// Feeds the fate of its legs.
    pub(crate) number: u32,
    pub(crate) reply_due: bool,
    /// Buffer of the message under way: the request, later the reply.
    pub(crate) message: Option<u32>,
    /// When its link breaks it, if it does.
    pub(crate) breaks: Option<Reset>,
    pub(crate) stage: Stage,
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nobody uses the slot.
    Free,
    /// The request is under way, or waits for a frozen node.
    Asking,
    /// The other side has the request.
    Asked,
    /// The reply is under way, or waits for a frozen node.
    Answering,
    /// It was broken; the side that asked is about to learn it.
    Broken,
}

/// What happens to a stream next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The request reaches the other side.
    Arrive,
    /// The reply reaches the side that asked.
    Answer,
    /// The side that asked learns that it failed.
    Fail(ExchangeError),
}

impl Streams {
    pub(crate) fn open(&mut self, stream: Stream) -> (u32, u32) {
        let Some(slot) = self.free.pop() else {
            let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 streams are open");
            let generation = stream.generation;
            self.slots.push(stream);
            return (slot, generation);
        };
        let generation = self.slots[slot as usize].generation;
        self.slots[slot as usize] = Stream { generation, ..stream };
        (slot, generation)
    }

    /// The stream, if it is still open.
    pub(crate) fn get(&mut self, slot: u32, generation: u32) -> Option<&mut Stream> {
        self.slots
            .get_mut(slot as usize)
            .filter(|s| s.generation == generation && s.stage != Stage::Free)
    }

    /// Forgets the stream; what comes of it later is ignored. Returns the buffer that it held.
    pub(crate) fn close(&mut self, slot: u32) -> Option<u32> {
        let stream = &mut self.slots[slot as usize];
        stream.generation = stream.generation.wrapping_add(1);
        stream.stage = Stage::Free;
        self.free.push(slot);
        stream.message.take()
    }

    /// The open stream that a node knows by `id`.
    pub(crate) fn outbound(&self, from: u32, life: u32, id: OutboundId) -> Option<u32> {
        let known =
            |s: &Stream| s.stage != Stage::Free && (s.from, s.life, s.id) == (from, life, id);
        self.slots.iter().position(known).map(|i| i as u32)
    }

    /// The open streams with a node at either end.
    pub(crate) fn of(&self, node: u32) -> Vec<(u32, u32)> {
        let slots = (0..).zip(&self.slots);
        slots
            .filter(|(_, s)| s.stage != Stage::Free && (s.from == node || s.to == node))
            .map(|(slot, s)| (slot, s.generation))
            .collect()
    }

    /// The streams whose request `node` has taken and not answered.
    pub(crate) fn asked(&self, node: u32) -> Vec<(u32, u32)> {
        let slots = (0..).zip(&self.slots);
        slots
            .filter(|(_, s)| s.stage == Stage::Asked && s.to == node)
            .map(|(slot, s)| (slot, s.generation))
            .collect()
    }
}

/// What waits for a frozen node.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mail {
    /// A datagram, in this buffer.
    Datagram { at: Instant, from: u32, packet: u32 },
    /// A stream's request, in this buffer.
    Request { slot: u32, generation: u32, from: u32, packet: u32 },
    /// How a stream of its own ended.
    Outcome { slot: u32, generation: u32, error: Option<ExchangeError> },
}
