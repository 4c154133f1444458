//! How this node leaves: it says so, then leaves the SWIM group, then waits a little (serf spec
//! 3.4).

use super::core::Core;
use super::members::Members;
use super::timers::Due;
use crate::ids::OpId;
use crate::input::{Command, Input};
use crate::serf::{Outcome, Rejected};

/// Where this node is on its way out.
#[derive(Default)]
pub(super) struct Leaving {
    phase: Phase,
    /// Numbers the deadlines, so that one that is over means nothing.
    step: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Staying,
    /// Others are told that it leaves.
    Telling(OpId),
    /// It leaves the SWIM group.
    Parting(OpId),
    /// Others tell each other.
    Settling(OpId),
    Left,
}

/// Numbers of commands that the Serf layer gives itself have this bit.
pub(super) const OWN: u64 = 1 << 63;
const TELL: OpId = OpId(OWN | 1);
const PART: OpId = OpId(OWN | 2);

impl Leaving {
    pub(super) fn is_staying(&self) -> bool {
        self.phase == Phase::Staying
    }

    pub(super) fn has_left(&self) -> bool {
        self.phase == Phase::Left
    }

    pub(super) fn begin(
        &mut self,
        cx: &mut Core,
        members: &mut Members,
        op: OpId,
    ) -> Result<(), Rejected> {
        match self.phase {
            Phase::Staying => {}
            Phase::Left => {
                cx.done(op, Outcome::Left);
                return Ok(());
            }
            _ => return Err(Rejected::LeaveInProgress),
        }
        members.is_leaving = true;
        let me = cx.node.my_record().clone();
        if members.say_leave(cx, me.name_bytes(), false, TELL) {
            self.enter(cx, Phase::Telling(op));
        } else {
            self.part(cx, op);
        }
        Ok(())
    }

    /// The node has told what the Serf layer asked it to; whether that was part of leaving.
    pub(super) fn on_told(&mut self, cx: &mut Core, told: OpId) -> bool {
        match (self.phase, told) {
            (Phase::Telling(op), TELL) => self.part(cx, op),
            (Phase::Parting(op), PART) => self.settle(cx, op),
            (_, TELL | PART) => {}
            _ => return false,
        }
        true
    }

    /// A step took as long as it may, and the next one is taken anyway.
    pub(super) fn on_due(&mut self, cx: &mut Core, step: u32) {
        match self.phase {
            _ if step != self.step => {}
            Phase::Telling(op) => self.part(cx, op),
            Phase::Parting(op) => self.settle(cx, op),
            Phase::Settling(op) => {
                self.phase = Phase::Left;
                cx.done(op, Outcome::Left);
            }
            Phase::Staying | Phase::Left => {}
        }
    }

    fn part(&mut self, cx: &mut Core, op: OpId) {
        self.enter(cx, Phase::Parting(op));
        let leave = Input::Command { op: PART, command: Command::Leave };
        let parts = cx.node.handle(cx.now(), leave);
        parts.expect("nobody else tells this node to leave");
    }

    fn settle(&mut self, cx: &mut Core, op: OpId) {
        self.enter(cx, Phase::Settling(op));
    }

    fn enter(&mut self, cx: &mut Core, phase: Phase) {
        self.phase = phase;
        self.step += 1;
        let knobs = &cx.config.knobs;
        let wait = match phase {
            Phase::Settling(_) => knobs.leave_propagate_delay,
            _ => knobs.broadcast_timeout,
        };
        cx.timers.push(cx.now() + wait, Due::Leave(self.step));
    }
}
