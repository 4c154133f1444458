//! What those need who build on Serf: gateways, and names that are taken over.

use core::time::Duration;
use std::string::ToString as _;
use std::vec::Vec;

use super::net::{Net, config, tags};
use crate::Config;
use crate::serf::{SerfConfig, Status};

const S: fn(u64) -> Duration = Duration::from_secs;

#[test]
fn a_datagram_and_a_stream_say_for_whom_they_are() {
    let mut net = Net::joined(3, &config());
    net.meant.clear();
    net.user_event(0, "e", b"");
    net.crash(2);
    net.run_for(S(120));
    // Answers go to where the question came from.
    let named: Vec<_> = net.meant.iter().filter(|(_, name)| name.is_some()).collect();
    assert!(named.len() > 100, "{} of {}", named.len(), net.meant.len());
    for (to, name) in named {
        let there = (0..3).find(|&i| net.addr(i) == *to).map(|i| ["n0", "n1", "n2"][i]);
        assert_eq!(name.as_deref(), there, "{to}");
    }
}

#[test]
fn the_name_of_a_failed_member_is_free_after_a_while() {
    let swim = Config::lan().dead_node_reclaim_time(S(60)).build().unwrap();
    let config = SerfConfig::builder(swim).name_conflict_resolution(false).build().unwrap();
    let mut net = Net::joined(3, &config);
    net.crash(2);
    net.run_for(S(30));
    assert_eq!(net.status(0, "n2"), Some(Status::Failed));
    let heir = net.add(config, "n2", &tags("web"));
    net.join(heir, 0);
    net.run_for(S(10));
    assert_eq!(net.status(0, "n2"), Some(Status::Failed), "so soon it may come back");
    net.run_for(S(90));
    net.join(heir, 0);
    net.run_for(S(10));
    assert_eq!(net.status(0, "n2"), Some(Status::Alive));
    let seen = net.serf(0).member("n2").unwrap().addr().canonical();
    assert_eq!(seen.to_string(), net.addr(heir).to_string());
}
