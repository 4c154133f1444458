//! Queries: acknowledged, answered once, filtered, relayed, and over in time.

use core::time::Duration;
use std::string::{String, ToString as _};
use std::vec::Vec;

use bytes::Bytes;

use super::net::{Net, config, outcomes, swim, tags};
use crate::serf::{Command, Event, Outcome, QueryId, QueryParams, Rejected, SerfConfig};
use crate::{Config, OpId};

const S: fn(u64) -> Duration = Duration::from_secs;

fn asked(net: &mut Net, i: usize) -> Vec<(QueryId, String)> {
    let events = net.take_events(i).into_iter();
    let events = events.filter_map(|event| match event {
        Event::Query(query) => Some((query.id, query.name)),
        _ => None,
    });
    events.collect()
}

fn respond(net: &mut Net, i: usize, query: QueryId, payload: &[u8]) -> Result<OpId, Rejected> {
    let payload = Bytes::copy_from_slice(payload);
    net.try_command(i, Command::Respond { query, payload })
}

/// Everybody answers what it was asked.
fn respond_all(net: &mut Net, n: usize) -> Vec<usize> {
    let mut asked_of = Vec::new();
    for i in 1..n {
        for (id, _) in asked(net, i) {
            respond(net, i, id, b"42").unwrap();
            asked_of.push(i);
        }
    }
    asked_of
}

/// Acks, responses and outcomes that node `i` was told.
fn answers(net: &mut Net, i: usize) -> (Vec<String>, Vec<String>, Vec<Outcome>) {
    let events = net.take_events(i);
    let (mut acks, mut responses) = (Vec::new(), Vec::new());
    for event in &events {
        match event {
            Event::Ack { from, .. } => acks.push(from.to_string()),
            Event::Response { from, payload, .. } => {
                assert_eq!(payload, "42");
                responses.push(from.to_string());
            }
            _ => {}
        }
    }
    acks.sort_unstable();
    responses.sort_unstable();
    (acks, responses, outcomes(&events))
}

#[test]
fn all_acknowledge_and_answer_and_the_end_is_told() {
    let mut net = Net::joined(3, &config());
    let op = net.query(0, "load", QueryParams::new().ack(true));
    net.run_for(S(1));
    assert_eq!(respond_all(&mut net, 3), [1, 2]);
    net.run_for(S(3));
    let (acks, responses, ends) = answers(&mut net, 0);
    assert_eq!(acks, ["n0", "n1", "n2"], "the asker is asked, too");
    assert_eq!(responses, ["n1", "n2"]);
    assert_eq!(ends, [Outcome::Answered { acks: 3, responses: 2 }], "{op:?}");
}

#[test]
fn without_the_flag_nobody_acknowledges() {
    let mut net = Net::joined(3, &config());
    net.query(0, "load", QueryParams::new());
    net.run_for(S(4));
    let (acks, _, ends) = answers(&mut net, 0);
    assert_eq!((acks.len(), ends), (0, [Outcome::Answered { acks: 0, responses: 0 }].into()));
}

#[test]
fn only_those_whom_the_filters_mean_acknowledge() {
    let mut net = Net::joined(3, &config());
    let db = net.add(config(), "n3", &tags("db"));
    net.join(db, 0);
    net.run_for(S(3));
    let mut acked = |params: QueryParams| {
        net.take_events(0);
        net.query(0, "q", params.ack(true));
        net.run_for(S(5));
        answers(&mut net, 0).0
    };
    assert_eq!(acked(QueryParams::new().nodes(["n1", "n3"])), ["n1", "n3"]);
    assert_eq!(acked(QueryParams::new().tag("role", "^we")), ["n0", "n1", "n2"]);
    assert_eq!(acked(QueryParams::new().tag("role", "eb")), ["n0", "n1", "n2"]);
    assert_eq!(acked(QueryParams::new().tag("role", "^db$").nodes(["n1"])), [""; 0]);
    assert_eq!(acked(QueryParams::new().tag("role", "(")), [""; 0], "no expression, no match");
    assert_eq!(acked(QueryParams::new().tag("none", "^$")).len(), 4, "absent is empty");
}

#[test]
fn the_default_time_grows_with_the_cluster() {
    let local = SerfConfig::builder(Config::local().build().unwrap()).build().unwrap();
    let mut net = Net::joined(2, &local);
    assert_eq!(net.serf(0).default_query_timeout(), Duration::from_millis(1600));
    net.query(0, "q", QueryParams::new());
    net.run_for(Duration::from_millis(1599));
    assert_eq!(outcomes(&net.take_events(0)), []);
    net.run_for(Duration::from_millis(1));
    assert_eq!(outcomes(&net.take_events(0)).len(), 1);
}

#[test]
fn an_answer_counts_until_the_time_that_was_asked_for_is_over() {
    let mut net = Net::joined(2, &config());
    net.query(0, "q", QueryParams::new().timeout(S(5)));
    net.run_for(S(4));
    assert_eq!(respond_all(&mut net, 2), [1]);
    net.run_for(S(2));
    assert_eq!(answers(&mut net, 0).1, ["n1"]);
}

#[test]
fn a_query_is_answered_once_and_in_time() {
    let mut net = Net::joined(2, &config());
    net.query(0, "q", QueryParams::new());
    net.run_for(S(1));
    let (id, _) = asked(&mut net, 1).pop().unwrap();
    respond(&mut net, 1, id, b"42").unwrap();
    let again = respond(&mut net, 1, id, b"42").unwrap_err();
    assert_eq!(again.to_string(), "response already sent");
    net.query(0, "q", QueryParams::new());
    net.run_for(S(1));
    let (id, _) = asked(&mut net, 1).pop().unwrap();
    net.run_for(S(5));
    let late = respond(&mut net, 1, id, b"42").unwrap_err();
    assert_eq!(late.to_string(), "response is past the deadline");
}

#[test]
fn answers_that_come_by_relays_too_count_once() {
    let mut net = Net::joined(3, &config());
    net.query(0, "q", QueryParams::new().ack(true).relay_factor(1));
    net.run_for(S(1));
    respond_all(&mut net, 3);
    net.run_for(S(3));
    let (acks, responses, _) = answers(&mut net, 0);
    assert_eq!((acks.len(), responses.len()), (3, 2));
    let relays = net.sent.iter().filter(|(_, _, bytes)| bytes.starts_with(b"\x08\x09"));
    assert!(relays.count() >= 4, "each ack and each response has a relay");
    let relayed: u64 = (0..3).map(|i| net.serf(i).stats().relayed).sum();
    let again = net.serf(0).stats();
    assert!(relayed >= 4 && again.acks_again > 0 && again.responses_again > 0, "{again:?}");
}

#[test]
fn a_relay_passes_the_inner_bytes_on_unchanged_and_to_members_only() {
    let mut net = Net::joined(2, &config());
    let from = net.addr(1);
    let relay = |last: u8, port: &[u8], name: &str| {
        let head = b"\x09\x82\xa8DestAddr\x83\xa2IP\xa4\x0a\x00\x00";
        let name = [&[0xa0 | name.len() as u8], name.as_bytes()].concat();
        let rest = [b"\xa4Zone\xa0\xa8DestName", &name[..], b"\x63anything"].concat();
        [&head[..], &[last], b"\xa4Port", port, &rest].concat()
    };
    let mut sent = |message: &[u8]| {
        net.sent.clear();
        net.inject(from, 0, message);
        net.sent.iter().filter(|(_, _, bytes)| bytes == "\x08\x63anything").count()
    };
    assert_eq!(sent(&relay(2, b"\xcd\x1f\x0a", "n1")), 1);
    assert_eq!(sent(&relay(2, b"\xd1\x1f\x0a", "n1")), 1, "as newer Serfs write the port");
    assert_eq!(sent(&relay(9, b"\xcd\x1f\x0a", "n1")), 0);
    assert_eq!(sent(&relay(2, b"\xcd\x1f\x0a", "nope")), 0);
    assert_eq!(net.serf(0).stats().relays_refused, 2);
}

#[test]
fn what_is_too_long_is_refused_in_serfs_words() {
    let mut net = Net::joined(2, &config());
    let payload = Bytes::from(std::vec![b'x'; 1000]);
    let params = QueryParams::new();
    let long = Command::Query { name: "q".into(), payload: payload.clone(), params };
    let refused = net.try_command(0, long).unwrap_err();
    assert_eq!(refused.to_string(), "query exceeds limit of 1024 bytes");
    net.query(0, "q", QueryParams::new());
    net.run_for(S(1));
    let (id, _) = asked(&mut net, 1).pop().unwrap();
    let refused = respond(&mut net, 1, id, &payload).unwrap_err();
    assert_eq!(refused.to_string(), "response exceeds limit of 1024 bytes");
    respond(&mut net, 1, id, b"42").unwrap();
}

#[test]
fn protocol_3_has_no_queries() {
    let old = SerfConfig::builder(swim()).protocol(3).build().unwrap();
    let mut net = Net::new(1, &old);
    let (name, payload, params) = ("q".into(), Bytes::new(), QueryParams::new());
    let refused = net.try_command(0, Command::Query { name, payload, params }).unwrap_err();
    assert_eq!(refused, Rejected::NoQueries(3));
}

/// A query with these flags from n1 at 10.0.0.2.
fn query(flags: u8, timeout: &[u8]) -> Vec<u8> {
    let head = b"\x04\x8b\xa4Addr\xa4\x0a\x00\x00\x02\xa7Filters\xc0\xa5Flags";
    let body = b"\xa2ID\x07\xa5LTime\x09\xa4Name\xa1q\xa7Payload\xc0\xa4Port\xcd\x1f\x0a";
    let rest = b"\xabRelayFactor\x00\xaaSourceNode\xa2n1\xa7Timeout";
    [&head[..], &[flags], body, rest, timeout].concat()
}

#[test]
fn a_query_that_shall_not_spread_is_answered_and_not_passed_on() {
    for (flags, queued) in [(1, 1), (3, 0)] {
        let mut net = Net::joined(2, &config());
        let from = net.addr(1);
        net.run_for(S(3));
        net.sent.clear();
        net.inject(from, 0, &query(flags, b"\xce\xbe\xbc\x20\x00"));
        assert_eq!(net.serf(0).info().query_queue, queued);
        let ack = b"\x08\x05\x85\xa5Flags\x01\xa4From\xa2n0\xa2ID\x07\xa5LTime\x09\xa7Payload\xc0";
        assert!(net.sent.iter().any(|(_, to, bytes)| *to == from && bytes == &ack[..]));
        net.inject(from, 0, &query(flags, b"\xce\xbe\xbc\x20\x00"));
        assert_eq!(net.serf(0).stats().queries_again, 1);
    }
}

#[test]
fn a_query_without_time_is_acknowledged_and_not_answered() {
    for timeout in [&b"\x00"[..], b"\xff", b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00"] {
        let mut net = Net::joined(2, &config());
        let from = net.addr(1);
        net.sent.clear();
        net.inject(from, 0, &query(1, timeout));
        assert!(net.sent.iter().any(|(_, _, bytes)| bytes.starts_with(b"\x08\x05")));
        let (id, _) = asked(&mut net, 0).pop().unwrap();
        net.run_for(Duration::from_millis(1));
        assert_eq!(respond(&mut net, 0, id, b"").unwrap_err(), Rejected::PastDeadline);
    }
}

#[test]
fn a_ping_of_serf_is_acknowledged_by_all_and_told_to_nobody() {
    let mut net = Net::joined(3, &config());
    net.query(0, "_serf_ping", QueryParams::new().ack(true));
    net.query(0, "_serf_stats", QueryParams::new());
    net.run_for(S(4));
    assert_eq!(answers(&mut net, 0).0.len(), 3);
    assert_eq!(asked(&mut net, 1), []);
    assert_eq!(net.serf(1).stats().queries_unhandled, 1);
}
