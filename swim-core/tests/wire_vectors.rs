//! Every recorded message of memberlist's own encoders and decoders (see `vectors/README.md`).

use std::collections::BTreeMap;

use bytes::BytesMut;
use serde_json::{Value, json};
use swim_core::wire::lzw::{self, Compressor};
use swim_core::wire::{
    Ack, Alive, Claim, Compound, DecodeError, ErrorReply, IndirectPing, Kind, Limits, Message,
    Nack, NodeState, PartError, Parts, Ping, PushPull, PushPullHeader, Scratch, Source, UserHeader,
};

/// Records that memberlist's codec accepts and we do not, or the reverse, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    // memberlist refuses these lengths after decoding (spec 3.3), we while decoding.
    ("ml/pushPullHeader/n-4294967296-join-false", "refused: exceeds 32 bits"),
    ("ml/pushPullHeader/n-4294967296-join-true", "refused: exceeds 32 bits"),
    ("ml/userMsgHeader/n-4294967296", "refused: exceeds 32 bits"),
    // Skipping takes no stack here, so there is nothing to protect by a limit.
    ("msgpack/ping/deep-2000-unknown", "accepted, as older memberlists do: any depth is skipped"),
];

#[test]
fn messages_decode_to_their_fields_and_encode_to_their_bytes() {
    let (mut count, mut identical, mut other) = (BTreeMap::new(), 0, 0);
    for record in records("memberlist/messages.jsonl") {
        let id = text(&record["id"]);
        let bytes = hex(&record["hex"]);
        let kind = text(&record["type"]);
        *count.entry(kind.clone()).or_insert(0) += 1;
        let decoded = decode_message(&kind, &bytes);
        if differs(&id) {
            assert!(matches!(decoded, Err(DecodeError::TooLarge { .. })), "{id}: {decoded:?}");
            other += 1;
            continue;
        }
        let (fields, encoded) = decoded.unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(fields, record["fields"], "{id}");
        // Where the two generations differ, ours are the bytes of the old one.
        if record["by"].as_array().unwrap().contains(&json!("old")) {
            assert_eq!(encoded, bytes, "{id}");
            identical += 1;
        } else {
            let (again, _) = decode_message(&kind, &encoded).unwrap();
            assert_eq!(again, fields, "{id}");
            other += 1;
        }
    }
    println!("messages: {count:?}, {identical} encoded identically, {other} not");
    assert_eq!((count.values().sum::<u32>(), identical, other), (270, 242, 28));
    assert_eq!(count.len(), 14);
}

#[test]
fn bodies_are_accepted_or_refused_as_by_memberlist() {
    let (mut accepted, mut refused, mut differences) = (0, 0, 0);
    for record in records("malformed/msgpack.jsonl") {
        let id = text(&record["id"]);
        let mut bytes = match text(&record["decode_as"]).as_str() {
            "ping" => vec![0],
            "ack" => vec![2],
            "suspect" => vec![3],
            "alive" => vec![4],
            "nack" => vec![11],
            other => panic!("{id}: decode as {other}"),
        };
        bytes.extend(hex(&record["body_hex"]));
        let judge = if differs(&id) { &record["old"] } else { &record["new"] };
        differences += u32::from(differs(&id));
        let decoded = decode_message(&text(&record["decode_as"]), &bytes);
        match judge["accepted"].as_bool().unwrap() {
            true => {
                let (fields, _) = decoded.unwrap_or_else(|error| panic!("{id}: {error}"));
                assert_eq!(fields, judge["fields"], "{id}");
                accepted += 1;
            }
            false => {
                assert!(decoded.is_err(), "{id}: accepted {decoded:?}");
                refused += 1;
            }
        }
    }
    println!("bodies: {accepted} accepted, {refused} refused, {differences} unlike the new codec");
    assert_eq!((accepted, refused, differences), (35, 157, 1));
}

#[test]
fn compounds_split_into_their_parts_and_join_again() {
    let (mut split, mut joined) = (0, 0);
    for record in records("wrappers/compound.jsonl") {
        let id = text(&record["id"]);
        let bytes = hex(&record["hex"]);
        let parts: Vec<_> = record["parts"].as_array().unwrap().iter().map(hex).collect();
        let read = record["go_decode_new"]["parts"].as_u64().unwrap() as usize;
        let expected: Vec<_> = parts[..read].iter().map(|part| Ok(part.clone())).collect();
        assert_eq!(walk(&bytes), empty_as_error(expected), "{id}");
        split += 1;
        // Others we never send: alone a message goes bare, empty ones are not messages.
        if (2..=Compound::PARTS_MAX).contains(&parts.len()) && !parts.contains(&vec![]) {
            let mut out = BytesMut::new();
            let mut compound = Compound::begin(&mut out);
            for part in &parts {
                compound.part(|out| out.extend_from_slice(part)).unwrap();
            }
            assert_eq!(compound.finish(), parts.len());
            assert_eq!(out, bytes, "{id}");
            joined += 1;
        }
    }
    println!("compounds: {split} split, {joined} joined identically");
    assert_eq!((split, joined), (16, 5));
}

#[test]
fn malformed_compounds_yield_the_parts_that_memberlist_reads() {
    let (mut whole, mut truncated, mut refused) = (0, 0, 0);
    for record in records("malformed/compound.jsonl") {
        let id = text(&record["id"]);
        let mut bytes = vec![7];
        bytes.extend(hex(&record["body_hex"]));
        let judge = &record["new"];
        let mut expected: Vec<_> =
            judge["parts"].as_array().unwrap().iter().map(|part| Ok(hex(part))).collect();
        let missing = judge["truncated"].as_u64().unwrap() as usize;
        if judge["go_error"].is_string() {
            expected.push(Err(PartError::Header { len: bytes.len() }));
            refused += 1;
        } else if missing > 0 {
            expected.push(Err(PartError::Truncated { parts: missing }));
            truncated += 1;
        } else {
            whole += 1;
        }
        assert_eq!(walk(&bytes), empty_as_error(expected), "{id}");
    }
    println!("malformed compounds: {whole} whole, {truncated} truncated, {refused} refused");
    assert_eq!((whole, truncated, refused), (8, 3, 5));
}

#[test]
fn compression_is_undone_and_done_byte_for_byte() {
    let (mut compressor, mut scratch) = (Compressor::default(), Scratch::default());
    let mut count = 0;
    for record in records("wrappers/compressed.jsonl") {
        let id = text(&record["id"]);
        let (bytes, plain) = (hex(&record["hex"]), hex(&record["plain_hex"]));
        assert_eq!(lzw::decompress(&bytes[1..], &mut scratch, plain.len()), Ok(&plain[..]), "{id}");
        let mut out = BytesMut::new();
        lzw::compress(&plain, &mut compressor, &mut out);
        assert_eq!(out, bytes, "{id}");
        count += 1;
    }
    println!("compressed: {count} expanded and compressed identically");
    assert_eq!(count, 39);
}

#[test]
fn malformed_compression_is_refused_as_by_memberlist() {
    let mut scratch = Scratch::default();
    let (mut expanded, mut refused) = (0, 0);
    for record in records("malformed/compress.jsonl") {
        let id = text(&record["id"]);
        let body = hex(&record["body_hex"]);
        let result = lzw::decompress(&body, &mut scratch, 1 << 20);
        match record["new"].get("plain_hex") {
            Some(plain) => {
                assert_eq!(result, Ok(&hex(plain)[..]), "{id}");
                expanded += 1;
            }
            None => {
                assert!(result.is_err(), "{id}");
                refused += 1;
            }
        }
    }
    println!("malformed compression: {expanded} expanded, {refused} refused");
    assert_eq!((expanded, refused), (4, 48));
}

/// The fields of a message as the records show them, and the message encoded anew.
fn decode_message(kind: &str, bytes: &[u8]) -> Result<(Value, Vec<u8>), DecodeError> {
    let mut out = BytesMut::new();
    let mut fragment = 0;
    let fields = match kind {
        "pushPullHeader" => {
            let header = PushPullHeader::decode(bytes)?;
            header.encode(&mut out);
            fragment = 1;
            header_fields(header)
        }
        "pushNodeState" => {
            let node = NodeState::decode(bytes)?;
            node.encode(&mut out);
            node_fields(node)
        }
        "userMsgHeader" => {
            let header = UserHeader::decode(bytes)?;
            header.encode(&mut out);
            fragment = 1;
            json!({ "UserMsgLen": header.len })
        }
        "userStream" => {
            let (header, len) = UserHeader::decode_prefix(&bytes[1..])?;
            let payload = &bytes[1 + len..];
            header.encode(&mut out);
            out.extend_from_slice(payload);
            json!({ "UserMsgLen": header.len, "Payload": to_hex(payload) })
        }
        "pushPull" => {
            let message = PushPull::decode(bytes, &Limits::default())?;
            let header = PushPullHeader {
                join: message.join,
                nodes: message.len() as u32,
                user_state_len: message.user_state().len() as u32,
            };
            header.encode(&mut out);
            message.nodes().for_each(|node| node.encode(&mut out));
            out.extend_from_slice(message.user_state());
            let nodes: Vec<_> = message.nodes().map(node_fields).collect();
            let nodes = if nodes.is_empty() { Value::Null } else { nodes.into() };
            let user_state = to_hex(message.user_state());
            json!({ "Header": header_fields(header), "Nodes": nodes, "UserState": user_state })
        }
        _ => message_fields(Message::decode(bytes)?, &mut out),
    };
    Ok((fields, out[fragment..].to_vec()))
}

fn message_fields(message: Message<'_>, out: &mut BytesMut) -> Value {
    match message {
        Message::Ping(ping) => {
            ping.encode(out);
            let Ping { seq, node, source } = ping;
            with_source(json!({ "SeqNo": seq, "Node": name(node) }), source)
        }
        Message::IndirectPing(ping) => {
            ping.encode(out);
            let IndirectPing { seq, target, port, node, nack, source } = ping;
            let (target, node) = (bytes(target), name(node));
            let fields =
                json!({ "SeqNo": seq, "Target": target, "Port": port, "Node": node, "Nack": nack });
            with_source(fields, source)
        }
        Message::Ack(ack) => {
            ack.encode(out);
            let Ack { seq, payload } = ack;
            json!({ "SeqNo": seq, "Payload": bytes(payload) })
        }
        Message::Nack(nack) => {
            nack.encode(out);
            let Nack { seq } = nack;
            json!({ "SeqNo": seq })
        }
        Message::Suspect(claim) => {
            claim.encode(Kind::Suspect, out);
            claim_fields(claim)
        }
        Message::Dead(claim) => {
            claim.encode(Kind::Dead, out);
            claim_fields(claim)
        }
        Message::Alive(alive) => {
            alive.encode(out);
            let Alive { incarnation, node, addr, port, meta, vsn } = alive;
            json!({
                "Incarnation": incarnation, "Node": name(node), "Addr": bytes(addr), "Port": port,
                "Meta": bytes(meta), "Vsn": bytes(vsn),
            })
        }
        Message::User(payload) => {
            out.extend_from_slice(&[Kind::User.byte()]);
            out.extend_from_slice(payload);
            json!({ "Payload": to_hex(payload) })
        }
        Message::Error(error) => {
            error.encode(out);
            let ErrorReply { text } = error;
            json!({ "Error": name(text) })
        }
        other => panic!("no such record: {other:?}"),
    }
}

fn claim_fields(Claim { incarnation, node, from }: Claim<'_>) -> Value {
    json!({ "Incarnation": incarnation, "Node": name(node), "From": name(from) })
}

fn header_fields(header: PushPullHeader) -> Value {
    let PushPullHeader { join, nodes, user_state_len } = header;
    json!({ "Join": join, "Nodes": nodes, "UserStateLen": user_state_len })
}

fn node_fields(node: NodeState<'_>) -> Value {
    let NodeState { name: node, addr, port, meta, incarnation, state, vsn } = node;
    json!({
        "Name": name(node), "Addr": bytes(addr), "Port": port, "Meta": bytes(meta),
        "Incarnation": incarnation, "State": state, "Vsn": bytes(vsn),
    })
}

fn with_source(mut fields: Value, Source { addr, port, node }: Source<'_>) -> Value {
    fields["SourceAddr"] = bytes((!addr.is_empty()).then_some(addr));
    fields["SourcePort"] = port.into();
    fields["SourceNode"] = name(node);
    fields
}

fn walk(bytes: &[u8]) -> Vec<Result<Vec<u8>, PartError>> {
    let mut scratch = Scratch::default();
    let mut parts = Parts::new(bytes, &mut scratch, Limits::default());
    let mut results = Vec::new();
    while let Some(part) = parts.next_part() {
        results.push(part.map(<[u8]>::to_vec));
    }
    results
}

type PartResult = Result<Vec<u8>, PartError>;

fn empty_as_error(parts: Vec<PartResult>) -> Vec<PartResult> {
    let judge = |part: Vec<u8>| if part.is_empty() { Err(PartError::Empty) } else { Ok(part) };
    parts.into_iter().map(|part| part.and_then(judge)).collect()
}

fn differs(id: &str) -> bool {
    DIFFERENCES.iter().any(|(known, _)| *known == id)
}

fn records(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let lines = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    lines.lines().map(|line| serde_json::from_str(line).expect(file)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

fn name(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).into()
}

fn bytes(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |bytes| to_hex(bytes).into())
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("a hex string");
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex digits");
    (0..text.len()).step_by(2).map(byte).collect()
}
