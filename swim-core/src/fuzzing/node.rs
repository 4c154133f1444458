//! A node that is fed whatever the bytes say: hostile peers, a clumsy driver, time in leaps.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::net::SocketAddr;
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use super::draw::Draw;
use super::generate::{self, ME, NAMES, home, name};
use super::hash::Hash;
use crate::keyring::Key;
use crate::policy::{Admission, Candidate, Policy};
use crate::wire::{Limits, Message, Parts, PushPull, Scratch};
use crate::{
    Ablation, Addr, Command, Config, Event, Exchange, ExchangeError, Identity, InboundId,
    Incarnation, Input, KeyCommand, Lane, Member, Node, NodeName, OpId, OutboundId, Roster, Seed,
    SendError, Stats, Token,
};

/// A node that takes inputs, commands and time-outs in any order, whose outputs are fetched in part
/// or in whole: it keeps its invariants, and the order of the polls does not matter.
pub fn node(data: &[u8]) {
    let mut first = World::new(data, [Plane::Datagrams, Plane::Exchanges, Plane::Events]);
    first.run();
    let mut again = World::new(data, [Plane::Events, Plane::Exchanges, Plane::Datagrams]);
    again.run();
    assert_eq!(first.digest(), again.digest(), "same inputs, same outputs");
    // A datagram that is fetched can end a broadcast. Into a full queue of events that drops one,
    // so there it matters whether events are fetched first.
    if !first.outputs.overflowed && !again.outputs.overflowed {
        assert_eq!(first.outputs.events.value(), again.outputs.events.value(), "same events");
    }
}

/// Input for [`node`] that hands it these datagrams, a second apart.
pub fn node_seed(datagrams: &[Vec<u8>]) -> Vec<u8> {
    let mut out = [0; 4].to_vec();
    for datagram in datagrams {
        let Ok(len) = u16::try_from(datagram.len()) else { continue };
        out.extend_from_slice(&[RAW_DATAGRAM, 1]);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(datagram);
        out.extend_from_slice(&[WAIT, 5]);
    }
    out
}

const RAW_DATAGRAM: u8 = 2;
const WAIT: u8 = 7;
/// Set in an operation after which the outputs stay where they are.
const UNDRAINED: u8 = 0x80;

/// Sequence numbers of pings and tokens of datagrams that are remembered.
const REMEMBERED: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Plane {
    Datagrams,
    Exchanges,
    Events,
}

struct World<'a> {
    draw: Draw<'a>,
    node: Node,
    /// The fixed part of the configuration.
    base: u8,
    now: crate::Instant,
    order: [Plane; 3],
    outputs: Outputs,
    incarnation: Incarnation,
    stats: Stats,
    ops: u64,
    inbound: u64,
}

/// What came out of the node, and what is expected of it still.
struct Outputs {
    datagrams: Hash,
    exchanges: Hash,
    events: Hash,
    deadlines: Hash,
    /// Numbers of the last pings by datagram, and by stream: apart, since either may be fetched
    /// first.
    seqs: [Vec<u32>; 2],
    tokens: Vec<Token>,
    /// Streams that wait for the node.
    requests: BTreeSet<InboundId>,
    /// Streams that the node waits for.
    opened: Vec<OutboundId>,
    /// Streams that the node ever asked for and did not cancel.
    fetched: BTreeSet<OutboundId>,
    /// Commands without an end so far.
    commands: BTreeSet<OpId>,
    keyring_changes: Vec<OpId>,
    /// Members that are up as the events have it.
    up: BTreeSet<String>,
    lagged: bool,
    /// Whether events were ever dropped.
    overflowed: bool,
}

impl<'a> World<'a> {
    fn new(data: &'a [u8], order: [Plane; 3]) -> Self {
        let mut draw = Draw::new(data);
        let (base, variant) = (draw.u8(), draw.u8());
        let now = crate::Instant::from_secs(1000);
        let seed = Seed::from(u64::from(draw.u8()));
        let config = config(base, variant);
        // A roster of many members has an overlay that is folded.
        let roster = [0, 8, 0, NAMES][usize::from(base) & 3];
        let node = if roster > 0 {
            let members = (0..roster).map(|n| identity(&name(n), home(n)));
            Node::with_roster(config, &Roster::new(members), 0, seed, now)
        } else {
            Node::new(config, identity(ME, home(0)), seed, now)
        };
        let up = if roster > 0 { live(&node) } else { BTreeSet::new() };
        let (incarnation, stats) = (node.me().incarnation(), node.stats());
        let outputs = Outputs::new(up);
        Self { draw, node, base, now, order, outputs, incarnation, stats, ops: 0, inbound: 0 }
    }

    fn run(&mut self) {
        self.drain();
        for n in 0.. {
            if self.draw.is_empty() {
                break;
            }
            let op = self.draw.u8();
            self.step(op & 0x0f);
            if op & UNDRAINED == 0 {
                self.drain();
            }
            self.check();
            if n % 8 == 0 {
                self.node.audit();
            }
        }
        self.drain();
        self.node.audit();
        assert_eq!(self.outputs.up, live(&self.node), "events tell who is up");
        self.still_serves();
    }

    fn step(&mut self, op: u8) {
        match op {
            0 | 1 => {
                let datagram = generate::datagram(&mut self.draw, &self.outputs.seqs.concat());
                self.datagram(&datagram);
            }
            RAW_DATAGRAM => {
                let datagram = self.draw.bytes();
                self.datagram(datagram);
            }
            3 => {
                let datagram = generate::about_many(&mut self.draw);
                self.datagram(&datagram);
            }
            4 => self.request(),
            5 => self.reply(),
            6 => self.command(),
            WAIT..=9 => self.wait(),
            10 => self.unsent(),
            11 => {
                // Not in this world's order: partial polls are inputs.
                let plane = [Plane::Datagrams, Plane::Exchanges, Plane::Events];
                let (plane, n) = (self.draw.one_of(&plane), self.draw.u8() % 4);
                for _ in 0..n {
                    self.poll(plane);
                }
            }
            12 => {
                let config = config(self.base, self.draw.u8());
                self.give(Command::Reload(config));
            }
            13 => {
                // A clock that runs backwards is taken for one that stands still.
                let before = self.now - Duration::from_millis(self.draw.u8().into());
                self.handle(before, Input::Timeout);
            }
            14 => self.give_back_keys(),
            _ => self.live_on(),
        }
    }

    fn handle(&mut self, now: crate::Instant, input: Input<'_>) -> bool {
        let taken = self.node.handle(now, input);
        if let Err(why) = &taken {
            let _ = write!(self.outputs.deadlines, "{why}");
        }
        taken.is_ok()
    }

    fn datagram(&mut self, bytes: &[u8]) {
        let from = home(generate::subject(&mut self.draw));
        let at = self.now - Duration::from_millis(u64::from(self.draw.u8() & 3) * 100);
        self.handle(self.now, Input::Datagram { at, from, bytes });
    }

    fn request(&mut self) {
        self.inbound += 1;
        let id = InboundId(self.inbound);
        let bytes = generate::request(&mut self.draw);
        self.outputs.requests.insert(id);
        self.handle(self.now, Input::Request { id, from: home(1), bytes: &bytes });
    }

    fn reply(&mut self) {
        let known = !self.outputs.opened.is_empty() && !self.draw.seldom();
        let id = if known {
            let at = self.draw.below(self.outputs.opened.len());
            self.outputs.opened.remove(at)
        } else {
            OutboundId(self.draw.u8().into())
        };
        let bytes = generate::reply(&mut self.draw, &self.outputs.seqs.concat());
        let result = match self.draw.u8() {
            254 => Err(ExchangeError::Refused),
            255 => Err(ExchangeError::TimedOut),
            _ => Ok(&bytes[..]),
        };
        self.outputs.opened.retain(|opened| *opened != id);
        self.handle(self.now, Input::Reply { id, result });
    }

    fn unsent(&mut self) {
        let token = match &self.outputs.tokens[..] {
            [] => Token(self.draw.u32().into()),
            tokens => self.draw.one_of(tokens),
        };
        let why = self.draw.one_of(&[SendError::Local, SendError::Remote]);
        self.handle(self.now, Input::Unsent { token, why });
    }

    fn command(&mut self) {
        let draw = &mut self.draw;
        let n = generate::subject(draw);
        let payload = |draw: &mut Draw<'_>| Bytes::from(alloc::vec![b'p'; draw.u16().into()]);
        let command = match draw.below(12) {
            0 => Command::Join((1..=draw.u8() % 8).map(|n| home(n).into()).collect()),
            1 if draw.seldom() => Command::Leave,
            2 => Command::SetMeta(Bytes::from(alloc::vec![b'm'; (draw.u16() % 600).into()])),
            3 => Command::SetAddress(Addr::from(home(draw.u8() % 2))),
            4 => {
                let lane = draw.one_of(&Lane::ALL);
                let key = Some(draw.u8() & 3).filter(|key| *key != 0);
                let key = key.map(|key| Bytes::copy_from_slice(&[key]));
                let payload = Bytes::from(alloc::vec![b'b'; (draw.u16() % 1500).into()]);
                Command::Broadcast { lane, key, payload }
            }
            5 => Command::SetAckPayload(Bytes::from(alloc::vec![b'a'; (draw.u16() % 600).into()])),
            6 => Command::SetAppState(payload(draw)),
            7 => {
                let name = NodeName::new(&name(n)).expect("short and UTF-8");
                Command::Ping { name, to: home(n) }
            }
            8 => {
                let (to, reliable) = (home(n).into(), draw.u8() & 1 == 0);
                Command::Send { to, reliable, payload: payload(draw) }
            }
            9 => {
                let key = Key::new(&[draw.u8() & 3; 16]).expect("16 bytes");
                Command::Key(match draw.below(3) {
                    0 => KeyCommand::Install(key),
                    1 => KeyCommand::Use(key),
                    _ => KeyCommand::Remove(key),
                })
            }
            10 => Command::KeyringSaved(draw.u8() & 1 == 0),
            _ => Command::SetMeta(Bytes::new()),
        };
        self.give(command);
    }

    fn give(&mut self, command: Command) {
        self.ops += 1;
        let op = OpId(self.ops);
        self.outputs.commands.insert(op);
        if !self.handle(self.now, Input::Command { op, command }) {
            self.outputs.commands.remove(&op);
        }
    }

    fn give_back_keys(&mut self) {
        let saved = self.draw.u8() & 1 == 0;
        for op in core::mem::take(&mut self.outputs.keyring_changes) {
            self.handle(self.now, Input::Command { op, command: Command::KeyringSaved(saved) });
        }
    }

    fn wait(&mut self) {
        const WAITS_MS: [u64; 8] = [0, 1, 10, 100, 300, 1000, 5000, 60_000];
        let n = self.draw.u8();
        let next = self.node.poll_timeout().unwrap_or(self.now);
        let ahead = self.now + Duration::from_millis(WAITS_MS[usize::from(n) % 8]);
        // A good driver waits for the deadline, no longer.
        self.now = if n & 8 == 0 { ahead.min(next) } else { ahead }.max(self.now);
        if n & 16 == 0 {
            self.time_out();
        }
    }

    fn time_out(&mut self) {
        self.handle(self.now, Input::Timeout);
        self.drain();
        let next = self.node.poll_timeout();
        assert!(
            next.is_none_or(|at| at > self.now) || self.node.is_merging(),
            "nothing is due after a time-out and a drain, but {next:?} at {}",
            self.now
        );
    }

    /// Several deadlines in a row, with peers that answer pings if the mask says so.
    fn live_on(&mut self) {
        let (n, answers) = (self.draw.u8() % 16, self.draw.u8());
        for i in 0..n {
            let Some(next) = self.node.poll_timeout() else { return };
            self.now = self.now.max(next);
            self.outputs.seqs = Default::default();
            self.time_out();
            if answers >> (i % 8) & 1 == 0 {
                continue;
            }
            for seq in self.outputs.seqs.concat() {
                let mut ack = BytesMut::new();
                crate::wire::Ack { seq, payload: None }.encode(&mut ack);
                let (at, from) = (self.now, home(1));
                self.handle(self.now, Input::Datagram { at, from, bytes: &ack });
            }
            self.drain();
        }
    }

    /// Fetches all outputs, plane by plane, until there are no more.
    fn drain(&mut self) {
        while !self.node.is_drained() {
            for plane in self.order {
                while self.poll(plane) {}
            }
        }
        let Outputs { requests, up, lagged, deadlines, .. } = &mut self.outputs;
        assert!(requests.len() as u64 <= self.node.stats().hang_ups_dropped, "lost: {requests:?}");
        if core::mem::take(lagged) {
            *up = live(&self.node);
        }
        assert_eq!(up.len(), self.node.live_len(), "{up:?}");
        let _ = write!(deadlines, "{:?}", self.node.poll_timeout());
    }

    fn poll(&mut self, plane: Plane) -> bool {
        let mut buf = BytesMut::from(&b"before"[..]);
        match plane {
            Plane::Datagrams => {
                let Some(sent) = self.node.poll_transmit(&mut buf) else { return false };
                let bytes = buf.split_off(6);
                assert_eq!(bytes.len(), sent.len);
                assert!(sent.peer.is_none() || self.node.addressee(&sent).is_some());
                let parts = self.outputs.datagram(&bytes);
                let (config, len) = (self.node.config(), bytes.len());
                let uncuttable = 1 + usize::from(config.ablation().piggyback_only);
                assert!(parts <= uncuttable || len <= config.datagram_bytes_max() as usize);
                keep(&mut self.outputs.tokens, sent.token);
                let _ = write!(self.outputs.datagrams, "{} {}", sent.to, sent.crc);
            }
            Plane::Exchanges => {
                let Some(exchange) = self.node.poll_exchange(&mut buf) else { return false };
                self.outputs.exchange(&exchange, &buf[6..]);
            }
            Plane::Events => {
                let Some(event) = self.node.poll_event() else { return false };
                self.outputs.event(event);
            }
        }
        assert_eq!(buf[..6], b"before"[..], "polls only append");
        true
    }

    fn check(&mut self) {
        let (node, config) = (&self.node, self.node.config());
        let me = node.me();
        assert_eq!(me.name(), ME);
        assert!(me.incarnation() >= self.incarnation, "only upwards");
        self.incarnation = me.incarnation();
        assert!(node.known_len() <= config.members_max() as usize);
        assert!(node.live_len() <= node.known_len());
        assert!(node.rumours_len() <= node.known_len());
        assert!(node.health() < config.awareness_max());
        for lane in Lane::ALL {
            assert!(node.queue_len(lane) <= config.lane_len_max() as usize);
        }
        let stats = node.stats();
        for ((name, before), (_, after)) in self.stats.iter().zip(stats.iter()) {
            assert!(before <= after, "{name} counts upwards");
        }
        self.stats = stats;
        assert!(self.outputs.opened.len() <= config.exchanges_max() as usize);
    }

    /// Whatever happened, a ping is answered.
    fn still_serves(&mut self) {
        let mut ping = BytesMut::new();
        let source = crate::wire::Source::default();
        crate::wire::Ping { seq: 7, node: ME.as_bytes(), source }.encode(&mut ping);
        let (at, from) = (self.now, SocketAddr::from(([10, 1, 1, 1], 7946)));
        assert!(self.handle(at, Input::Datagram { at, from, bytes: &ping }));
        let mut buf = BytesMut::new();
        let sent = self.node.poll_transmit(&mut buf).expect("a ping is answered");
        assert_eq!(sent.to, from);
        let mut scratch = Scratch::default();
        let mut parts = Parts::new(&buf, &mut scratch, Limits::default());
        let first = parts.next_part().and_then(Result::ok).map(Message::decode);
        assert!(matches!(first, Some(Ok(Message::Ack(ack))) if ack.seq == 7));
    }

    fn digest(&self) -> [u64; 3] {
        let Outputs { datagrams, exchanges, deadlines, .. } = &self.outputs;
        [datagrams, exchanges, deadlines].map(Hash::value)
    }
}

impl Outputs {
    fn new(up: BTreeSet<String>) -> Self {
        Self {
            datagrams: Hash::new(),
            exchanges: Hash::new(),
            events: Hash::new(),
            deadlines: Hash::new(),
            seqs: Default::default(),
            tokens: Vec::new(),
            requests: BTreeSet::new(),
            opened: Vec::new(),
            fetched: BTreeSet::new(),
            commands: BTreeSet::new(),
            keyring_changes: Vec::new(),
            up,
            lagged: false,
            overflowed: false,
        }
    }

    /// Every part of a datagram decodes. How many there are.
    fn datagram(&mut self, bytes: &[u8]) -> usize {
        self.datagrams.write(bytes);
        let mut scratch = Scratch::default();
        let mut parts = Parts::new(bytes, &mut scratch, Limits::default());
        let mut count = 0;
        while let Some(part) = parts.next_part() {
            let message = Message::decode(part.expect("well nested")).expect("well formed");
            match message {
                Message::Ping(ping) => keep(&mut self.seqs[0], ping.seq),
                Message::IndirectPing(ping) => keep(&mut self.seqs[0], ping.seq),
                _ => {}
            }
            count += 1;
        }
        count
    }

    fn exchange(&mut self, exchange: &Exchange, bytes: &[u8]) {
        self.exchanges.write(bytes);
        let _ = write!(self.exchanges, "{exchange:?}");
        let is_state = || PushPull::decode(bytes, &Limits::default()).is_ok();
        let is_message = || Message::decode(bytes).is_ok();
        let sent = match exchange {
            Exchange::Open { id, len, .. } => {
                self.opened.push(*id);
                assert!(self.fetched.insert(*id), "a number for each");
                if let Ok(Message::Ping(ping)) = Message::decode(bytes) {
                    keep(&mut self.seqs[1], ping.seq);
                }
                Some(*len)
            }
            Exchange::Reply { id, len } | Exchange::Refuse { id, len, .. } => {
                assert!(self.requests.remove(id), "one answer to each request");
                Some(*len)
            }
            Exchange::Close { id } => {
                assert!(self.requests.remove(id), "one answer to each request");
                None
            }
            Exchange::Cancel { id } => {
                // It may have been answered meanwhile.
                assert!(self.fetched.remove(id), "only what was fetched is cancelled, and once");
                self.opened.retain(|opened| opened != id);
                None
            }
        };
        assert_eq!(bytes.len(), sent.unwrap_or(0));
        assert!(sent.is_none() || is_state() || is_message());
    }

    fn event(&mut self, event: Event) {
        let _ = write!(self.events, "{event:?}");
        let named = |member: &Member| member.name().to_owned();
        let told = match &event {
            Event::Up(member) => self.up.insert(named(member)),
            Event::Down { member, .. } => self.up.remove(member.name()),
            Event::Changed(member) => self.up.contains(member.name()),
            Event::Reaped(member) => !self.up.contains(member.name()),
            Event::Done { op, .. } => self.commands.remove(op),
            Event::KeyringChanged(op) => {
                self.keyring_changes.push(*op);
                true
            }
            Event::Lagged(n) => {
                (self.lagged, self.overflowed) = (true, true);
                *n > 0
            }
            _ => true,
        };
        assert!(told || self.lagged, "out of turn: {event:?}");
    }
}

fn keep<T>(list: &mut Vec<T>, item: T) {
    if list.len() == REMEMBERED {
        list.remove(0);
    }
    list.push(item);
}

fn live(node: &Node) -> BTreeSet<String> {
    let live = node.members().filter(|member| member.state().is_live());
    live.map(|member| member.name().to_owned()).collect()
}

fn identity(name: &str, at: SocketAddr) -> Identity {
    Identity::new(name, at).expect("a name and a place")
}

/// Small bounds; `base` chooses what is fixed, `variant` what a reload may change.
fn config(base: u8, variant: u8) -> Arc<Config> {
    let ms = Duration::from_millis;
    let preset = if base & 2 == 0 { Config::local() } else { Config::lan() };
    let members_max = if base & 5 == 4 { 4 } else { u32::from(NAMES) + 8 };
    let mut builder = preset
        .members_max(members_max)
        .lane_len_max(4)
        .direct_bytes_max(1 << 10)
        .events_max(if base & 8 == 0 { 1024 } else { 16 })
        .replies_max(16)
        .relays_max(4)
        .exchanges_max(4)
        .dead_node_reclaim_time(if variant & 1 == 0 { Duration::ZERO } else { ms(500) })
        .plausible_addresses_only(variant & 2 == 0)
        .evidence_events(variant & 4 != 0)
        .rtt_events(variant & 4 != 0);
    if variant & 8 != 0 {
        builder = builder.reap_interval(ms(50)).reconnect_timeout(ms(100)).tombstone_timeout(ms(0));
    }
    if variant & 16 != 0 {
        builder = builder.allowed(&["10.0.0.0/16".parse().expect("a network")]);
    }
    if variant & 32 != 0 {
        builder = builder.policy(Arc::new(Opinion));
    }
    if variant & 64 != 0 {
        builder = builder.suspicion_mult(1).datagram_bytes_max(256).awareness_max(1);
    }
    if variant & 128 != 0 {
        builder = builder.push_pull_interval(Duration::ZERO).stream_pings(false).gossip_nodes(1);
    }
    let ablation = Ablation {
        random_probe_targets: base & 16 != 0,
        piggyback_only: base & 32 != 0,
        suspicion: base & 64 == 0,
        lateness: base & 128 == 0,
        ..Ablation::default()
    };
    builder.ablation(ablation).build().expect("every value is in its range")
}

/// A policy with views.
struct Opinion;

impl Policy for Opinion {
    fn admit(&self, _: &Member, them: &[Candidate<'_>], _: Admission) -> Result<(), String> {
        match them.iter().any(|candidate| candidate.name.ends_with('5')) {
            true => Err("no fives".to_owned()),
            false => Ok(()),
        }
    }

    fn stream_ping(&self, name: &str) -> bool {
        !name.ends_with('2')
    }

    fn reap_after(&self, member: &Member) -> Option<Duration> {
        member.name().ends_with('3').then_some(Duration::ZERO)
    }
}
