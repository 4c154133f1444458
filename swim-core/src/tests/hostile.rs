//! What a hostile peer or a clumsy driver cannot do to a node.

use core::time::Duration;
use std::vec;
use std::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::alone::{Alone, home};
use crate::wire::{Claim, Compound, IndirectPing, Kind, NodeState, PushPullHeader, Source};
use crate::{Addr, Command, Config, InboundId, Input, Lane, NodeName, OpId, OutboundId, State};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn suspicions_that_come_and_go_do_not_fill_the_timers() {
    let mut alone = Alone::new(8, Config::lan());
    for incarnation in 1..5000 {
        alone.claim(Kind::Suspect, "m2", incarnation);
        alone.alive("m2", 2, incarnation + 1);
    }
    alone.node.audit();
    alone.claim(Kind::Suspect, "m2", 5000);
    alone.drain();
    // The look that was under way comes too early, and the suspicion still ends in time.
    let suspected = alone.now;
    while alone.node.member("m2").unwrap().state().is_live() {
        alone.now = alone.node.poll_timeout().unwrap();
        alone.node.handle(alone.now, Input::Timeout).unwrap();
        alone.drain();
    }
    assert_eq!(alone.now.since(suspected), Duration::from_secs(24));
}

#[test]
fn a_helper_that_was_forgotten_before_it_was_asked_is_passed_over() {
    let ms = Duration::from_millis;
    let forget =
        Config::lan().reconnect_timeout(ms(0)).tombstone_timeout(ms(0)).reap_interval(ms(10));
    let mut alone = Alone::new(3, forget);
    let mut buf = BytesMut::new();
    let target = loop {
        match alone.node.poll_transmit(&mut buf) {
            Some(sent) => break sent.to,
            None => alone.time_out(),
        }
    };
    // Nobody answers, and nobody fetches the request to the helper.
    let helper = if target == home(1) { "m2" } else { "m1" };
    alone.time_out_for(ms(505));
    assert!(!alone.node.is_drained(), "a helper is to be asked");
    alone.claim(Kind::Dead, helper, 1);
    alone.time_out_for(ms(40));
    assert!(alone.node.member(helper).is_none(), "forgotten");
    alone.drain();
}

#[test]
fn a_reply_before_its_request_was_fetched_does_no_harm() {
    let mut alone = Alone::new(3, Config::lan());
    let seats = vec![home(1).into(), home(2).into()];
    alone.command(Command::Join(seats));
    for id in [OutboundId(0), OutboundId(7)] {
        let _ = alone.node.handle(alone.now, Input::Reply { id, result: Ok(b"") });
    }
    alone.drain();
}

#[test]
fn pings_that_nobody_fetches_do_not_pile_up() {
    let mut alone = Alone::new(3, Config::lan().exchanges_max(4).replies_max(16));
    for _ in 0..1000 {
        let name = NodeName::new("m1").unwrap();
        alone.command(Command::Ping { name, to: home(1) });
        alone.time_out_for(Duration::from_millis(501));
    }
    alone.node.audit();
}

#[test]
fn what_is_due_with_the_last_slice_of_a_merge_is_done_too() {
    let mut alone = Alone::new(3, Config::lan());
    alone.drain();
    let mut state = BytesMut::new();
    PushPullHeader { join: false, nodes: 1100, user_state_len: 0 }.encode(&mut state);
    for _ in 0..1100 {
        NodeState { vsn: Some(&[1, 5, 2, 0, 0, 0]), ..NodeState::default() }.encode(&mut state);
    }
    let request = Input::Request { id: InboundId(1), from: home(1), bytes: &state };
    alone.node.handle(alone.now, request).unwrap();
    assert!(alone.node.is_merging());
    alone.now = alone.now + HOUR;
    alone.node.handle(alone.now, Input::Timeout).unwrap();
    assert!(!alone.node.is_merging());
    assert!(alone.node.poll_timeout().is_some_and(|next| next > alone.now));
}

/// Whatever is accepted is also sent, and then told.
#[test]
fn a_broadcast_fits_a_datagram_or_is_refused() {
    for len in 1300..1420 {
        let mut alone = Alone::new(3, Config::lan());
        let payload = Bytes::from(vec![b'x'; len]);
        let broadcast = Command::Broadcast { lane: Lane::High, key: None, payload };
        let taken =
            alone.node.handle(alone.now, Input::Command { op: OpId(1), command: broadcast });
        assert_eq!(taken.is_ok(), len <= 1390, "{len}");
        alone.live_for(Duration::from_secs(5));
        assert_eq!(alone.node.queue_len(Lane::High), 0, "{len}");
    }
}

#[test]
fn a_node_on_the_move_can_leave() {
    let mut alone = Alone::new(3, Config::lan());
    alone.command(Command::SetAddress(Addr::from(home(7))));
    alone.command(Command::Leave);
    alone.live_for(Duration::from_secs(5));
    assert_eq!(alone.story(), ["down", "1 Displaced", "2 Left"]);
    assert_eq!(alone.node.me().state(), State::Left);
}

#[test]
fn a_node_on_the_move_that_has_said_so_can_leave() {
    let mut alone = Alone::new(3, Config::lan());
    alone.command(Command::SetAddress(Addr::from(home(7))));
    while alone.node.rumours_len() > 0 {
        alone.time_out();
        alone.drain();
    }
    alone.command(Command::Leave);
    alone.live_for(Duration::from_secs(5));
    assert_eq!(alone.story(), ["down", "1 Displaced", "2 Left"]);
}

#[test]
fn a_node_on_the_move_can_change_its_mind_and_its_metadata() {
    let mut alone = Alone::new(3, Config::lan());
    alone.command(Command::SetAddress(Addr::from(home(7))));
    alone.command(Command::SetAddress(Addr::from(home(8))));
    alone.command(Command::SetMeta(Bytes::from_static(b"new")));
    // Nobody else brings it back to the old address.
    alone.alive("m0", 0, 9);
    alone.claim(Kind::Suspect, "m0", 9);
    assert_eq!(alone.node.me().state(), State::Left);
    alone.live_for(Duration::from_secs(10));
    assert_eq!(alone.story(), ["down", "1 Displaced", "up", "3 Applied", "2 Applied"]);
    assert_eq!(alone.node.me().meta(), b"new");
    assert_eq!(alone.node.me().addr(), Addr::from(home(8)));
}

/// Whoever accuses this node over and over in one datagram gets one answer, not 127: the source of
/// a datagram is easily forged.
#[test]
fn a_datagram_of_accusations_is_answered_once() {
    let mut alone = Alone::new(3, Config::lan());
    let mut datagram = BytesMut::new();
    let mut compound = Compound::begin(&mut datagram);
    for incarnation in 0..Compound::PARTS_MAX as u32 {
        let claim = Claim { incarnation, node: b"m0", from: b"m2" };
        compound.part(|out| claim.encode(Kind::Suspect, out)).unwrap();
    }
    compound.finish();
    alone.datagram(&datagram);
    assert_eq!(alone.answers(), 1);
}

/// Compounds in a compound, 1020 times the same part: compressed it is a datagram of some 240
/// bytes, and every answer may carry 1,400 bytes of rumours.
fn a_thousand_times(part: &[u8]) -> Vec<u8> {
    let len = u16::try_from(part.len()).unwrap().to_be_bytes();
    let inner = [&[Kind::Compound.byte(), 255][..], &len.repeat(255), &part.repeat(255)].concat();
    let len = u16::try_from(inner.len()).unwrap().to_be_bytes();
    [&[Kind::Compound.byte(), 4][..], &len.repeat(4), &inner.repeat(4)].concat()
}

#[test]
fn a_datagram_of_pings_is_answered_twice_at_most() {
    let mut alone = Alone::new(3, Config::lan());
    alone.datagram(&a_thousand_times(&[Kind::Ping.byte(), 0xc0]));
    assert_eq!(alone.answers(), 2);
    assert_eq!(alone.node.stats().requests_dropped, 1018);
    // The next datagram is answered again.
    alone.datagram(&[Kind::Ping.byte(), 0xc0]);
    assert_eq!(alone.answers(), 1);
}

#[test]
fn a_datagram_of_requests_to_ping_is_answered_twice_at_most() {
    let mut alone = Alone::new(3, Config::lan());
    let mut ask = BytesMut::new();
    let source = Source::default();
    // Whom it names is no member, which a nack tells.
    IndirectPing { seq: 7, target: None, port: 1, node: b"x", nack: true, source }.encode(&mut ask);
    alone.datagram(&a_thousand_times(&ask));
    assert_eq!(alone.answers(), 2);
    assert_eq!(alone.node.stats().relays_refused, 2);
    assert_eq!(alone.node.stats().requests_dropped, 1018);
}

/// Each claim has its subject asked. Were that a turn of its own, a few datagrams would keep the
/// dead alive for hours.
#[test]
fn deaths_that_are_claimed_over_and_over_put_no_question_off() {
    let mut alone = Alone::new(8, Config::lan());
    for incarnation in 1..5000 {
        alone.claim(Kind::Dead, "m2", incarnation);
        alone.claim(Kind::Dead, "m4", incarnation);
        alone.alive("m4", 4, incarnation + 1);
    }
    alone.claim(Kind::Dead, "m3", 1);
    alone.live_for(Duration::from_secs(1));
    for gone in ["m2", "m3"] {
        assert_eq!(alone.node.member(gone).unwrap().state(), State::Dead, "{gone}");
    }
    assert_eq!(alone.node.member("m4").unwrap().state(), State::Alive);
    alone.node.audit();
}

#[test]
fn deaths_of_ever_later_lives_keep_nobody_alive() {
    let mut alone = Alone::new(8, Config::lan());
    let claimed = alone.now;
    for incarnation in 1..100 {
        if !alone.node.member("m2").unwrap().state().is_live() {
            break;
        }
        alone.claim(Kind::Dead, "m2", incarnation);
        alone.live_for(Duration::from_millis(400));
    }
    // As long as a suspicion that nobody confirms lasts among eight.
    let lived = alone.now.since(claimed);
    assert!(lived > Duration::from_secs(20) && lived <= Duration::from_secs(24), "{lived:?}");
}

#[test]
fn a_question_that_finds_the_queue_full_is_asked_later() {
    let mut alone = Alone::new(8, Config::lan().replies_max(16));
    for _ in 0..20 {
        alone.datagram(&[Kind::Ping.byte(), 0xc0]);
    }
    alone.claim(Kind::Dead, "m2", 1);
    alone.time_out_for(Duration::from_secs(5));
    assert!(alone.node.member("m2").unwrap().state().is_live(), "it was not asked");
    assert!(alone.node.stats().replies_dropped > 0);
    alone.drain();
    alone.live_for(Duration::from_millis(1500));
    assert_eq!(alone.node.member("m2").unwrap().state(), State::Dead);
}
