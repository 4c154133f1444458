//! More of what `docs/deviations.md` promises, of a node by itself.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;

use bytes::BytesMut;
use swim_core::wire::{Alive, Kind, UserHeader};
use swim_core::{
    Config, Event, Identity, InboundId, Input, Instant, META_BYTES_MAX, NAME_BYTES_MAX, Node, Seed,
    State,
};

const NOW: Instant = Instant::from_secs(1);
const VERSIONS: [u8; 6] = [1, 5, 2, 0, 0, 0];

fn home(i: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, i], 7946))
}

fn node() -> Node {
    let me = Identity::new("n0", home(1)).unwrap();
    Node::new(Config::lan().build().unwrap(), me, Seed::from(1), NOW)
}

fn hear(node: &mut Node, bytes: &[u8]) {
    // A refusal is counted, and the tests look at the counters.
    let _ = node.handle(NOW, Input::Datagram { at: NOW, from: home(2), bytes });
}

fn hear_alive(node: &mut Node, name: &str, i: u8, vsn: &[u8]) {
    let mut out = BytesMut::new();
    let (addr, vsn) = ([10, 0, 0, i], Some(vsn));
    let (node_name, addr) = (name.as_bytes(), Some(&addr[..]));
    Alive { incarnation: 1, node: node_name, addr, port: 7946, meta: None, vsn }.encode(&mut out);
    hear(node, &out);
}

/// Hazard 24: nothing is locked while an event is looked at.
#[test]
fn members_can_be_read_for_every_event() {
    let mut node = node();
    for i in 2..50 {
        hear_alive(&mut node, &format!("n{i}"), i, &VERSIONS);
    }
    let mut ups = 0;
    while let Some(event) = node.poll_event() {
        let Event::Up(member) = event else { panic!("{event:?}") };
        assert_eq!(node.member(member.name()).unwrap().state(), State::Alive);
        assert_eq!(node.members().count(), 49);
        ups += 1;
    }
    assert_eq!(ups, 49);
}

/// Hazard 30.
#[test]
fn user_messages_keep_their_order_on_both_planes() {
    let mut node = node();
    let mut told = Vec::new();
    for i in 0..5000u32 {
        let payload = i.to_be_bytes();
        if i % 3 == 0 {
            let mut bytes = BytesMut::new();
            UserHeader { len: 4 }.encode(&mut bytes);
            bytes.extend_from_slice(&payload);
            let id = InboundId(i.into());
            node.handle(NOW, Input::Request { id, from: home(2), bytes: &bytes }).unwrap();
        } else {
            hear(&mut node, &[&[Kind::User.byte()], &payload[..]].concat());
        }
    }
    while let Some(event) = node.poll_event() {
        if let Event::Message { payload, .. } = event {
            told.push(u32::from_be_bytes(payload[..].try_into().unwrap()));
        }
    }
    assert_eq!(told, (0..5000).collect::<Vec<_>>());
}

/// Row "versions that contradict themselves" of the other differences.
#[test]
fn versions_that_contradict_themselves_are_refused() {
    let bad = [[1, 5, 6, 0, 0, 0], [3, 5, 2, 0, 0, 0], [5, 3, 4, 0, 0, 0], [0, 5, 2, 0, 0, 0]];
    let mut node = node();
    for (i, vsn) in (2..).zip(bad) {
        hear_alive(&mut node, &format!("n{i}"), i, &vsn);
    }
    assert_eq!((node.known_len(), node.stats().bad_versions), (1, 4));
    hear_alive(&mut node, "n9", 9, &[2, 2, 2, 0, 0, 0]);
    assert_eq!(node.known_len(), 2);
}

/// Row "metadata of another" of the other differences.
#[test]
fn every_record_fits_a_datagram_of_the_default_length() {
    let (name, meta) = ([b'n'; NAME_BYTES_MAX], [b'm'; META_BYTES_MAX]);
    let claim = Alive {
        incarnation: u32::MAX,
        node: &name,
        addr: Some(&[1; 16]),
        port: u16::MAX,
        meta: Some(&meta),
        vsn: Some(&VERSIONS),
    };
    // Compound and its one part, checksum, the longest label, the longer seal.
    let around = (2 + 2) + 5 + (2 + 255) + 45;
    let config = Config::lan().build().unwrap();
    assert!(claim.encoded_len() + around <= config.datagram_bytes_max() as usize);
}
