//! More push/pulls after a join, or after a failed member was reached again, as long as each
//! teaches something, and a last one when all is quiet (architecture 3.14).

use super::claims::Origin;
use super::ctx::Ctx;
use super::exchange::{Exchanges, Purpose};
use super::members::SlotId;
use super::timers::Timer;
use crate::member::State;

/// After a reconnection, a join's rounds divided by this.
const RECONNECT_SHARE: u32 = 2;

/// The pause before the last look, as a multiple of the others.
const LAST_LOOK: u32 = 8;

/// Members just learned of which the newest is asked.
const DRAWS: u32 = 3;

#[derive(Default)]
pub(crate) struct FastJoin {
    rounds_left: u32,
    /// Live members known at the last round.
    live: u32,
    /// Members at and above this place were learned since the last round.
    fresh: SlotId,
    /// This node knew nobody when it asked to join.
    newborn: bool,
    /// One more push/pull is to come, with anybody: in a storm of joins two that came at the same
    /// time may have missed each other, and by then the others know both.
    last_look: bool,
}

impl FastJoin {
    /// This node asks to join.
    pub(crate) fn prepare(&mut self, cx: &Ctx) {
        self.newborn = cx.config.knobs.fast_join_rounds > 0 && cx.members.len() == 1;
    }

    /// A join reached somebody.
    pub(crate) fn begin(&mut self, cx: &mut Ctx) {
        self.last_look = self.newborn;
        self.start(cx, cx.config.knobs.fast_join_rounds);
    }

    /// A failed member was reached.
    pub(crate) fn reconnected(&mut self, cx: &mut Ctx) {
        if self.rounds_left == 0 {
            self.start(cx, cx.config.knobs.fast_join_rounds / RECONNECT_SHARE);
        }
    }

    fn start(&mut self, cx: &mut Ctx, rounds: u32) {
        self.rounds_left = rounds;
        self.live = 0;
        self.fresh = cx.members.slots_len();
        self.pause(cx);
    }

    fn pause(&self, cx: &mut Ctx) {
        if self.rounds_left > 0 || self.last_look {
            let half = cx.config.knobs.fast_join_pause / 2;
            let pause = half + cx.rng.up_to(half);
            let times = if self.rounds_left > 0 { 1 } else { LAST_LOOK };
            cx.timers.arm(Timer::FastJoin, cx.now + pause * times);
        }
    }

    /// Where claims in the state of another come from.
    ///
    /// A node that knew nobody when it joined tells nobody what push/pulls teach it until its fast
    /// join is over: whoever it hears them from has told its own cluster, and the members concerned
    /// tell of themselves. After a storm of joins each queue would else hold the whole cluster, and
    /// the few claims that somebody still lacks would wait behind thousands that nobody lacks.
    pub(crate) fn origin(&self, is_join: JoinBy) -> Origin {
        let quiet = match is_join {
            JoinBy::Me => self.newborn,
            JoinBy::Other => false,
            JoinBy::Nobody => self.newborn && self.rounds_left > 0,
        };
        if quiet { Origin::Joining } else { Origin::PushPull }
    }

    pub(crate) fn on_timer(&mut self, cx: &mut Ctx, exchanges: &mut Exchanges) {
        let live = cx.members.live();
        let with = if self.rounds_left == 0 {
            // None is left if a reload has taken the rounds away.
            if core::mem::take(&mut self.last_look) { cx.pick_alive() } else { None }
        } else if live > self.live {
            self.live = live;
            self.rounds_left -= 1;
            self.pick(cx)
        } else {
            self.rounds_left = 0;
            None
        };
        if let Some(with) = with {
            exchanges.sync(cx, with, Purpose::Sync);
        }
        self.pause(cx);
    }

    /// A member just learned, the newest of some: it came late, and so knows who came before it.
    /// Else any.
    fn pick(&mut self, cx: &mut Ctx) -> Option<SlotId> {
        let slots = cx.members.slots_len();
        let fresh = core::mem::replace(&mut self.fresh, slots);
        if fresh >= slots {
            return cx.pick_alive();
        }
        let newest = (0..DRAWS).map(|_| fresh + cx.rng.below(slots - fresh)).max()?;
        let known = cx.members.get(newest).filter(|_| newest != cx.me);
        match known.map(|slot| slot.state()) {
            Some(State::Alive) => Some(newest),
            _ => cx.pick_alive(),
        }
    }
}

/// Who joins by a push/pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinBy {
    Me,
    Other,
    /// Both are members already.
    Nobody,
}
