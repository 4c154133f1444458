//! The failure detector: one probe at a time (memberlist spec 5.1 to 5.3, Lifeguard section IV.A).

use core::time::Duration;

use super::claims::Asked;
use super::ctx::Ctx;
use super::exchange::{Exchanges, Purpose};
use super::members::{Members, Slot, SlotId};
use super::order::Order;
use super::outbox::Packet;
use super::timers::Timer;
use crate::ids::{Incarnation, NodeName};
use crate::input::{Seat, SendError};
use crate::member::State;
use crate::time::Instant;

/// How soon the search for a member to probe goes on, if it has passed over many that are gone.
const LOOK_ON_AFTER: Duration = Duration::from_millis(1);

/// Smallest largest protocol version of a member that answers stream pings (memberlist spec 2.8).
const STREAM_PING_VERSION: u8 = 3;
/// The same for nacks.
const NACK_VERSION: u8 = 4;

pub(crate) struct Prober {
    order: Order,
    current: Option<Probe>,
    /// The next probe was due while one was under way.
    overdue: bool,
}

/// A probe under way.
struct Probe {
    seq: u32,
    target: SlotId,
    /// The claim that is being tested.
    incarnation: u32,
    queued: Instant,
    /// When the ping went out; `None` if it has not.
    sent: Option<Instant>,
    deadline: Instant,
    stage: Stage,
    asked: Asked,
    nacks_expected: u16,
    /// The first ping could not be sent, which an answer does not make good.
    send_failed: bool,
    stream_answered: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Direct,
    Indirect,
}

/// What an ack told.
pub(crate) struct Answer {
    pub(crate) target: SlotId,
    /// The round trip, if it was a direct ack and the ping did not wait to be sent.
    pub(crate) rtt: Option<Duration>,
}

/// A member that did not answer, and the incarnation at which it did not.
pub(crate) struct Unanswered {
    pub(crate) target: SlotId,
    pub(crate) incarnation: Incarnation,
    pub(crate) asked: Asked,
}

impl Prober {
    pub(crate) fn new() -> Self {
        Self { order: Order::default(), current: None, overdue: false }
    }

    /// Arms the first probe, at a random offset (hazard 38).
    pub(crate) fn start(cx: &mut Ctx) {
        let interval = cx.config.knobs.probe_interval;
        let offset = cx.rng.up_to(interval);
        cx.timers.arm(Timer::Probe, cx.now + offset);
    }

    pub(crate) fn on_tick(&mut self, cx: &mut Ctx) {
        cx.timers.arm(Timer::Probe, cx.now + cx.config.knobs.probe_interval);
        if self.current.is_some() {
            self.overdue = true;
            return;
        }
        self.begin(cx);
    }

    fn begin(&mut self, cx: &mut Ctx) {
        self.overdue = false;
        let Some(target) = self.next_target(cx) else {
            if cx.others_live() > 0 {
                // It looked at many members that are gone.
                cx.timers.arm(Timer::Probe, cx.now + LOOK_ON_AFTER);
            }
            return;
        };
        let knobs = &cx.config.knobs;
        let deadline = cx.now + knobs.probe_interval * (u32::from(cx.awareness) + 1);
        let step = (cx.now + knobs.probe_timeout).min(deadline);
        let seq = cx.rng.next_u32();
        self.current = Some(Probe {
            seq,
            target,
            incarnation: cx.members.slot(target).incarnation(),
            queued: cx.now,
            sent: None,
            deadline,
            stage: Stage::Direct,
            asked: Asked::default(),
            nacks_expected: 0,
            send_failed: false,
            stream_answered: false,
        });
        cx.stats.probes += 1;
        if cx.awareness > 0 {
            cx.stats.rare().probes_degraded += 1;
        }
        cx.out.probe(Packet::Probe { target, seq });
        cx.timers.arm(Timer::ProbeStep, step);
    }

    fn next_target(&mut self, cx: &mut Ctx) -> Option<SlotId> {
        let me = cx.me;
        if cx.others_live() == 0 {
            return None;
        }
        if cx.config.ablation.random_probe_targets {
            return cx.pick(1, |_, slot, s| slot != me && s.state().is_live()).first().copied();
        }
        let Ctx { members, rng, .. } = cx;
        self.order.next(members.slots_len(), rng, |slot| {
            slot != me && members.get(slot).is_some_and(|s| s.state().is_live())
        })
    }

    /// The probe under way has waited long enough for what it waits for. Gives a member that has
    /// had all its chances.
    pub(crate) fn on_step(
        &mut self,
        cx: &mut Ctx,
        exchanges: &mut Exchanges,
    ) -> Option<Unanswered> {
        let probe = self.current.as_mut()?;
        if probe.stage == Stage::Direct && cx.now < probe.deadline {
            probe.stage = Stage::Indirect;
            cx.timers.arm(Timer::ProbeStep, probe.deadline);
            probe.ask_helpers(cx);
            probe.open_stream(cx, exchanges);
            return None;
        }
        if probe.is_unsent() && cx.config.ablation.lateness {
            self.void(cx);
            self.catch_up(cx);
            return None;
        }
        let probe = self.end(cx)?;
        if probe.stream_answered {
            cx.stats.rare().probes_stream += 1;
            cx.adjust_awareness(if probe.send_failed { 0 } else { -1 });
            self.catch_up(cx);
            return None;
        }
        cx.stats.rare().probes_failed += 1;
        cx.adjust_awareness(match probe.nacks_expected {
            0 => 1,
            expected => i32::from(expected.saturating_sub(probe.asked.nacks)),
        });
        let incarnation = Incarnation(probe.incarnation);
        Some(Unanswered { target: probe.target, incarnation, asked: probe.asked })
    }

    /// Begins the probe that came due while another was under way.
    pub(crate) fn catch_up(&mut self, cx: &mut Ctx) {
        if self.overdue && self.current.is_none() {
            cx.timers.arm(Timer::Probe, cx.now + cx.config.knobs.probe_interval);
            self.begin(cx);
        }
    }

    fn end(&mut self, cx: &mut Ctx) -> Option<Probe> {
        let probe = self.current.take()?;
        cx.timers.stop(Timer::ProbeStep);
        if probe.sent.is_none() || probe.stage == Stage::Indirect {
            cx.out.drop_probe(probe.seq);
        }
        Some(probe)
    }

    /// An ack arrived at `at`. `None` if the probe under way does not wait for it.
    pub(crate) fn on_ack(&mut self, cx: &mut Ctx, seq: u32, at: Instant) -> Option<Answer> {
        let probe = self.current.as_ref().filter(|probe| probe.seq == seq)?;
        if at > probe.deadline {
            cx.stats.rare().late_acks += 1;
            return None;
        }
        let probe = self.end(cx)?;
        let direct = probe.stage == Stage::Direct;
        if !direct {
            cx.stats.rare().probes_indirect += 1;
        }
        cx.adjust_awareness(if probe.send_failed { 0 } else { -1 });
        // A ping that waited unsent says nothing about the network.
        let rtt = probe.sent.filter(|&sent| direct && sent == probe.queued);
        let rtt = rtt.map(|sent| at.since(sent));
        let target = probe.target;
        self.catch_up(cx);
        Some(Answer { target, rtt })
    }

    /// A helper has not heard of the target either. Whether the probe waits for that.
    pub(crate) fn on_nack(&mut self, seq: u32, at: Instant) -> bool {
        let waited = self.current.as_mut().filter(|p| p.seq == seq && at <= p.deadline);
        if let Some(probe) = waited {
            probe.asked.nacks += 1;
            return true;
        }
        false
    }

    pub(crate) fn on_stream_answer(&mut self, seq: u32) {
        if let Some(probe) = self.current.as_mut().filter(|probe| probe.seq == seq) {
            probe.stream_answered = true;
        }
    }

    /// The ping went out, now.
    pub(crate) fn on_sent(&mut self, seq: u32, now: Instant) {
        if let Some(probe) = self.current.as_mut().filter(|probe| probe.seq == seq) {
            probe.sent.get_or_insert(now);
        }
    }

    /// The ping could not be sent (hazard 36).
    pub(crate) fn on_unsent(&mut self, cx: &mut Ctx, seq: u32, why: SendError) {
        let Some(probe) = self.current.as_mut().filter(|probe| probe.seq == seq) else { return };
        if probe.stage != Stage::Direct {
            return;
        }
        match why {
            SendError::Remote => {
                probe.send_failed = true;
                cx.timers.arm(Timer::ProbeStep, cx.now);
            }
            SendError::Local => {
                self.end(cx);
                cx.stats.rare().probes_unsent += 1;
                self.catch_up(cx);
            }
        }
    }

    /// A new configuration holds for the probe under way too, if that makes it end sooner.
    pub(crate) fn hasten(&mut self, cx: &mut Ctx) {
        let Some(probe) = &mut self.current else { return };
        let knobs = &cx.config.knobs;
        let deadline = cx.now + knobs.probe_interval * (u32::from(cx.awareness) + 1);
        probe.deadline = probe.deadline.min(deadline);
        let step = match probe.stage {
            Stage::Direct => probe.deadline.min(cx.now + knobs.probe_timeout),
            Stage::Indirect => probe.deadline,
        };
        cx.timers.hasten(Timer::ProbeStep, step);
    }

    /// This node slept, or could not send: whoever it was probing is not to blame.
    pub(crate) fn void(&mut self, cx: &mut Ctx) {
        let Some(probe) = self.end(cx) else { return };
        if probe.is_unsent() {
            cx.stats.rare().probes_unsent += 1;
        }
        cx.adjust_awareness(1);
    }

    /// The member's slot is about to be free.
    pub(crate) fn forget(&mut self, cx: &mut Ctx, slot: SlotId) {
        if self.current.as_ref().is_some_and(|probe| probe.target == slot) {
            self.end(cx);
        }
    }
}

impl Probe {
    /// Whether nobody has fetched the ping, so that its target's silence says nothing.
    fn is_unsent(&self) -> bool {
        self.sent.is_none() && !self.stream_answered
    }

    fn ask_helpers(&mut self, cx: &mut Ctx) {
        let k = cx.config.knobs.indirect_checks as usize;
        let (me, target, seq) = (cx.me, self.target, self.seq);
        let wanted = |_: &Members, slot, s: Slot<'_>| {
            slot != me && slot != target && s.state() == State::Alive
        };
        for helper in cx.pick(k, wanted) {
            let knows_nacks = cx.members.slot(helper).record().protocol_max() >= NACK_VERSION;
            let nack = knows_nacks && cx.config.ablation.nacks;
            self.nacks_expected += u16::from(nack);
            self.asked.helpers += 1;
            cx.out.probe(Packet::AskHelper { helper, target, seq, nack });
        }
    }

    fn open_stream(&mut self, cx: &mut Ctx, exchanges: &mut Exchanges) {
        let record = cx.members.slot(self.target).record().clone();
        let allowed = cx.config.knobs.stream_pings
            && record.protocol_max() >= STREAM_PING_VERSION
            && cx.verdicts.stream_ping(&cx.config, record.name());
        if allowed {
            let name = NodeName::from_wire(record.name_bytes()).ok();
            let seat = Seat { addr: record.addr().canonical(), name };
            let purpose = Purpose::StreamPing { seq: self.seq };
            exchanges.try_open(cx, seat, purpose, self.deadline);
            self.asked.stream = true;
        }
    }
}
