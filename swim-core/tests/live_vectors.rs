//! What a real Serf node made of 165 datagrams and streams, good and bad, and what this one makes
//! of them. Serf's own messages are inside user messages, which are the embedder's: here only
//! memberlist's layer counts.

#![cfg(feature = "encryption")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use serde_json::Value;
use swim_core::envelope::{Crc, FrameBuffers, FrameReader, Label, Lzw, Outer, Verify};
use swim_core::keyring::{Key, Keyring};
use swim_core::wire::stream::{Limits as StreamLimits, Role};
use swim_core::wire::{Alive, Limits, Message, NodeState, Parts, Ping, PushPull, Scratch, Source};
use swim_core::{Config, Exchange, Identity, InboundId, Input, Instant, Node, Seed};

use support::{hex, records, unhex};

/// Where this node does otherwise than the original, and why.
const DIFFERENCES: &[(&str, Aspect, &str)] = &[
    ("udp/ok/alive-new-no-vsn", Aspect::Members, "it would block merges of Go nodes (hazard 3)"),
    ("udp/ok/alive-new-vsn-short", Aspect::Members, "as without versions (hazards 3 and 13)"),
    ("udp/ok/alive-new-addr-empty", Aspect::Members, "nobody can reach it (hazard 22)"),
    ("udp/ok/alive-new-addr-3-bytes", Aspect::Members, "nobody can reach it (hazard 22)"),
    ("udp/ok/alive-new-meta-513", Aspect::Members, "metadata has at most 512 bytes (hazard 22)"),
    ("udp/ok/alive-new-empty-name", Aspect::Members, "a name is not empty (hazard 22)"),
    ("udp/bad/compound-recursion-200", Aspect::Reply, "at most 8 layers are opened (hazard 10)"),
    (
        "tcp/ok/pushpull-join",
        Aspect::Answer,
        "the answer is made when it is fetched, after the merge",
    ),
    ("tcp/bad/pushpull-userstate-type", Aspect::Answer, "the same; Serf's state is not looked at"),
    ("tcp/bad/pushpull-vsn-missing", Aspect::Answer, "verified, then answered (hazard 31)"),
    ("tcp/bad/pushpull-vsn-3", Aspect::Answer, "verified, then answered (hazard 31)"),
    ("tcp/bad/pushpull-vsn-incompatible", Aspect::Answer, "verified, then answered (hazard 31)"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Aspect {
    /// Acks and nacks to the sender.
    Reply,
    /// Acks and nacks to the address that the message names.
    Side,
    /// The answer on the stream.
    Answer,
    /// Who became a member.
    Members,
    /// This node's incarnation afterwards.
    Incarnation,
}

/// What came of one input.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    reply: Vec<Said>,
    side: Vec<Said>,
    answer: Answer,
    members: BTreeSet<String>,
    incarnation: Option<u32>,
}

#[derive(Debug, PartialEq)]
enum Said {
    Ack(u32),
    Nack(u32),
}

#[derive(Debug, Default, PartialEq)]
enum Answer {
    #[default]
    Nothing,
    Ack(u32),
    Error,
    /// Whether it is a join, and the entries.
    State(bool, Vec<String>),
}

#[test]
fn every_input_has_the_recorded_outcome() {
    let (mut counts, mut found) = (BTreeMap::new(), BTreeSet::new());
    for record in records("malformed/live_node.jsonl") {
        let id = record["id"].as_str().expect("an id").to_owned();
        let mut lab = Lab::new(&record, false);
        lab.feed(&record);
        let ours = lab.outcome();
        assert!(lab.still_serves(), "{id}");
        if record["old"]["crashed"] == true {
            *counts.entry("survived, old crashed").or_insert(0) += 1;
        }
        if record["new"]["crashed"] == true {
            *counts.entry("survived, new crashed").or_insert(0) += 1;
            continue;
        }
        let theirs = recorded(&lab, &record["new"]);
        let differing = theirs.differs_from(&ours);
        for aspect in differing.iter().filter(|aspect| !is_known(&id, **aspect)) {
            println!("{id} {aspect:?}\n  theirs {theirs:?}\n  ours   {ours:?}");
        }
        let kind = match (&differing[..], ours == Outcome::silent(&ours)) {
            ([], true) => "alike, no answer and no change",
            ([], false) => "alike, with an answer or a change",
            _ => "different",
        };
        *counts.entry(kind).or_insert(0) += 1;
        found.extend(differing.into_iter().map(|aspect| (id.clone(), aspect)));
    }
    println!("{counts:#?}");
    assert_eq!(
        counts,
        BTreeMap::from([
            ("alike, no answer and no change", 114),
            ("alike, with an answer or a change", 36),
            ("different", DIFFERENCES.len()),
            ("survived, old crashed", 12),
            ("survived, new crashed", 3),
        ])
    );
    let known: BTreeSet<_> =
        DIFFERENCES.iter().map(|(id, aspect, _)| ((*id).to_owned(), *aspect)).collect();
    assert_eq!(found, known);
}

fn is_known(id: &str, aspect: Aspect) -> bool {
    DIFFERENCES.iter().any(|known| (known.0, known.1) == (id, aspect))
}

/// By default an answer goes to nobody but the sender or a member (hazard 18).
#[test]
fn by_default_answers_go_to_plausible_addresses() {
    let mut elsewhere = 0;
    for record in records("malformed/live_node.jsonl") {
        let mut follows = Lab::new(&record, false);
        follows.feed(&record);
        let side = follows.outcome().side;
        if side.is_empty() {
            continue;
        }
        elsewhere += 1;
        let mut refuses = Lab::new(&record, true);
        refuses.feed(&record);
        let outcome = refuses.outcome();
        assert_eq!((outcome.reply, outcome.side), (side, vec![]), "{}", record["id"]);
        assert_eq!(refuses.node.stats().implausible_sources, 1);
    }
    assert_eq!(elsewhere, 3);
}

impl Outcome {
    fn differs_from(&self, ours: &Self) -> Vec<Aspect> {
        let incarnation = self.incarnation.is_some() && self.incarnation != ours.incarnation;
        [
            (Aspect::Reply, self.reply != ours.reply),
            (Aspect::Side, self.side != ours.side),
            (Aspect::Answer, self.answer != ours.answer),
            (Aspect::Members, self.members != ours.members),
            (Aspect::Incarnation, incarnation),
        ]
        .into_iter()
        .filter_map(|(aspect, differs)| differs.then_some(aspect))
        .collect()
    }

    /// Nothing said and nobody new.
    fn silent(&self) -> Self {
        Self { incarnation: Some(1), ..Self::default() }
    }
}

/// The recorded node, made anew for each record.
struct Lab {
    node: Node,
    keyring: Keyring,
    label: &'static [u8],
    verify: Verify,
    now: Instant,
    sent: Vec<(SocketAddr, BytesMut)>,
    answer: Answer,
}

const SENDER: ([u8; 4], u16) = ([127, 0, 0, 99], 40_000);
const SIDE: ([u8; 4], u16) = ([127, 0, 0, 61], 17_999);
const LAB: ([u8; 4], u16) = ([127, 0, 0, 60], 17_946);
/// Tag `role=web`.
const META: &str = "ff81a4726f6c65a3776562";

impl Lab {
    fn new(record: &Value, plausible_only: bool) -> Self {
        let config = record["config"].as_str().expect("a config");
        let key = Key::new(&core::array::from_fn::<u8, 32, _>(|n| n as u8)).expect("32 bytes");
        let keyring = if config.contains("enc") { Keyring::new(key) } else { Keyring::empty() };
        let label = if config.contains("label") { &b"dc1"[..] } else { b"" };
        let lenient = config == "enc-lenient";
        let verify = if lenient { Verify::Tolerant } else { Verify::Enforced };
        let config = Config::local()
            .keyring(keyring.clone())
            .label(label)
            .verify_incoming(!lenient)
            .verify_outgoing(!lenient)
            .plausible_addresses_only(plausible_only)
            .build()
            .expect("a valid config");
        let me = Identity::new("lab", SocketAddr::from(LAB))
            .and_then(|me| me.meta(&unhex(META)))
            .and_then(|me| me.app_versions(2, 5, 4))
            .expect("a valid identity");
        let now = Instant::from_secs(1);
        let node = Node::new(config, me, Seed::from(1), now);
        let (sent, answer) = (Vec::new(), Answer::Nothing);
        Self { node, keyring, label, verify, now, sent, answer }
    }

    fn outer(&self) -> Outer<'_> {
        let mut outer = Outer::new(Label::new(self.label).expect("short"), &self.keyring);
        (outer.incoming, outer.outgoing) = (self.verify, self.verify);
        outer
    }

    /// Does what a driver does with the input of a record, and lets half a second pass.
    fn feed(&mut self, record: &Value) {
        let bytes = hex(record.get("hex_new").or_else(|| record.get("hex")).expect("an input"));
        match record["net"].as_str() {
            Some("udp") => self.datagram(SENDER.into(), &bytes),
            _ => self.answer = self.stream(&bytes),
        }
        let end = self.now + Duration::from_millis(500);
        self.drain();
        while let Some(at) = self.node.poll_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.node.handle(at, Input::Timeout).expect("never refused");
            self.drain();
        }
    }

    fn datagram(&mut self, from: SocketAddr, bytes: &[u8]) {
        let mut buffer = BytesMut::new();
        let Ok(message) = self.outer().open_packet(bytes, &mut buffer).map(BytesMut::from) else {
            return;
        };
        let at = self.now;
        // A refusal is an outcome like any other.
        let _ = self.node.handle(at, Input::Datagram { at, from, bytes: &message });
    }

    fn stream(&mut self, received: &[u8]) -> Answer {
        let outer = self.outer();
        let mut reader = FrameReader::new(outer, Role::Acceptor, StreamLimits::default());
        let opened = reader.advance(received).and_then(|frame| {
            let Some(frame) = frame else { return Ok(None) };
            let (mut lzw, mut buffers) = (Lzw::default(), FrameBuffers::default());
            let frame = &received[frame];
            let message = outer.open_frame(Role::Acceptor, frame, &mut lzw, &mut buffers)?;
            Ok(Some(BytesMut::from(message)))
        });
        let message = match opened {
            Ok(Some(message)) => message,
            Ok(None) => return Answer::Nothing,
            Err(error) => return error.reply_text().map_or(Answer::Nothing, |_| Answer::Error),
        };
        let input = Input::Request { id: InboundId(1), from: SENDER.into(), bytes: &message };
        let _ = self.node.handle(self.now, input);
        let mut buf = BytesMut::new();
        loop {
            buf.clear();
            match self.node.poll_exchange(&mut buf).expect("every request is answered or closed") {
                Exchange::Reply { .. } | Exchange::Refuse { .. } => return answer(&buf),
                Exchange::Close { .. } => return Answer::Nothing,
                _ => {}
            }
        }
    }

    /// Fetches everything; what the node sends to itself arrives.
    fn drain(&mut self) {
        let mut buf = BytesMut::new();
        while let Some(sent) = self.node.poll_transmit(&mut buf) {
            let message = buf.split();
            if sent.to == SocketAddr::from(LAB) {
                let (at, from) = (self.now, sent.to);
                let own = Input::Datagram { at, from, bytes: &message };
                self.node.handle(at, own).expect("what it sends it understands");
            } else {
                self.sent.push((sent.to, message));
            }
        }
        while self.node.poll_exchange(&mut buf).is_some() {}
        while self.node.poll_event().is_some() {}
    }

    fn outcome(&mut self) -> Outcome {
        let said = |to: SocketAddr| {
            let sent = self.sent.iter().filter(|(at, _)| *at == to);
            sent.flat_map(|(_, message)| answers(message)).collect()
        };
        let (reply, side) = (said(SENDER.into()), said(SIDE.into()));
        let others = self.node.members().filter(|member| member.name() != "lab");
        let others = others.map(|m| format!("{} {} {}", m.name(), m.addr(), m.state()));
        let incarnation = Some(self.node.me().incarnation().0);
        let (members, answer) = (others.collect(), std::mem::take(&mut self.answer));
        Outcome { reply, side, answer, members, incarnation }
    }

    fn still_serves(&mut self) -> bool {
        let mut ping = BytesMut::new();
        Ping { seq: 4711, node: b"lab", source: Source::default() }.encode(&mut ping);
        let mut sealed = BytesMut::new();
        let outer = self.outer();
        outer.seal_packet(Crc::Omit, [9; 12], &ping, None, &mut sealed).expect("a short message");
        self.sent.clear();
        self.datagram(SENDER.into(), &sealed);
        self.drain();
        self.sent.iter().any(|(_, message)| answers(message) == [Said::Ack(4711)])
    }
}

/// The outcome as it was recorded.
fn recorded(lab: &Lab, record: &Value) -> Outcome {
    let outer = lab.outer();
    let said = |field: &str| -> Vec<Said> {
        let datagrams = record.get(field).and_then(Value::as_array);
        let open = |datagram: &Value| {
            let mut buffer = BytesMut::new();
            let datagram = hex(datagram);
            answers(outer.open_packet(&datagram, &mut buffer).expect("sealed by the original"))
        };
        datagrams.into_iter().flatten().flat_map(open).collect()
    };
    let stream = record.get("reply_hex").filter(|reply| reply.is_string()).map(hex);
    let answer = stream.map_or(Answer::Nothing, |received| {
        let mut reader = FrameReader::new(outer, Role::Dialer, StreamLimits::default());
        let frame = reader.advance(&received).expect("well formed").expect("complete");
        let (mut lzw, mut buffers) = (Lzw::default(), FrameBuffers::default());
        let message = outer.open_frame(Role::Dialer, &received[frame], &mut lzw, &mut buffers);
        answer(message.expect("sealed by the original"))
    });
    let members = record.get("members_added").and_then(Value::as_array).into_iter().flatten();
    let members = members.map(|text| text.as_str().expect("a text").to_owned()).collect();
    let incarnation = record.get("incarnation_after").and_then(Value::as_u64);
    let incarnation = incarnation.map(|n| u32::try_from(n).expect("32 bits"));
    let (reply, side) = (said("reply_hex"), said("side_socket_hex"));
    Outcome { reply, side, answer, members, incarnation }
}

/// The acks and nacks in a datagram. Whatever it says of this node besides must be true.
fn answers(message: &[u8]) -> Vec<Said> {
    let mut scratch = Scratch::default();
    let mut parts = Parts::new(message, &mut scratch, Limits::default());
    let mut said = Vec::new();
    while let Some(part) = parts.next_part() {
        match Message::decode(part.expect("well nested")).expect("well formed") {
            Message::Ack(ack) => said.push(Said::Ack(ack.seq)),
            Message::Nack(nack) => said.push(Said::Nack(nack.seq)),
            Message::Alive(Alive { node: b"lab", addr, port, meta, vsn, .. }) => {
                assert_eq!((addr, port), (Some(&LAB.0[..]), LAB.1));
                assert_eq!((meta, vsn), (Some(&unhex(META)[..]), Some(&[1, 5, 2, 2, 5, 4][..])));
            }
            _ => {}
        }
    }
    said
}

fn answer(message: &[u8]) -> Answer {
    match Message::decode(message) {
        Ok(Message::Ack(ack)) => Answer::Ack(ack.seq),
        Ok(Message::Error(_)) => Answer::Error,
        _ => {
            let state = PushPull::decode(message, &Limits::default()).expect("a push/pull");
            Answer::State(state.join, state.nodes().map(entry).collect())
        }
    }
}

fn entry(node: NodeState<'_>) -> String {
    let NodeState { name, addr, port, meta, incarnation, state, vsn } = node;
    let name = String::from_utf8_lossy(name);
    format!("{name} {addr:?}:{port} {meta:02x?} {incarnation} {state} {vsn:?}")
}
