//! What crashes or corrupts real agents (serf spec 13.1): survived here, and never sent.

use core::time::Duration;
use std::vec::Vec;

use bytes::BytesMut;

use super::net::{Net, config};
use crate::serf::{Command, Event, QueryParams};
use crate::wire::serf::{Destination, Message, Query, Relay};

const S: fn(u64) -> Duration = Duration::from_secs;

/// A query of n1 for `name`, with these filters and this payload, encoded.
fn query(id: u8, filters: &[u8], name: &[u8], payload: &[u8]) -> Vec<u8> {
    let head = b"\x04\x8b\xa4Addr\xa4\x0a\x00\x00\x02\xa7Filters";
    let body = [b"\xa5Flags\x01\xa2ID", &[id][..], b"\xa5LTime\x09\xa4Name"].concat();
    let name = [&[0xa0 | name.len() as u8], name].concat();
    let rest = b"\xa4Port\xcd\x1f\x0a\xabRelayFactor\x00\xaaSourceNode\xa2n1";
    let end = b"\xa7Timeout\xce\xbe\xbc\x20\x00";
    [&head[..], filters, &body, &name, b"\xa7Payload", payload, rest, end].concat()
}

/// Whether the node still answers.
fn is_alive(net: &mut Net) -> bool {
    net.take_events(1);
    net.query(1, "ping", QueryParams::new().ack(true));
    net.run_for(S(4));
    let acks = net.take_events(1).into_iter().filter(|event| matches!(event, Event::Ack { .. }));
    acks.count() == 2
}

#[test]
fn a_filter_without_bytes_matches_nobody() {
    let mut net = Net::joined(2, &config());
    let from = net.addr(1);
    net.inject(from, 0, &query(1, b"\x91\xa0", b"q", b"\xc0"));
    net.inject(from, 0, &query(2, b"\x91\xc0", b"q", b"\xc0"));
    net.inject(from, 0, &query(3, b"\x91\xa2\x07\x00", b"q", b"\xc0"));
    assert_eq!(net.serf(0).stats().queries_filtered, 3);
    assert!(is_alive(&mut net));
}

#[test]
fn a_key_query_without_payload_crashes_nobody() {
    let mut net = Net::joined(2, &config());
    let from = net.addr(1);
    for (id, name) in
        [&b"_serf_install-key"[..], b"_serf_use-key", b"_serf_remove-key"].into_iter().enumerate()
    {
        net.inject(from, 0, &query(id as u8, b"\xc0", name, b"\xc0"));
        net.inject(from, 0, &query(64 + id as u8, b"\xc0", name, b"\xa0"));
    }
    assert_eq!(net.serf(0).stats().queries, 6);
    assert!(is_alive(&mut net));
}

#[test]
fn what_crashes_others_is_not_passed_on() {
    let mut net = Net::joined(2, &config());
    let from = net.addr(1);
    net.run_for(S(5));
    let bad = [
        query(1, b"\x91\xa0", b"q", b"\xc0"),
        query(2, b"\x92\xa3\x00\x91\xa0\xc0", b"q", b"\xc0"),
        query(3, b"\xc0", b"_serf_use-key", b"\xc0"),
        query(4, b"\xc0", b"_serf_install-key", b"\xa0"),
    ];
    net.sent.clear();
    for message in &bad {
        net.inject(from, 0, message);
        let mut relay = BytesMut::new();
        let to = Destination { ip: Some(&[10, 0, 0, 2]), port: 7946, zone: b"" };
        Relay { to, node: b"n1", inner: message }.encode(&mut relay);
        net.inject(from, 0, &relay);
    }
    assert_eq!(net.serf(0).stats().hazards_withheld, 8);
    net.inject(from, 0, &query(5, b"\xc0", b"_serf_use-key", b"\xa1x"));
    net.run_for(S(5));
    let passed = |message: &[u8]| {
        net.sent.iter().any(|(_, _, bytes)| bytes.windows(message.len()).any(|w| w == message))
    };
    assert!(bad.iter().all(|message| !passed(message)));
    assert!(passed(&query(5, b"\xc0", b"_serf_use-key", b"\xa1x")), "a key makes it harmless");
}

#[test]
fn malformed_messages_are_counted_and_change_nothing() {
    let mut net = Net::joined(2, &config());
    let from = net.addr(1);
    let whole = query(1, b"\xc0", b"q", b"\xc0");
    let mut bad: Vec<Vec<u8>> = (1..whole.len() - 30).map(|len| whole[..len].to_vec()).collect();
    bad.push(b"\x0a\x80".to_vec());
    bad.push(b"\x02\x80".to_vec());
    bad.push(b"\x03\xc7\x01\x02\x03".to_vec());
    bad.push(b"\x01\x82\xa5LTime\xff\xa4Node\xa2n1".to_vec());
    bad.push(b"\x01\x82\xa5LTime\x09\xa4Node\xa0".to_vec());
    bad.push(b"\x09\x82\xa8DestAddr\x83\xa2IP\xa3\x0a\x00\x00\xa4Port\x01\xa4Zone\xa0".to_vec());
    for message in &bad {
        net.inject(from, 0, message);
    }
    net.inject(from, 0, b"");
    let stats = net.serf(0).stats();
    assert_eq!(stats.malformed + stats.queries, bad.len() as u64, "{stats:?}");
    assert!(is_alive(&mut net));
}

#[test]
fn the_end_of_a_clock_is_no_end_of_the_node() {
    let mut net = Net::joined(2, &config());
    let from = net.addr(1);
    let max = b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff";
    for message in [
        [b"\x01\x82\xa5LTime", &max[..], b"\xa4Node\xa2n1"].concat(),
        [b"\x00\x83\xa5LTime", &max[..], b"\xa4Node\xa2n0\xa5Prune\xc3"].concat(),
        [b"\x03\x84\xa2CC\xc2\xa5LTime", &max[..], b"\xa4Name\xa1e\xa7Payload\xc0"].concat(),
    ] {
        net.inject(from, 0, &message);
    }
    net.user_event(0, "after", b"");
    assert!(is_alive(&mut net));
}

#[test]
fn no_query_of_ours_has_an_empty_filter_or_an_empty_key_request() {
    let mut net = Net::joined(2, &config());
    net.query(0, "a", QueryParams::new());
    net.query(0, "b", QueryParams::new().nodes(["n1"]).tag("", "").tag("role", "web"));
    net.run_for(S(1));
    let mut seen = 0;
    for (_, _, bytes) in &net.sent {
        for at in 0..bytes.len() {
            if let Ok(Message::Query(Query { filters, .. })) = Message::decode(&bytes[at..]) {
                seen += 1;
                assert!(filters.into_iter().flatten().all(|filter: &[u8]| !filter.is_empty()));
            }
        }
    }
    assert!(seen >= 2);
    for name in ["_serf_install-key", "_serf_use-key", "_serf_remove-key"] {
        let (name, payload) = (name.into(), bytes::Bytes::new());
        let params = QueryParams::new();
        let refused = net.try_command(0, Command::Query { name, payload, params }).unwrap_err();
        assert_eq!(refused, crate::serf::Rejected::EmptyKeyRequest);
    }
}
