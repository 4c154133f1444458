//! What has a bound, and that what is refused for it is counted.

use core::net::SocketAddr;
use core::time::Duration;
use std::vec;
use std::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::alone::{Alone, home};
use crate::keyring::Key;
use crate::wire::{Ack, Kind, Message, NodeState, Ping, PushPullHeader, Source, UserHeader};
use crate::{
    Addr, Command, Config, Exchange, InboundId, Input, KeyCommand, Lane, NodeName, OpId, OutboundId,
};

/// The counters that an input has moved, besides those of traffic.
fn counted(alone: &mut Alone, input: Input<'_>) -> Vec<(&'static str, u64)> {
    let before = alone.node.stats();
    let refused = alone.node.handle(alone.now, input);
    assert!(refused.is_err());
    let after = alone.node.stats();
    let all = before.iter().zip(after.iter()).map(|((name, b), (_, a))| (name, a - b));
    all.filter(|(name, n)| *n > 0 && !name.ends_with("_in")).collect()
}

#[test]
fn every_refusal_is_counted_once() {
    let mut alone = Alone::new(3, Config::lan().exchanges_max(1).direct_bytes_max(1024));
    let big = |len| Bytes::from(vec![0; len]);
    let (reliable, lane) = (false, Lane::High);
    let key = Key::new(&[7; 16]).unwrap();
    let other = Config::lan().members_max(9).build().unwrap();
    let commands = [
        (Command::SetMeta(big(513)), "commands_refused"),
        (Command::SetAddress(Addr::from(SocketAddr::from(([0; 4], 1)))), "commands_refused"),
        (Command::Key(KeyCommand::Use(key)), "commands_refused"),
        (Command::Reload(other), "commands_refused"),
        (Command::SetAckPayload(big(513)), "payloads_too_long"),
        (Command::Broadcast { lane, key: None, payload: big(1400) }, "payloads_too_long"),
        (Command::Send { to: home(1).into(), reliable, payload: big(1024) }, "direct_dropped"),
    ];
    let op = OpId(1);
    for (command, counter) in commands {
        let counted = counted(&mut alone, Input::Command { op, command });
        assert_eq!(counted, [(counter, 1)]);
    }
    let (mut huge, mut wrong_name) = (BytesMut::new(), BytesMut::new());
    UserHeader { len: 1 << 30 }.encode(&mut huge);
    Ping { seq: 1, node: b"x", source: Source::default() }.encode(&mut wrong_name);
    let incompatible = {
        let mut state = BytesMut::new();
        PushPullHeader { join: false, nodes: 1, user_state_len: 0 }.encode(&mut state);
        NodeState::default().encode(&mut state);
        state
    };
    let requests: [(&[u8], _); 6] = [
        (&huge, "payloads_too_long"),
        (&wrong_name, "not_for_me"),
        (&incompatible, "bad_versions"),
        (&[Kind::PushPull.byte()], "malformed"),
        (&[Kind::Ping.byte()], "malformed"),
        (&[Kind::Suspect.byte()], "wrong_plane"),
    ];
    for (bytes, counter) in requests {
        let request = Input::Request { id: InboundId(1), from: home(1), bytes };
        assert_eq!(counted(&mut alone, request), [(counter, 1)], "{bytes:?}");
        alone.drain();
    }
    let (at, from) = (alone.now, home(1));
    for (bytes, counter) in [(&wrong_name[..], "not_for_me"), (&[99], "malformed")] {
        assert_eq!(counted(&mut alone, Input::Datagram { at, from, bytes }), [(counter, 1)]);
    }
    let reply = Input::Reply { id: OutboundId(9), result: Ok(b"") };
    assert_eq!(counted(&mut alone, reply), [("unexpected_replies", 1)]);
    let send = || Command::Send { to: home(1).into(), reliable: true, payload: big(1) };
    alone.command(send());
    let busy = Input::Command { op, command: send() };
    assert_eq!(counted(&mut alone, busy), [("exchanges_refused", 1)]);
}

/// A driver that fetches nothing has no list of what to close grow without end.
#[test]
fn what_nobody_fetches_of_the_stream_plane_is_bounded() {
    let mut alone = Alone::new(3, Config::lan().exchanges_max(4));
    for id in 0..1000 {
        let bytes = if id % 2 == 0 { &[Kind::Suspect.byte()] } else { &[Kind::PushPull.byte()] };
        let _ = alone
            .node
            .handle(alone.now, Input::Request { id: InboundId(id), from: home(1), bytes });
    }
    alone.node.audit();
    assert_eq!(alone.node.stats().hang_ups_dropped, 1000 - 16);
}

#[test]
fn messages_without_bytes_fill_the_queue_too() {
    let mut alone = Alone::new(3, Config::lan().direct_bytes_max(1024));
    let send = || Command::Send { to: home(1).into(), reliable: false, payload: Bytes::new() };
    let taken = (0..1000).filter(|&op| {
        let input = Input::Command { op: OpId(op), command: send() };
        alone.node.handle(alone.now, input).is_ok()
    });
    assert_eq!(taken.count(), 10);
    alone.node.audit();
}

/// Waiting merges are bounded by their bytes as well as by their number.
#[test]
fn merges_that_wait_hold_so_many_bytes_at_most() {
    let mut alone = Alone::new(3, Config::lan());
    let mut state = BytesMut::new();
    let user_state_len = 20 << 20;
    PushPullHeader { join: false, nodes: 1100, user_state_len }.encode(&mut state);
    for _ in 0..1100 {
        NodeState { vsn: Some(&[1, 5, 2, 0, 0, 0]), ..NodeState::default() }.encode(&mut state);
    }
    state.resize(state.len() + user_state_len as usize, 0);
    let taken = (0..5).filter(|&id| {
        let request = Input::Request { id: InboundId(id), from: home(1), bytes: &state };
        alone.node.handle(alone.now, request).is_ok()
    });
    assert_eq!(taken.count(), 2);
    alone.node.audit();
    // Once they are merged there is room again.
    alone.time_out_for(Duration::from_millis(1));
    let request = Input::Request { id: InboundId(9), from: home(1), bytes: &state };
    assert!(alone.node.handle(alone.now, request).is_ok());
    alone.node.audit();
}

#[test]
fn a_round_trip_begins_when_the_ping_goes() {
    let mut alone = Alone::new(3, Config::lan());
    alone.drain();
    let name = NodeName::new("m1").unwrap();
    alone.command(Command::Ping { name, to: home(1) });
    // It waits, and goes with the next input.
    alone.now = alone.now + Duration::from_millis(200);
    alone.node.handle(alone.now, Input::Timeout).unwrap();
    let mut buf = BytesMut::new();
    let ping = core::iter::from_fn(|| {
        buf.clear();
        alone.node.poll_transmit(&mut buf).map(|_| buf.clone())
    });
    let seqs: Vec<u32> = ping.filter_map(|bytes| ping_seq(&bytes)).collect();
    alone.now = alone.now + Duration::from_millis(3);
    for seq in seqs {
        let mut ack = BytesMut::new();
        Ack { seq, payload: None }.encode(&mut ack);
        alone.datagram(&ack);
    }
    alone.drain();
    assert_eq!(alone.story(), ["1 Pong(3ms)"]);
}

fn ping_seq(bytes: &[u8]) -> Option<u32> {
    match Message::decode(bytes) {
        Ok(Message::Ping(ping)) => Some(ping.seq),
        _ => None,
    }
}

#[test]
fn a_request_too_many_is_closed_once() {
    let mut alone = Alone::new(3, Config::lan().exchanges_max(1));
    let (mut ping, mut state) = (BytesMut::new(), BytesMut::new());
    Ping { seq: 1, node: b"m0", source: Source::default() }.encode(&mut ping);
    PushPullHeader::default().encode(&mut state);
    for (id, bytes) in [&ping, &state, &ping, &state].into_iter().enumerate() {
        let id = InboundId(id as u64);
        let _ = alone.node.handle(alone.now, Input::Request { id, from: home(1), bytes });
    }
    let mut buf = BytesMut::new();
    let mut fates = Vec::new();
    while let Some(exchange) = alone.node.poll_exchange(&mut buf) {
        match exchange {
            Exchange::Reply { id, .. } => fates.push((id.0, "answered")),
            Exchange::Close { id } => fates.push((id.0, "closed")),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(fates, [(0, "answered"), (1, "answered"), (2, "closed"), (3, "closed")]);
}
