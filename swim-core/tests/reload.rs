//! What a running node does with another configuration.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use swim_core::keyring::{Key, Keyring};
use swim_core::wire::{Claim, Kind, Limits, Parts, Ping, Scratch, Source};
use swim_core::{
    Ablation, Command, Config, ConfigBuilder, Event, Exchange, Identity, Input, Instant,
    KeyCommand, Lane, Node, OpId, Outcome, Rejected, Roster, Seed,
};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);
const NOW: Instant = Instant::from_secs(1);

/// A node of a cluster of three at rest, whose others never answer.
struct Lone {
    node: Node,
    now: Instant,
    sent: Vec<Bytes>,
    opened: usize,
    events: Vec<Event>,
}

impl Lone {
    fn new(config: ConfigBuilder) -> Self {
        let home = |i: u8| SocketAddr::from(([10, 0, 0, 1 + i], 7946));
        let roster = Roster::new((0..3).map(|i| Identity::new(&format!("n{i}"), home(i)).unwrap()));
        let node = Node::with_roster(config.build().unwrap(), &roster, 0, Seed::from(1), NOW);
        Self { node, now: NOW, sent: Vec::new(), opened: 0, events: Vec::new() }
    }

    fn command(&mut self, op: u64, command: Command) -> Result<(), Rejected> {
        let taken = self.node.handle(self.now, Input::Command { op: OpId(op), command });
        self.fetch();
        taken
    }

    fn reload(
        &mut self,
        change: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
    ) -> Result<(), Rejected> {
        let config = change(self.node.config().to_builder()).build().unwrap();
        self.command(99, Command::Reload(config))
    }

    fn broadcast(&mut self, op: u64, bytes: usize) {
        let payload = Bytes::from(vec![b'x'; bytes]);
        self.command(op, Command::Broadcast { lane: Lane::Normal, key: None, payload }).unwrap();
    }

    fn run_for(&mut self, d: Duration) {
        let end = self.now + d;
        while let Some(at) = self.node.poll_timeout().filter(|&at| at <= end) {
            self.now = at;
            self.node.handle(at, Input::Timeout).unwrap();
            self.fetch();
        }
        self.now = end;
    }

    fn fetch(&mut self) {
        let mut buf = BytesMut::new();
        while self.node.poll_transmit(&mut buf).is_some() {
            self.sent.push(buf.split().freeze());
        }
        while let Some(exchange) = self.node.poll_exchange(&mut buf) {
            self.opened += usize::from(matches!(exchange, Exchange::Open { .. }));
        }
        self.events.extend(std::iter::from_fn(|| self.node.poll_event()));
    }

    fn outcome(&self, of: u64) -> Option<Outcome> {
        self.events.iter().find_map(|event| match event {
            Event::Done { op: OpId(op), outcome } if *op == of => Some(outcome.clone()),
            _ => None,
        })
    }
}

/// Nothing happens for an hour, unless a test wants it.
fn idle() -> ConfigBuilder {
    Config::lan()
        .probe_interval(HOUR)
        .push_pull_interval(HOUR)
        .reconnect_interval(HOUR)
        .reap_interval(HOUR)
        .gossip_interval(HOUR)
}

#[test]
fn what_is_fixed_refuses_the_whole_and_changes_nothing() {
    let mut lone = Lone::new(idle());
    let refused = |lone: &mut Lone, change: fn(ConfigBuilder) -> ConfigBuilder| {
        lone.reload(|config| change(config).gossip_nodes(7)).unwrap_err()
    };
    assert_eq!(refused(&mut lone, |c| c.label(b"x")), Rejected::FixedKnob("label"));
    assert_eq!(refused(&mut lone, |c| c.members_max(9)), Rejected::FixedKnob("members_max"));
    let off = |c: ConfigBuilder| c.ablation(Ablation { buddy: false, ..Ablation::default() });
    assert_eq!(refused(&mut lone, off), Rejected::FixedKnob("ablation"));
    assert_eq!(lone.node.config().gossip_nodes(), 3);
    lone.reload(|config| config.gossip_nodes(7)).unwrap();
    assert_eq!(lone.node.config().gossip_nodes(), 7);
    assert_eq!(lone.outcome(99), Some(Outcome::Applied));
}

/// Keys change by commands; a reload may repeat them, and may not contradict them.
#[test]
fn a_reload_does_not_change_keys() {
    let key = |byte: u8| Key::new(&[byte; 16]).unwrap();
    let mut lone = Lone::new(idle().keyring(Keyring::new(key(1))));
    let with = |ring: Keyring| move |config: ConfigBuilder| config.keyring(ring);
    let refused = Err(Rejected::FixedKnob("keyring"));
    assert_eq!(lone.reload(with(Keyring::new(key(2)))), refused);
    assert_eq!(lone.reload(with(Keyring::empty())), refused);
    lone.command(1, Command::Key(KeyCommand::Install(key(2)))).unwrap();
    lone.reload(|config| config.gossip_nodes(1)).unwrap();
    let in_force = lone.node.keyring().clone();
    lone.reload(with(in_force)).unwrap();
    assert_eq!(lone.node.config().keyring().len(), 2);
}

#[test]
fn an_interval_that_is_lowered_acts_at_once() {
    let mut lone = Lone::new(idle());
    lone.reload(|config| config.probe_interval(SECOND)).unwrap();
    lone.run_for(2 * SECOND);
    assert!(lone.node.stats().probes >= 1);

    let mut lone = Lone::new(idle());
    lone.reload(|config| config.push_pull_interval(SECOND)).unwrap();
    lone.run_for(2 * SECOND);
    assert!(lone.opened >= 1, "a push/pull");

    let mut lone = Lone::new(idle().gossip_nodes(1));
    lone.broadcast(1, 10);
    lone.reload(|config| config.gossip_interval(SECOND)).unwrap();
    lone.run_for(2 * SECOND);
    assert!(!lone.sent.is_empty(), "gossip");
    let due = |lone: &Lone| lone.node.poll_timeout().unwrap().since(lone.now);

    // Of what is left armed the look for members to forget comes first.
    let mut lone = Lone::new(idle());
    lone.reload(|config| config.reap_interval(SECOND)).unwrap();
    assert!(due(&lone) <= SECOND);
    let mut lone = Lone::new(idle());
    lone.reload(|config| config.reconnect_interval(SECOND)).unwrap();
    assert!(due(&lone) <= SECOND);
}

#[test]
fn a_probe_under_way_does_not_outlast_a_shorter_interval() {
    let mut lone = Lone::new(idle().stream_pings(false).evidence_events(true));
    while lone.node.stats().probes == 0 {
        let next = lone.node.poll_timeout().unwrap();
        lone.run_for(next.since(lone.now));
    }
    lone.reload(|config| config.probe_interval(SECOND)).unwrap();
    lone.run_for(2 * SECOND);
    assert!(lone.events.iter().any(|event| matches!(event, Event::Suspected { .. })));
}

#[test]
fn an_interval_that_is_raised_or_unchanged_postpones_nothing() {
    let mut lone = Lone::new(idle().push_pull_interval(SECOND));
    for _ in 0..50 {
        lone.reload(|config| config.gossip_nodes(2)).unwrap();
        lone.run_for(SECOND / 10);
    }
    assert!(lone.opened >= 2, "{} push/pulls in five seconds", lone.opened);
}

#[test]
fn an_interval_of_zero_switches_off() {
    let mut lone = Lone::new(Config::lan().probe_interval(HOUR));
    lone.reload(|config| config.push_pull_interval(Duration::ZERO)).unwrap();
    lone.run_for(HOUR / 2);
    assert_eq!(lone.opened, 0);
    lone.reload(|config| config.push_pull_interval(SECOND)).unwrap();
    lone.run_for(2 * SECOND);
    assert!(lone.opened >= 1);
}

#[test]
fn gossip_that_is_switched_on_tells_what_waits() {
    let mut lone = Lone::new(Config::lan().probe_interval(HOUR).gossip_nodes(0));
    lone.broadcast(1, 10);
    lone.run_for(5 * SECOND);
    assert_eq!((lone.sent.len(), lone.outcome(1)), (0, None));
    lone.reload(|config| config.gossip_nodes(2)).unwrap();
    lone.run_for(5 * SECOND);
    assert_eq!(lone.outcome(1), Some(Outcome::Sent));
}

/// Hazard 25.
#[test]
fn a_broadcast_that_fits_no_more_is_ended_and_the_others_go() {
    let shrink: fn(&mut Lone) = |lone| lone.reload(|c| c.datagram_bytes_max(1000)).unwrap();
    let encrypt: fn(&mut Lone) = |lone| {
        let key = Key::new(&[7; 16]).unwrap();
        lone.command(98, Command::Key(KeyCommand::Install(key))).unwrap();
    };
    for change in [shrink, encrypt] {
        let mut lone = Lone::new(Config::lan().probe_interval(HOUR));
        lone.broadcast(0, 10);
        // More than are passed over in one look.
        for op in 1..=12 {
            lone.broadcast(op, 1390);
        }
        change(&mut lone);
        assert!((1..=12).all(|op| lone.outcome(op) == Some(Outcome::Dropped)));
        assert_eq!(lone.node.stats().broadcasts_dropped, 12);
        lone.run_for(10 * SECOND);
        assert_eq!(lone.outcome(0), Some(Outcome::Sent));
        let quiet = lone.sent.len();
        lone.run_for(10 * SECOND);
        assert_eq!((lone.sent.len(), lone.node.queue_len(Lane::Normal)), (quiet, 0));
    }
}

/// Hazard 25: a claim cannot be cut, so it goes by itself, as long as it is.
#[test]
fn a_claim_longer_than_any_datagram_is_packed_to_goes_by_itself() {
    let name = "n".repeat(255);
    let home: SocketAddr = "10.0.0.1:7946".parse().unwrap();
    let other = Identity::new("other", "10.0.0.2:7946".parse::<SocketAddr>().unwrap()).unwrap();
    let roster = Roster::new([Identity::new(&name, home).unwrap(), other]);
    let piggyback = Ablation { piggyback_only: true, ..Ablation::default() };
    for ablation in [Ablation::default(), piggyback] {
        let config = Config::lan().datagram_bytes_max(256).label(&[b'l'; 255]).ablation(ablation);
        let config: Arc<Config> = config.build().unwrap();
        let node = Node::with_roster(config, &roster, 0, Seed::from(1), NOW);
        let mut lone = Lone { node, now: NOW, sent: Vec::new(), opened: 0, events: Vec::new() };
        lone.command(1, Command::SetMeta(Bytes::from(vec![b'm'; 512]))).unwrap();
        for seq in 0..10 {
            // Its acks carry rumours, whether or not there are rounds.
            let (mut ping, at) = (BytesMut::new(), lone.now);
            Ping { seq, node: name.as_bytes(), source: Source::default() }.encode(&mut ping);
            let from = "10.0.0.2:7946".parse().unwrap();
            lone.node.handle(at, Input::Datagram { at, from, bytes: &ping }).unwrap();
            lone.fetch();
            lone.run_for(SECOND);
        }
        assert_eq!(lone.outcome(1), Some(Outcome::Applied));
        assert!(lone.sent.iter().any(|bytes| bytes.len() > 800));
    }
}

/// The first byte of each message of a datagram.
fn kinds(datagram: &[u8]) -> Vec<u8> {
    let mut scratch = Scratch::default();
    let mut parts = Parts::new(datagram, &mut scratch, Limits::default());
    std::iter::from_fn(|| parts.next_part().map(|part| part.unwrap()[0])).collect()
}

/// Lifeguard's buddy system under the least limit: a suspect is told all the same.
#[test]
fn a_ping_and_a_suspicion_that_do_not_fit_go_apart() {
    let name = "n".repeat(255);
    let home = |i: u8| SocketAddr::from(([10, 0, 0, 1 + i], 7946));
    let members = [&*name, "n1"].into_iter().zip(0..);
    let roster = Roster::new(members.map(|(name, i)| Identity::new(name, home(i)).unwrap()));
    for (bytes_max, together) in [(256, false), (1400, true)] {
        let config = Config::lan().datagram_bytes_max(bytes_max).build().unwrap();
        let node = Node::with_roster(config, &roster, 0, Seed::from(1), NOW);
        let mut lone = Lone { node, now: NOW, sent: Vec::new(), opened: 0, events: Vec::new() };
        let mut accusation = BytesMut::new();
        Claim { incarnation: 1, node: b"n1", from: b"n2" }.encode(Kind::Suspect, &mut accusation);
        let (at, from) = (lone.now, home(2));
        lone.node.handle(at, Input::Datagram { at, from, bytes: &accusation }).unwrap();
        lone.run_for(2 * SECOND);
        let kinds: Vec<Vec<u8>> = lone.sent.iter().map(|bytes| kinds(bytes)).collect();
        let sent = |wanted: &[Kind]| kinds.contains(&wanted.iter().map(|k| k.byte()).collect());
        assert_eq!(sent(&[Kind::Ping, Kind::Suspect]), together, "{bytes_max}");
        assert_eq!(sent(&[Kind::Ping]) && sent(&[Kind::Suspect]), !together, "{bytes_max}");
    }
}
