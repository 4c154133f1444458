//! Network coordinates in acks.

use core::time::Duration;

use super::net::{Net, config, swim};
use crate::serf::SerfConfig;

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
}
