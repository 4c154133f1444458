//! Serf nodes in a world: what must hold of them does, and every oracle bites.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

use core::net::SocketAddr;
use core::time::Duration;

use bytes::BytesMut;
use swim_core::{Cause, Command, Config, Event, Exchange, Input, Instant, Lane, Rejected, Stats};
use swim_sim::serf::{Answers, Clocks, Delivery, Entry, Ledger, SerfMachine, Tombstones};
use swim_sim::{Fault, Machine, Seen, Stall, Who, World, WorldConfig};

const NODES: u32 = 20;
const BAD: u32 = 7;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bug {
    None,
    /// Tells of every user event twice.
    TellsTwice,
    /// Tells of no user event.
    TellsNothing,
    /// Tells of every answer twice.
    CountsTwice,
    /// Sets its clocks back.
    SetsBack,
    /// Tells that who left is up again.
    Resurrects,
}

/// A Serf node with a bug, which shows in what it notes.
struct Planted {
    machine: SerfMachine,
    bug: Bug,
    /// What the machine itself notes.
    own: Ledger,
    ledger: Ledger,
    index: u32,
    life: u32,
    events: Vec<Event>,
}

impl Planted {
    /// Passes on what the machine notes, wrongly.
    fn pass(&self, now: Instant) {
        for entry in self.own.take() {
            let note = |entry: &Entry| self.ledger.note(now, self.index, self.life, entry.clone());
            match (self.bug, &entry) {
                (Bug::TellsNothing, Entry::Delivered { .. }) => {}
                (Bug::SetsBack, Entry::Clocks([members, ..])) if *members > 3 => {
                    note(&Entry::Clocks([2, 1, 1]));
                }
                (Bug::TellsTwice, Entry::Delivered { .. })
                | (Bug::CountsTwice, Entry::Answered { .. }) => {
                    note(&entry);
                    note(&entry);
                }
                _ => note(&entry),
            }
        }
    }
}

impl Machine for Planted {
    fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        let taken = self.machine.handle(now, input);
        self.pass(now);
        taken
    }

    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<SocketAddr> {
        self.machine.poll_transmit(buf)
    }

    fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        self.machine.poll_exchange(buf)
    }

    fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop() {
            return Some(event);
        }
        let event = self.machine.poll_event()?;
        if self.bug == Bug::Resurrects
            && let Event::Down { member, cause: Cause::Left, .. } = &event
        {
            self.events.push(Event::Up(member.clone()));
        }
        Some(event)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.machine.poll_timeout()
    }

    fn incarnation(&self) -> u32 {
        self.machine.incarnation()
    }

    fn view(&self, show: &mut dyn FnMut(Seen<'_>)) {
        self.machine.view(show);
    }

    fn live_len(&self) -> usize {
        self.machine.live_len()
    }

    fn known_len(&self) -> usize {
        self.machine.known_len()
    }

    fn queue_len(&self) -> usize {
        self.machine.queue_len()
    }

    fn rumours_len(&self) -> usize {
        self.machine.rumours_len()
    }

    fn timers_len(&self) -> usize {
        self.machine.timers_len()
    }

    fn health(&self) -> u32 {
        self.machine.health()
    }

    fn stats(&self) -> Stats {
        self.machine.stats()
    }
}

/// Runs 20 nodes through events, queries, crashes, leaves and loss; the oracles that object, and
/// those that had no case.
fn run(bug: Bug, seed: u64) -> (Vec<&'static str>, Vec<&'static str>) {
    let ledger = Ledger::default();
    let notes = ledger.clone();
    let mut config = WorldConfig::new(seed, NODES);
    config.core = Config::lan().push_pull_interval(Duration::from_secs(10)).build().unwrap();
    let s = Instant::from_secs;
    config.faults = vec![
        (s(40), Fault::Loss(0.2)),
        (s(50), Fault::Crash(Who::Node(2))),
        (s(60), Fault::Stall { who: Who::Node(4), part: Stall::Io, time: Duration::from_secs(9) }),
        (s(90), Fault::Restart(Who::Node(2))),
        (s(100), Fault::Leave(Who::Node(5))),
        (s(120), Fault::Loss(0.0)),
    ];
    let make = move |birth: &swim_sim::Birth<'_>| {
        let own = Ledger::default();
        Planted {
            machine: SerfMachine::maker(&own)(birth),
            bug: if birth.index == BAD { bug } else { Bug::None },
            own,
            ledger: notes.clone(),
            index: birth.index,
            life: birth.life,
            events: Vec::new(),
        }
    };
    let mut world = World::cold_with(config, Box::new(make));
    world.watch(Delivery::new(&ledger));
    world.watch(Answers::new(&ledger));
    world.watch(Clocks::new(&ledger));
    world.watch(Tombstones::new());
    for round in 0..12u32 {
        world.run_until(s(30 + 10 * u64::from(round)));
        let node = [1, 3, 6, BAD, 9, 11][round as usize % 6];
        for lane in [Lane::Low, Lane::Normal] {
            let payload = format!("{round}").into_bytes().into();
            world.command(node, Command::Broadcast { lane, key: None, payload });
        }
    }
    world.run_until(s(300));
    let verdicts = world.verdicts();
    for violation in world.violations() {
        println!("{violation}");
    }
    let objects = verdicts.iter().filter(|v| v.violations > 0).map(|v| v.oracle);
    let idle = verdicts.iter().filter(|v| v.cases == 0).map(|v| v.oracle);
    (objects.collect(), idle.collect())
}

#[test]
fn healthy_serf_nodes_satisfy_every_oracle_and_each_has_cases() {
    for seed in 1..=5 {
        assert_eq!(run(Bug::None, seed), (Vec::new(), Vec::new()), "seed {seed}");
    }
}

#[test]
fn delivery_objects_to_an_event_that_comes_twice() {
    assert_eq!(run(Bug::TellsTwice, 1).0, ["delivery"]);
}

#[test]
fn delivery_objects_to_an_event_that_never_comes() {
    assert_eq!(run(Bug::TellsNothing, 1).0, ["delivery"]);
}

#[test]
fn answers_objects_to_an_answer_that_counts_twice() {
    assert_eq!(run(Bug::CountsTwice, 1).0, ["answers"]);
}

#[test]
fn clocks_objects_to_a_clock_that_goes_back() {
    assert_eq!(run(Bug::SetsBack, 1).0, ["clocks"]);
}

#[test]
fn tombstones_objects_to_who_comes_back_without_a_start() {
    assert_eq!(run(Bug::Resurrects, 1).0, ["tombstones"]);
}
