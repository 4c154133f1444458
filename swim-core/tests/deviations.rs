//! What `docs/deviations.md` promises of a whole node, where no other test holds it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use swim_core::wire::{
    Ack, Alive, Claim, IndirectPing, Kind, Limits, Message, NodeState, Parts, Ping, PushPullHeader,
    Scratch, Source,
};
use swim_core::{
    Admission, Candidate, Command, Config, ConfigBuilder, Event, Exchange, Identity, InboundId,
    Input, Instant, Member, Node, OpId, Policy, Roster, Seed, SendError, State, Token,
};

/// Hazards 3 and 13.
#[test]
fn a_member_without_versions_is_refused_and_blocks_no_merge() {
    let mut lone = Lone::new(2, Config::lan());
    lone.hear_alive(&Alive { vsn: None, ..alive("x", &[10, 0, 0, 9]) });
    lone.hear_alive(&Alive { vsn: Some(&[1, 5, 2]), ..alive("y", &[10, 0, 0, 9]) });
    assert_eq!((lone.node.known_len(), lone.node.stats().bad_versions), (2, 2));
    let bad = NodeState { vsn: None, ..entry("x", &[10, 0, 0, 9]) };
    let done = lone.push_pull(false, &[bad, entry("z", &[10, 0, 0, 10])]);
    assert!(matches!(done[..], [Exchange::Reply { .. }]));
    assert!(lone.node.member("x").is_none());
    assert_eq!(lone.state_of("z"), Some(State::Alive));
}

/// Hazard 18.
#[test]
fn answers_go_to_the_source_or_to_a_member() {
    let victim = [192, 0, 2, 1];
    let sent_to = |config: ConfigBuilder, addr: &[u8], node: &str| {
        let mut lone = Lone::new(3, config);
        let source = Source { addr, port: 7946, node: node.as_bytes() };
        let mut ping = BytesMut::new();
        Ping { seq: 1, node: b"n0", source }.encode(&mut ping);
        lone.hear(home(8), &ping);
        lone.sent.last().unwrap().to
    };
    assert_eq!(sent_to(Config::lan(), &victim, "x"), home(8));
    assert_eq!(sent_to(Config::lan(), &victim, "n2"), home(8));
    assert_eq!(sent_to(Config::lan(), &[10, 0, 0, 3], "n2"), home(2));
    let trusting = Config::lan().plausible_addresses_only(false);
    assert_eq!(sent_to(trusting, &victim, "x"), SocketAddr::from((victim, 7946)));

    let mut lone = Lone::new(3, Config::lan());
    lone.hear_ask("x", &victim);
    lone.hear_ask("n2", &victim);
    assert!(lone.sent.iter().all(|sent| sent.to == home(1)), "the asker may be told so");
    assert_eq!(lone.node.stats().relays_refused, 2);
    lone.hear_ask("n2", &[10, 0, 0, 3]);
    assert_eq!(lone.sent.last().unwrap().to, home(2));
}

/// Hazard 19.
#[test]
fn sequence_numbers_do_not_count_up() {
    let mut lone = Lone::new(3, Config::lan());
    lone.live_for(Duration::from_secs(60), |_| Some(()));
    let seqs: Vec<u32> = lone.sent.iter().filter_map(Sent::seq).collect();
    assert!(seqs.len() > 20);
    assert!(seqs.windows(2).all(|pair| pair[0].abs_diff(pair[1]) > 1000), "{seqs:?}");
}

/// Hazard 21.
#[test]
fn a_node_outside_the_allowed_networks_is_still_itself() {
    let elsewhere = ["192.0.2.0/24".parse().unwrap()];
    let me = Identity::new("n0", home(0)).unwrap();
    let config = Config::lan().allowed(&elsewhere).build().unwrap();
    let mut node = Node::new(config, me, Seed::from(1), NOW);
    assert_eq!((node.me().state(), node.live_len()), (State::Alive, 1));
    let command = Command::SetMeta(Bytes::from_static(b"zone=a"));
    node.handle(NOW, Input::Command { op: OpId(1), command }).unwrap();
    assert_eq!(node.me().meta(), b"zone=a");
}

/// Hazard 22.
#[test]
fn names_addresses_and_metadata_of_odd_length_are_refused() {
    let mut lone = Lone::new(1, Config::lan());
    let ip = [10, 0, 0, 9];
    for name in ["", &"x".repeat(256)] {
        lone.hear_alive(&alive(name, &ip));
    }
    lone.hear_alive(&Alive { node: b"\xff", ..alive("x", &ip) });
    for addr in [None, Some(&ip[..3]), Some(&[0; 4])] {
        lone.hear_alive(&Alive { addr, ..alive("x", &ip) });
    }
    lone.hear_alive(&Alive { meta: Some(&[0; 513]), ..alive("x", &ip) });
    let stats = lone.node.stats();
    assert_eq!((stats.bad_names, stats.bad_addresses, stats.bad_meta), (3, 3, 1));
    assert_eq!(lone.node.known_len(), 1);
}

/// Hazard 31.
#[test]
fn a_push_pull_is_judged_before_it_is_answered() {
    let config = Config::lan().policy(Arc::new(NobodyJoins));
    let mut lone = Lone::new(1, config);
    let done = lone.push_pull(true, &[entry("x", &[10, 0, 0, 9])]);
    assert!(matches!(&done[..], [Exchange::Refuse { text, .. }] if text.contains("closed")));
    assert_eq!(lone.node.known_len(), 1);
}

/// Hazard 32.
#[test]
fn every_stream_has_a_deadline() {
    let mut lone = Lone::new(2, Config::lan());
    let payload = Bytes::from(vec![1; 100_000]);
    let send = Command::Send { to: home(1).into(), reliable: true, payload };
    lone.command(send);
    lone.command(Command::Join(vec![home(1).into()]));
    let timeout = lone.node.config().stream_timeout();
    let opened: Vec<Exchange> = lone.exchanges();
    assert_eq!(opened.len(), 2);
    for exchange in opened {
        let Exchange::Open { deadline, .. } = exchange else { panic!("{exchange:?}") };
        assert_eq!(deadline, lone.now + timeout);
    }
}

/// Hazard 34.
#[test]
fn a_helper_tells_of_silence_before_the_probe_ends() {
    let mut lone = Lone::new(3, Config::lan().probe_interval(Duration::from_secs(3600)));
    lone.hear_ask("n2", &[10, 0, 0, 3]);
    let asked = lone.now;
    lone.live_for(Duration::from_secs(2), |_| None);
    let nack = lone.sent.iter().find(|sent| sent.kind() == Kind::Nack).unwrap();
    // The requester asked after its own time-out, and its deadline is as much later.
    assert!(nack.at.since(asked) < lone.node.config().probe_timeout());
}

/// Hazard 36.
#[test]
fn a_send_error_blames_the_peer_only_if_it_is_the_peers() {
    for (why, blamed) in [(SendError::Remote, true), (SendError::Local, false)] {
        let mut lone = Lone::new(2, Config::lan());
        let mut probes = 0;
        while lone.now < NOW + Duration::from_secs(5) && lone.state_of("n1") == Some(State::Alive) {
            lone.time_out();
            for sent in std::mem::take(&mut lone.sent) {
                probes += u32::from(sent.kind() == Kind::Ping);
                lone.node.handle(lone.now, Input::Unsent { token: sent.token, why }).unwrap();
                lone.fetch();
            }
        }
        assert!(probes > 0);
        assert_eq!(lone.state_of("n1") != Some(State::Alive), blamed, "{why:?}");
    }
}

/// Hazard 37.
#[test]
fn a_member_that_left_is_forgotten_in_time() {
    let mut lone = Lone::new(3, Config::lan().tombstone_timeout(Duration::from_secs(100)));
    lone.hear_dead(1, "n2");
    assert_eq!(lone.state_of("n2"), Some(State::Left));
    lone.live_for(Duration::from_secs(99), |_| Some(()));
    assert_eq!(lone.state_of("n2"), Some(State::Left));
    lone.live_for(Duration::from_secs(30), |_| Some(()));
    assert_eq!(lone.state_of("n2"), None);
    assert!(lone.events.iter().any(|e| matches!(e, Event::Reaped(m) if m.name() == "n2")));
}

/// Hazard 38.
#[test]
fn nodes_that_start_together_are_not_in_step() {
    let first_probe = |seed| {
        let mut lone = Lone::with_seed(2, Config::lan(), seed);
        lone.live_for(Duration::from_secs(2), |_| Some(()));
        lone.sent.iter().find(|sent| sent.kind() == Kind::Ping).unwrap().at
    };
    let starts: BTreeSet<Instant> = (0..20).map(first_probe).collect();
    assert_eq!(starts.len(), 20);
    let (first, last) = (starts.first().unwrap(), starts.last().unwrap());
    assert!(last.since(*first) > Duration::from_millis(500));
}

/// Row "a death that another declares" of the other differences.
#[test]
fn a_death_that_another_declares_is_believed_after_a_question() {
    for answers in [true, false] {
        let mut lone = Lone::new(3, Config::lan().probe_interval(Duration::from_secs(3600)));
        lone.hear_dead(1, "n1");
        lone.time_out();
        let asked = lone.sent.pop().unwrap();
        assert_eq!((asked.kind(), asked.to), (Kind::Suspect, home(2)));
        // Another who says so changes nothing.
        lone.hear_dead(1, "n1");
        assert_eq!(lone.state_of("n2"), Some(State::Suspect));
        if answers {
            lone.hear_alive(&Alive { incarnation: 2, ..alive("n2", &[10, 0, 0, 3]) });
        }
        lone.live_for(lone.node.config().probe_timeout(), |_| None);
        let held = if answers { State::Alive } else { State::Dead };
        assert_eq!(lone.state_of("n2"), Some(held));
        let down = lone.events.iter().any(|event| matches!(event, Event::Down { .. }));
        assert_eq!(down, !answers);
    }
}

/// Row "before a death" of the other differences.
#[test]
fn hundreds_of_suspects_are_asked_in_turn_and_nobody_dies_unasked() {
    let mut lone = Lone::new(200, Config::lan());
    let names: Vec<String> = (1..200).map(|i| format!("n{i}")).collect();
    let ips: Vec<[u8; 4]> = (1..200).map(|i| [10, 0, 0, 1 + i]).collect();
    let dead = |(name, ip)| NodeState { state: 2, ..entry(name, ip) };
    let dead: Vec<NodeState<'_>> =
        names.iter().map(String::as_str).zip(ips.iter().map(|ip| &ip[..])).map(dead).collect();
    lone.push_pull(false, &dead);
    let (mut asked, mut counted) = (BTreeSet::new(), 0);
    while lone.now < NOW + Duration::from_secs(120) {
        lone.live_for(Duration::from_secs(1), |_| None);
        let questions = lone.sent.drain(..).filter(|sent| sent.kind() == Kind::Suspect);
        let questions: Vec<SocketAddr> = questions.map(|sent| sent.to).collect();
        // As many at once as in a probe interval.
        assert!(questions.len() <= 48, "{} questions in a second", questions.len());
        asked.extend(questions);
        counted += 1;
        let downs = lone.events.iter().filter(|event| matches!(event, Event::Down { .. })).count();
        assert!(downs <= asked.len(), "{downs} dead of {} asked after {counted} s", asked.len());
    }
    let downs = lone.events.iter().filter(|event| matches!(event, Event::Down { .. })).count();
    assert_eq!((asked.len(), downs), (199, 199));
}

/// Row "a late time-out" of the other differences.
#[test]
fn a_suspicion_that_is_cut_short_is_no_late_time_out() {
    let mut lone = Lone::new(10, Config::lan());
    let accuse = |lone: &mut Lone, from: &str| {
        let mut out = BytesMut::new();
        let claim = Claim { incarnation: 1, node: b"n2", from: from.as_bytes() };
        claim.encode(Kind::Suspect, &mut out);
        lone.hear(home(1), &out);
    };
    accuse(&mut lone, "n1");
    lone.live_for(Duration::from_secs(10), |_| Some(()));
    assert_eq!(lone.state_of("n2"), Some(State::Suspect));
    // Confirmed twice from the start it would have ended after four seconds.
    accuse(&mut lone, "n3");
    accuse(&mut lone, "n4");
    lone.live_for(Duration::from_secs(1), |_| Some(()));
    assert_eq!(lone.node.stats().late_timeouts, 0);
    assert_eq!(lone.state_of("n2"), Some(State::Dead));
}

/// Row "a later death" of the other differences.
#[test]
fn a_later_death_of_the_dead_is_noted_and_told_to_nobody() {
    let mut lone = Lone::new(3, Config::lan());
    let stored = |lone: &Lone| lone.node.member("n2").map(|m| (m.state(), m.incarnation().0));
    lone.hear_dead(1, "n1");
    lone.live_for(Duration::from_secs(1), |_| Some(()));
    assert_eq!(stored(&lone), Some((State::Dead, 1)));
    let events = lone.events.len();
    lone.hear_dead(3, "n1");
    assert_eq!(stored(&lone), Some((State::Dead, 3)));
    // It is news to others, who may hold the earlier death.
    assert_eq!(lone.node.rumours_len(), 1);
    lone.hear_dead(2, "n1");
    lone.hear_alive(&Alive { incarnation: 3, ..alive("n2", &[10, 0, 0, 3]) });
    assert_eq!(stored(&lone), Some((State::Dead, 3)), "what is late brings nobody back");
    let of = |incarnation, state| {
        let entry = entry("n2", &[10, 0, 0, 3]);
        [NodeState { incarnation, state, ..entry }]
    };
    lone.push_pull(false, &of(9, 1));
    assert_eq!(stored(&lone), Some((State::Dead, 3)), "a suspicion is no death");
    lone.push_pull(false, &of(4, 2));
    assert_eq!(stored(&lone), Some((State::Dead, 4)));
    lone.hear_dead(5, "n2");
    assert_eq!(stored(&lone), Some((State::Left, 5)));
    lone.fetch();
    assert_eq!(lone.events.len(), events, "{:?}", lone.events);
    lone.hear_alive(&Alive { incarnation: 6, ..alive("n2", &[10, 0, 0, 3]) });
    assert_eq!(stored(&lone), Some((State::Alive, 6)));
}

struct NobodyJoins;

impl Policy for NobodyJoins {
    fn admit(&self, _: &Member, _: &[Candidate<'_>], why: Admission) -> Result<(), String> {
        if why == Admission::Join { Err("this cluster is closed".into()) } else { Ok(()) }
    }
}

/// The node `n0` of a cluster at rest, and everything it sent.
struct Lone {
    node: Node,
    now: Instant,
    sent: Vec<Sent>,
    events: Vec<Event>,
}

struct Sent {
    at: Instant,
    to: SocketAddr,
    token: Token,
    bytes: Bytes,
}

impl Lone {
    fn new(n: u8, config: ConfigBuilder) -> Self {
        Self::with_seed(n, config, 1)
    }

    fn with_seed(n: u8, config: ConfigBuilder, seed: u64) -> Self {
        let members = (0..n).map(|i| Identity::new(&format!("n{i}"), home(i)).unwrap());
        let roster = Roster::new(members);
        let config = config.build().unwrap();
        let node = Node::with_roster(config, &roster, 0, Seed::from(seed), NOW);
        Self { node, now: NOW, sent: Vec::new(), events: Vec::new() }
    }

    fn state_of(&self, name: &str) -> Option<State> {
        self.node.member(name).map(|member| member.state())
    }

    fn hear(&mut self, from: SocketAddr, bytes: &[u8]) {
        // A refusal is counted, and the tests look at the counters.
        let _ = self.node.handle(self.now, Input::Datagram { at: self.now, from, bytes });
        self.fetch();
    }

    fn hear_alive(&mut self, claim: &Alive<'_>) {
        let mut out = BytesMut::new();
        claim.encode(&mut out);
        self.hear(home(1), &out);
    }

    /// `n2` is dead, says `from`.
    fn hear_dead(&mut self, incarnation: u32, from: &str) {
        let mut out = BytesMut::new();
        let claim = Claim { incarnation, node: b"n2", from: from.as_bytes() };
        claim.encode(Kind::Dead, &mut out);
        self.hear(home(1), &out);
    }

    /// `n1` asks for a ping to this name and address.
    fn hear_ask(&mut self, name: &str, target: &[u8]) {
        let (node, target) = (name.as_bytes(), Some(target));
        let source = Source::default();
        let mut out = BytesMut::new();
        IndirectPing { seq: 7, target, port: 7946, node, nack: true, source }.encode(&mut out);
        self.hear(home(1), &out);
    }

    /// What becomes of a push/pull with these entries.
    fn push_pull(&mut self, join: bool, nodes: &[NodeState<'_>]) -> Vec<Exchange> {
        let mut bytes = BytesMut::new();
        let len = u32::try_from(nodes.len()).unwrap();
        PushPullHeader { join, nodes: len, user_state_len: 0 }.encode(&mut bytes);
        for node in nodes {
            node.encode(&mut bytes);
        }
        let request = Input::Request { id: InboundId(1), from: home(1), bytes: &bytes };
        let _ = self.node.handle(self.now, request);
        self.exchanges()
    }

    fn command(&mut self, command: Command) {
        self.node.handle(self.now, Input::Command { op: OpId(1), command }).unwrap();
    }

    fn exchanges(&mut self) -> Vec<Exchange> {
        let mut buf = BytesMut::new();
        std::iter::from_fn(|| self.node.poll_exchange(&mut buf)).collect()
    }

    fn time_out(&mut self) {
        self.now = self.node.poll_timeout().unwrap();
        self.node.handle(self.now, Input::Timeout).unwrap();
        self.fetch();
    }

    /// Goes from deadline to deadline; `answers` says which pings are acked at once.
    fn live_for(&mut self, d: Duration, answers: impl Fn(&Sent) -> Option<()>) {
        let end = self.now + d;
        while self.node.poll_timeout().is_some_and(|at| at <= end) {
            let before = self.sent.len();
            self.time_out();
            for i in before..self.sent.len() {
                if let (Some(seq), Some(())) = (self.sent[i].seq(), answers(&self.sent[i])) {
                    let (from, mut ack) = (self.sent[i].to, BytesMut::new());
                    Ack { seq, payload: None }.encode(&mut ack);
                    self.hear(from, &ack);
                }
            }
        }
        self.now = end;
    }

    fn fetch(&mut self) {
        let mut buf = BytesMut::new();
        while let Some(sent) = self.node.poll_transmit(&mut buf) {
            let bytes = buf.split().freeze();
            self.sent.push(Sent { at: self.now, to: sent.to, token: sent.token, bytes });
        }
        self.exchanges();
        while let Some(event) = self.node.poll_event() {
            self.events.push(event);
        }
    }
}

impl Sent {
    fn first<T>(&self, read: impl FnOnce(Message<'_>, Kind) -> T) -> T {
        let mut scratch = Scratch::default();
        let mut parts = Parts::new(&self.bytes, &mut scratch, Limits::default());
        let part = parts.next_part().unwrap().unwrap();
        read(Message::decode(part).unwrap(), Kind::from_byte(part[0]).unwrap())
    }

    fn kind(&self) -> Kind {
        self.first(|_, kind| kind)
    }

    /// The number of a ping.
    fn seq(&self) -> Option<u32> {
        self.first(|message, _| match message {
            Message::Ping(ping) => Some(ping.seq),
            _ => None,
        })
    }
}

fn home(i: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1 + i], 7946))
}

fn alive<'a>(name: &'a str, ip: &'a [u8]) -> Alive<'a> {
    let (node, addr) = (name.as_bytes(), Some(ip));
    Alive { incarnation: 1, node, addr, port: 7946, meta: None, vsn: Some(&VERSIONS) }
}

fn entry<'a>(name: &'a str, ip: &'a [u8]) -> NodeState<'a> {
    let (name, addr, vsn) = (name.as_bytes(), Some(ip), Some(&VERSIONS[..]));
    NodeState { name, addr, port: 7946, meta: None, incarnation: 1, state: 0, vsn }
}

const VERSIONS: [u8; 6] = [1, 5, 2, 0, 0, 0];
const NOW: Instant = Instant::from_secs(1);
