//! Two nodes of one name.

use core::time::Duration;
use std::vec::Vec;

use super::net::{Net, config, swim, tags};
use crate::serf::{Event, QueryParams, SerfConfig, Status};

const S: fn(u64) -> Duration = Duration::from_secs;

fn is_outvoted(net: &mut Net, i: usize) -> bool {
    net.take_events(i).iter().any(|event| matches!(event, Event::Outvoted { .. }))
}

#[test]
fn the_newcomer_gives_in_and_the_owner_stays() {
    let mut net = Net::joined(3, &config());
    let twin = net.add(config(), "n2", &tags("web"));
    net.join(twin, 0);
    net.run_for(S(10));
    assert!(is_outvoted(&mut net, twin));
    assert!(!is_outvoted(&mut net, 2));
    assert_eq!(net.status(0, "n2"), Some(Status::Alive));
    assert_eq!(net.serf(0).member("n2").unwrap().addr().canonical(), net.addr(2));
    let told = net.take_events(0);
    assert!(told.iter().any(|event| matches!(event, Event::Conflict { .. })));
}

#[test]
fn with_the_switch_off_nobody_asks_and_nobody_gives_in() {
    let config = SerfConfig::builder(swim()).name_conflict_resolution(false).build().unwrap();
    let mut net = Net::joined(3, &config);
    let twin = net.add(config, "n2", &tags("web"));
    net.join(twin, 0);
    net.run_for(S(10));
    let told = net.take_events(twin);
    assert!(told.iter().any(|event| matches!(event, Event::Conflict { .. })));
    assert!(!told.iter().any(|event| matches!(event, Event::Outvoted { .. })));
    assert_eq!(net.serf(0).stats().queries, 0);
}

#[test]
fn others_are_told_what_is_known_of_a_name_and_its_owner_is_silent() {
    let mut net = Net::joined(3, &config());
    let mut answers = |payload: &str| {
        net.sent.clear();
        let command = crate::serf::Command::Query {
            name: "_serf_conflict".into(),
            payload: bytes::Bytes::copy_from_slice(payload.as_bytes()),
            params: QueryParams::new(),
        };
        net.command(0, command);
        net.run_for(S(4));
        let sent = net.sent.iter().filter(|(_, _, bytes)| bytes.starts_with(b"\x08\x05"));
        sent.map(|(from, _, bytes)| (*from, bytes.ends_with(b"\x06\xc0"))).collect::<Vec<_>>()
    };
    assert_eq!(answers("n1").iter().filter(|(from, _)| *from == 1).count(), 0);
    assert_eq!(answers("n1").len(), 2);
    assert_eq!(answers("nope").iter().filter(|(_, unknown)| *unknown).count(), 3);
}
