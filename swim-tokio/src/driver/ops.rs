//! Commands under way, and who waits for them.

use std::collections::HashMap;
use std::net::SocketAddr;

use swim_core::{Input, Instant, OpId, Seat};
use tokio::sync::oneshot;

use super::Machine;
use super::request::JoinReport;
use crate::error::CommandError;
use crate::recv::canonical;

/// Matches the outcomes of commands with those who wait for them.
pub(crate) struct Ops<M: Machine> {
    last: u64,
    waiting: HashMap<OpId, Waiter<M::Outcome>>,
}

enum Waiter<T> {
    Outcome(Reply<T>),
    Join {
        seeds: Vec<SocketAddr>,
        /// What people should know of those that failed so far.
        why: HashMap<SocketAddr, String>,
        done: Reply<JoinReport>,
    },
}

/// Where the end of a command is told.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, CommandError>>;

impl<M: Machine> Default for Ops<M> {
    fn default() -> Self {
        Self { last: 0, waiting: HashMap::new() }
    }
}

impl<M: Machine> Ops<M> {
    /// Outcomes waited for at most. A broadcast takes seconds to end; this many a second is more
    /// than gossip can carry.
    const WAITING_MAX: usize = 16_384;

    /// Gives a command of which `done` hears the end.
    pub(crate) fn command(
        &mut self,
        machine: &mut M,
        now: Instant,
        command: M::Command,
        done: Reply<M::Outcome>,
    ) {
        match self.begin(machine, now, command) {
            Ok(op) => drop(self.waiting.insert(op, Waiter::Outcome(done))),
            // Whoever gave the command may have gone, here and below.
            Err(e) => drop(done.send(Err(e))),
        }
    }

    /// Gives the command that joins by `seats`.
    pub(crate) fn join(
        &mut self,
        machine: &mut M,
        now: Instant,
        seats: &[Seat],
        command: M::Command,
        done: Reply<JoinReport>,
    ) {
        match self.begin(machine, now, command) {
            Ok(op) => {
                let seeds = seats.iter().map(|seat| canonical(seat.addr)).collect();
                self.waiting.insert(op, Waiter::Join { seeds, why: HashMap::new(), done });
            }
            Err(e) => drop(done.send(Err(e))),
        }
    }

    /// Gives a command; the caller hears of its end.
    pub(crate) fn begin(
        &mut self,
        machine: &mut M,
        now: Instant,
        command: M::Command,
    ) -> Result<OpId, CommandError> {
        if self.waiting.len() >= Self::WAITING_MAX {
            return Err(CommandError::Busy(Self::WAITING_MAX));
        }
        self.last += 1;
        let op = OpId(self.last);
        machine.handle(now, Input::Command { op, command }).map_err(Into::into)?;
        Ok(op)
    }

    /// An exchange with `to` failed: whoever joins by it is told why. Whether there is anybody.
    pub(crate) fn note_failure(&mut self, to: SocketAddr, reason: &str) -> bool {
        let mut told = false;
        #[expect(clippy::iter_over_hash_type, reason = "each is told, in any order")]
        for waiter in self.waiting.values_mut() {
            if let Waiter::Join { seeds, why, .. } = waiter
                && seeds.contains(&to)
            {
                told = true;
                why.entry(to).or_insert_with(|| reason.into());
            }
        }
        told
    }

    pub(crate) fn done(&mut self, op: OpId, outcome: M::Outcome) {
        match self.waiting.remove(&op) {
            None => {}
            Some(Waiter::Outcome(done)) => drop(done.send(Ok(outcome))),
            Some(Waiter::Join { mut why, done, .. }) => {
                let (reached, failed) = M::joined(outcome);
                let failures = failed.into_iter().map(|(addr, error)| {
                    let addr = canonical(addr);
                    (addr, why.remove(&addr).unwrap_or_else(|| error.to_string()))
                });
                drop(done.send(Ok(JoinReport { reached, failures: failures.collect() })));
            }
        }
    }
}
