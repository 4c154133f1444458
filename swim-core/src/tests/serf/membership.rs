//! Joining, leaving, failing, forcing out.

use core::time::Duration;
use std::string::ToString as _;
use std::vec;

use super::net::{Net, config, outcomes, swim, tags};
use crate::serf::{Change, Command, Outcome, Rejected, SerfConfig, Status, Tags};
use crate::{Config, ExchangeError, Seat};

const S: fn(u64) -> Duration = Duration::from_secs;

fn force_leave(net: &mut Net, i: usize, name: &str, prune: bool) {
    net.command(i, Command::ForceLeave { name: name.into(), prune });
}

#[test]
fn a_join_is_told_to_all_and_both_clocks_agree() {
    let mut net = Net::new(3, &config());
    net.join(1, 0);
    net.join(2, 0);
    net.run_for(S(5));
    for i in 0..3 {
        for name in ["n0", "n1", "n2"] {
            assert_eq!(net.status(i, name), Some(Status::Alive));
        }
        assert_eq!(net.serf(i).info().member_time, net.serf(0).info().member_time);
    }
    assert!(net.serf(0).info().member_time >= 2);
    let joined = Outcome::Joined { reached: 1, failed: vec![] };
    assert_eq!(outcomes(&net.take_events(1)), [joined]);
    assert_eq!(net.take_changes(0).len(), 3);
}

#[test]
fn a_join_of_which_one_seed_is_dead_counts_the_other() {
    let mut net = Net::new(2, &config());
    let addr: core::net::SocketAddr = "10.9.9.9:7946".parse().unwrap();
    let dead: Seat = addr.into();
    let live = net.addr(0).into();
    net.command(1, Command::Join { seats: vec![dead.clone(), live], replay: true });
    net.command(0, Command::Join { seats: vec![dead], replay: true });
    net.run_for(S(3));
    let failed = vec![(addr, ExchangeError::Refused)];
    let joined = Outcome::Joined { reached: 1, failed: failed.clone() };
    assert_eq!(outcomes(&net.take_events(1)), [joined]);
    assert_eq!(outcomes(&net.take_events(0)), [Outcome::Joined { reached: 0, failed }]);
}

#[test]
fn a_node_that_leaves_has_left_and_did_not_fail() {
    let mut net = Net::joined(3, &config());
    net.command(2, Command::Leave);
    assert_eq!(net.status(2, "n2"), Some(Status::Leaving));
    let again = net.try_command(2, Command::Leave);
    assert_eq!(again.unwrap_err(), Rejected::LeaveInProgress);
    net.run_for(S(15));
    for i in [0, 1] {
        assert_eq!(net.status(i, "n2"), Some(Status::Left));
        assert_eq!(net.take_changes(i), [(Change::Leave, "n2".to_string())]);
    }
    assert!(net.serf(2).has_left());
    assert_eq!(outcomes(&net.take_events(2)), [Outcome::Left]);
    net.command(2, Command::Leave);
    assert_eq!(outcomes(&net.take_events(2)), [Outcome::Left]);
    let join = Command::Join { seats: vec![net.addr(0).into()], replay: true };
    assert_eq!(net.try_command(2, join).unwrap_err(), Rejected::NotAlive);
}

#[test]
fn a_state_exchanged_while_a_node_leaves_does_not_outdate_its_word() {
    let mut net = Net::joined(3, &config());
    net.lose = |from, _, _| from == 2;
    net.command(2, Command::Leave);
    // Its state reaches n0 before its word does.
    net.join(0, 2);
    net.run_for(Duration::from_millis(100));
    assert_eq!(net.status(0, "n2"), Some(Status::Alive));
    net.lose = |_, _, _| false;
    net.run_for(S(15));
    assert_eq!(net.status(0, "n2"), Some(Status::Left));
    assert_eq!(net.take_changes(0), [(Change::Leave, "n2".to_string())]);
}

#[test]
fn a_node_alone_leaves_at_once_but_for_the_delay() {
    let mut net = Net::new(1, &config());
    net.command(0, Command::Leave);
    net.run_for(S(2));
    assert_eq!(outcomes(&net.take_events(0)), [Outcome::Left]);
}

#[test]
fn a_node_that_stops_has_failed_and_a_late_word_makes_it_left() {
    let mut net = Net::joined(3, &config());
    net.crash(2);
    net.run_for(S(30));
    assert_eq!(net.status(0, "n2"), Some(Status::Failed));
    assert_eq!(net.take_changes(0), [(Change::Failed, "n2".to_string())]);
    assert_eq!(net.serf(0).info().failed, 1);
    force_leave(&mut net, 1, "n2", false);
    net.run_for(S(5));
    assert_eq!(net.status(0, "n2"), Some(Status::Left));
    assert_eq!(net.take_changes(0), [(Change::Leave, "n2".to_string())]);
    assert_eq!((net.serf(0).info().failed, net.serf(0).info().left), (0, 1));
    assert_eq!(outcomes(&net.take_events(1)), [Outcome::Applied]);
}

#[test]
fn forcing_out_somebody_unknown_is_no_mistake() {
    let mut net = Net::joined(2, &config());
    force_leave(&mut net, 0, "nope", false);
    net.run_for(S(5));
    assert_eq!(outcomes(&net.take_events(0)), [Outcome::Applied]);
}

#[test]
fn a_node_that_is_there_refutes_being_forced_out() {
    let mut net = Net::joined(3, &config());
    force_leave(&mut net, 0, "n2", false);
    net.run_for(S(5));
    for i in 0..3 {
        assert_eq!(net.status(i, "n2"), Some(Status::Alive), "at {i}");
    }
    assert!(net.serf(2).stats().leaves_refuted > 0);
}

/// Whoever hears of the leave before the join takes the join of that time for an old one.
#[test]
fn a_leave_as_old_as_the_last_join_is_refuted() {
    let mut net = Net::joined(3, &config());
    let from = net.addr(1);
    let time = net.serf(2).info().member_time - 1;
    let leave = [b"\x00\x83\xa5LTime", &[time as u8][..], b"\xa4Node\xa2n2\xa5Prune\xc2"].concat();
    net.inject(from, 2, &leave);
    net.run_for(S(5));
    assert_eq!(net.serf(2).stats().leaves_refuted, 1);
    assert!(net.serf(0).info().member_time > time + 1, "a later join was told");
}

/// A push/pull tells of it as of a join.
#[test]
fn a_leave_that_gossip_did_not_bring_is_refuted_after_a_push_pull() {
    let mut net = Net::joined(3, &config());
    net.lose = |_, _, bytes| bytes.windows(5).any(|part| part == b"Prune");
    force_leave(&mut net, 0, "n2", false);
    assert_eq!(net.status(0, "n2"), Some(Status::Leaving));
    net.run_for(S(90));
    assert_eq!(net.status(0, "n2"), Some(Status::Alive));
    assert_eq!(net.serf(2).stats().leaves_refuted, 1);
}

#[test]
fn who_rejoins_tells_nobody_unless_there_is_a_later_word_about_it() {
    let mut net = Net::joined(3, &config());
    let time = net.serf(0).info().member_time;
    let intents_of = |net: &Net, name: &[u8]| {
        let is_join = |bytes: &[u8]| {
            let mark = [b"\x01\x82\xa5LTime", &[time as u8][..], b"\xa4Node\xa2", name].concat();
            bytes.windows(mark.len()).any(|part| part == mark)
        };
        net.sent.iter().filter(|(from, _, bytes)| *from == 2 && is_join(bytes)).count()
    };
    net.crash(2);
    net.run_for(S(30));
    assert_eq!(net.status(0, "n2"), Some(Status::Failed));
    net.take_changes(0);
    let rejoin = |net: &mut Net| {
        net.restart(2, config());
        net.resume(2, time - 1, 0, 0);
        net.take_events(2);
        let seats = vec![net.addr(0).into()];
        net.command(2, Command::Rejoin(seats));
        net.run_for(S(5));
        let joined = Outcome::Joined { reached: 1, failed: vec![] };
        assert_eq!(outcomes(&net.take_events(2)), [joined]);
        assert_eq!(net.status(0, "n2"), Some(Status::Alive));
    };
    rejoin(&mut net);
    assert_eq!(net.take_changes(0), [(Change::Join, "n2".to_string())]);
    assert_eq!((intents_of(&net, b"n2"), net.serf(2).stats().leaves_refuted), (0, 0));
    assert_eq!(net.serf(0).info().member_time, time);
    // Now it is forced out meanwhile.
    net.crash(2);
    net.run_for(S(30));
    force_leave(&mut net, 1, "n2", false);
    net.run_for(S(5));
    assert_eq!(net.status(0, "n2"), Some(Status::Left));
    rejoin(&mut net);
    assert_eq!(net.serf(2).stats().leaves_refuted, 1);
    assert!(net.serf(0).info().member_time > time + 2);
}

#[test]
fn a_pruned_member_is_forgotten_by_all() {
    let mut net = Net::joined(3, &config());
    net.crash(2);
    net.run_for(S(30));
    net.take_changes(0);
    force_leave(&mut net, 1, "n2", true);
    assert_eq!(net.status(1, "n2"), None);
    net.run_for(S(5));
    assert_eq!(net.status(0, "n2"), None);
    let told = net.take_changes(0);
    assert_eq!(told, [(Change::Leave, "n2".to_string()), (Change::Reap, "n2".to_string())]);
}

#[test]
fn a_member_that_leaves_is_pruned_once_it_is_gone() {
    let mut net = Net::joined(3, &config());
    net.command(2, Command::Leave);
    net.run_for(Duration::from_millis(1500));
    force_leave(&mut net, 0, "n2", true);
    net.run_for(S(15));
    assert_eq!((net.status(0, "n2"), net.status(1, "n2")), (None, None));
}

#[test]
fn what_is_gone_for_long_enough_is_reaped() {
    let swim = Config::lan()
        .reconnect_timeout(S(5))
        .tombstone_timeout(S(60))
        .reap_interval(S(1))
        .build()
        .unwrap();
    let mut net = Net::joined(4, &SerfConfig::builder(swim).build().unwrap());
    net.crash(3);
    net.command(2, Command::Leave);
    net.run_for(S(40));
    assert_eq!((net.status(0, "n3"), net.status(0, "n2")), (None, Some(Status::Left)));
    assert!(net.take_changes(0).contains(&(Change::Reap, "n3".to_string())));
    net.run_for(S(60));
    assert_eq!(net.status(0, "n2"), None);
}

#[test]
fn a_member_that_comes_back_is_found_without_a_join_and_flaps() {
    let swim = Config::lan().reconnect_interval(S(2)).build().unwrap();
    let config = SerfConfig::builder(swim).build().unwrap();
    let mut net = Net::joined(3, &config);
    net.crash(2);
    net.run_for(S(20));
    assert_eq!(net.status(0, "n2"), Some(Status::Failed));
    net.restart(2, config);
    net.run_for(S(20));
    for i in 0..3 {
        assert_eq!(net.status(i, "n2"), Some(Status::Alive), "at {i}");
    }
    assert_eq!(net.serf(0).stats().flaps, 1);
}

#[test]
fn tags_are_those_of_the_start_until_they_change() {
    let mut net = Net::joined(2, &config());
    let web = net.serf(0).member("n1").unwrap().tags();
    assert_eq!(web, tags("web"));
    let new = web.changed(["role"], [("x", "1")]).unwrap();
    net.command(1, Command::SetTags(new.clone()));
    net.run_for(S(4));
    assert_eq!(net.serf(0).member("n1").unwrap().tags(), new);
    assert_eq!(net.take_changes(0), [(Change::Update, "n1".to_string())]);
    assert_eq!(outcomes(&net.take_events(1)), [Outcome::Applied]);
}

#[test]
fn a_node_of_protocol_2_tells_its_role_only() {
    let old = SerfConfig::builder(swim()).protocol(2).build().unwrap();
    let mut net = Net::new(1, &config());
    let both = Tags::new([("role", "web"), ("dc", "east")]).unwrap();
    net.add(old, "old", &both);
    net.join(1, 0);
    net.run_for(S(3));
    assert_eq!(net.serf(0).member("old").unwrap().tags(), tags("web"));
}

#[test]
fn the_versions_are_those_of_serf() {
    let net = Net::joined(2, &config());
    let versions = net.serf(0).member("n1").unwrap().versions();
    assert_eq!((versions.protocol(), versions.app()), ((1, 5, 2), (2, 5, 4)));
}

#[test]
fn an_intent_that_outruns_its_member_counts_when_it_comes() {
    let mut net = Net::new(2, &config());
    let from = net.addr(1);
    // n1 leaves at time 9, says a message that comes before n1 does.
    net.inject(from, 0, b"\x00\x83\xa5LTime\x09\xa4Node\xa2n1\xa5Prune\xc2");
    net.join(0, 1);
    net.run_for(Duration::from_millis(3));
    assert_eq!(net.status(0, "n1"), Some(Status::Leaving));
    net.run_for(S(40));
    assert_eq!(net.status(0, "n1"), Some(Status::Alive), "n1 heard of it, and refuted it");
}

#[test]
fn an_intent_to_join_brings_back_who_was_leaving_and_an_old_one_does_not() {
    let mut net = Net::joined(3, &config());
    let from = net.addr(1);
    net.lose = |_, _, _| true;
    net.inject(from, 0, b"\x00\x83\xa5LTime\x40\xa4Node\xa2n2\xa5Prune\xc2");
    assert_eq!(net.status(0, "n2"), Some(Status::Leaving));
    net.inject(from, 0, b"\x01\x82\xa5LTime\x40\xa4Node\xa2n2");
    assert_eq!(net.status(0, "n2"), Some(Status::Leaving), "of the same time");
    net.inject(from, 0, b"\x01\x82\xa5LTime\x41\xa4Node\xa2n2");
    assert_eq!(net.status(0, "n2"), Some(Status::Alive));
    assert_eq!(net.serf(0).info().member_time, 0x42);
}
