//! What those need who build on Serf: gateways, and names that are taken over.

use core::time::Duration;
use std::string::ToString as _;
use std::vec::Vec;

use super::net::{Net, config, tags};
use crate::Config;
use crate::serf::{QueryParams, SerfConfig, Status};

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

/// What a network needs in which only names lead anywhere.
#[test]
fn with_names_wanted_answers_too_say_for_whom_they_are() {
    let swim = Config::lan().stream_pings(false).build().unwrap();
    let mut net = Net::joined(4, &SerfConfig::builder(swim).build().unwrap());
    net.name_addressees();
    net.meant.clear();
    net.query(0, "q", QueryParams::new().ack(true).relay_factor(1));
    // Two do not hear from each other: helpers ask for both.
    net.lose = |from, to, _| from.min(to) == 0 && from.max(to) == 1;
    net.run_for(S(60));
    net.crash(3);
    net.run_for(S(60));
    assert!(net.meant.len() > 400, "{}", net.meant.len());
    let names = ["n0", "n1", "n2", "n3"];
    for (to, name) in &net.meant {
        let there = (0..4).find(|&i| net.addr(i) == *to).map(|i| names[i]);
        assert_eq!(name.as_deref(), there, "{to}");
    }
    // Whoever is wronged answers whoever says so, who need not have found it out.
    net.meant.clear();
    net.lose = |_, to, _| to == 1;
    net.run_for(S(4));
    net.lose = |_, _, _| false;
    net.run_for(S(30));
    assert!(net.serf(1).node().stats().refutations > 0, "somebody was wronged");
    let nameless = net.meant.iter().filter(|(_, name)| name.is_none()).count();
    assert!(nameless < net.meant.len() / 20, "{nameless} of {}", net.meant.len());
    for (to, name) in &net.meant {
        let there = (0..4).find(|&i| net.addr(i) == *to).map(|i| names[i]);
        assert!(name.is_none() || name.as_deref() == there, "{to}: {name:?}");
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
