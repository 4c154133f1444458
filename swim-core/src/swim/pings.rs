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
    sent: Instant,
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
        self.waiting.insert(seq, Ping { op, sent: cx.now, deadline });
        cx.timers.push(deadline, Due::Ping(seq));
        cx.out.probe(Packet::Ping { to: Box::new((Addr::from(to), name)), seq });
        Ok(())
    }

    /// An ack arrived at `at`; whether it answers one of these.
    pub(crate) fn on_ack(&mut self, cx: &mut Ctx, seq: u32, at: Instant) -> bool {
        let Some(ping) = self.waiting.remove(&seq) else { return false };
        let in_time = at <= ping.deadline;
        cx.done(
            ping.op,
            if in_time { Outcome::Pong(at.since(ping.sent)) } else { Outcome::NoAnswer },
        );
        true
    }

    pub(crate) fn on_due(&mut self, cx: &mut Ctx, seq: u32) {
        if let Some(ping) = self.waiting.remove(&seq) {
            cx.out.drop_ping(seq);
            cx.done(ping.op, Outcome::NoAnswer);
        }
    }
}
