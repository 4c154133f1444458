//! Commands under way, and who waits for them.

use std::collections::HashMap;
use std::net::SocketAddr;

use swim_core::{Command, Input, Instant, Node, OpId, Outcome, Rejected, Seat};
use tokio::sync::oneshot;

use super::request::JoinReport;
use crate::error::CommandError;
use crate::recv::canonical;

/// Matches the outcomes of commands with those who wait for them.
#[derive(Debug, Default)]
pub(crate) struct Ops {
    last: u64,
    waiting: HashMap<OpId, Waiter>,
}

#[derive(Debug)]
enum Waiter {
    Outcome(oneshot::Sender<Result<Outcome, CommandError>>),
    Join {
        seats: Vec<SocketAddr>,
        failures: Vec<(SocketAddr, String)>,
        done: oneshot::Sender<Result<JoinReport, CommandError>>,
    },
}

impl Ops {
    /// Outcomes waited for at most. A broadcast takes seconds to end; this many a second is more
    /// than gossip can carry.
    const WAITING_MAX: usize = 16_384;

    pub(crate) fn command(
        &mut self,
        node: &mut Node,
        now: Instant,
        command: Command,
        done: oneshot::Sender<Result<Outcome, CommandError>>,
    ) {
        // A datagram is sent or lost; nothing tells of its end.
        let ends = !matches!(command, Command::Send { reliable: false, .. });
        match self.begin(node, now, command) {
            Ok(op) if ends => {
                self.waiting.insert(op, Waiter::Outcome(done));
            }
            // Whoever gave the command may have gone, here and below.
            Ok(_) => drop(done.send(Ok(Outcome::Applied))),
            Err(e) => drop(done.send(Err(e))),
        }
    }

    pub(crate) fn join(
        &mut self,
        node: &mut Node,
        now: Instant,
        seats: Vec<Seat>,
        done: oneshot::Sender<Result<JoinReport, CommandError>>,
    ) {
        let addrs = seats.iter().map(|seat| canonical(seat.addr)).collect();
        match self.begin(node, now, Command::Join(seats)) {
            Ok(op) => {
                let failures = Vec::new();
                self.waiting.insert(op, Waiter::Join { seats: addrs, failures, done });
            }
            Err(e) => drop(done.send(Err(e))),
        }
    }

    fn begin(
        &mut self,
        node: &mut Node,
        now: Instant,
        command: Command,
    ) -> Result<OpId, CommandError> {
        if self.waiting.len() >= Self::WAITING_MAX {
            return Err(CommandError::Busy(Self::WAITING_MAX));
        }
        self.last += 1;
        let op = OpId(self.last);
        let taken = node.handle(now, Input::Command { op, command });
        taken.map_err(|e: Rejected| CommandError::Rejected(e))?;
        Ok(op)
    }

    /// An exchange with `to` failed: whoever joins by it is told why. Whether there is anybody.
    pub(crate) fn note_failure(&mut self, to: SocketAddr, why: &str) -> bool {
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

    pub(crate) fn done(&mut self, op: OpId, outcome: Outcome) {
        match self.waiting.remove(&op) {
            None => {}
            Some(Waiter::Outcome(done)) => drop(done.send(Ok(outcome))),
            Some(Waiter::Join { failures, done, .. }) => {
                drop(done.send(Ok(report(outcome, failures))));
            }
        }
    }
}

pub(crate) fn report(outcome: Outcome, mut failures: Vec<(SocketAddr, String)>) -> JoinReport {
    let Outcome::Joined { reached, failed, error } = outcome else { return JoinReport::default() };
    if failed == 0 {
        // An exchange of another kind with the same node may have failed meanwhile.
        failures.clear();
    } else if failures.is_empty()
        && let Some(error) = error
    {
        failures.push((SocketAddr::from(([0, 0, 0, 0], 0)), error.to_string()));
    }
    JoinReport { reached, failures }
}
