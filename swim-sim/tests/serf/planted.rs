//! A Serf node with a bug for each oracle.

use core::net::SocketAddr;

use bytes::BytesMut;
use swim_core::{Cause, Event, Exchange, Input, Instant, OpId, Rejected, Stats, serf};
use swim_sim::serf::{Entry, Ledger, SerfMachine};
use swim_sim::{Machine, Make, Seen};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bug {
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
pub(crate) struct Planted {
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
    /// Makes the nodes of a world, of which those that are bad have a bug.
    pub(crate) fn make(bug: Bug, is_bad: fn(u32) -> bool) -> Make<Self> {
        Box::new(move |birth| {
            let own = Ledger::default();
            Self {
                machine: SerfMachine::maker(&own)(birth),
                bug: if is_bad(birth.index) { bug } else { Bug::None },
                own,
                ledger: birth.ledger.clone(),
                index: birth.index,
                life: birth.life,
                events: Vec::new(),
            }
        })
    }

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

    fn command(&mut self, now: Instant, op: OpId, command: serf::Command) -> bool {
        let taken = self.machine.command(now, op, command);
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
