//! Everything that five real agents said to each other in three runs of 45 seconds each: decoded,
//! encoded again byte for byte, and handed to a node in their place.

#![cfg(feature = "encryption")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use bytes::BytesMut;
use serde_json::{Value, json};
use swim_core::envelope::{Crc, FrameBuffers, FrameReader, Label, Lzw, Outer};
use swim_core::keyring::{Key, Keyring};
use swim_core::wire::stream::{Limits as StreamLimits, Role};
use swim_core::wire::{
    Compound, Kind, Limits, Message, NodeState, Parts, PushPull, PushPullHeader, Scratch, lzw,
};
use swim_core::{Config, Exchange, Identity, InboundId, Input, Instant, Node, Seed};

use support::{hex, records};

const RUNS: [&str; 3] = ["plain", "plain-nocompress", "enc"];

#[test]
fn every_datagram_is_taken_apart_and_put_together_again() {
    let mut counts = BTreeMap::new();
    for run in RUNS {
        for record in records(&format!("corpus/{run}/udp.jsonl")) {
            let datagram = hex(&record["hex"]);
            let keyring = ring_of_datagram(run, &datagram);
            let outer = Outer::new(Label::EMPTY, &keyring);
            let mut buffer = BytesMut::new();
            let opened = outer.open_packet(&datagram, &mut buffer).expect("sealed by the original");
            let crc = match datagram.len() - opened.len() - outer.overhead() {
                0 => Crc::Omit,
                5 => Crc::Add,
                extra => panic!("{extra} bytes of headers"),
            };
            let (layers, message) = take_apart(opened);
            let outside = [
                (!keyring.is_empty()).then_some("encrypted"),
                (crc == Crc::Add).then_some("hasCrc"),
            ];
            let layers: Vec<_> = outside.into_iter().flatten().chain(layers).collect();
            let expected = record["layers"].as_array().expect("a list").iter();
            let expected: Vec<_> = expected.map(|layer| layer.as_str().expect("a name")).collect();
            let alike = |(ours, theirs): (&&str, &&str)| {
                ours == theirs || *ours == "user" && theirs.starts_with("user:")
            };
            assert_eq!(layers.len(), expected.len(), "{layers:?} {expected:?}");
            assert!(layers.iter().zip(&expected).all(alike), "{layers:?} {expected:?}");

            let nonce = nonce_of(&datagram[1..]).filter(|_| outer.encrypts()).unwrap_or_default();
            let mut lzw = Lzw::default();
            let compressor = (run != "plain-nocompress").then_some(&mut lzw as _);
            let mut sealed = BytesMut::new();
            outer.seal_packet(crc, nonce, &message, compressor, &mut sealed).expect("short");
            assert_eq!(sealed, datagram);
            *counts.entry(run).or_insert(0) += 1;
        }
    }
    println!("datagrams: {counts:?}");
    assert_eq!(counts, BTreeMap::from([("plain", 600), ("plain-nocompress", 601), ("enc", 670)]));
}

#[test]
fn every_stream_is_taken_apart_and_put_together_again() {
    let (mut states, mut others, mut silent) = (0, 0, 0);
    for run in RUNS {
        for record in records(&format!("corpus/{run}/tcp.jsonl")) {
            for (direction, reader, writer) in
                [("c2s", Role::Acceptor, Role::Dialer), ("s2c", Role::Dialer, Role::Acceptor)]
            {
                let stream = hex(&record[direction]);
                if stream.is_empty() {
                    silent += 1;
                    continue;
                }
                let keyring = ring_of_stream(run, reader, &stream);
                let outer = Outer::new(Label::EMPTY, &keyring);
                let message = read(&outer, reader, &stream).expect("sealed by the original");
                let decoded = innermost(&record["decoded"][direction]);
                match PushPull::decode(&message, &Limits::default()) {
                    Ok(state) => {
                        assert_eq!(state_fields(&state), known_fields(decoded));
                        assert_eq!(encode(&state), message);
                        states += 1;
                    }
                    Err(_) => {
                        let name = name_of(&Message::decode(&message).expect("a message"));
                        assert_eq!(decoded["type"], name);
                        others += 1;
                    }
                }
                let nonce = stream.get(6..).and_then(nonce_of);
                let nonce = nonce.filter(|_| outer.encrypts()).unwrap_or_default();
                let mut lzw = Lzw::default();
                let compressor = (run != "plain-nocompress").then_some(&mut lzw as _);
                let mut sealed = BytesMut::new();
                outer.seal_frame(writer, nonce, &message, compressor, &mut sealed).expect("short");
                assert_eq!(sealed, stream);
            }
        }
    }
    println!("{states} states, {others} other messages, {silent} silent directions");
    assert_eq!((states, others, silent), (78, 16, 62));
}

/// Each agent's mail, in order, to a node of its name and address: it takes everything.
#[test]
fn a_node_takes_what_an_agent_took() {
    let (mut datagrams, mut requests) = (0, 0);
    for run in RUNS {
        for agent in 1..=5u8 {
            let home = SocketAddr::from(([127, 0, 0, agent], 7946));
            let me = Identity::new(&format!("node{agent}"), home)
                .and_then(|me| me.app_versions(2, 5, 5))
                .expect("a valid identity");
            let config = Config::local().build().expect("a valid config");
            let mut node = Node::new(config, me, Seed::from(u64::from(agent)), Instant::ZERO);
            for (at, from, mail) in mail_of(run, home) {
                time_passes(&mut node, at);
                let taken = match &mail {
                    Mail::Datagram(bytes) => {
                        datagrams += 1;
                        node.handle(at, Input::Datagram { at, from, bytes })
                    }
                    Mail::Request(bytes) => {
                        requests += 1;
                        node.handle(at, Input::Request { id: InboundId(requests), from, bytes })
                    }
                };
                assert_eq!(taken, Ok(()), "{run} node{agent} at {at}");
            }
            let stats = node.stats();
            assert_eq!((stats.malformed, stats.wrong_plane, stats.not_for_me), (0, 0, 0));
            let refused = [stats.bad_names, stats.bad_addresses, stats.bad_meta];
            assert_eq!(refused, [0; 3]);
            assert_eq!((stats.bad_versions, stats.bad_incarnations), (0, 0));
            let names: BTreeSet<_> = node.members().map(|m| m.name().to_owned()).collect();
            let all: BTreeSet<_> = (1..=5).map(|n| format!("node{n}")).collect();
            assert_eq!(names, all, "{run}");
        }
    }
    println!("{datagrams} datagrams and {requests} requests taken");
    assert_eq!((datagrams, requests), (1862, 47));
}

enum Mail {
    Datagram(Vec<u8>),
    Request(Vec<u8>),
}

/// What an agent received, outer layers off, with time and sender.
fn mail_of(run: &str, home: SocketAddr) -> Vec<(Instant, SocketAddr, Mail)> {
    let mut mail = Vec::new();
    let at =
        |record: &Value| Instant::from_nanos((record["t"].as_f64().expect("seconds") * 1e9) as u64);
    let is_home = |value: &Value| value.as_str() == Some(&home.to_string());
    let address = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    for record in records(&format!("corpus/{run}/udp.jsonl")) {
        if is_home(&record["dst"]) {
            let datagram = hex(&record["hex"]);
            let keyring = ring_of_datagram(run, &datagram);
            let mut buffer = BytesMut::new();
            let outer = Outer::new(Label::EMPTY, &keyring);
            let message = outer.open_packet(&datagram, &mut buffer).expect("sealed").to_vec();
            let from = address(&record["src"]).expect("an address");
            mail.push((at(&record), from, Mail::Datagram(message)));
        }
    }
    for record in records(&format!("corpus/{run}/tcp.jsonl")) {
        let stream = hex(&record["c2s"]);
        if is_home(&record["server"]) && !stream.is_empty() {
            let keyring = ring_of_stream(run, Role::Acceptor, &stream);
            let outer = Outer::new(Label::EMPTY, &keyring);
            let message = read(&outer, Role::Acceptor, &stream).expect("sealed").to_vec();
            let from = address(&record["client"]).expect("an address");
            mail.push((at(&record), from, Mail::Request(message)));
        }
    }
    mail.sort_by_key(|(at, ..)| *at);
    mail
}

/// Lets a node live until `end`, without anybody who hears it.
fn time_passes(node: &mut Node, end: Instant) {
    let mut buf = BytesMut::new();
    loop {
        while node.poll_transmit(&mut buf).is_some() {}
        while let Some(exchange) = node.poll_exchange(&mut buf) {
            assert!(!matches!(exchange, Exchange::Refuse { .. }), "{exchange:?}");
        }
        while node.poll_event().is_some() {}
        match node.poll_timeout().filter(|at| *at <= end) {
            Some(at) => node.handle(at, Input::Timeout).expect("never refused"),
            None => return,
        }
        buf.clear();
    }
}

/// The names of the layers and messages, and the message with only its compression undone.
fn take_apart(opened: &[u8]) -> (Vec<&'static str>, BytesMut) {
    let mut layers = Vec::new();
    let mut message = BytesMut::from(opened);
    if let Some((9, body)) = opened.split_first() {
        layers.push("compress");
        let mut scratch = Scratch::default();
        message = lzw::decompress(body, &mut scratch, 1 << 16).expect("compressed").into();
    }
    if message[0] == Kind::Compound.byte() {
        layers.push("compound");
    }
    let mut again = BytesMut::new();
    let mut compound = Compound::begin(&mut again);
    let mut scratch = Scratch::default();
    let mut parts = Parts::new(&message, &mut scratch, Limits::default());
    while let Some(part) = parts.next_part() {
        let part = Message::decode(part.expect("well nested")).expect("well formed");
        layers.push(name_of(&part));
        compound.part(|out| encode_message(&part, out)).expect("few and short");
    }
    compound.finish();
    assert_eq!(again, message, "encoded as by the original");
    (layers, message)
}

fn name_of(message: &Message<'_>) -> &'static str {
    match message {
        Message::Ping(_) => "ping",
        Message::IndirectPing(_) => "indirectPing",
        Message::Ack(_) => "ack",
        Message::Nack(_) => "nack",
        Message::Suspect(_) => "suspect",
        Message::Alive(_) => "alive",
        Message::Dead(_) => "dead",
        Message::User(_) => "user",
        _ => "err",
    }
}

fn encode_message(message: &Message<'_>, out: &mut BytesMut) {
    match message {
        Message::Ping(ping) => ping.encode(out),
        Message::IndirectPing(ping) => ping.encode(out),
        Message::Ack(ack) => ack.encode(out),
        Message::Nack(nack) => nack.encode(out),
        Message::Suspect(claim) => claim.encode(Kind::Suspect, out),
        Message::Alive(alive) => alive.encode(out),
        Message::Dead(claim) => claim.encode(Kind::Dead, out),
        Message::User(payload) => {
            out.extend_from_slice(&[Kind::User.byte()]);
            out.extend_from_slice(payload);
        }
        other => panic!("{other:?} in a datagram"),
    }
}

fn encode(state: &PushPull<'_>) -> BytesMut {
    let mut out = BytesMut::new();
    let (nodes, user_state_len) = (state.len() as u32, state.user_state().len() as u32);
    PushPullHeader { join: state.join, nodes, user_state_len }.encode(&mut out);
    state.nodes().for_each(|node| node.encode(&mut out));
    out.extend_from_slice(state.user_state());
    out
}

fn state_fields(state: &PushPull<'_>) -> Value {
    let fields = |node: NodeState<'_>| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let bytes = |bytes: Option<&[u8]>| {
            let digits = bytes?.iter().map(|byte| format!("{byte:02x}"));
            Some(digits.collect::<String>())
        };
        json!({
            "Name": text(node.name), "Addr": bytes(node.addr), "Port": node.port,
            "Meta": bytes(node.meta), "Incarnation": node.incarnation, "State": node.state,
            "Vsn": bytes(node.vsn),
        })
    };
    json!({
        "Join": state.join, "UserStateLen": state.user_state().len(),
        "nodes": state.nodes().map(fields).collect::<Vec<_>>(),
    })
}

/// The same of a recorded tree.
fn known_fields(decoded: &Value) -> Value {
    let bytes = |value: &Value| value.get("hex").cloned().unwrap_or(Value::Null);
    let nodes = decoded["nodes"].as_array().expect("nodes").iter();
    let nodes: Vec<_> = nodes
        .map(|node| {
            json!({
                "Name": node["Name"], "Addr": bytes(&node["Addr"]), "Port": node["Port"],
                "Meta": bytes(&node["Meta"]), "Incarnation": node["Incarnation"],
                "State": node["State"], "Vsn": bytes(&node["Vsn"]),
            })
        })
        .collect();
    let header = &decoded["header"];
    json!({ "Join": header["Join"], "UserStateLen": header["UserStateLen"], "nodes": nodes })
}

fn innermost(tree: &Value) -> &Value {
    tree.get("inner").map_or(tree, innermost)
}

fn read(outer: &Outer<'_>, role: Role, stream: &[u8]) -> Option<BytesMut> {
    let mut reader = FrameReader::new(*outer, role, StreamLimits::default());
    let frame = reader.advance(stream).ok()??;
    let (mut lzw, mut buffers) = (Lzw::default(), FrameBuffers::default());
    let message = outer.open_frame(role, &stream[frame], &mut lzw, &mut buffers).ok()?;
    Some(message.into())
}

/// The ring of the node that sealed something, which `opens` can tell: the encrypted run changes
/// from one key to another.
fn keyring_that(run: &str, opens: impl Fn(&Outer<'_>) -> bool) -> Keyring {
    let key = |first: u8| {
        Key::new(&core::array::from_fn::<u8, 32, _>(|n| first + n as u8)).expect("32 bytes")
    };
    let rings = match run {
        "enc" => vec![Keyring::new(key(0x00)), Keyring::new(key(0x20))],
        _ => vec![Keyring::empty()],
    };
    let found = rings.into_iter().find(|ring| opens(&Outer::new(Label::EMPTY, ring)));
    found.expect("one of the keys in the manifest")
}

fn ring_of_datagram(run: &str, datagram: &[u8]) -> Keyring {
    keyring_that(run, |outer| outer.open_packet(datagram, &mut BytesMut::new()).is_ok())
}

fn ring_of_stream(run: &str, role: Role, stream: &[u8]) -> Keyring {
    keyring_that(run, |outer| read(outer, role, stream).is_some())
}

fn nonce_of(blob: &[u8]) -> Option<[u8; 12]> {
    blob.first_chunk().copied()
}
