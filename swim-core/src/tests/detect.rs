//! Failure detection.

use core::net::SocketAddr;
use core::time::Duration;

use std::format;
use std::sync::Arc;
use std::vec::Vec;

use bytes::BytesMut;

use crate::testkit::Net;
use crate::wire::{Ack, Claim, Kind, Limits, Message, Parts, Scratch};
use crate::{
    Cause, Config, Event, Exchange, ExchangeError, Identity, InboundId, Input, Instant, Node,
    Policy, Roster, Seed, State,
};

fn cluster(n: usize) -> Net {
    let mut net = Net::new(n, &Config::lan().build().unwrap(), 9);
    for i in 1..n {
        net.join(i, 0);
    }
    net.run_for(Duration::from_secs(5));
    for i in 0..n {
        assert_eq!(net.node(i).live_len(), n);
        net.take_events(i);
    }
    net
}

#[test]
fn a_crash_is_found_by_all_and_nobody_else_is_blamed() {
    let mut net = cluster(8);
    net.crash(3);
    net.run_for(Duration::from_secs(40));
    for i in (0..8).filter(|&i| i != 3) {
        assert_eq!(net.state_of(i, 3), Some(State::Dead));
        let downs = net.take_events(i);
        let downs: Vec<_> = downs.iter().filter(|e| matches!(e, Event::Down { .. })).collect();
        assert_eq!(downs.len(), 1);
        assert!(matches!(downs[0], Event::Down { cause: Cause::Failed, .. }));
        assert_eq!(net.node(i).live_len(), 7);
    }
}

#[test]
fn a_link_that_drops_datagrams_is_bridged_by_helpers() {
    let mut net = cluster(5);
    net.lose_datagram = |from, to, _| (from, to) == (0, 1) || (from, to) == (1, 0);
    net.run_for(Duration::from_secs(60));
    assert!((0..5).all(|i| net.node(i).live_len() == 5));
    assert!(net.node(0).stats().probes_indirect > 0);
}

#[test]
fn a_network_without_datagrams_is_bridged_by_streams() {
    let mut net = cluster(3);
    net.lose_datagram = |_, _, _| true;
    net.run_for(Duration::from_secs(60));
    assert!((0..3).all(|i| net.node(i).live_len() == 3));
    assert!(net.node(0).stats().probes_stream > 0);
}

#[test]
fn a_healed_partition_merges_by_itself() {
    let mut net = cluster(6);
    let split: crate::testkit::Rule = |from, to, _| (from < 3) != (to < 3);
    (net.lose_datagram, net.lose_stream) = (split, split);
    net.run_for(Duration::from_secs(90));
    assert!((0..6).all(|i| net.node(i).live_len() == 3));
    let none: crate::testkit::Rule = |_, _, _| false;
    (net.lose_datagram, net.lose_stream) = (none, none);
    net.run_for(Duration::from_secs(120));
    assert!((0..6).all(|i| net.node(i).live_len() == 6));
}

/// Behind a gateway that carries datagrams only, say.
struct NoStreamsToN1;

impl Policy for NoStreamsToN1 {
    fn stream_ping(&self, name: &str) -> bool {
        name != "n1"
    }
}

#[test]
fn a_member_whose_stream_pings_are_vetoed_is_asked_by_datagrams_only() {
    let config =
        Config::lan().push_pull_interval(Duration::ZERO).reconnect_interval(Duration::ZERO);
    let config = config.policy(Arc::new(NoStreamsToN1)).build().unwrap();
    let me = |i: u8| {
        let home = SocketAddr::from(([10, 0, 0, 1 + i], 7946));
        Identity::new(&format!("n{i}"), home).unwrap()
    };
    let mut now = Instant::from_secs(1);
    let mut node =
        Node::with_roster(config, &Roster::new([me(0), me(1), me(2)]), 0, Seed::from(1), now);
    let (mut buf, mut by_stream) = (BytesMut::new(), Vec::new());
    // Nobody answers anything.
    while let Some(due) = node.poll_timeout().filter(|due| *due < Instant::from_secs(60)) {
        now = due;
        node.handle(now, Input::Timeout).unwrap();
        while node.poll_transmit(&mut buf).is_some() {}
        while let Some(exchange) = node.poll_exchange(&mut buf) {
            if let Exchange::Open { name, .. } = exchange {
                by_stream.push(name.unwrap());
            }
        }
    }
    assert!(["n1", "n2"].iter().all(|name| !node.member(name).unwrap().state().is_live()));
    assert!(!by_stream.is_empty() && by_stream.iter().all(|name| name.as_str() == "n2"));
}

/// The process of `n1` is restarted as `other`, at the same address: it answers no ping for `n1`,
/// by datagram or by stream.
#[test]
fn another_name_at_the_address_does_not_keep_a_member_alive() {
    let config =
        Config::lan().push_pull_interval(Duration::ZERO).reconnect_interval(Duration::ZERO);
    let config = config.build().unwrap();
    let home = |i: u8| SocketAddr::from(([10, 0, 0, 1 + i], 7946));
    let me = |name, i| Identity::new(name, home(i)).unwrap();
    let mut now = Instant::from_secs(1);
    let mut other = Node::new(config.clone(), me("other", 1), Seed::from(2), now);
    let roster = Roster::new([me("n0", 0), me("n1", 1)]);
    let mut node = Node::with_roster(config, &roster, 0, Seed::from(1), now);
    let (mut buf, mut stream_pings) = (BytesMut::new(), 0);
    while now < Instant::from_secs(60) {
        now = node.poll_timeout().unwrap();
        node.handle(now, Input::Timeout).unwrap();
        while node.poll_transmit(&mut buf).is_some() {
            let bytes = buf.split();
            // A ping for another is refused, and gossip is taken; nothing of it comes back.
            let _ = other.handle(now, Input::Datagram { at: now, from: home(0), bytes: &bytes });
        }
        while let Some(exchange) = node.poll_exchange(&mut buf) {
            let Exchange::Open { id, .. } = exchange else { continue };
            let request = buf.split();
            stream_pings += 1;
            let inbound = Input::Request { id: InboundId(id.0), from: home(0), bytes: &request };
            let _ = other.handle(now, inbound);
            let result = match other.poll_exchange(&mut buf) {
                Some(Exchange::Reply { .. }) => Ok(&buf[..]),
                _ => Err(ExchangeError::Closed),
            };
            node.handle(now, Input::Reply { id, result }).unwrap();
            buf.clear();
        }
    }
    assert!(stream_pings > 0);
    assert_eq!(node.member("n1").unwrap().state(), State::Dead);
}

/// SWIM section 4.3: the bound follows from how many members there are, not from how many there
/// were.
#[test]
fn those_who_stay_are_probed_in_time_after_most_have_gone() {
    let ms = Duration::from_millis;
    let forget =
        Config::lan().reconnect_timeout(ms(0)).tombstone_timeout(ms(0)).reap_interval(ms(10));
    let home = |i: u16| SocketAddr::from(([10, 0, (i >> 8) as u8, i as u8], 7946));
    let name = |i: u16| format!("m{i}");
    let all = (0..5000).map(|i| Identity::new(&name(i), home(i)).unwrap());
    let mut now = Instant::from_secs(1);
    let config = forget.build().unwrap();
    let mut node = Node::with_roster(config, &Roster::new(all), 0, Seed::from(1), now);
    let mut buf = BytesMut::new();
    for i in 6..5000 {
        let name = name(i);
        let leave = Claim { incarnation: 1, node: name.as_bytes(), from: name.as_bytes() };
        buf.clear();
        leave.encode(Kind::Dead, &mut buf);
        let input = Input::Datagram { at: now, from: home(1), bytes: &buf };
        node.handle(now, input).unwrap();
    }
    let mut probed = [Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    while now < Instant::from_secs(300) {
        now = node.poll_timeout().unwrap();
        node.handle(now, Input::Timeout).unwrap();
        buf.clear();
        while let Some(sent) = node.poll_transmit(&mut buf) {
            let datagram = buf.split();
            let mut scratch = Scratch::default();
            let mut parts = Parts::new(&datagram, &mut scratch, Limits::default());
            while let Some(part) = parts.next_part() {
                let Ok(Message::Ping(ping)) = Message::decode(part.unwrap()) else { continue };
                if let Some(i) = (1..6).find(|&i| home(i) == sent.to) {
                    probed[usize::from(i) - 1].push(now);
                }
                let mut ack = BytesMut::new();
                Ack { seq: ping.seq, payload: None }.encode(&mut ack);
                let input = Input::Datagram { at: now, from: sent.to, bytes: &ack };
                node.handle(now, input).unwrap();
            }
        }
        while node.poll_exchange(&mut buf).is_some() {}
        while node.poll_event().is_some() {}
    }
    assert_eq!(node.known_len(), 6);
    for times in probed {
        let forgotten = Instant::from_secs(30);
        let times: Vec<_> = times.into_iter().filter(|at| *at > forgotten).collect();
        let worst = times.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap();
        // Nine intervals of a second, and what the search takes.
        assert!(worst <= ms(9_500), "{worst:?}");
        assert!(times.len() > 45);
    }
}
