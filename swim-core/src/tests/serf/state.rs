//! What push/pulls carry.

use core::time::Duration;
use std::collections::BTreeMap;
use std::vec::Vec;

use bytes::BytesMut;

use super::net::{Net, config};
use crate::serf::Status;
use crate::wire::Limits;
use crate::wire::PushPull;
use crate::wire::serf;

const S: fn(u64) -> Duration = Duration::from_secs;

#[test]
fn a_state_has_the_clocks_the_times_and_the_ring() {
    let mut net = Net::joined(3, &config());
    net.user_event(0, "deploy", b"v1");
    net.crash(2);
    net.run_for(S(30));
    net.command(0, crate::serf::Command::ForceLeave { name: "n2".into(), prune: false });
    net.run_for(S(5));
    let bytes = net.state_of(0);
    let state = PushPull::decode(&bytes, &Limits::default()).unwrap();
    let state = serf::PushPull::decode(state.user_state()).unwrap();
    let info = net.serf(0).info();
    let clocks = (state.ltime, state.event_ltime, state.query_ltime);
    assert_eq!(clocks, (info.member_time, info.event_time, info.query_time));
    let names: Vec<_> = state.status_ltimes.unwrap().iter().map(|(n, _)| n).collect();
    assert_eq!(names, [b"n0", b"n1", b"n2"]);
    assert!(state.status_ltimes.unwrap().iter().all(|(_, ltime)| ltime > 0 || names[0] == b"n0"));
    assert_eq!(state.left.unwrap().iter().collect::<Vec<_>>(), [b"n2"]);
    let ring = state.events.unwrap();
    assert_eq!((ring.len(), ring.iter().flatten().count()), (512, 1));
}

#[test]
fn who_joins_later_learns_who_left() {
    let mut net = Net::joined(3, &config());
    net.crash(2);
    net.run_for(S(30));
    net.command(0, crate::serf::Command::ForceLeave { name: "n2".into(), prune: false });
    net.run_for(S(5));
    let late = net.add(config(), "late", &super::net::tags("web"));
    net.join(late, 0);
    net.run_for(S(40));
    assert_ne!(net.status(late, "n2"), Some(Status::Alive));
    assert_eq!(net.status(0, "n2"), Some(Status::Left), "a tombstone does not come back to life");
    assert_eq!(net.status(1, "n2"), Some(Status::Left));
}

/// What node `i` tells of the members' last words.
fn times(net: &mut Net, i: usize) -> BTreeMap<Vec<u8>, u64> {
    let bytes = net.state_of(i);
    let state = PushPull::decode(&bytes, &Limits::default()).unwrap();
    let state = serf::PushPull::decode(state.user_state()).unwrap();
    state.status_ltimes.unwrap().iter().map(|(name, ltime)| (name.to_vec(), ltime)).collect()
}

#[test]
fn a_state_without_news_is_stale_as_a_whole_and_one_more_word_is_news() {
    let mut net = Net::joined(3, &config());
    net.run_for(S(120));
    let all = times(&mut net, 0);
    for i in [1, 2] {
        assert_eq!(times(&mut net, i), all);
    }
    let stale = |net: &Net| net.serf(0).stats().intents_stale;
    let before = stale(&net);
    net.join(0, 1);
    net.run_for(Duration::from_millis(100));
    assert_eq!(stale(&net), before + 3, "each of its words counts");

    // A later word of n2 that reaches n1 alone.
    let later = all[&b"n2"[..]] + 7;
    let mut message = BytesMut::new();
    serf::Join { ltime: later, node: b"n2" }.encode(&mut message);
    net.lose = |_, _, _| true;
    net.inject(net.addr(2), 1, &message);
    net.run_for(S(20));
    assert_ne!(times(&mut net, 0)[&b"n2"[..]], later);
    net.lose = |_, _, _| false;
    net.join(0, 1);
    net.run_for(Duration::from_millis(100));
    assert_eq!(times(&mut net, 0)[&b"n2"[..]], later);
}
