//! A node that slept does not accuse others (architecture 3.5).

use core::net::SocketAddr;
use core::time::Duration;
use std::format;

use crate::testkit::Net;
use crate::{Config, Event, Identity, Input, Instant, Node, Roster, Seed, State};

fn pair() -> Net {
    let mut net = Net::new(3, &Config::lan().build().unwrap(), 4);
    net.join(1, 0);
    net.join(2, 0);
    net.run_for(Duration::from_secs(4));
    net.take_events(0);
    net
}

#[test]
fn a_late_time_out_voids_the_probe_and_blames_nobody() {
    let mut net = pair();
    net.sleep(0, Duration::from_secs(40));
    let events = net.take_events(0);
    assert!(!events.iter().any(|e| matches!(e, Event::Down { .. })), "{events:?}");
    assert_eq!(net.node(0).live_len(), 3);
    assert!(net.node(0).stats().late_timeouts > 0);
    assert_eq!(net.node(0).stats().suspicions, 0);
}

/// The driver polls nothing, because its socket is full.
#[test]
fn a_ping_that_never_left_accuses_nobody() {
    let home = |i: u8| SocketAddr::from(([10, 0, 0, 1 + i], 7946));
    let members = (0..3).map(|i| Identity::new(&format!("n{i}"), home(i)).unwrap());
    let (config, mut now) = (Config::lan().build().unwrap(), Instant::from_secs(1));
    let mut node = Node::with_roster(config, &Roster::new(members), 0, Seed::from(1), now);
    while now < Instant::from_secs(20) {
        now = node.poll_timeout().unwrap();
        node.handle(now, Input::Timeout).unwrap();
    }
    let stats = node.stats();
    assert_eq!((stats.suspicions, stats.probes_failed), (0, 0));
    assert!(stats.probes_unsent > 1 && node.health() > 0, "{stats:?}");
}

#[test]
fn a_suspect_gets_the_time_in_which_nobody_listened() {
    let mut net = Net::new(2, &Config::lan().build().unwrap(), 4);
    net.join(1, 0);
    net.run_for(Duration::from_secs(4));
    net.crash(1);
    while net.state_of(0, 1) == Some(State::Alive) {
        net.run_for(Duration::from_millis(100));
    }
    assert_eq!(net.state_of(0, 1), Some(State::Suspect));
    net.sleep(0, Duration::from_secs(60));
    assert_eq!(net.state_of(0, 1), Some(State::Suspect), "the sleep does not count");
    net.run_for(Duration::from_secs(40));
    assert_eq!(net.state_of(0, 1), Some(State::Dead));
}

#[test]
fn time_that_runs_backwards_stands_still() {
    let mut net = pair();
    assert_eq!(net.node(0).stats().clock_backwards, 0);
    let before = net.now() - Duration::from_secs(3);
    net.handle_at(0, before, Input::Timeout);
    assert_eq!(net.node(0).stats().clock_backwards, 1);
}
