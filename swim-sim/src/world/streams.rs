//! The stream plane: connections with latency both ways, refusals and deadlines.

use swim_core::{Exchange, ExchangeError, InboundId, Input, Instant, OutboundId, Roster};

use super::{Item, World};
use crate::block::Plane;
use crate::change::Stall;
use crate::link::Reset;
use crate::machine::Machine;
use crate::place;
use crate::stream::{CONNECT_RETRY_NS, DATA_RETRY_NS, Mail, STREAM_SALT, Stage, Step, Stream};

impl<M: Machine> World<M> {
    /// Takes one stream action from a node; false if it has none.
    pub(super) fn drain_exchange(&mut self, node: u32) -> bool {
        let packet = self.arena.take();
        let host = &mut self.hosts[node as usize];
        let buffer = self.arena.buffer(packet);
        let Some(exchange) = host.machine.as_mut().and_then(|m| m.poll_exchange(buffer)) else {
            self.arena.give(packet);
            return false;
        };
        host.digest.exchange(self.now.as_nanos(), &exchange, buffer);
        self.enact(node, exchange, packet);
        true
    }

    /// Does what a node wants done on the stream plane; the buffer holds its message.
    pub(super) fn enact(&mut self, node: u32, exchange: Exchange, packet: u32) {
        let bytes = Roster::wire_len(self.arena.bytes(packet)) as u64;
        match exchange {
            Exchange::Open { id, to, reply_due, deadline, .. } => {
                self.count_message(bytes);
                let target = self.node_at(to);
                let deadline = self.world_time(node, deadline);
                self.open(node, id, target.unwrap_or(node), packet, reply_due, deadline);
            }
            Exchange::Reply { id, .. } | Exchange::Refuse { id, .. } => {
                self.count_message(bytes);
                self.answer(id, packet);
            }
            Exchange::Close { id } => {
                self.arena.give(packet);
                let (slot, generation) = parts(id);
                self.hang_up(slot, generation);
            }
            Exchange::Cancel { id } => {
                self.arena.give(packet);
                let life = self.hosts[node as usize].life;
                if let Some(slot) = self.streams.outbound(node, life, id) {
                    self.close(slot);
                }
            }
            _ => self.arena.give(packet),
        }
    }

    const fn count_message(&mut self, bytes: u64) {
        self.traffic.streams += 1;
        self.traffic.stream_bytes += bytes;
    }

    /// Connects and sends the request: three legs, the first two of them the handshake. An address
    /// outside of the world is refused, like a node that is down.
    fn open(
        &mut self,
        from: u32,
        id: OutboundId,
        to: u32,
        packet: u32,
        reply_due: bool,
        deadline: Instant,
    ) {
        let host = &mut self.hosts[from as usize];
        let (number, life) = (host.next_number(), host.life);
        let (message, stage) = (Some(packet), Stage::Asking);
        let breaks = self.links.reset(self.link_seed, from, to, number);
        let stream =
            Stream { generation: 0, from, life, to, id, number, reply_due, message, breaks, stage };
        let (slot, generation) = self.streams.open(stream);
        let late = Step::Fail(ExchangeError::TimedOut);
        // No sooner than anything else could come of it, for windows to hold no stream.
        let soonest = self.now + self.links.delay_min();
        self.plan(slot, generation, deadline.max(soonest), from, late);
        if self.severed(from, to) || self.severed(to, from) {
            return;
        }
        let connected = self.now.as_nanos()
            + self.leg(from, to, number, 0, CONNECT_RETRY_NS)
            + self.leg(to, from, number, 1, CONNECT_RETRY_NS);
        let host = &self.hosts[to as usize];
        if from != to && host.machine.is_none() && host.dark {
            return;
        }
        if from == to || host.machine.is_none() {
            let refused = Step::Fail(ExchangeError::Refused);
            self.plan(slot, generation, Instant::from_nanos(connected), to, refused);
        } else {
            let wait = self.leave_by_stream(from, Roster::wire_len(self.arena.bytes(packet)));
            let at = connected + wait + self.leg(from, to, number, 2, DATA_RETRY_NS);
            let early = breaks == Some(Reset::Early);
            let step = if early { self.broken() } else { Step::Arrive };
            self.plan(slot, generation, Instant::from_nanos(at), from, step);
        }
    }

    /// Time of one leg.
    fn leg(&self, from: u32, to: u32, number: u32, part: u64, retry_ns: u64) -> u64 {
        let blocked = self.blocks.share(Plane::Streams, from, to);
        self.links.leg(self.link_seed ^ STREAM_SALT ^ part, from, to, number, retry_ns, blocked)
    }

    /// Whether no packet of a stream gets from one node to the other.
    fn severed(&self, from: u32, to: u32) -> bool {
        self.cut(from, to) || self.blocks.share(Plane::Streams, from, to) >= 1.0
    }

    fn plan(&mut self, slot: u32, generation: u32, at: Instant, by: u32, step: Step) {
        let number = self.hosts[by as usize].next_number();
        let key = u64::from(by) << 32 | u64::from(number);
        self.wheel.push(at.as_nanos(), key, Item::Stream { slot, generation, step });
    }

    /// A stream goes on.
    pub(super) fn step_stream(&mut self, slot: u32, generation: u32, step: Step) {
        let Some(stream) = self.streams.get(slot, generation) else { return };
        let (from, to, stage) = (stream.from, stream.to, stream.stage);
        let lost = match step {
            Step::Fail(ExchangeError::TimedOut) => false,
            Step::Arrive => self.severed(from, to),
            Step::Answer | Step::Fail(_) => self.severed(to, from),
        };
        let broken = stage == Stage::Broken && matches!(step, Step::Arrive | Step::Answer);
        if lost || broken {
            // Bytes that the network swallows; the deadline ends the stream.
            return;
        }
        match step {
            Step::Arrive => self.arrive(slot, generation),
            Step::Answer => self.reach(slot, generation, None),
            Step::Fail(error) => self.reach(slot, generation, Some(error)),
        }
    }

    /// The request reaches its node, or the node's host where nobody listens any more.
    fn arrive(&mut self, slot: u32, generation: u32) {
        let Some(stream) = self.streams.get(slot, generation) else { return };
        let (from, to, reply_due) = (stream.from, stream.to, stream.reply_due);
        let packet = stream.message.take().expect("a request that has not arrived has its bytes");
        let host = &self.hosts[to as usize];
        if host.machine.is_none() {
            self.arena.give(packet);
            return self.reset(slot, generation);
        }
        if !reply_due {
            // The host has all bytes, whenever the node reads them.
            stream.stage = Stage::Answering;
            self.plan_back(slot, generation, Step::Answer);
        }
        let host = &mut self.hosts[to as usize];
        if let Some(stall) = &mut host.stall {
            stall.inbox.push_back(Mail::Request { slot, generation, from, packet });
            return self.begin_work(to);
        }
        self.take_request(to, slot, generation, from, packet);
        self.drain(to);
    }

    /// Hands a request to its node. The caller drains.
    pub(super) fn take_request(
        &mut self,
        to: u32,
        slot: u32,
        generation: u32,
        from: u32,
        packet: u32,
    ) {
        if let Some(stream) = self.streams.get(slot, generation)
            && stream.stage == Stage::Asking
        {
            stream.stage = Stage::Asked;
        }
        self.traffic.events += 1;
        let now = self.clock(to);
        let from = place::stream_source(self.addr(from), slot);
        let host = &mut self.hosts[to as usize];
        let id = InboundId(u64::from(generation) << 32 | u64::from(slot));
        let input = Input::Request { id, from, bytes: self.arena.bytes(packet) };
        let refused = host.machine.as_mut().is_some_and(|m| m.handle(now, input).is_err());
        self.arena.give(packet);
        if refused {
            // A driver still sends what the node has to say, then closes.
            self.drain(to);
            self.hang_up(slot, generation);
        }
    }

    /// Sends a reply on its way.
    fn answer(&mut self, id: InboundId, packet: u32) {
        let (slot, generation) = parts(id);
        match self.streams.get(slot, generation) {
            Some(stream) if stream.stage == Stage::Asked => {
                stream.stage = Stage::Answering;
                stream.message = Some(packet);
                self.plan_back(slot, generation, Step::Answer);
            }
            _ => self.arena.give(packet),
        }
    }

    /// Closes a stream from the side that was asked, if it has not answered.
    fn hang_up(&mut self, slot: u32, generation: u32) {
        let Some(stream) = self.streams.get(slot, generation) else { return };
        if stream.stage == Stage::Asked && !self.hosts[stream.to as usize].dark {
            stream.stage = Stage::Answering;
            self.plan_back(slot, generation, Step::Fail(ExchangeError::Closed));
        }
    }

    /// Closes a stream whose request nobody will read.
    pub(super) fn reset(&mut self, slot: u32, generation: u32) {
        if let Some(stream) = self.streams.get(slot, generation)
            && stream.stage == Stage::Asking
        {
            stream.stage = Stage::Asked;
            self.hang_up(slot, generation);
        }
    }

    /// Plans a step at the side that asked, one leg from now.
    fn plan_back(&mut self, slot: u32, generation: u32, step: Step) {
        let Some(stream) = self.streams.get(slot, generation) else { return };
        let (from, to, number) = (stream.from, stream.to, stream.number);
        let late = stream.breaks == Some(Reset::Late) && step == Step::Answer;
        let bytes = stream.message.map_or(0, |packet| Roster::wire_len(self.arena.bytes(packet)));
        let wait = self.leave_by_stream(to, bytes);
        let leg = self.leg(to, from, number, 3, DATA_RETRY_NS);
        let at = Instant::from_nanos(self.now.as_nanos() + wait + leg);
        let step = if late { self.broken() } else { step };
        self.plan(slot, generation, at, to, step);
    }

    /// The end of a stream reaches the side that asked.
    fn reach(&mut self, slot: u32, generation: u32, error: Option<ExchangeError>) {
        let Some(stream) = self.streams.get(slot, generation) else { return };
        let (from, life) = (stream.from, stream.life);
        let host = &mut self.hosts[from as usize];
        if host.machine.is_none() || host.life != life {
            return self.close(slot);
        }
        let timer = error == Some(ExchangeError::TimedOut);
        if let Some(stall) = &mut host.stall
            && !(timer && stall.part == Stall::Io)
        {
            stall.inbox.push_back(Mail::Outcome { slot, generation, error });
            return self.begin_work(from);
        }
        self.conclude(slot, generation, error);
        self.drain(from);
    }

    /// Hands the end of a stream to the node that asked. The caller drains.
    pub(super) fn conclude(&mut self, slot: u32, generation: u32, error: Option<ExchangeError>) {
        let Some(stream) = self.streams.get(slot, generation) else { return };
        let (from, id, message) = (stream.from, stream.id, stream.message);
        let broken = stream.stage == Stage::Broken;
        let error = error.or_else(|| broken.then_some(ExchangeError::Closed));
        let now = self.clock(from);
        let bytes = message.map_or(&[][..], |packet| self.arena.bytes(packet));
        let result = error.map_or(Ok(bytes), Err);
        self.traffic.events += 1;
        self.faults.streams_failed += u64::from(error.is_some());
        if let Some(machine) = &mut self.hosts[from as usize].machine {
            let _ = machine.handle(now, Input::Reply { id, result });
        }
        self.close(slot);
    }

    fn close(&mut self, slot: u32) {
        if let Some(packet) = self.streams.close(slot) {
            self.arena.give(packet);
        }
    }

    /// How a stream ends that its link breaks.
    const fn broken(&mut self) -> Step {
        self.faults.resets += 1;
        Step::Fail(ExchangeError::Closed)
    }

    /// Breaks every open stream of a node.
    pub(super) fn break_streams(&mut self, node: u32) {
        for (slot, generation) in self.streams.of(node) {
            let Some(stream) = self.streams.get(slot, generation) else { continue };
            if stream.stage == Stage::Broken {
                continue;
            }
            stream.stage = Stage::Broken;
            if let Some(packet) = stream.message.take() {
                self.arena.give(packet);
            }
            let step = self.broken();
            self.plan_back(slot, generation, step);
        }
    }

    /// A node is gone: whoever waits for its answers learns it.
    pub(super) fn hang_up_all(&mut self, node: u32) {
        for (slot, generation) in self.streams.asked(node) {
            self.hang_up(slot, generation);
        }
    }
}

/// Slot and generation of an inbound stream.
const fn parts(id: InboundId) -> (u32, u32) {
    (id.0 as u32, (id.0 >> 32) as u32)
}
