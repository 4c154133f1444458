//! What a node at rest costs: bytes beyond what it shares, and allocations per datagram.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use swim_core::serf::{self, Serf, SerfConfig, Tags};
use swim_core::wire::{Ack, Alive, Compound, Message, NodeState, Ping, PushPullHeader, Source};
use swim_core::{Config, Identity, InboundId, Input, Instant, Node, Roster, Seed};

/// Counts what the current thread asks the system allocator for.
struct Counting;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

// SAFETY: every call goes on to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        LIVE.set(LIVE.get() + layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - layout.size() as i64);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const N: u32 = 1000;

fn ip(i: u32) -> [u8; 4] {
    (0x0a00_0001 + i).to_be_bytes()
}

fn addr(i: u32) -> SocketAddr {
    (ip(i), 7946).into()
}

fn name(i: u32) -> String {
    format!("node-{i:04}")
}

fn roster() -> Roster {
    Roster::new((0..N).map(|i| Identity::new(&name(i), addr(i)).unwrap()))
}

/// Runs a node among members that answer, and never answer its streams.
fn run(node: &mut Node, buf: &mut BytesMut, until: Instant) {
    while let Some(at) = node.poll_timeout().filter(|&at| at <= until) {
        node.handle(at, Input::Timeout).unwrap();
        drain(node, buf, at);
    }
}

fn drain(node: &mut Node, buf: &mut BytesMut, now: Instant) {
    while let Some(sent) = node.poll_transmit(buf) {
        let seq = match Message::decode(buf) {
            Ok(Message::Ping(ping)) => Some(ping.seq),
            _ => None,
        };
        buf.clear();
        if let Some(seq) = seq {
            Ack { seq, payload: None }.encode(buf);
            let at = now + Duration::from_millis(1);
            node.handle(at, Input::Datagram { at, from: sent.to, bytes: buf }).unwrap();
            buf.clear();
        }
    }
    while node.poll_exchange(buf).is_some() {
        buf.clear();
    }
    while node.poll_event().is_some() {}
}

#[test]
fn a_steady_node_takes_a_kibibyte_beyond_what_it_shares() {
    let config = Config::lan().build().unwrap();
    let roster = roster();
    let mut buf = BytesMut::with_capacity(1 << 20);
    let before = LIVE.get();
    let mut node = Node::with_roster(config, &roster, 3, Seed::from(1), Instant::ZERO);
    run(&mut node, &mut buf, Instant::from_secs(120));
    assert_eq!(node.live_len(), N as usize);
    let bytes = LIVE.get() - before + size_of::<Node>() as i64;
    println!("{bytes} bytes, {} of them in the node itself", size_of::<Node>());
    assert!(bytes <= 1024, "{bytes}");
}

#[test]
fn handling_what_is_known_allocates_nothing() {
    let config = Config::lan().build().unwrap();
    let mut node = Node::with_roster(config, &roster(), 0, Seed::from(1), Instant::ZERO);
    let mut buf = BytesMut::with_capacity(4096);
    let mut ping = BytesMut::new();
    let sender = name(1);
    let sender_ip = ip(1);
    let source = Source { addr: &sender_ip, port: 7946, node: sender.as_bytes() };
    let me = name(0);
    let mut compound = Compound::begin(&mut ping);
    compound.part(|b| Ping { seq: 7, node: me.as_bytes(), source }.encode(b)).unwrap();
    for i in 1..11 {
        let (name, ip) = (name(i), ip(i));
        let alive = Alive {
            incarnation: 1,
            node: name.as_bytes(),
            addr: Some(&ip),
            port: 7946,
            meta: None,
            vsn: Some(&[1, 5, 2, 0, 0, 0]),
        };
        compound.part(|b| alive.encode(b)).unwrap();
    }
    compound.finish();
    let mut calls = 0;
    for round in 0..1000u64 {
        let before = CALLS.get();
        let at = Instant::from_millis(round);
        node.handle(at, Input::Datagram { at, from: addr(1), bytes: &ping }).unwrap();
        assert!(node.poll_transmit(&mut buf).is_some());
        buf.clear();
        assert!(node.poll_event().is_none());
        // The first answers find queues that have never held anything.
        calls += if round < 10 { 0 } else { CALLS.get() - before };
    }
    assert_eq!(calls, 0);
    assert_eq!(node.stats().stale, 10_000);
}

#[test]
fn probing_members_that_answer_allocates_nothing() {
    let config = Config::lan().push_pull_interval(Duration::ZERO).build().unwrap();
    let mut node =
        Node::with_roster(Arc::clone(&config), &roster(), 0, Seed::from(1), Instant::ZERO);
    let mut buf = BytesMut::with_capacity(4096);
    run(&mut node, &mut buf, Instant::from_secs(5));
    // Between two looks for members to forget, which give memory back.
    let mut least = u64::MAX;
    for second in 6..60 {
        let before = CALLS.get();
        run(&mut node, &mut buf, Instant::from_secs(second));
        least = least.min(CALLS.get() - before);
    }
    assert_eq!(least, 0);
}

/// A push/pull may announce a million entries of a byte each.
#[test]
fn what_a_push_pull_announces_is_not_reserved() {
    let me = Identity::new("me", addr(0)).unwrap();
    let mut node = Node::new(Config::lan().build().unwrap(), me, Seed::from(1), Instant::ZERO);
    let (mut state, nodes) = (BytesMut::new(), 1 << 20);
    PushPullHeader { join: false, nodes, user_state_len: 0 }.encode(&mut state);
    let versions = Some(&[1, 5, 2, 0, 0, 0][..]);
    NodeState { vsn: versions, ..NodeState::default() }.encode(&mut state);
    state.resize(state.len() + nodes as usize - 1, 0x80);
    let before = LIVE.get();
    let (id, from) = (InboundId(1), addr(1));
    node.handle(Instant::ZERO, Input::Request { id, from, bytes: &state }).unwrap();
    // What is left to merge is kept; besides that it takes no more than it has sent.
    let bytes = LIVE.get() - before - state.len() as i64;
    assert!(bytes <= state.len() as i64, "{bytes}");
}

#[test]
fn a_member_takes_150_bytes_of_heap() {
    const LOADED: u32 = 5_000;
    let me = Identity::new("me", addr(0)).unwrap();
    // Whoever is probed in the meantime would have to answer.
    let config = Config::lan().probe_interval(Duration::from_secs(3600)).build().unwrap();
    let mut node = Node::new(config, me, Seed::from(1), Instant::ZERO);
    let mut state = BytesMut::new();
    PushPullHeader { join: false, nodes: LOADED, user_state_len: 0 }.encode(&mut state);
    for i in 1..=LOADED {
        let (name, ip) = (name(i), ip(i));
        let entry = NodeState {
            name: name.as_bytes(),
            addr: Some(&ip),
            port: 7946,
            meta: Some(&[7; 16]),
            incarnation: 1,
            vsn: Some(&[1, 5, 2, 0, 0, 0]),
            ..NodeState::default()
        };
        entry.encode(&mut state);
    }
    let before = LIVE.get();
    let (id, from) = (InboundId(1), addr(1));
    node.handle(Instant::ZERO, Input::Request { id, from, bytes: &state }).unwrap();
    // Until all of them are passed on.
    run(&mut node, &mut BytesMut::new(), Instant::from_secs(1000));
    assert_eq!((node.live_len(), node.rumours_len()), (1 + LOADED as usize, 0));
    let bytes = (LIVE.get() - before) / i64::from(LOADED);
    println!("{bytes} bytes for each of {LOADED} members");
    assert!(bytes <= 150, "{bytes}");
}

#[test]
fn a_steady_serf_node_takes_a_kibibyte_more_beyond_what_it_shares() {
    let swim = Config::lan().build().unwrap();
    let config = SerfConfig::builder(swim).coordinates(false).build().unwrap();
    let tags = Tags::new([("role", "web")]).unwrap();
    let roster = Roster::new((0..N).map(|i| {
        let me = Identity::new(&name(i), addr(i)).unwrap();
        config.identity(me, &tags).unwrap()
    }));
    let mut buf = BytesMut::with_capacity(1 << 20);
    let before = LIVE.get();
    let mut serf = Serf::with_roster(config, &roster, 3, Seed::from(1), Instant::ZERO);
    while let Some(at) = serf.poll_timeout().filter(|&at| at <= Instant::from_secs(120)) {
        serf.handle(at, serf::Input::Timeout).unwrap();
        while let Some(sent) = serf.poll_transmit(&mut buf) {
            let seq = match Message::decode(&buf) {
                Ok(Message::Ping(ping)) => Some(ping.seq),
                _ => None,
            };
            buf.clear();
            if let Some(seq) = seq {
                Ack { seq, payload: None }.encode(&mut buf);
                let at = at + Duration::from_millis(1);
                let input = serf::Input::Datagram { at, from: sent.to, bytes: &buf };
                serf.handle(at, input).unwrap();
                buf.clear();
            }
        }
        while serf.poll_exchange(&mut buf).is_some() {
            buf.clear();
        }
        while serf.poll_event().is_some() {}
    }
    assert_eq!(serf.node().live_len(), N as usize);
    let bytes = LIVE.get() - before + size_of::<Serf>() as i64;
    println!("{bytes} bytes, {} of them in the node itself", size_of::<Serf>());
    assert!(bytes <= 2048, "{bytes}");
}
