//! Properties of the whole module.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::wire::DecodeError;
use crate::wire::agree::all_paths_agree;
use crate::wire::serf::{
    Conflict, Coordinate, Destination, Event, EventSet, Filter, Join, KeyRequest, KeyResponse,
    Kind, Leave, List, MemberRecord, Message, PushPull, Query, Relay, Response, Tags, TooLong,
    UserEvent, encode_tags,
};

/// Byte strings around the borders of the length formats.
fn raw() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => vec(any::<u8>(), 0..40),
        1 => vec(any::<u8>(), 250..260),
        1 => (65530..65540usize).prop_map(|len| vec![b'x'; len]),
    ]
}

fn short() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..34)
}

/// Integers around the borders of the formats.
fn int() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        any::<u32>().prop_map(u64::from),
        any::<u16>().prop_map(u64::from),
        any::<u8>().prop_map(u64::from),
    ]
}

fn slices(owned: &[Vec<u8>]) -> Vec<&[u8]> {
    owned.iter().map(Vec::as_slice).collect()
}

/// Encodes, compares with the length that was promised, and decodes every prefix: only the whole
/// may be accepted.
macro_rules! survives {
    ($value:expr, $decode:expr) => {{
        let value = $value;
        let mut out = BytesMut::new();
        value.encode(&mut out);
        prop_assert_eq!(out.len(), value.encoded_len());
        prop_assert_eq!($decode(&out[..]), Ok(value));
        for end in (0..out.len()).step_by(1 + out.len() / 200) {
            prop_assert!($decode(&out[..end]).is_err(), "{} of {}", end, out.len());
        }
    }};
}

proptest! {
    #[test]
    fn intents_and_events_survive_a_round_trip(
        (ltime, node, prune) in (int(), raw(), any::<bool>()),
        payload in option::of(raw()),
    ) {
        survives!(Join { ltime, node: &node }, Join::decode);
        survives!(Leave { ltime, node: &node, prune }, Leave::decode);
        let payload = payload.as_deref();
        survives!(UserEvent { ltime, name: &node, payload, coalesce: prune }, UserEvent::decode);
    }

    #[test]
    fn queries_and_responses_survive_a_round_trip(
        (ltime, id, flags, port, relay_factor) in
            (int(), any::<u32>(), int(), any::<u16>(), any::<u8>()),
        (addr, source_node, name, payload) in
            (option::of(short()), short(), raw(), option::of(raw())),
        filters in option::of(vec(short(), 0..20)),
        timeout_ns in prop_oneof![any::<i64>(), any::<i32>().prop_map(i64::from), -200..200i64],
    ) {
        let filters = filters.as_deref().map(slices);
        let query = Query {
            ltime, id, addr: addr.as_deref(), port, source_node: &source_node,
            filters: filters.as_deref().map(List::from), flags: flags as u32, relay_factor,
            timeout_ns, name: &name, payload: payload.as_deref(),
        };
        survives!(query, Query::decode);
        let response = Response {
            ltime, id, from: &source_node, flags: flags as u32, payload: payload.as_deref(),
        };
        survives!(response, Response::decode);
        let mut out = BytesMut::new();
        response.encode(&mut out);
        let to = Destination { ip: addr.as_deref(), port, zone: &name };
        let relay = Relay { to, node: &source_node, inner: &out };
        let mut relayed = BytesMut::new();
        relay.encode(&mut relayed);
        prop_assert_eq!(relayed.len(), relay.encoded_len());
        prop_assert_eq!(Message::decode(&relayed), Ok(Message::Relay(relay)));
    }

    #[test]
    fn payloads_survive_a_round_trip(
        (name, addr, port) in (raw(), option::of(short()), any::<u16>()),
        tags in option::of(vec((short(), short()), 0..20)),
        (status, protocol, delegate) in (any::<i64>(), any::<[u8; 3]>(), any::<[u8; 3]>()),
        keys in option::of(vec(short(), 0..20)),
        result in any::<bool>(),
    ) {
        let tags: Option<Vec<_>> = tags.as_ref()
            .map(|tags| tags.iter().map(|(key, value)| (&key[..], &value[..])).collect());
        let tags = tags.as_deref().map(List::from);
        let addr = addr.as_deref();
        let member = MemberRecord { name: &name, addr, port, tags, status, protocol, delegate };
        survives!(Conflict { member: Some(member) }, Conflict::decode);
        survives!(Conflict { member: None }, Conflict::decode);
        let keys = keys.as_deref().map(slices);
        let keys = keys.as_deref().map(List::from);
        survives!(
            KeyResponse { result, message: &name, keys, primary_key: b"primary" },
            KeyResponse::decode
        );
        survives!(KeyRequest { key: addr }, KeyRequest::decode);
        let filter = Filter::Nodes(keys);
        survives!(filter, Filter::decode);
        let filter = Filter::Tag { tag: &name, expr: b"^web" };
        survives!(filter, Filter::decode);
    }

    #[test]
    fn states_survive_a_round_trip(
        clocks in (int(), int(), int()),
        times in option::of(vec((short(), int()), 0..40)),
        left in option::of(vec(short(), 0..20)),
        slots in option::of(vec(
            option::of((int(), option::of(vec((short(), option::of(short())), 0..5)))), 0..40,
        )),
    ) {
        let times: Option<Vec<_>> =
            times.as_ref().map(|times| times.iter().map(|(k, v)| (&k[..], *v)).collect());
        let left = left.as_deref().map(slices);
        let slots = slots.unwrap_or_default();
        let sets: Vec<_> = slots.iter()
            .map(|slot| slot.as_ref().map(|(time, list)| (*time, list.as_deref().map(events))))
            .collect();
        let sets: Vec<_> = sets.iter()
            .map(|slot| slot.as_ref().map(|(ltime, events)| {
                EventSet { ltime: *ltime, events: events.as_deref().map(List::from) }
            }))
            .collect();
        let state = PushPull {
            ltime: clocks.0,
            status_ltimes: times.as_deref().map(List::from),
            left: left.as_deref().map(List::from),
            event_ltime: clocks.1,
            events: Some(List::from(&sets[..])),
            query_ltime: clocks.2,
        };
        survives!(state, PushPull::decode);
    }

    #[test]
    fn coordinates_survive_a_round_trip(
        (error, adjustment, height) in (-1e9..1e9f64, any::<f64>(), any::<f64>()),
        vec in option::of(vec(any::<f64>(), 0..20)),
    ) {
        let vec = vec.as_deref().map(List::from);
        survives!(Coordinate { vec, error, adjustment, height }, Coordinate::decode);
    }

    #[test]
    fn tags_survive_a_round_trip(tags in vec((short(), short()), 0..12), protocol in 0..6u8) {
        let mut tags = tags.iter().map(|(key, value)| (&key[..], &value[..]));
        let mut out = BytesMut::new();
        let encoded = encode_tags(protocol, tags.clone(), &mut out);
        let decoded = Tags::decode(&out);
        match (encoded, protocol) {
            (Err(TooLong::Tags { len, max: 512 }), _) => prop_assert!(out.is_empty() && len > 512),
            (Ok(()), 3..) => {
                prop_assert!(decoded.iter().eq(tags));
                for end in 1..out.len() {
                    let cut = Tags::decode(&out[..end]);
                    prop_assert!(cut.error().is_some());
                    prop_assert!(cut.iter().eq(decoded.iter().take(cut.iter().count())));
                }
            }
            (result, _) => {
                prop_assert_eq!(result, Ok(()));
                let role = tags.rfind(|tag| tag.0 == b"role");
                prop_assert_eq!(&out[..], role.map_or(&b""[..], |tag| tag.1));
            }
        }
    }

    #[test]
    fn any_bytes_decode_alike_on_both_paths(bytes in vec(any::<u8>(), 0..80)) {
        all_paths_agree(&bytes);
    }
}

fn events(owned: &[(Vec<u8>, Option<Vec<u8>>)]) -> Vec<Event<'_>> {
    owned.iter().map(|(name, payload)| Event { name, payload: payload.as_deref() }).collect()
}

#[test]
fn fields_in_any_order_and_number_are_accepted() {
    // As an array, cut short, with a field too many, with a key as bin and one that is unknown.
    let event = UserEvent { ltime: 3, name: b"deploy", payload: Some(b"v1"), coalesce: true };
    for body in [
        &b"\x94\x03\xa6deploy\xa2v1\xc3"[..],
        b"\x95\x03\xa6deploy\xc4\x02v1\xc3\xc0",
        b"\x84\xa4Name\xd9\x06deploy\xc4\x05LTime\xd0\x03\xa7Payload\xc4\x02v1\xa2CC\x01",
        b"\x85\xa2CC\xc3\xa3new\xc7\x01\x00\x00\xa4Name\xa6deploy\xa5LTime\x03\xa7Payload\xa2v1",
    ] {
        let mut message = vec![Kind::UserEvent.byte()];
        message.extend_from_slice(body);
        assert_eq!(UserEvent::decode(&message), Ok(event), "{body:x?}");
    }
    assert_eq!(UserEvent::decode(b"\x03\xc0"), Ok(UserEvent::default()));
    assert_eq!(UserEvent::decode(b"\x03\x91\x05").unwrap().ltime, 5);
    assert_eq!(UserEvent::decode(b"\x00\xc0"), Err(DecodeError::Unsupported(0)));
    assert_eq!(UserEvent::decode(b""), Err(DecodeError::Empty));
}

#[test]
fn numbers_out_of_range_are_refused() {
    let query = |field: &[u8]| {
        let mut message = vec![Kind::Query.byte(), 0x81];
        message.extend_from_slice(field);
        Query::decode(&message).err()
    };
    assert_eq!(query(b"\xa4Port\xcd\xff\xff"), None);
    assert_eq!(
        query(b"\xa4Port\xce\0\x01\0\0"),
        Some(DecodeError::TooLarge { value: 65536, max: 65535 })
    );
    assert_eq!(
        query(b"\xabRelayFactor\xcd\x01\0"),
        Some(DecodeError::TooLarge { value: 256, max: 255 })
    );
    assert_eq!(query(b"\xa2ID\xff"), Some(DecodeError::Negative(-1)));
    assert!(query(b"\xa5LTime\xcb\0\0\0\0\0\0\0\0").is_some());
}

#[test]
fn a_coordinate_of_another_version_is_refused() {
    let error = DecodeError::Version { found: 2, known: 1 };
    assert_eq!(Coordinate::decode(b"\x02\xc0"), Err(error));
    assert_eq!(Coordinate::decode(b""), Err(DecodeError::Empty));
    assert_eq!(Coordinate::decode(b"\x01\xc0"), Ok(Coordinate::default()));
}
