//! Every recorded message and tag map of Serf's own encoders and decoders, and the worked examples
//! of the Serf spec (see `vectors/README.md`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;

use bytes::BytesMut;
use serde_json::{Value, json};
use swim_core::envelope::{Label, Outer};
use swim_core::keyring::{Key, Keyring};
use swim_core::wire::DecodeError;
use swim_core::wire::serf::{
    Conflict, Event, EventSet, Filter, Join, KeyRequest, KeyResponse, Leave, List, MemberRecord,
    Message, PushPull, Query, Response, Tags, UserEvent, encode_tags,
};

use support::{hex, records};

#[test]
fn messages_decode_to_their_fields_and_encode_to_their_bytes() {
    let (mut count, mut identical, mut newer) = (BTreeMap::new(), 0, 0);
    for record in records("serf/messages.jsonl") {
        let id = &record["id"];
        let kind = record["type"].as_str().unwrap();
        let bytes = hex(&record["hex"]);
        *count.entry(kind.to_owned()).or_insert(0) += 1;
        let (fields, encoded) =
            recode(kind, &bytes).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(fields, record["fields"], "{id}");
        // Where the generations differ, ours are the bytes of the old one. Maps keep the order in
        // which they came, so that random orders are no exception.
        if record["by"].as_array().unwrap().contains(&json!("old")) {
            assert_eq!(encoded, bytes, "{id}");
            identical += 1;
        } else {
            let (again, _) = recode(kind, &encoded).unwrap();
            assert_eq!(again, fields, "{id}");
            // All that the generations write differently are signed formats and orders of maps.
            assert!(encoded != bytes || record["map_order_random"] == true, "{id}");
            newer += 1;
        }
    }
    println!("messages: {count:?}, {identical} encoded identically, {newer} of the newer dialect");
    assert_eq!((count.values().sum::<u32>(), identical, newer), (196, 159, 37));
    assert_eq!(count.len(), 12);
}

#[test]
fn tags_encode_to_their_bytes_and_decode_again() {
    let (mut identical, mut other) = (0, 0);
    for record in records("serf/tags.jsonl") {
        let id = &record["id"];
        let bytes = hex(&record["hex"]);
        assert_eq!(bytes.len() as u64, record["len"], "{id}");
        let protocol = record["protocol"].as_u64().unwrap() as u8;
        let tags = record["tags"].as_object().cloned().unwrap_or_default();
        let decoded = Tags::decode(&bytes);
        if protocol >= 3 {
            assert_eq!(tag_fields(&decoded), Value::Object(tags.clone()), "{id}");
        } else {
            let role = tags.get("role").cloned().unwrap_or_else(|| json!(""));
            assert_eq!(tag_fields(&decoded), json!({ "role": role }), "{id}");
        }
        // In the order of the record where that is random.
        let pairs: Vec<_> = match record["map_order_random"] == true {
            true => decoded.iter().collect(),
            false => {
                tags.iter().map(|(k, v)| (k.as_bytes(), v.as_str().unwrap().as_bytes())).collect()
            }
        };
        let mut out = BytesMut::new();
        encode_tags(protocol, pairs.into_iter(), &mut out).unwrap();
        if record["by"].as_array().unwrap().contains(&json!("old")) || out == bytes {
            assert_eq!(out, bytes, "{id}");
            identical += 1;
        } else {
            // A map that is nil: the newer writes c0.
            assert_eq!((&out[..], &bytes[..]), (&b"\xff\x80"[..], &b"\xff\xc0"[..]), "{id}");
            other += 1;
        }
    }
    println!("tags: {identical} encoded identically, {other} not");
    assert_eq!((identical, other), (16, 1));
}

#[test]
fn any_metadata_decode_to_the_tags_that_serf_sees() {
    let mut count = 0;
    for record in records("serf/tags_decode.jsonl") {
        let bytes = hex(&record["hex"]);
        let expected = match &record["new"]["tags"] {
            Value::Null => json!({}),
            tags => tags.clone(),
        };
        assert_eq!(tag_fields(&Tags::decode(&bytes)), expected, "{}", record["id"]);
        count += 1;
    }
    assert_eq!(count, 8);
    // Only what is cut short is called an error.
    assert_eq!(Tags::decode(b"\xff\xc0").error(), None);
    assert!(Tags::decode(b"\xff\x81\xa1").error().is_some());
    assert!(Tags::decode(b"\xff").error().is_some());
}

/// What a live node made of datagrams with Serf messages, good and bad. Here only whether they
/// decode is judged; what follows from them is for the state machine.
#[test]
fn malformed_messages_are_refused_where_serf_logs_an_error() {
    let key: [u8; 32] = std::array::from_fn(|n| n as u8);
    let (encrypted, plain) = (Keyring::new(Key::new(&key).unwrap()), Keyring::empty());
    let mut count = BTreeMap::new();
    for record in records("malformed/live_node.jsonl") {
        let id = record["id"].as_str().unwrap();
        if !id.starts_with("udp/serf/") {
            continue;
        }
        let ring = if record["config"] == "enc" { &encrypted } else { &plain };
        let outer = Outer::new(Label::EMPTY, ring);
        let (mut buffer, mut other) = (BytesMut::new(), BytesMut::new());
        let datagram = hex(&record["hex"]);
        let message = outer.open_packet(&datagram, &mut buffer).unwrap();
        assert_eq!(message[0], 8, "{id}");
        let decoded = Message::decode(&message[1..]);
        // Both generations sent the same.
        if record["hex_new"].is_string() {
            let datagram = hex(&record["hex_new"]);
            let message = outer.open_packet(&datagram, &mut other).unwrap();
            assert_eq!(Message::decode(&message[1..]), decoded, "{id}");
        }
        let log = record["new"]["log"].to_string();
        let outcome = if log.contains("unknown type") {
            assert_eq!(decoded, Err(DecodeError::Unsupported(message[1])), "{id}");
            "unknown type"
        } else if log.contains("Error decoding") {
            assert!(decoded.is_err(), "{id}");
            "undecodable"
        } else if message.len() == 1 {
            assert_eq!(decoded, Err(DecodeError::Empty), "{id}");
            "empty"
        } else {
            let message = decoded.unwrap_or_else(|error| panic!("{id}: {error}"));
            parts(id, message, &log)
        };
        *count.entry(outcome).or_insert(0) += 1;
    }
    println!("{count:?}");
    assert_eq!(
        count,
        BTreeMap::from([
            ("empty", 1),
            ("fine", 9),
            ("key request", 3),
            ("key request that is none", 1),
            ("query with a bad filter", 2),
            ("query with filters", 3),
            ("undecodable", 9),
            ("unknown type", 11),
        ])
    );
}

/// What is within a message that decodes.
fn parts(id: &str, message: Message<'_>, log: &str) -> &'static str {
    let Message::Query(query) = message else { return "fine" };
    if let Some(filters) = query.filters {
        let bad = filters.iter().any(|filter| Filter::decode(filter).is_err());
        let is_known_bad =
            id.ends_with("query-empty-filter") || log.contains("unrecognized filter type");
        assert_eq!(bad, is_known_bad, "{id}");
        return if bad { "query with a bad filter" } else { "query with filters" };
    }
    if !query.name.ends_with(b"-key") {
        return "fine";
    }
    let request = KeyRequest::decode(query.payload.unwrap_or_default());
    let is_empty = id.ends_with("install-key-empty-payload");
    assert_eq!(request.err(), is_empty.then_some(DecodeError::Empty), "{id}");
    if is_empty { "key request that is none" } else { "key request" }
}

/// What decodes after a byte was changed, encodes to what decodes to the same; nothing panics.
#[test]
fn changed_messages_are_refused_or_survive_a_round_trip() {
    let mut count = 0;
    let files = ["serf/messages.jsonl", "serf/tags.jsonl", "serf/tags_decode.jsonl"];
    for record in files.into_iter().flat_map(records) {
        let bytes = hex(&record["hex"]);
        let step = 1 + bytes.len() / 60;
        for at in (0..bytes.len()).step_by(step) {
            for change in [0x01, 0x10, 0x40, 0x80, 0xff, bytes[at] ^ 0xc0, bytes[at] ^ 0xdd] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                swim_core::fuzzing::serf(&changed);
                count += 1;
            }
            swim_core::fuzzing::serf(&bytes[..at]);
        }
    }
    println!("{count} changed messages");
    assert!(count > 50_000, "{count}");
}

/// Fields as the records show them, and the message encoded anew.
fn recode(kind: &str, bytes: &[u8]) -> Result<(Value, Vec<u8>), DecodeError> {
    let mut out = BytesMut::new();
    let (fields, len) = match kind {
        "pushPull" => {
            let state = PushPull::decode(bytes)?;
            state.encode(&mut out);
            (state_fields(state), state.encoded_len())
        }
        "conflictResponse" => {
            let conflict = Conflict::decode(bytes)?;
            conflict.encode(&mut out);
            (conflict.member.map_or(Value::Null, member_fields), conflict.encoded_len())
        }
        "keyRequest" => {
            let request = KeyRequest::decode(bytes)?;
            request.encode(&mut out);
            (json!({ "Key": data(request.key) }), request.encoded_len())
        }
        "keyResponse" => {
            let response = KeyResponse::decode(bytes)?;
            response.encode(&mut out);
            let KeyResponse { result, message, keys, primary_key } = response;
            let fields = json!({
                "Result": result, "Message": text(message), "Keys": list(keys, text),
                "PrimaryKey": text(primary_key),
            });
            (fields, response.encoded_len())
        }
        "filterNode" | "filterTag" => {
            let filter = Filter::decode(bytes)?;
            filter.encode(&mut out);
            let fields = match filter {
                Filter::Nodes(names) => json!({ "Nodes": list(names, text) }),
                Filter::Tag { tag, expr } => json!({ "Tag": text(tag), "Expr": text(expr) }),
                other => panic!("no such record: {other:?}"),
            };
            (fields, filter.encoded_len())
        }
        _ => message(Message::decode(bytes)?, &mut out)?,
    };
    assert_eq!(out.len(), len);
    Ok((fields, out.to_vec()))
}

fn message(message: Message<'_>, out: &mut BytesMut) -> Result<(Value, usize), DecodeError> {
    Ok(match message {
        Message::Leave(leave) => {
            leave.encode(out);
            let Leave { ltime, node, prune } = leave;
            let fields = json!({ "LTime": ltime, "Node": text(node), "Prune": prune });
            (fields, leave.encoded_len())
        }
        Message::Join(join) => {
            join.encode(out);
            let Join { ltime, node } = join;
            (json!({ "LTime": ltime, "Node": text(node) }), join.encoded_len())
        }
        Message::UserEvent(event) => {
            event.encode(out);
            let UserEvent { ltime, name, payload, coalesce } = event;
            let fields = json!({
                "LTime": ltime, "Name": text(name), "Payload": data(payload), "CC": coalesce,
            });
            (fields, event.encoded_len())
        }
        Message::Query(query) => {
            query.encode(out);
            (query_fields(query), query.encoded_len())
        }
        Message::Response(response) => {
            response.encode(out);
            (response_fields(response), response.encoded_len())
        }
        Message::Relay(relay) => {
            relay.encode(out);
            let (to, inner) = (relay.to, Message::decode(relay.inner)?);
            let Message::Response(response) = inner else { panic!("another inner: {inner:?}") };
            let fields = json!({
                "DestAddr": { "IP": data(to.ip), "Port": to.port, "Zone": text(to.zone) },
                "DestName": text(relay.node),
                "InnerType": relay.inner[0], "InnerHex": data(Some(relay.inner)),
                "Inner": response_fields(response),
            });
            (fields, relay.encoded_len())
        }
        other => panic!("no such record: {other:?}"),
    })
}

fn query_fields(query: Query<'_>) -> Value {
    json!({
        "LTime": query.ltime, "ID": query.id, "Addr": data(query.addr), "Port": query.port,
        "SourceNode": text(query.source_node),
        "Filters": list(query.filters, |filter| data(Some(filter))),
        "Flags": query.flags, "RelayFactor": query.relay_factor, "Timeout": query.timeout_ns,
        "Name": text(query.name), "Payload": data(query.payload),
    })
}

fn response_fields(response: Response<'_>) -> Value {
    let Response { ltime, id, from, flags, payload } = response;
    json!({
        "LTime": ltime, "ID": id, "From": text(from), "Flags": flags, "Payload": data(payload),
    })
}

fn state_fields(state: PushPull<'_>) -> Value {
    let event = |Event { name, payload }: Event<'_>| json!({ "Name": text(name), "Payload": data(payload) });
    let set = |set: EventSet<'_>| json!({ "LTime": set.ltime, "Events": list(set.events, event) });
    let times = |times: List<'_, (&[u8], u64)>| {
        times.into_iter().map(|(name, time)| (string(name), json!(time))).collect()
    };
    json!({
        "LTime": state.ltime, "EventLTime": state.event_ltime, "QueryLTime": state.query_ltime,
        "StatusLTimes": state.status_ltimes.map_or(Value::Null, |list| Value::Object(times(list))),
        "LeftMembers": list(state.left, text),
        "Events": state.events.map_or(Value::Null, |slots| {
            slots.into_iter().map(|slot| slot.map_or(Value::Null, set)).collect()
        }),
    })
}

fn member_fields(member: MemberRecord<'_>) -> Value {
    let [protocol_min, protocol_max, protocol_cur] = member.protocol;
    let [delegate_min, delegate_max, delegate_cur] = member.delegate;
    let tags = member.tags.map_or(Value::Null, |tags| {
        Value::Object(tags.into_iter().map(|(key, value)| (string(key), text(value))).collect())
    });
    json!({
        "Name": text(member.name), "Addr": data(member.addr), "Port": member.port, "Tags": tags,
        "Status": member.status, "ProtocolMin": protocol_min, "ProtocolMax": protocol_max,
        "ProtocolCur": protocol_cur, "DelegateMin": delegate_min, "DelegateMax": delegate_max,
        "DelegateCur": delegate_cur,
    })
}

fn tag_fields(tags: &Tags<'_>) -> Value {
    Value::Object(tags.iter().map(|(key, value)| (string(key), text(value))).collect())
}

fn list<'a, T>(list: Option<List<'a, T>>, show: impl Fn(T) -> Value) -> Value
where
    List<'a, T>: IntoIterator<Item = T>,
{
    list.map_or(Value::Null, |list| list.into_iter().map(show).collect())
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn text(bytes: &[u8]) -> Value {
    string(bytes).into()
}

fn data(bytes: Option<&[u8]>) -> Value {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    bytes.map_or(Value::Null, |bytes| hex(bytes).into())
}
