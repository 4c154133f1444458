//! Every short sequence of claims about one member, held against a model of which claim wins.
//!
//! The model is [`Model::hear`]: memberlist's rules (specification 4.2 to 4.5) for one subject, in
//! the simplest form, and the four places where this crate deliberately differs (hazards 4, 5 and
//! 6, and a later death of a member that is gone). It shares no code with the crate. The node hears
//! the same claims as datagrams; after each, its table and its events must be the model's. That a
//! node asks before it believes a death is switched off: it is no matter of which claim wins.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use swim_core::wire::{self, Kind, Limits, Message, Parts, Scratch};
use swim_core::{
    Ablation, Cause, Command, Config, Event, Identity, Incarnation, Input, Instant, Node, OpId,
    Seed, State,
};

/// What a datagram says about the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    Alive(u32),
    /// Alive, at another address.
    AliveElsewhere(u32),
    Suspect(u32, By),
    Dead(u32, By),
    /// Dead, from the subject itself.
    Left(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    X,
    Y,
}

/// What the embedder is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Up,
    Suspected,
    Trusted,
    Down(Cause),
    Conflict,
    Refuted(u32),
}

/// Whom the claims are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Other,
    Me,
    MeLeaving,
}

#[derive(Clone, Copy, Debug)]
struct Model {
    subject: Subject,
    /// State, incarnation, and whether it is at the other address; `None` for an unknown name.
    known: Option<(State, u32, bool)>,
    health: u32,
}

impl Model {
    fn new(subject: Subject) -> Self {
        let known = match subject {
            Subject::Other => None,
            Subject::Me => Some((State::Alive, 1, false)),
            Subject::MeLeaving => Some((State::Left, 1, false)),
        };
        Self { subject, known, health: 0 }
    }

    fn hear(&mut self, claim: Claim) -> Option<Told> {
        if self.subject == Subject::MeLeaving {
            return None;
        }
        match claim {
            Claim::Alive(inc) => self.alive(inc, false),
            Claim::AliveElsewhere(inc) => self.alive(inc, true),
            // Hazard 4: no accusation brings a member to where it cannot refute any more. Hazard 6:
            // one that is there can be accused.
            Claim::Suspect(u32::MAX, _) | Claim::Dead(u32::MAX, _) | Claim::Left(u32::MAX)
                if !self.is_at_the_end() =>
            {
                None
            }
            Claim::Suspect(inc, _) => self.suspect(inc),
            Claim::Dead(inc, _) => self.dead(inc, Cause::Failed),
            Claim::Left(inc) => self.dead(inc, Cause::Left),
        }
    }

    fn is_at_the_end(&self) -> bool {
        let at_the_end = self.known.is_some_and(|(_, stored, _)| stored == u32::MAX);
        at_the_end && self.subject == Subject::Other
    }

    fn alive(&mut self, inc: u32, elsewhere: bool) -> Option<Told> {
        let Some((state, stored, place)) = self.known else {
            // Hazard 5: incarnations begin at 1.
            self.known = (inc > 0).then_some((State::Alive, inc, elsewhere));
            return self.known.map(|_| Told::Up);
        };
        if place != elsewhere {
            if state != State::Left {
                return Some(Told::Conflict);
            }
            self.known = Some((State::Alive, inc, elsewhere));
            return Some(Told::Up);
        }
        if inc <= stored {
            return None;
        }
        if self.subject == Subject::Me {
            return self.refute(inc);
        }
        self.known = Some((State::Alive, inc, elsewhere));
        match state {
            State::Alive => None,
            State::Suspect => Some(Told::Trusted),
            State::Dead | State::Left => Some(Told::Up),
        }
    }

    fn suspect(&mut self, inc: u32) -> Option<Told> {
        let (state, stored, place) = self.known?;
        if inc < stored || state != State::Alive {
            return None;
        }
        if self.subject == Subject::Me {
            return self.refute(inc);
        }
        self.known = Some((State::Suspect, inc, place));
        Some(Told::Suspected)
    }

    fn dead(&mut self, inc: u32, cause: Cause) -> Option<Told> {
        let (state, stored, place) = self.known?;
        let gone = matches!(state, State::Dead | State::Left);
        if inc < stored || gone && inc == stored {
            return None;
        }
        if self.subject == Subject::Me {
            return self.refute(inc);
        }
        let state = if cause == Cause::Left { State::Left } else { State::Dead };
        self.known = Some((state, inc, place));
        // A later death of who is gone is noted, and nobody is told twice.
        (!gone).then_some(Told::Down(cause))
    }

    fn refute(&mut self, accused: u32) -> Option<Told> {
        let (state, own, place) = self.known?;
        let own = own.max(accused).saturating_add(1);
        self.known = Some((state, own, place));
        self.health = (self.health + 1).min(7);
        Some(Told::Refuted(own))
    }
}

#[test]
fn a_third_party_follows_the_rules() {
    every_sequence(&claims(&[0, 1, 2, 3, 4]), 3, Subject::Other);
    every_sequence(&claims(&[0, 1, 2, 3]), 4, Subject::Other);
}

#[test]
fn a_node_stands_up_for_itself() {
    every_sequence(&claims(&[0, 1, 2, 3, 4]), 3, Subject::Me);
}

#[test]
fn a_node_that_left_does_not() {
    every_sequence(&claims(&[0, 1, 2, 3, 4]), 3, Subject::MeLeaving);
}

#[test]
fn the_last_incarnations_are_no_exception() {
    let claims = claims(&[1, u32::MAX - 2, u32::MAX - 1, u32::MAX]);
    for subject in [Subject::Other, Subject::Me, Subject::MeLeaving] {
        every_sequence(&claims, 3, subject);
    }
}

fn every_sequence(claims: &[Claim], len: u32, subject: Subject) {
    let rules_alone = Ablation { last_call: false, ..Ablation::default() };
    let config = Config::lan().evidence_events(true).ablation(rules_alone);
    let config = config.build().expect("a valid configuration");
    let heard: Vec<BytesMut> = claims.iter().map(|&claim| datagram(subject, claim)).collect();
    for code in 0..claims.len().pow(len) {
        let mut world = World::new(&config, subject);
        let mut rest = code;
        for _ in 0..len {
            let i = rest % claims.len();
            rest /= claims.len();
            world.hear(claims[i], &heard[i]);
        }
        world.tells_what_it_believes();
    }
}

fn claims(incarnations: &[u32]) -> Vec<Claim> {
    let of = |&inc: &u32| {
        let alive = [Claim::Alive(inc), Claim::AliveElsewhere(inc)];
        let suspect = [Claim::Suspect(inc, By::X), Claim::Suspect(inc, By::Y)];
        let dead = [Claim::Dead(inc, By::X), Claim::Left(inc)];
        [alive, suspect, dead].concat()
    };
    incarnations.iter().flat_map(of).collect()
}

/// A node and the model, side by side.
struct World {
    node: Node,
    model: Model,
    heard: Vec<Claim>,
}

impl World {
    fn new(config: &Arc<Config>, subject: Subject) -> Self {
        let me = Identity::new("me", addr(1)).expect("a valid identity");
        let mut node = Node::new(Arc::clone(config), me, Seed::from(1), NOW);
        if subject == Subject::MeLeaving {
            let leave = Input::Command { op: OpId(1), command: Command::Leave };
            node.handle(NOW, leave).expect("a node may leave");
        }
        while node.poll_event().is_some() {}
        Self { node, model: Model::new(subject), heard: Vec::new() }
    }

    fn hear(&mut self, claim: Claim, bytes: &[u8]) {
        self.heard.push(claim);
        self.take(bytes);
        let expected = self.model.hear(claim);
        let mut event = self.node.poll_event();
        if let Some(Event::Accused { by, claimed, .. }) = &event {
            // Who says what is refuted: that it left, in its own name.
            let by_itself = by.as_str() == name(self.model.subject);
            assert_eq!(by_itself, *claimed == State::Left, "{:?}: {event:?}", self.heard);
            assert!(matches!(expected, Some(Told::Refuted(_))), "{:?}: {event:?}", self.heard);
            event = self.node.poll_event();
        }
        let told = event.as_ref().map(|event| told(event, self.model.subject));
        self.same("the event", &told, &expected);
        assert!(self.node.poll_event().is_none(), "{:?}: more than one event", self.heard);
        let known = self.node.member(name(self.model.subject)).map(|member| {
            let Incarnation(incarnation) = member.incarnation();
            let elsewhere = member.addr().canonical() != addr(home(self.model.subject));
            (member.state(), incarnation, elsewhere)
        });
        self.same("the table", &known, &self.model.known);
        self.same("the health", &self.node.health(), &self.model.health);
    }

    fn take(&mut self, bytes: &[u8]) {
        let input = Input::Datagram { at: NOW, from: addr(9), bytes };
        self.node.handle(NOW, input).expect("well-formed");
    }

    /// What the node gossips of the subject is what stands in its table.
    fn tells_what_it_believes(&mut self) {
        let Some((state, believed, _)) = self.model.known else { return };
        let mut ping = BytesMut::new();
        wire::Ping { seq: 1, node: b"me", source: wire::Source::default() }.encode(&mut ping);
        self.take(&ping);
        let mut ack = BytesMut::new();
        self.node.poll_transmit(&mut ack).expect("a ping is answered");
        let mut scratch = Scratch::default();
        let mut parts = Parts::new(&ack, &mut scratch, Limits::default());
        let mut told = 0;
        while let Some(part) = parts.next_part() {
            let part = part.expect("a node's own datagram");
            let (node, tells) = match Message::decode(part).expect("a node's own message") {
                Message::Alive(a) => (a.node, (State::Alive, a.incarnation)),
                Message::Suspect(c) => (c.node, (State::Suspect, c.incarnation)),
                Message::Dead(c) if c.from == c.node => (c.node, (State::Left, c.incarnation)),
                Message::Dead(c) => (c.node, (State::Dead, c.incarnation)),
                _ => continue,
            };
            if node == name(self.model.subject).as_bytes() {
                told += 1;
                self.same("what is told", &tells.0, &state);
                // A confirmation is passed on as it came, with an incarnation of its own.
                let exact = tells.1 == believed;
                let ok = exact || (state == State::Suspect && tells.1 > believed);
                assert!(ok, "{:?}: told {}, believed {believed}", self.heard, tells.1);
            }
        }
        assert_eq!(told, 1, "{:?}: one rumour of each member waits", self.heard);
    }

    fn same<T: PartialEq + Debug>(&self, what: &str, is: &T, should: &T) {
        assert!(is == should, "{:?}: {what} is {is:?}, should be {should:?}", self.heard);
    }
}

fn told(event: &Event, subject: Subject) -> Told {
    let of = |member: &swim_core::Member| assert_eq!(member.name(), name(subject));
    match event {
        Event::Up(member) => {
            of(member);
            Told::Up
        }
        Event::Suspected { member, .. } => {
            of(member);
            Told::Suspected
        }
        Event::Trusted(member) => {
            of(member);
            Told::Trusted
        }
        Event::Down { member, cause, .. } => {
            of(member);
            Told::Down(*cause)
        }
        Event::Conflict { existing, .. } => {
            of(existing);
            Told::Conflict
        }
        Event::Refuted(Incarnation(own)) => Told::Refuted(*own),
        other => panic!("unexpected {other:?}"),
    }
}

fn datagram(subject: Subject, claim: Claim) -> BytesMut {
    let mut out = BytesMut::new();
    let node = name(subject).as_bytes();
    let from = |by| match by {
        By::X => b"x",
        By::Y => b"y",
    };
    let mut alive = |incarnation, ip: u8| {
        let addr = [10, 0, 0, ip];
        let (addr, vsn) = (Some(&addr[..]), Some(&[1, 5, 2, 0, 0, 0][..]));
        wire::Alive { incarnation, node, addr, port: 7946, meta: None, vsn }.encode(&mut out);
    };
    match claim {
        Claim::Alive(inc) => alive(inc, home(subject)),
        Claim::AliveElsewhere(inc) => alive(inc, ELSEWHERE),
        Claim::Suspect(incarnation, by) => {
            let claim = wire::Claim { incarnation, node, from: from(by) };
            claim.encode(Kind::Suspect, &mut out);
        }
        Claim::Dead(incarnation, by) => {
            let claim = wire::Claim { incarnation, node, from: from(by) };
            claim.encode(Kind::Dead, &mut out);
        }
        Claim::Left(incarnation) => {
            wire::Claim { incarnation, node, from: node }.encode(Kind::Dead, &mut out);
        }
    }
    out
}

fn name(subject: Subject) -> &'static str {
    if subject == Subject::Other { "b" } else { "me" }
}

fn home(subject: Subject) -> u8 {
    if subject == Subject::Other { 2 } else { 1 }
}

fn addr(ip: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, ip], 7946))
}

const NOW: Instant = Instant::from_secs(1);
const ELSEWHERE: u8 = 3;
