//! Everything that a peer can grow is bounded, and what is dropped is counted.

use core::time::Duration;
use std::format;
use std::vec::Vec;

use bytes::BytesMut;

use super::net::{Net, config, swim};
use crate::serf::{Event, QueryParams, Queue, Rejected, SerfConfig};
use crate::wire::serf::{Join, Leave, Query, UserEvent};

fn join(ltime: u64, node: &str) -> Vec<u8> {
    let mut out = BytesMut::new();
    Join { ltime, node: node.as_bytes() }.encode(&mut out);
    out.to_vec()
}

/// What was told of queues.
fn told(net: &mut Net) -> Vec<(Queue, usize, u64, u32)> {
    let told = net.take_events(0).into_iter().filter_map(|event| match event {
        Event::QueueDeep { queue, waiting, dropped, waiting_max } => {
            Some((queue, waiting, dropped, waiting_max))
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn queued_intents_are_as_many_as_configured() {
    let mut net = Net::new(1, &config());
    let from = net.addr(0);
    for n in 0..5000 {
        net.inject(from, 0, &join(n + 1, &format!("unknown-{n}")));
    }
    assert_eq!(net.serf(0).info().intent_queue, 4096);
    assert_eq!(told(&mut net), []);
    // Nobody is there to be told, so they wait on.
    net.run_for(Duration::from_secs(65));
    let dropped = 5000 - 4096;
    let looks = [(Queue::Intent, 4096, dropped, 4096), (Queue::Intent, 4096, 0, 4096)];
    assert_eq!(told(&mut net), looks);
}

#[test]
fn a_queue_that_is_deep_for_a_moment_is_not_worth_a_word() {
    let config = SerfConfig::builder(swim()).queue_depth_warning(10).build().unwrap();
    let mut net = Net::joined(2, &config);
    for n in 0..9 {
        net.user_event(0, &format!("e{n}"), b"");
    }
    net.run_for(Duration::from_secs(65));
    for n in 0..30 {
        net.user_event(0, &format!("f{n}"), b"");
    }
    assert!(net.serf(0).info().event_queue >= 10);
    net.run_for(Duration::from_secs(65));
    assert_eq!((net.serf(0).info().event_queue, told(&mut net)), (0, [].into()));
    // Alone, they wait.
    net.crash(1);
    net.run_for(Duration::from_secs(60));
    for n in 0..11 {
        net.user_event(0, &format!("g{n}"), b"");
    }
    net.run_for(Duration::from_secs(31));
    assert_eq!(told(&mut net), [(Queue::Event, 11, 0, 4096)]);
}

#[test]
fn with_a_least_depth_the_queue_grows_with_the_cluster() {
    let config = SerfConfig::builder(swim()).min_queue_depth(100).build().unwrap();
    let mut net = Net::new(1, &config);
    let from = net.addr(0);
    for n in 0..300 {
        net.inject(from, 0, &join(n + 1, &format!("unknown-{n}")));
    }
    assert_eq!(net.serf(0).info().intent_queue, 100, "twice the one member is less");
    net.run_for(Duration::from_secs(31));
    assert_eq!(told(&mut net), [(Queue::Intent, 100, 200, 100)]);
}

#[test]
fn intents_of_the_unknown_are_remembered_for_a_while_and_not_all() {
    let config = SerfConfig::builder(swim()).recent_intents_max(16).build().unwrap();
    let mut net = Net::new(1, &config);
    let from = net.addr(0);
    for n in 0..20 {
        net.inject(from, 0, &join(n + 1, &format!("unknown-{n}")));
    }
    assert_eq!(net.serf(0).stats().intents_dropped, 4);
    net.run_for(Duration::from_secs(330));
    net.inject(from, 0, &join(50, "unknown-99"));
    assert_eq!(net.serf(0).stats().intents_dropped, 4, "there is room again");
}

#[test]
fn events_of_one_time_are_bounded() {
    let mut net = Net::new(1, &config());
    let from = net.addr(0);
    for n in 0..1100 {
        let (name, mut out) = (format!("e{n}"), BytesMut::new());
        let event = UserEvent { ltime: 7, name: name.as_bytes(), payload: None, coalesce: false };
        event.encode(&mut out);
        net.inject(from, 0, &out);
    }
    let stats = net.serf(0).stats();
    assert_eq!((stats.user_events, stats.crowded), (1024, 76));
}

#[test]
fn bytes_of_remembered_events_are_bounded() {
    let config = SerfConfig::builder(swim()).event_bytes_max(4096).build().unwrap();
    let mut net = Net::new(1, &config);
    for n in 0..20 {
        net.user_event(0, &format!("e{n}"), &[0; 400]);
    }
    let stats = net.serf(0).stats();
    assert_eq!((stats.user_events, stats.user_events_forgotten), (20, 12));
}

#[test]
fn open_queries_are_bounded_and_the_oldest_go() {
    let config = SerfConfig::builder(swim()).open_queries_max(10).build().unwrap();
    let mut net = Net::new(1, &config);
    let from = net.addr(0);
    for id in 0..12 {
        let mut out = BytesMut::new();
        let query = Query {
            ltime: 5,
            id,
            addr: Some(&[10, 0, 0, 1]),
            port: 7946,
            timeout_ns: i64::MAX,
            name: b"q",
            ..Query::default()
        };
        query.encode(&mut out);
        net.inject(from, 0, &out);
    }
    assert_eq!(net.serf(0).stats().queries_forgotten, 2);
    let asked = net.take_events(0).into_iter().filter(|event| matches!(event, Event::Query(_)));
    assert_eq!(asked.count(), 12);
}

#[test]
fn queries_under_way_are_bounded() {
    let config = SerfConfig::builder(swim()).queries_max(2).build().unwrap();
    let mut net = Net::new(1, &config);
    net.query(0, "q", QueryParams::new());
    net.query(0, "q", QueryParams::new());
    let (name, payload, params) = ("q".into(), bytes::Bytes::new(), QueryParams::new());
    let third = crate::serf::Command::Query { name, payload, params };
    assert_eq!(net.try_command(0, third.clone()).unwrap_err(), Rejected::Busy(2));
    net.run_for(Duration::from_secs(4));
    assert!(net.try_command(0, third).is_ok());
}

#[test]
fn one_member_is_waited_for_once_to_be_pruned() {
    let mut net = Net::joined(2, &config());
    let from = net.addr(1);
    net.lose = |_, _, _| true;
    for ltime in 100..200 {
        let mut out = BytesMut::new();
        Leave { ltime, node: b"n1", prune: true }.encode(&mut out);
        net.inject(from, 0, &out);
    }
    net.inject(from, 0, &join(300, "n1"));
    net.run_for(Duration::from_millis(6500));
    assert_eq!(net.serf(0).stats().prunes_refused, 1);
    assert!(net.serf(0).member("n1").is_some());
}
