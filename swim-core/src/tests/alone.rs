//! One node, and whatever a test hands to it.

use core::net::SocketAddr;
use core::time::Duration;
use std::format;
use std::string::String;
use std::vec::Vec;

use bytes::BytesMut;

use crate::wire::{Alive, Claim, Kind};
use crate::{
    Addr, Command, ConfigBuilder, Event, Identity, Input, Instant, Node, OpId, Roster, Seed,
};

/// The node `m0` of a cluster of `n` at rest, one second after its start.
pub(super) struct Alone {
    pub(super) node: Node,
    pub(super) now: Instant,
    events: Vec<Event>,
    ops: u64,
}

pub(super) fn home(i: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1 + i], 7946))
}

impl Alone {
    pub(super) fn new(n: u8, config: ConfigBuilder) -> Self {
        let members = (0..n).map(|i| Identity::new(&format!("m{i}"), home(i)).unwrap());
        let now = Instant::from_secs(1);
        let config = config.build().unwrap();
        let node = Node::with_roster(config, &Roster::new(members), 0, Seed::from(1), now);
        Self { node, now, events: Vec::new(), ops: 0 }
    }

    pub(super) fn datagram(&mut self, bytes: &[u8]) {
        let (at, from) = (self.now, home(1));
        self.node.handle(at, Input::Datagram { at, from, bytes }).unwrap();
    }

    pub(super) fn alive(&mut self, name: &str, i: u8, incarnation: u32) {
        let mut out = BytesMut::new();
        let home = Addr::from(home(i));
        let claim = Alive {
            incarnation,
            node: name.as_bytes(),
            addr: Some(home.wire_ip()),
            port: home.port(),
            meta: None,
            vsn: Some(&[1, 5, 2, 0, 0, 0]),
        };
        claim.encode(&mut out);
        self.datagram(&out);
    }

    pub(super) fn claim(&mut self, kind: Kind, name: &str, incarnation: u32) {
        let mut out = BytesMut::new();
        Claim { incarnation, node: name.as_bytes(), from: b"m1" }.encode(kind, &mut out);
        self.datagram(&out);
    }

    pub(super) fn command(&mut self, command: Command) {
        self.ops += 1;
        let op = OpId(self.ops);
        self.node.handle(self.now, Input::Command { op, command }).unwrap();
    }

    /// Goes to the next deadline.
    pub(super) fn time_out(&mut self) {
        self.now = self.node.poll_timeout().unwrap();
        self.node.handle(self.now, Input::Timeout).unwrap();
    }

    /// Goes from deadline to deadline, and fetches nothing.
    pub(super) fn time_out_for(&mut self, d: Duration) {
        let end = self.now + d;
        while self.node.poll_timeout().is_some_and(|at| at <= end) {
            self.time_out();
        }
        self.now = end;
    }

    /// Goes from deadline to deadline, and fetches everything.
    pub(super) fn live_for(&mut self, d: Duration) {
        let end = self.now + d;
        while self.node.poll_timeout().is_some_and(|at| at <= end) {
            self.time_out();
            self.drain();
        }
        self.now = end;
    }

    pub(super) fn drain(&mut self) {
        let mut buf = BytesMut::new();
        while self.node.poll_transmit(&mut buf).is_some() {}
        while self.node.poll_exchange(&mut buf).is_some() {}
        self.events.extend(core::iter::from_fn(|| self.node.poll_event()));
    }

    /// How many datagrams go out now.
    pub(super) fn answers(&mut self) -> usize {
        let mut buf = BytesMut::new();
        core::iter::from_fn(|| self.node.poll_transmit(&mut buf)).count()
    }

    /// What happened to this node, and how commands ended.
    pub(super) fn story(&mut self) -> Vec<String> {
        let told = |event: &Event| match event {
            Event::Up(me) if me.name() == "m0" => Some("up".into()),
            Event::Down { member, .. } if member.name() == "m0" => Some("down".into()),
            Event::Changed(me) if me.name() == "m0" => Some("changed".into()),
            Event::Done { op, outcome } => Some(format!("{} {outcome:?}", op.0)),
            _ => None,
        };
        self.events.drain(..).filter_map(|event| told(&event)).collect()
    }
}
