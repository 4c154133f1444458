//! Failure detection.

use core::time::Duration;

use crate::testkit::Net;
use crate::{Cause, Config, Event, State};

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
