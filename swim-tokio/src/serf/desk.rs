//! Who takes what handles ask for, and sends the answers back.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use swim_core::serf::{Command, Event, QueryParams, Serf};
use swim_core::{Instant, OpId};
use tokio::sync::mpsc;

use super::query::{Answer, Answers};
use super::request::{SerfAgentStats, SerfRequest, SerfSnapshot};
use super::snapshot::Recorder;
use crate::driver::{Desk, Next, Ops};
use crate::error::CommandError;
use crate::journal::Kept;
use crate::stream::Shared;

/// Serves the handles of a Serf node.
pub(crate) struct SerfDesk {
    ops: Ops<Kept<Serf>>,
    queries: HashMap<OpId, mpsc::Sender<Answer>>,
    /// Keeps who is there in a file, if that is asked for.
    recorder: Option<Recorder>,
    shared: Arc<Shared>,
}

impl SerfDesk {
    /// Queries under way at most.
    const QUERIES_MAX: usize = 16_384;

    pub(crate) fn new(recorder: Option<Recorder>, shared: Arc<Shared>) -> Self {
        Self { ops: Ops::default(), queries: HashMap::new(), recorder, shared }
    }

    fn query(
        &mut self,
        serf: &mut Kept<Serf>,
        now: Instant,
        (name, payload, params): (String, Bytes, QueryParams),
    ) -> Result<Answers, CommandError> {
        if self.queries.len() >= Self::QUERIES_MAX {
            return Err(CommandError::Busy(Self::QUERIES_MAX));
        }
        // Each member that is known now may acknowledge and answer once.
        let answers_max = 2 * serf.node().known_len();
        let op = self.ops.begin(serf, now, Command::Query { name, payload, params })?;
        let (sender, answers) = mpsc::channel(answers_max);
        self.queries.insert(op, sender);
        Ok(Answers(answers))
    }

    fn answer(&self, op: OpId, answer: Answer) {
        if let Some(answers) = self.queries.get(&op) {
            // There is room for all that the node lets through; whoever asked may have gone.
            let _ = answers.try_send(answer);
        }
    }
}

impl Desk for SerfDesk {
    type Machine = Kept<Serf>;
    type Request = SerfRequest;

    fn on_request(&mut self, serf: &mut Kept<Serf>, now: Instant, request: SerfRequest) -> Next {
        match request {
            // Those who asked may have stopped waiting.
            SerfRequest::Command { command, done } => {
                if let (Command::Leave, Some(recorder)) = (&command, &mut self.recorder) {
                    recorder.on_leave();
                }
                self.ops.command(serf, now, command, done);
            }
            SerfRequest::Join { seats, command, done } => {
                self.ops.join(serf, now, &seats, command, done);
            }
            SerfRequest::Query { name, payload, params, done } => {
                drop(done.send(self.query(serf, now, (name, payload, params))));
            }
            SerfRequest::Me(reply) => drop(reply.send(serf.me())),
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

    fn on_event(&mut self, serf: &Kept<Serf>, event: Event) -> Option<Event> {
        if let Some(recorder) = &mut self.recorder {
            recorder.on_event(serf, &event);
        }
        match event {
            // The end of its stream says that a query is over.
            Event::Done { op, .. } if self.queries.remove(&op).is_some() => {}
            Event::Done { op, outcome } => self.ops.done(op, outcome),
            Event::Ack { op, from } => self.answer(op, Answer::Ack { from }),
            Event::Response { op, from, payload } => {
                self.answer(op, Answer::Response { from, payload });
            }
            event => return Some(event),
        }
        None
    }

    fn on_drained(&mut self, serf: &Kept<Serf>, now: Instant) {
        if let Some(recorder) = &mut self.recorder {
            recorder.flush(serf, now);
        }
    }

    async fn close(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.sync().await;
        }
    }

    fn note_failure(&mut self, to: SocketAddr, why: &str) -> bool {
        self.ops.note_failure(to, why)
    }
}
