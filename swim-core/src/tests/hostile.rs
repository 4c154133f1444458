//! What a hostile peer or a clumsy driver cannot do to a node.

use core::net::SocketAddr;
use core::time::Duration;
use std::format;

use bytes::{Bytes, BytesMut};

use crate::wire::{Alive, Claim, Kind};
use crate::{Config, ConfigBuilder, Identity, Input, Instant, Node, Roster, Seed};

/// The node `m0` of a cluster of `n` at rest, one second after its start.
struct Alone {
    node: Node,
    now: Instant,
}

fn home(i: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1 + i], 7946))
}

impl Alone {
    fn new(n: u8, config: ConfigBuilder) -> Self {
        let members = (0..n).map(|i| Identity::new(&format!("m{i}"), home(i)).unwrap());
        let now = Instant::from_secs(1);
        let config = config.build().unwrap();
        let node = Node::with_roster(config, &Roster::new(members), 0, Seed::from(1), now);
        Self { node, now }
    }

    fn datagram(&mut self, bytes: &[u8]) {
        let (at, from) = (self.now, home(1));
        self.node.handle(at, Input::Datagram { at, from, bytes }).unwrap();
    }

    fn alive(&mut self, name: &str, i: u8, incarnation: u32) {
        let mut out = BytesMut::new();
        let home = crate::Addr::from(home(i));
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

    fn claim(&mut self, kind: Kind, name: &str, incarnation: u32) {
        let mut out = BytesMut::new();
        Claim { incarnation, node: name.as_bytes(), from: b"m1" }.encode(kind, &mut out);
        self.datagram(&out);
    }

    fn drain(&mut self) {
        let mut buf = BytesMut::new();
        while self.node.poll_transmit(&mut buf).is_some() {}
        while self.node.poll_exchange(&mut buf).is_some() {}
        while self.node.poll_event().is_some() {}
    }
}

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
