//! Joining, leaving, changing.

use core::time::Duration;
use std::vec;
use std::vec::Vec;

use bytes::Bytes;

use crate::testkit::Net;
use crate::{Cause, Command, Config, Event, Lane, Outcome, State};

fn three() -> Net {
    let mut net = Net::new(3, &Config::lan().build().unwrap(), 1);
    net.join(1, 0);
    net.join(2, 0);
    net.run_for(Duration::from_secs(3));
    for i in 0..3 {
        assert_eq!(net.node(i).live_len(), 3, "{:?}", net.node(i));
    }
    net
}

fn done(events: &[Event]) -> Vec<Outcome> {
    events
        .iter()
        .filter_map(|e| match e {
            Event::Done { outcome, .. } => Some(outcome.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_join_reaches_everybody() {
    let mut net = three();
    let joined = done(&net.take_events(1));
    assert_eq!(joined, [Outcome::Joined { reached: 1, failed: vec![] }]);
}

#[test]
fn a_leaver_is_left_everywhere_and_told_when_done() {
    let mut net = three();
    net.take_events(0);
    net.command(2, Command::Leave);
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.state_of(0, 2), Some(State::Left));
    assert_eq!(net.state_of(1, 2), Some(State::Left));
    assert!(done(&net.take_events(2)).contains(&Outcome::Left));
    let left = net.take_events(0);
    assert!(left.iter().any(|e| matches!(e, Event::Down { cause: Cause::Left, .. })), "{left:?}");
}

#[test]
fn new_metadata_reaches_everybody() {
    let mut net = three();
    net.take_events(0);
    net.command(1, Command::SetMeta(Bytes::from_static(b"role=db")));
    net.run_for(Duration::from_secs(3));
    assert_eq!(net.node(0).member("n1").unwrap().meta(), b"role=db");
    assert!(net.take_events(0).iter().any(|e| matches!(e, Event::Changed(m) if m.name() == "n1")));
    assert!(done(&net.take_events(1)).contains(&Outcome::Applied));
}

#[test]
fn a_node_moves_to_another_address() {
    let mut net = three();
    let to = crate::Addr::from(core::net::SocketAddr::from(([10, 0, 0, 77], 7946)));
    net.command(1, Command::SetAddress(to));
    net.run_for(Duration::from_millis(2500));
    assert_eq!(net.node(0).member("n1").unwrap().addr(), to);
}

#[test]
fn a_broadcast_reaches_everybody_once_it_is_queued() {
    let mut net = three();
    net.take_events(0);
    net.take_events(2);
    let payload = Bytes::from_static(b"deploy");
    net.command(1, Command::Broadcast { lane: Lane::Normal, key: None, payload });
    net.run_for(Duration::from_secs(3));
    for i in [0, 2] {
        let got = net.take_events(i);
        let got = got
            .iter()
            .filter(|e| matches!(e, Event::Message { payload, .. } if payload == "deploy"));
        assert!(got.count() > 0);
    }
    assert!(done(&net.take_events(1)).contains(&Outcome::Sent));
}

#[test]
fn reliable_messages_and_pings_have_an_outcome() {
    let mut net = three();
    let to = net.addr(0);
    net.command(
        1,
        Command::Send { to: to.into(), reliable: true, payload: vec![7; 100_000].into() },
    );
    let name = crate::NodeName::new("n0").unwrap();
    net.command(1, Command::Ping { name: name.clone(), to });
    net.command(1, Command::Ping { name, to: net.addr(2) });
    net.run_for(Duration::from_secs(3));
    let outcomes = done(&net.take_events(1));
    assert!(outcomes.contains(&Outcome::Delivered));
    assert!(outcomes.contains(&Outcome::Pong(Duration::from_millis(2))));
    assert!(outcomes.contains(&Outcome::NoAnswer), "a ping for another name is not answered");
    assert!(
        net.take_events(0)
            .iter()
            .any(|e| matches!(e, Event::Message { payload, .. } if payload.len() == 100_000))
    );
}
