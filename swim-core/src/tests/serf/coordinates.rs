//! Network coordinates in acks.

use core::time::Duration;

use bytes::BytesMut;

use super::net::{Net, config, swim};
use crate::serf::SerfConfig;
use crate::wire::serf::{self, List};
use crate::wire::{Ack, Limits, Message, Parts, Scratch};

const S: fn(u64) -> Duration = Duration::from_secs;

#[test]
fn nodes_that_probe_each_other_can_tell_how_far_they_are() {
    let mut net = Net::joined(2, &config());
    net.run_for(S(120));
    let (a, b) = (net.serf(0).coordinate("n0").unwrap(), net.serf(0).coordinate("n1").unwrap());
    let apart = a.distance(&b);
    // A datagram takes a millisecond each way.
    assert!(apart > Duration::from_micros(500) && apart < Duration::from_millis(8), "{apart:?}");
    assert!(net.serf(0).stats().coordinates > 50);
    assert_eq!(net.serf(0).coordinate("nope"), None);
}

#[test]
fn a_node_without_coordinates_says_none_and_hears_none() {
    let config = SerfConfig::builder(swim()).coordinates(false).build().unwrap();
    let mut net = Net::joined(1, &self::config());
    let off = net.add(config, "off", &super::net::tags("web"));
    net.join(off, 0);
    net.run_for(S(30));
    assert_eq!(net.serf(off).coordinate("n0"), None);
    assert_eq!(net.serf(0).coordinate("off"), None);
    assert_eq!((net.serf(0).stats().coordinates, net.serf(off).stats().coordinates), (0, 0));
    assert_eq!(net.serf(0).stats().coordinates_rejected, 0);
}

#[test]
fn a_member_that_is_forgotten_has_no_coordinate() {
    let mut net = Net::joined(3, &config());
    net.run_for(S(30));
    assert!(net.serf(0).coordinate("n2").is_some());
    net.crash(2);
    net.run_for(S(30));
    let name = "n2".into();
    net.command(0, crate::serf::Command::ForceLeave { name, prune: true });
    assert_eq!(net.serf(0).coordinate("n2"), None);
    // Whoever gets its place in the table does not get its coordinate.
    let silent = SerfConfig::builder(swim()).coordinates(false).build().unwrap();
    let other = net.add(silent, "other", &super::net::tags("web"));
    net.join(other, 0);
    net.run_for(S(30));
    assert!(net.serf(0).member("other").is_some());
    assert_eq!(net.serf(0).coordinate("other"), None);
}

/// Node 0 probes node 1, which is gone, and this answers instead.
fn answer_a_probe(net: &mut Net, payload: &[u8]) {
    net.sent.clear();
    let seq = loop {
        net.run_for(Duration::from_millis(10));
        let mut pings =
            net.sent.iter().filter(|(from, ..)| *from == 0).filter_map(|(_, _, bytes)| {
                let mut scratch = Scratch::default();
                let mut parts = Parts::new(bytes, &mut scratch, Limits::default());
                let first = parts.next_part()?.ok()?;
                match Message::decode(first) {
                    Ok(Message::Ping(ping)) => Some(ping.seq),
                    _ => None,
                }
            });
        if let Some(seq) = pings.next_back() {
            break seq;
        }
    };
    let mut ack = BytesMut::new();
    Ack { seq, payload: Some(payload) }.encode(&mut ack);
    let from = net.addr(1);
    net.inject_datagram(from, 0, &ack);
}

#[test]
fn coordinates_that_make_no_sense_are_rejected_and_counted() {
    let mut net = Net::joined(2, &config());
    net.lose = |from, _, _| from == 1;
    let payload = |vec: &[f64], version: u8| {
        let mut out = BytesMut::new();
        let vec = Some(List::from(vec));
        serf::Coordinate { vec, error: 1.0, adjustment: 0.0, height: 1e-5 }.encode(&mut out);
        out[0] = version;
        out.to_vec()
    };
    let (own, before) = (net.serf(0).coordinate("n0"), net.serf(0).stats());
    let bad = [payload(&[f64::NAN; 8], 1), payload(&[0.0; 7], 1), payload(&[0.0; 8], 2)];
    for payload in &bad {
        answer_a_probe(&mut net, payload);
    }
    let stats = net.serf(0).stats();
    assert_eq!(stats.coordinates_rejected - before.coordinates_rejected, 3);
    assert_eq!(stats.coordinates, before.coordinates);
    assert_eq!(net.serf(0).coordinate("n0"), own);
    answer_a_probe(&mut net, &payload(&[0.25; 8], 1));
    assert_eq!(net.serf(0).stats().coordinates, before.coordinates + 1);
    assert_eq!(net.serf(0).coordinate("n1").unwrap().vec, [0.25; 8]);
}
