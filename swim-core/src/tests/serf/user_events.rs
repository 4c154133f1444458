//! User events: to all, once.

use core::time::Duration;
use std::string::{String, ToString as _};
use std::vec::Vec;

use bytes::Bytes;

use super::net::{Net, config, swim};
use crate::Config;
use crate::serf::{Command, Event, SerfConfig};

const S: fn(u64) -> Duration = Duration::from_secs;

/// Names and times of the user events that node `i` was told.
fn told(net: &mut Net, i: usize) -> Vec<(String, u64)> {
    let events = net.take_events(i).into_iter();
    let events = events.filter_map(|event| match event {
        Event::User(event) => Some((event.name, event.ltime)),
        _ => None,
    });
    events.collect()
}

fn event(ltime: u8, name: &str) -> Vec<u8> {
    let head = [b"\x03\x84\xa2CC\xc2\xa5LTime", &[ltime][..], b"\xa4Name"].concat();
    let name = [&[0xa0 | name.len() as u8], name.as_bytes()].concat();
    [head, name, b"\xa7Payload\xa1x".to_vec()].concat()
}

#[test]
fn an_event_reaches_all_once_with_its_time() {
    let mut net = Net::joined(5, &config());
    net.user_event(1, "deploy", b"v1");
    net.user_event(1, "deploy", b"v2");
    net.run_for(S(40));
    for i in 0..5 {
        let mut told = told(&mut net, i);
        told.sort_unstable();
        assert_eq!(told, [("deploy".to_string(), 1), ("deploy".to_string(), 2)], "at {i}");
        assert_eq!(net.serf(i).info().event_time, 3);
    }
}

#[test]
fn a_datagram_that_comes_a_hundred_times_is_one_event() {
    let mut net = Net::joined(2, &config());
    let from = net.addr(1);
    for _ in 0..100 {
        net.inject(from, 0, &event(5, "load"));
    }
    assert_eq!(told(&mut net, 0), [("load".to_string(), 5)]);
    assert_eq!(net.serf(0).stats().user_events_again, 99);
}

#[test]
fn with_a_buffer_of_four_old_events_are_dropped() {
    let config = SerfConfig::builder(swim()).event_times_max(4).build().unwrap();
    let mut net = Net::new(1, &config);
    let from = net.addr(0);
    for ltime in [1, 9, 4, 5, 6] {
        net.inject(from, 0, &event(ltime, "e"));
    }
    let times: Vec<u64> = told(&mut net, 0).into_iter().map(|(_, ltime)| ltime).collect();
    assert_eq!(times, [1, 9, 6]);
    assert_eq!(net.serf(0).stats().user_events_old, 2);
}

#[test]
fn events_that_are_too_long_are_refused_in_serfs_words() {
    let mut net = Net::new(1, &config());
    let mut send = |name: &str, len: usize| {
        let (name, payload) = (name.into(), Bytes::from(std::vec![b'x'; len]));
        let sent = net.try_command(0, Command::UserEvent { name, payload, coalesce: false });
        sent.map_err(|e| e.to_string())
    };
    let before = "user event exceeds configured limit of 512 bytes before encoding";
    let after = "encoded user event exceeds configured limit of 512 bytes after encoding";
    assert_eq!(send("deploy", 600).unwrap_err(), before);
    assert_eq!(send("big", 509).unwrap_err(), after);
    assert!(send("big", 470).is_ok());
}

#[test]
fn a_join_delivers_what_was_before_only_if_asked_to() {
    for replay in [true, false] {
        let mut net = Net::new(2, &config());
        net.user_event(0, "before", b"");
        net.join_with(1, 0, replay);
        net.run_for(S(60));
        let expected: &[(String, u64)] = if replay { &[("before".to_string(), 1)] } else { &[] };
        assert_eq!(told(&mut net, 1), expected, "replay {replay}");
        net.user_event(0, "after", b"");
        net.run_for(S(5));
        assert_eq!(told(&mut net, 1).len(), 1, "what comes later is delivered");
    }
}

#[test]
fn push_pulls_spread_an_event_that_gossip_loses() {
    let swim = Config::lan().push_pull_interval(S(5)).build().unwrap();
    let mut net = Net::joined(2, &SerfConfig::builder(swim).build().unwrap());
    net.lose = |_, _, bytes| bytes.windows(6).any(|w| w == b"deploy");
    net.user_event(1, "deploy", b"");
    net.run_for(S(25));
    assert_eq!(told(&mut net, 0), [("deploy".to_string(), 1)]);
}

#[test]
fn an_event_that_no_datagram_has_room_for_does_not_block_the_others() {
    let config = SerfConfig::builder(swim()).user_event_bytes_max(9216).build().unwrap();
    let mut net = Net::joined(2, &config);
    for _ in 0..20 {
        net.user_event(1, "large", &[0; 5000]);
    }
    net.user_event(1, "small", b"");
    net.run_for(S(5));
    assert_eq!(told(&mut net, 0), [("small".to_string(), 21)]);
    assert_eq!(net.serf(1).stats().broadcasts_too_long, 20);
}

#[test]
fn what_was_delivered_in_an_earlier_life_is_not_delivered_again() {
    let config = config();
    let mut net = Net::joined(2, &config);
    net.user_event(0, "old", b"");
    net.run_for(S(3));
    net.restart(1, config);
    net.resume(1, 5, 1, 0);
    net.take_events(1);
    net.join(1, 0);
    net.run_for(S(3));
    assert_eq!(told(&mut net, 1), []);
    assert!(net.serf(1).info().member_time > 5);
    net.user_event(1, "new", b"");
    assert_eq!(told(&mut net, 1), [("new".to_string(), 2)]);
}
