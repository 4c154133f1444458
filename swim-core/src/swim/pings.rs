//! Pings that the embedder asked for (memberlist spec 5.4): no effect on health or membership.

use alloc::boxed::Box;
use core::net::SocketAddr;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::ctx::Ctx;
use super::outbox::Packet;
use super::timers::Due;
use crate::error::Rejected;
use crate::event::Outcome;
use crate::ids::{Addr, NodeName, OpId};
use crate::time::Instant;

pub(crate) struct Pings {
    waiting: HashMap<u32, Ping, FixedState>,
}

struct Ping {
    op: OpId,
    /// When it went out; `None` if it has not.
    sent: Option<Instant>,
    deadline: Instant,
}

impl Default for Pings {
    fn default() -> Self {
        Self { waiting: HashMap::with_hasher(FixedState::with_seed(0)) }
    }
}

impl Pings {
    pub(crate) fn begin(
        &mut self,
        cx: &mut Ctx,
        op: OpId,
        name: NodeName,
        to: SocketAddr,
    ) -> Result<(), Rejected> {
        let max = cx.config.knobs.exchanges_max;
        if self.waiting.len() >= max as usize {
            return Err(Rejected::Busy(max));
        }
        let seq = cx.rng.next_u32();
        let deadline = cx.now + cx.config.knobs.probe_timeout;
        self.waiting.insert(seq, Ping { op, sent: None, deadline });
        cx.timers.push(deadline, Due::Ping(seq));
        cx.out.probe(Packet::Ping { to: Box::new((Addr::from(to), name)), seq });
        Ok(())
    }

    /// The ping went out, now.
    pub(crate) fn on_sent(&mut self, seq: u32, now: Instant) {
        if let Some(ping) = self.waiting.get_mut(&seq) {
            ping.sent = Some(now);
        }
    }

    /// An ack arrived at `at`; whether it answers one of these.
    pub(crate) fn on_ack(&mut self, cx: &mut Ctx, seq: u32, at: Instant) -> bool {
        let Some(ping) = self.waiting.remove(&seq) else { return false };
        let sent = ping.sent.filter(|_| at <= ping.deadline);
        cx.done(ping.op, sent.map_or(Outcome::NoAnswer, |sent| Outcome::Pong(at.since(sent))));
        true
    }

    pub(crate) fn on_due(&mut self, cx: &mut Ctx, seq: u32) {
        if let Some(ping) = self.waiting.remove(&seq) {
            cx.out.drop_ping(seq);
            cx.done(ping.op, Outcome::NoAnswer);
        }
    }
}
