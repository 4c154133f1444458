//! What is counted, and told, for the figures of an agent.

use core::time::Duration;
use std::string::String;
use std::sync::Arc;
use std::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::net::{Net, config};
use crate::keyring::{Key, Keyring};
use crate::serf::{Command, Event, QueryParams, SerfConfig, SerfStats};
use crate::wire::serf::KeyRequest;
use crate::{Config, ConfigBuilder, Stats};

const S: fn(u64) -> Duration = Duration::from_secs;

fn telling(swim: ConfigBuilder) -> Arc<SerfConfig> {
    SerfConfig::builder(swim.evidence_events(true).build().unwrap()).build().unwrap()
}

#[test]
fn what_is_sent_and_what_arrives_are_as_many_and_as_long() {
    let mut net = Net::joined(3, &telling(Config::lan()));
    net.user_event(0, "deploy", b"v1");
    net.run_for(S(60));
    assert_eq!(net.serf(0).info().claim_queue, 0);
    let serf = |count: fn(SerfStats) -> u64| (0..3).map(|i| count(net.serf(i).stats())).sum();
    let node = |count: fn(Stats) -> u64| (0..3).map(|i| count(net.serf(i).node().stats())).sum();
    let messages: u64 = serf(|stats| stats.messages_in);
    assert!(messages >= 6, "two joins and an event, each to two others");
    assert_eq!(node(|stats| stats.broadcasts_out), messages);
    let bytes: u64 = serf(|stats| stats.message_bytes_in);
    assert_eq!(node(|stats| stats.broadcast_bytes_out), bytes);
    let states: u64 = node(|stats| stats.states_in);
    assert!(states >= 4, "each of two joins has two");
    assert_eq!(node(|stats| stats.states_out), states);
    let bytes: u64 = node(|stats| stats.state_bytes_in);
    assert_eq!(node(|stats| stats.state_bytes_out), bytes);
    assert_eq!(node(|stats| stats.stream_bytes_out), bytes);
}

#[test]
fn claims_count_once_they_change_what_is_known() {
    let mut net = Net::joined(4, &telling(Config::lan()));
    let stats = net.serf(0).node().stats();
    assert_eq!((stats.alive_claims, stats.dead_claims, stats.probes_degraded), (4, 0, 0));
    net.crash(3);
    let mut suspects = 0;
    for _ in 0..60 {
        net.run_for(S(1));
        suspects = suspects.max(net.serf(0).info().suspects);
    }
    assert_eq!((suspects, net.serf(0).info().suspects, net.serf(0).info().failed), (1, 0, 1));
    let stats = net.serf(0).node().stats();
    assert_eq!((stats.alive_claims, stats.dead_claims), (4, 1));
    assert_eq!((stats.suspicions, stats.suspicions_unconfirmed), (1, 0));
}

#[test]
fn a_node_that_is_left_alone_probes_slowly_and_is_confirmed_by_nobody() {
    let mut net = Net::joined(4, &telling(Config::lan()));
    (1..4).for_each(|i| net.crash(i));
    net.run_for(S(120));
    let stats = net.serf(0).node().stats();
    assert_eq!((stats.dead_claims, stats.suspicions_unconfirmed), (3, 3));
    assert!(stats.probes_degraded > 0 && stats.probes_degraded < stats.probes, "{stats:?}");
}

fn heard(net: &mut Net, i: usize) -> Vec<String> {
    let names = net.take_events(i).into_iter().filter_map(|event| match event {
        Event::QueryHeard { name } => Some(name),
        _ => None,
    });
    names.collect()
}

#[test]
fn queries_are_heard_once_whether_or_not_they_are_for_this_node() {
    let mut net = Net::joined(3, &telling(Config::lan()));
    net.query(0, "q", QueryParams::new().nodes(["n0"]));
    net.query(0, "_serf_ping", QueryParams::new().ack(true));
    net.run_for(S(4));
    for i in 0..3 {
        let mut names = heard(&mut net, i);
        names.sort();
        assert_eq!(names, ["_serf_ping", "q"]);
    }
    // Nobody who does not want to know is told.
    let mut net = Net::joined(2, &config());
    net.query(0, "q", QueryParams::new());
    net.run_for(S(4));
    assert_eq!(heard(&mut net, 1), [""; 0]);
}

#[test]
fn a_change_of_keys_that_is_refused_is_told_with_the_reason() {
    let key = Key::new(&[1; 16]).unwrap();
    let ring = Keyring::new(key.clone());
    let mut net = Net::joined(2, &telling(Config::lan().keyring(ring)));
    let mut payload = BytesMut::new();
    KeyRequest { key: Some(key.as_bytes()) }.encode(&mut payload);
    let (name, params) = ("_serf_remove-key".into(), QueryParams::new());
    let payload: Bytes = payload.freeze();
    net.command(0, Command::Query { name, payload, params });
    net.run_for(S(4));
    let told = net.take_events(1).into_iter().find_map(|event| match event {
        Event::KeyRefused { query, why } => Some((query, why)),
        _ => None,
    });
    let (query, why) = told.expect("it is told");
    assert_eq!(query, "_serf_remove-key");
    assert_eq!(why, "removing the primary key is not allowed");
}
