//! A Serf node that is fed whatever the bytes say.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::net::SocketAddr;
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use super::draw::Draw;
use super::generate::{self, ME, home, name};
use super::hash::Hash;
use crate::keyring::{Key, Keyring};
use crate::serf::{
    Command, Event, Input, QueryId, QueryParams, Serf, SerfConfig, SerfStats, Status, Tags,
};
use crate::wire::serf::{
    Destination, Filter, Join, Leave, List, Message, Query, Relay, Response, UserEvent,
};
use crate::wire::{NodeState, PushPullHeader};
use crate::{Config, Exchange, Identity, InboundId, Instant, OpId, OutboundId, Seed};

/// A Serf node that takes messages, states, commands and time-outs in any order: its clocks do not
/// go back, no answer counts twice, no command ends twice, it keeps its bounds, and afterwards it
/// still answers. The same bytes lead to the same outputs.
pub fn serf_node(data: &[u8]) {
    let run = |data| {
        let mut world = World::new(data);
        world.run();
        world.outputs.value()
    };
    assert_eq!(run(data), run(data), "same inputs, same outputs");
}

/// Input for [`serf_node`] that hands it these Serf messages, a second apart.
pub fn serf_node_seed(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut out = [0, 0].to_vec();
    for message in messages {
        let Ok(len) = u16::try_from(message.len()) else { continue };
        out.push(RAW_MESSAGE);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(message);
        out.extend_from_slice(&[WAIT, 5]);
    }
    out
}

const RAW_MESSAGE: u8 = 0;
const WAIT: u8 = 9;

struct World<'a> {
    draw: Draw<'a>,
    serf: Serf,
    base: u8,
    now: Instant,
    outputs: Hash,
    ops: u64,
    inbound: u64,
    opened: Vec<OutboundId>,
    /// Commands without an end so far.
    running: BTreeSet<OpId>,
    /// Acks and responses that were told, and whose.
    answered: BTreeSet<(OpId, bool, String)>,
    queries: Vec<QueryId>,
    keyring_changes: Vec<OpId>,
    lagged: bool,
    clocks: [u64; 3],
    stats: SerfStats,
}

impl<'a> World<'a> {
    fn new(data: &'a [u8]) -> Self {
        let mut draw = Draw::new(data);
        let base = draw.u8();
        let seed = Seed::from(u64::from(draw.u8()));
        let now = Instant::from_secs(1000);
        let me = Identity::new(ME, home(0)).expect("a name and a place");
        let serf = Serf::new(config(base), me, &tags(base), seed, now);
        let mut world = Self {
            draw,
            serf,
            base,
            now,
            outputs: Hash::new(),
            ops: 0,
            inbound: 0,
            opened: Vec::new(),
            running: BTreeSet::new(),
            answered: BTreeSet::new(),
            queries: Vec::new(),
            keyring_changes: Vec::new(),
            lagged: false,
            clocks: [0; 3],
            stats: SerfStats::default(),
        };
        world.drain();
        world
    }

    fn run(&mut self) {
        for n in 0.. {
            if self.draw.is_empty() {
                break;
            }
            let op = self.draw.u8();
            self.step(op & 0x0f);
            // With the high bit set, outputs and events pile up.
            if op & 0x80 == 0 {
                self.drain();
            }
            self.check();
            if n % 8 == 0 {
                self.serf.node().audit();
            }
        }
        self.drain();
        self.check();
        self.serf.node().audit();
        self.still_serves();
    }

    fn step(&mut self, op: u8) {
        match op {
            RAW_MESSAGE => {
                let message = self.draw.bytes();
                self.gossip(message);
            }
            1..=4 => {
                let mut message = BytesMut::new();
                drawn(&mut self.draw, &mut message);
                self.gossip(&message);
            }
            5 => {
                let datagram = generate::datagram(&mut self.draw, &[]);
                self.datagram(&datagram);
            }
            6 => self.request(),
            7 => self.reply(),
            8 => self.command(),
            WAIT..=11 => self.wait(),
            12 => self.respond(),
            13 => {
                let saved = self.draw.u8() & 1 == 0;
                for op in core::mem::take(&mut self.keyring_changes) {
                    let command = Command::KeyringSaved(saved);
                    let _ = self.serf.handle(self.now, Input::Command { op, command });
                }
            }
            14 => {
                self.base ^= self.draw.u8() & RELOADABLE;
                self.give(Command::Reload(config(self.base)));
            }
            _ => {
                // The others are heard of, so that there is somebody to speak to.
                let datagram = generate::about_many(&mut self.draw);
                self.datagram(&datagram);
            }
        }
    }

    fn gossip(&mut self, message: &[u8]) {
        self.datagram(&[b"\x08", message].concat());
    }

    fn datagram(&mut self, bytes: &[u8]) {
        let from = home(generate::subject(&mut self.draw));
        let input = Input::Datagram { at: self.now, from, bytes };
        // What is refused is counted.
        let _ = self.serf.handle(self.now, input);
    }

    fn request(&mut self) {
        self.inbound += 1;
        let bytes = match self.draw.seldom() {
            true => generate::request(&mut self.draw),
            false => state(&mut self.draw),
        };
        let input = Input::Request { id: InboundId(self.inbound), from: home(1), bytes: &bytes };
        let _ = self.serf.handle(self.now, input);
    }

    fn reply(&mut self) {
        let Some(id) = self.opened.pop() else { return };
        let bytes = match self.draw.seldom() {
            true => generate::reply(&mut self.draw, &[]),
            false => state(&mut self.draw),
        };
        let _ = self.serf.handle(self.now, Input::Reply { id, result: Ok(&bytes) });
    }

    fn command(&mut self) {
        let draw = &mut self.draw;
        let n = generate::subject(draw);
        let payload =
            |draw: &mut Draw<'_>| Bytes::from(alloc::vec![b'p'; usize::from(draw.u16() % 1200)]);
        let command = match draw.below(8) {
            0 => Command::Join {
                seats: (1..=draw.u8() % 4).map(|n| home(n).into()).collect(),
                replay: draw.u8() & 1 == 0,
            },
            1 if draw.seldom() => Command::Leave,
            2 => Command::ForceLeave { name: name(n), prune: draw.u8() & 1 == 0 },
            3 => Command::SetTags(tags(draw.u8())),
            4 | 5 => Command::UserEvent {
                name: format!("e{}", draw.u8() % 4),
                payload: payload(draw),
                coalesce: draw.u8() & 1 == 0,
            },
            6 => {
                let name = draw.one_of(&[
                    "_serf_install-key",
                    "_serf_use-key",
                    "_serf_remove-key",
                    "_serf_list-keys",
                ]);
                let key = [draw.u8() & 3; 16];
                let mut payload = BytesMut::new();
                crate::wire::serf::KeyRequest { key: Some(&key) }.encode(&mut payload);
                let (name, payload) = (name.into(), payload.freeze());
                Command::Query { name, payload, params: QueryParams::new() }
            }
            _ => {
                let mut params = QueryParams::new()
                    .ack(draw.u8() & 1 == 0)
                    .relay_factor(draw.u8() % 3)
                    .timeout(Duration::from_millis(u64::from(draw.u16())));
                if draw.u8() & 1 == 0 {
                    params = params.nodes([name(n)]).tag("role", draw.one_of(&["^a", "(", "b*"]));
                }
                let name = draw.one_of(&["q", "_serf_ping", "_serf_conflict", "_serf_nothing"]);
                Command::Query { name: name.into(), payload: payload(draw), params }
            }
        };
        self.give(command);
    }

    fn give(&mut self, command: Command) {
        self.ops += 1;
        let op = OpId(self.ops);
        self.running.insert(op);
        if self.serf.handle(self.now, Input::Command { op, command }).is_err() {
            self.running.remove(&op);
        }
    }

    fn respond(&mut self) {
        let Some(query) = self.queries.pop() else { return };
        let payload = Bytes::from(alloc::vec![b'r'; usize::from(self.draw.u16() % 1200)]);
        let twice = Command::Respond { query, payload };
        let op = |world: &mut Self| {
            world.ops += 1;
            OpId(world.ops)
        };
        let (first, second) = (op(self), op(self));
        self.running.insert(first);
        let input = Input::Command { op: first, command: twice.clone() };
        if self.serf.handle(self.now, input).is_err() {
            self.running.remove(&first);
            return;
        }
        let again = self.serf.handle(self.now, Input::Command { op: second, command: twice });
        assert!(again.is_err(), "a query is answered once");
    }

    fn wait(&mut self) {
        const WAITS_MS: [u64; 8] = [0, 1, 10, 100, 300, 1000, 5000, 60_000];
        let n = self.draw.u8();
        let next = self.serf.poll_timeout().unwrap_or(self.now);
        let ahead = self.now + Duration::from_millis(WAITS_MS[usize::from(n) % 8]);
        self.now = if n & 8 == 0 { ahead.min(next) } else { ahead }.max(self.now);
        self.serf.handle(self.now, Input::Timeout).expect("a time-out is never refused");
    }

    /// Fetches all outputs until there are no more.
    fn drain(&mut self) {
        let mut buf = BytesMut::new();
        while !self.serf.is_drained() {
            while let Some(sent) = self.serf.poll_transmit(&mut buf) {
                assert_eq!(buf.len(), sent.len);
                self.harms_nobody(&buf);
                let _ = write!(self.outputs, "{} {:?}", sent.to, buf);
                buf.clear();
            }
            while let Some(exchange) = self.serf.poll_exchange(&mut buf) {
                if let Exchange::Open { id, .. } = &exchange {
                    self.opened.push(*id);
                }
                let _ = write!(self.outputs, "{exchange:?} {buf:?}");
                buf.clear();
            }
            while let Some(event) = self.serf.poll_event() {
                let _ = write!(self.outputs, "{event:?}");
                self.event(event);
            }
        }
    }

    /// No Serf crashes on what is sent (serf spec 13.1).
    fn harms_nobody(&self, datagram: &[u8]) {
        if let Some((8, message)) = datagram.split_first().map(|(kind, rest)| (*kind, rest))
            && let Ok(Message::Query(query)) = Message::decode(message)
        {
            assert!(!query.crashes_serf(), "{query:?}");
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Members { members, .. } => assert!(!members.is_empty()),
            Event::Query(query) => self.queries.push(query.id),
            Event::Ack { op, from } => {
                let new = self.answered.insert((op, true, from.as_str().into()));
                assert!(new && self.running.contains(&op), "an ack counts once, and in time");
            }
            Event::Response { op, from, .. } => {
                let new = self.answered.insert((op, false, from.as_str().into()));
                assert!(new && self.running.contains(&op), "a response counts once, and in time");
            }
            Event::KeyringChanged(op) => self.keyring_changes.push(op),
            Event::Done { op, .. } => {
                assert!(self.running.remove(&op) || self.lagged, "{op:?} ends twice");
            }
            Event::Lagged(n) => {
                assert!(n > 0);
                self.lagged = true;
            }
            _ => {}
        }
    }

    fn check(&mut self) {
        let clocks = self.serf.clocks();
        for (before, after) in self.clocks.iter().zip(&clocks) {
            assert!(before <= after, "clocks do not go back");
        }
        self.clocks = clocks;
        let stats = self.serf.stats();
        for ((name, before), (_, after)) in self.stats.iter().zip(stats.iter()) {
            assert!(before <= after, "{name} counts upwards");
        }
        self.stats = stats;
        let info = self.serf.info();
        assert_eq!(info.members, self.serf.members().count());
        assert!(info.members <= MEMBERS_MAX as usize);
        for queue in [info.intent_queue, info.event_queue, info.query_queue] {
            assert!(queue <= QUEUE_MAX as usize, "{info:?}");
        }
        assert!(matches!(self.serf.me().status(), Status::Alive | Status::Leaving | Status::Left));
    }

    /// Whatever happened, a query to this node alone is acknowledged.
    fn still_serves(&mut self) {
        let SocketAddr::V4(asker) = SocketAddr::from(([10, 1, 1, 1], 7946)) else { return };
        let ip = asker.ip().octets();
        let [.., ltime] = self.serf.clocks();
        let query = Query {
            ltime,
            id: 77,
            addr: Some(&ip),
            port: asker.port(),
            flags: Query::ACK | Query::NO_BROADCAST,
            timeout_ns: 1_000_000_000,
            name: b"_serf_ping",
            ..Query::default()
        };
        let mut message = BytesMut::from(&b"\x08"[..]);
        query.encode(&mut message);
        let before = self.serf.stats();
        let input = Input::Datagram { at: self.now, from: asker.into(), bytes: &message };
        self.serf.handle(self.now, input).expect("it is well formed");
        let after = self.serf.stats();
        // The slot of that time may be full; the clock may be at its end.
        if after.queries == before.queries {
            return;
        }
        let mut buf = BytesMut::new();
        let mut acked = false;
        while let Some(sent) = self.serf.poll_transmit(&mut buf) {
            acked |= sent.to == SocketAddr::from(asker) && buf.starts_with(b"\x08\x05");
            buf.clear();
        }
        assert!(acked, "a query is acknowledged");
    }
}

/// A Serf message about a small world, so that many of them mean something.
fn drawn(draw: &mut Draw<'_>, out: &mut BytesMut) {
    let ltime = match draw.u8() {
        255 => u64::MAX - u64::from(draw.u8()),
        254 => u64::from(draw.u32()),
        n => u64::from(n % 16),
    };
    let of = name(generate::subject(draw));
    let node = of.as_bytes();
    match draw.below(6) {
        0 => Join { ltime, node }.encode(out),
        1 => Leave { ltime, node, prune: draw.u8() & 1 == 0 }.encode(out),
        2 => {
            let (name, payload) = (format!("e{}", draw.u8() % 4), draw.bytes());
            let (name, payload) = (name.as_bytes(), Some(payload));
            UserEvent { ltime, name, payload, coalesce: draw.u8() & 1 == 0 }.encode(out);
        }
        3 => query(draw, ltime, out),
        4 => response(draw, ltime, node, out),
        _ => {
            let mut inner = BytesMut::new();
            match draw.below(3) {
                0 => query(draw, ltime, &mut inner),
                1 => response(draw, ltime, node, &mut inner),
                _ => inner.extend_from_slice(draw.bytes()),
            }
            let SocketAddr::V4(at) = home(generate::subject(draw)) else { return };
            let ip = at.ip().octets();
            let to = Destination { ip: Some(&ip), port: at.port(), zone: b"" };
            Relay { to, node, inner: &inner }.encode(out);
        }
    }
}

fn query(draw: &mut Draw<'_>, ltime: u64, out: &mut BytesMut) {
    let SocketAddr::V4(at) = home(generate::subject(draw)) else { return };
    let ip = at.ip().octets();
    let mut filter = BytesMut::new();
    let names: [&[u8]; 1] = [ME.as_bytes()];
    match draw.u8() {
        0 => Filter::Nodes(Some(List::from(&names[..]))).encode(&mut filter),
        1 => filter.extend_from_slice(draw.bytes()),
        2 => Filter::Tag { tag: b"role", expr: draw.bytes() }.encode(&mut filter),
        _ => {}
    }
    let filters: [&[u8]; 1] = [&filter];
    let has_filter = draw.u8() & 3 == 0;
    let name = draw.one_of(&[
        &b"q"[..],
        b"_serf_ping",
        b"_serf_conflict",
        b"_serf_install-key",
        b"_serf_use-key",
        b"_serf_remove-key",
        b"_serf_list-keys",
    ]);
    Query {
        ltime,
        id: u32::from(draw.u8() & 3),
        addr: Some(&ip),
        port: at.port(),
        source_node: b"m1",
        filters: has_filter.then(|| List::from(&filters[..])),
        flags: u32::from(draw.u8() & 3),
        relay_factor: draw.u8() % 4,
        timeout_ns: i64::from(draw.u8()) << 24,
        name,
        payload: Some(draw.bytes()),
    }
    .encode(out);
}

fn response(draw: &mut Draw<'_>, ltime: u64, from: &[u8], out: &mut BytesMut) {
    let (id, flags) = (draw.u32(), u32::from(draw.u8() & 1));
    Response { ltime, id, from, flags, payload: Some(draw.bytes()) }.encode(out);
}

/// A push/pull of a few members, with a state of Serf's.
fn state(draw: &mut Draw<'_>) -> BytesMut {
    let nodes = u32::from(draw.u8() % 4);
    let mut user_state = BytesMut::from(&b"\x02"[..]);
    match draw.seldom() {
        true => user_state.extend_from_slice(draw.bytes()),
        false => {
            // What matters: clocks, times of members, who left, and one event.
            let left = draw.u8() & 1 == 0;
            let time = draw.u8() & 0x7f;
            user_state.extend_from_slice(b"\x86\xaaEventLTime");
            user_state.extend_from_slice(&[time]);
            user_state.extend_from_slice(b"\xa6Events\x91\x82\xa6Events\x91\x82\xa4Name\xa2e1");
            user_state.extend_from_slice(b"\xa7Payload\xc0\xa5LTime");
            user_state.extend_from_slice(&[draw.u8() & 0x0f]);
            user_state.extend_from_slice(b"\xa5LTime");
            user_state.extend_from_slice(&[draw.u8() & 0x7f]);
            user_state.extend_from_slice(b"\xabLeftMembers");
            user_state.extend_from_slice(if left { b"\x91\xa2m2" } else { b"\x91\xa2m9" });
            user_state.extend_from_slice(b"\xaaQueryLTime");
            user_state.extend_from_slice(&[draw.u8() & 0x7f]);
            user_state.extend_from_slice(b"\xacStatusLTimes\x82\xa2m1");
            user_state.extend_from_slice(&[draw.u8() & 0x7f]);
            user_state.extend_from_slice(b"\xa2m2");
            user_state.extend_from_slice(&[draw.u8() & 0x7f]);
        }
    }
    let mut out = BytesMut::new();
    let user_state_len = u32::try_from(user_state.len()).unwrap_or(0);
    PushPullHeader { join: draw.u8() & 1 == 0, nodes, user_state_len }.encode(&mut out);
    for n in 1..=nodes {
        let (member, at) = (name(n as u8), crate::Addr::from(home(n as u8)));
        NodeState {
            name: member.as_bytes(),
            addr: Some(at.wire_ip()),
            port: at.port(),
            meta: None,
            incarnation: u32::from(draw.u8() & 7),
            state: i64::from(draw.u8() % 4),
            vsn: Some(&[1, 5, 2, 2, 5, 5]),
        }
        .encode(&mut out);
    }
    out.extend_from_slice(&user_state);
    out
}

fn tags(n: u8) -> Tags {
    Tags::new([("role", ["a", "b", "ab", ""][usize::from(n) & 3])]).expect("short")
}

const MEMBERS_MAX: u32 = 100;
const QUEUE_MAX: u32 = 16;
/// The bits of `base` that a running node can change.
const RELOADABLE: u8 = 0b0000_0111;

/// Small bounds; `base` chooses the rest.
fn config(base: u8) -> Arc<SerfConfig> {
    let ms = Duration::from_millis;
    let keys = Keyring::new(Key::new(&[0; 16]).expect("16 bytes"));
    let mut swim = Config::local()
        .members_max(MEMBERS_MAX)
        .events_max(if base & 8 == 0 { 1024 } else { 16 })
        .exchanges_max(4)
        .reap_interval(ms(500))
        .reconnect_timeout(ms(5000))
        .tombstone_timeout(ms(5000));
    if base & 16 != 0 {
        swim = swim.keyring(keys);
    }
    let swim = swim.build().expect("every value is in its range");
    let layer = SerfConfig::builder(swim)
        .protocol(5)
        .max_queue_depth(QUEUE_MAX)
        .queries_max(8)
        .open_queries_max(if base & 1 == 0 { 8 } else { 1 })
        .recent_intents_max(16)
        .name_conflict_resolution(base & 2 == 0)
        .leave_propagate_delay(if base & 4 == 0 { ms(0) } else { ms(1000) })
        .coordinates(base & 32 == 0)
        .event_times_max(if base & 64 == 0 { 512 } else { 4 })
        .coalesce_period(if base & 128 == 0 { Duration::ZERO } else { ms(3000) })
        .user_coalesce_period(if base & 128 == 0 { Duration::ZERO } else { ms(3000) });
    layer.build().expect("every value is in its range")
}
