//! Who takes what handles ask for, and sends the answers back.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use swim_core::serf::{Command, Event, Input, Outcome, QueryParams, Serf};
use swim_core::{Instant, OpId, Seat};
use tokio::sync::{mpsc, oneshot};

use super::query::{Answer, Answers};
use super::request::{SerfAgentStats, SerfRequest, SerfSnapshot};
use crate::driver::{Desk, JoinReport, Next, report};
use crate::error::CommandError;
use crate::recv::canonical;
use crate::stream::Shared;

/// Serves the handles of a Serf node.
pub(crate) struct SerfDesk {
    last: u64,
    waiting: HashMap<OpId, Waiter>,
    shared: Arc<Shared>,
}

enum Waiter {
    Outcome(oneshot::Sender<Result<Outcome, CommandError>>),
    Join {
        seats: Vec<SocketAddr>,
        failures: Vec<(SocketAddr, String)>,
        done: oneshot::Sender<Result<JoinReport, CommandError>>,
    },
    Query(mpsc::Sender<Answer>),
}

impl SerfDesk {
    /// Commands and queries under way at most.
    const WAITING_MAX: usize = 16_384;

    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { last: 0, waiting: HashMap::new(), shared }
    }

    fn begin(
        &mut self,
        serf: &mut Serf,
        now: Instant,
        command: Command,
    ) -> Result<OpId, CommandError> {
        if self.waiting.len() >= Self::WAITING_MAX {
            return Err(CommandError::Busy(Self::WAITING_MAX));
        }
        self.last += 1;
        let op = OpId(self.last);
        let taken = serf.handle(now, Input::Command { op, command });
        taken.map_err(CommandError::Serf)?;
        Ok(op)
    }

    fn join(
        &mut self,
        serf: &mut Serf,
        now: Instant,
        seats: Vec<Seat>,
        replay: bool,
        done: oneshot::Sender<Result<JoinReport, CommandError>>,
    ) {
        let addrs = seats.iter().map(|seat| canonical(seat.addr)).collect();
        match self.begin(serf, now, Command::Join { seats, replay }) {
            Ok(op) => {
                let failures = Vec::new();
                self.waiting.insert(op, Waiter::Join { seats: addrs, failures, done });
            }
            // Whoever asked may have gone, here and below.
            Err(e) => drop(done.send(Err(e))),
        }
    }

    fn query(
        &mut self,
        serf: &mut Serf,
        now: Instant,
        (name, payload, params): (String, Bytes, QueryParams),
        done: oneshot::Sender<Result<Answers, CommandError>>,
    ) {
        // Each member that is known now may acknowledge and answer once.
        let answers_max = 2 * serf.node().known_len();
        match self.begin(serf, now, Command::Query { name, payload, params }) {
            Ok(op) => {
                let (sender, answers) = mpsc::channel(answers_max);
                self.waiting.insert(op, Waiter::Query(sender));
                drop(done.send(Ok(Answers(answers))));
            }
            Err(e) => drop(done.send(Err(e))),
        }
    }

    fn answer(&self, op: OpId, answer: Answer) {
        if let Some(Waiter::Query(answers)) = self.waiting.get(&op) {
            // There is room for all that the node lets through; whoever asked may have gone.
            let _ = answers.try_send(answer);
        }
    }

    fn done(&mut self, op: OpId, outcome: Outcome) {
        match self.waiting.remove(&op) {
            // The end of the stream says it.
            None | Some(Waiter::Query(_)) => {}
            Some(Waiter::Outcome(done)) => drop(done.send(Ok(outcome))),
            Some(Waiter::Join { failures, done, .. }) => {
                let Outcome::Joined { reached, failed, error } = outcome else { return };
                let outcome = swim_core::Outcome::Joined { reached, failed, error };
                drop(done.send(Ok(report(outcome, failures))));
            }
        }
    }
}

impl Desk for SerfDesk {
    type Machine = Serf;
    type Request = SerfRequest;

    fn on_request(&mut self, serf: &mut Serf, now: Instant, request: SerfRequest) -> Next {
        match request {
            SerfRequest::Command { command, done } => match self.begin(serf, now, command) {
                Ok(op) => drop(self.waiting.insert(op, Waiter::Outcome(done))),
                Err(e) => drop(done.send(Err(e))),
            },
            SerfRequest::Join { seats, replay, done } => self.join(serf, now, seats, replay, done),
            SerfRequest::Query { name, payload, params, done } => {
                self.query(serf, now, (name, payload, params), done);
            }
            SerfRequest::Members(reply) => {
                let members = serf.members().collect();
                drop(reply.send(SerfSnapshot { me: serf.me(), members }));
            }
            SerfRequest::Stats(reply) => {
                let stats = SerfAgentStats {
                    info: serf.info(),
                    serf: serf.stats(),
                    node: serf.node().stats(),
                    driver: self.shared.counters.read(),
                };
                let _ = reply.send(stats);
            }
            SerfRequest::Keyring(reply) => drop(reply.send(serf.node().keyring().clone())),
            SerfRequest::Coordinate { name, reply } => drop(reply.send(serf.coordinate(&name))),
            SerfRequest::Stop => return Next::Stop,
        }
        Next::Continue
    }

    fn on_event(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Done { op, outcome } => self.done(op, outcome),
            Event::Ack { op, from } => self.answer(op, Answer::Ack { from }),
            Event::Response { op, from, payload } => {
                self.answer(op, Answer::Response { from, payload });
            }
            event => return Some(event),
        }
        None
    }

    fn note_failure(&mut self, to: SocketAddr, why: &str) -> bool {
        let mut told = false;
        #[expect(clippy::iter_over_hash_type, reason = "each is told, in any order")]
        for waiter in self.waiting.values_mut() {
            if let Waiter::Join { seats, failures, .. } = waiter
                && seats.contains(&to)
            {
                told = true;
                if !failures.iter().any(|(addr, _)| *addr == to) {
                    failures.push((to, why.into()));
                }
            }
        }
        told
    }
}
