//! What a node does by itself besides probing: gossip rounds, push/pulls, healing, and forgetting.

use alloc::vec::Vec;
use core::time::Duration;

use super::ctx::Ctx;
use super::exchange::{Exchanges, Purpose};
use super::members::SlotId;
use super::probe::Prober;
use super::timers::Timer;
use crate::event::Event;
use crate::member::State;

/// Members looked at by one reap; the rest waits for the next.
const REAP_SLICE: usize = 1024;

/// Above this many members push/pulls get rarer (memberlist spec 6.5).
const PUSH_PULL_SCALE_N: u32 = 32;

pub(crate) fn start(cx: &mut Ctx) {
    // Over a whole interval, so that members who start together do not exchange states together.
    let interval = push_pull_interval(cx.config.knobs.push_pull_interval, cx.members.len());
    if !interval.is_zero() {
        let delay = cx.rng.up_to(interval) + interval;
        cx.timers.arm(Timer::PushPull, cx.now + delay);
    }
    let phase = cx.rng.next_u64();
    cx.gossip_phase = if cx.config.ablation.gossip_in_step { 0 } else { phase };
    let knobs = &cx.config.knobs;
    if !knobs.reconnect_interval.is_zero() {
        let at = cx.now + cx.rng.up_to(knobs.reconnect_interval);
        cx.timers.arm(Timer::Reconnect, at);
    }
    let at = cx.now + cx.rng.up_to(cx.config.knobs.reap_interval);
    cx.timers.arm(Timer::Reap, at);
}

/// Arms what a new configuration switched on, and brings forward what an interval that is shorter
/// now would have due sooner.
pub(crate) fn rearm(cx: &mut Ctx) {
    let knobs = &cx.config.knobs;
    let push_pull = push_pull_interval(knobs.push_pull_interval, cx.members.len());
    let intervals = [
        (Timer::Probe, knobs.probe_interval),
        (Timer::PushPull, push_pull),
        (Timer::Reconnect, knobs.reconnect_interval),
        (Timer::Reap, knobs.reap_interval),
    ];
    for (timer, interval) in intervals {
        if interval.is_zero() {
            cx.timers.stop(timer);
        } else if cx.timers.is_armed(timer) {
            cx.timers.hasten(timer, cx.now + interval);
        } else {
            cx.timers.arm(timer, cx.now + interval);
        }
    }
    cx.timers.hasten(Timer::FastJoin, cx.now + knobs.fast_join_pause);
    // A round that waits was drawn for other knobs; the next has its phase in the new interval.
    cx.out.begin_gossip();
    cx.timers.stop(Timer::Gossip);
    cx.arm_gossip();
}

/// Chooses the targets of a gossip round (memberlist spec 6.2).
pub(crate) fn on_gossip(cx: &mut Ctx) {
    cx.out.begin_gossip();
    if cx.rumours.is_empty() {
        return;
    }
    let k = cx.config.knobs.gossip_nodes as usize;
    let dead_since = cx.now - cx.config.knobs.gossip_to_the_dead_time;
    let me = cx.me;
    let targets = cx.pick(k, |members, slot, s| {
        let fresh_dead =
            || members.local.get(&slot).is_some_and(|local| local.changed >= dead_since);
        slot != me && (s.state().is_live() || s.state() == State::Dead && fresh_dead())
    });
    for &slot in &targets {
        cx.out.gossip(slot);
    }
    // With nobody to tell, the rumours wait for the member who comes, and he arms the timer.
    if !targets.is_empty() {
        cx.arm_gossip();
    }
}

/// memberlist's scaling: twice as rare above 32 members, three times above 64, and so on.
pub(crate) fn push_pull_interval(interval: Duration, n: u32) -> Duration {
    if n <= PUSH_PULL_SCALE_N {
        return interval;
    }
    // ceil(log2(n) - 5) + 1, in whole numbers.
    let log2_ceil = u32::BITS - (n - 1).leading_zeros();
    interval * (log2_ceil - PUSH_PULL_SCALE_N.ilog2() + 1)
}

pub(crate) fn on_push_pull(cx: &mut Ctx, exchanges: &mut Exchanges) {
    let interval = push_pull_interval(cx.config.knobs.push_pull_interval, cx.members.len());
    if cx.config.knobs.push_pull_interval.is_zero() {
        return;
    }
    cx.timers.arm(Timer::PushPull, cx.now + interval);
    if let Some(with) = cx.pick_alive() {
        exchanges.sync(cx, with, Purpose::Sync);
    }
}

/// Tries one failed member, so that each is tried about once per interval by the whole cluster
/// (Serf spec 3.7).
pub(crate) fn on_reconnect(cx: &mut Ctx, exchanges: &mut Exchanges) {
    let interval = cx.config.knobs.reconnect_interval;
    if interval.is_zero() || cx.leaving {
        return;
    }
    cx.timers.arm(Timer::Reconnect, cx.now + interval);
    let failed =
        |cx: &Ctx, slot: SlotId| !cx.members.slot(slot).state().is_live() && !cx.has_left(slot);
    let count = cx.members.local.keys().filter(|&&slot| failed(cx, slot)).count();
    if count == 0 {
        return;
    }
    let alive = f64::from(cx.members.live().max(1));
    if cx.rng.unit() > count as f64 / alive {
        return;
    }
    let nth = cx.rng.below(u32::try_from(count).unwrap_or(u32::MAX)) as usize;
    let slot = cx.members.local.keys().copied().filter(|&slot| failed(cx, slot)).nth(nth);
    if let Some(slot) = slot {
        exchanges.sync(cx, slot, Purpose::Reconnect);
    }
}

/// Forgets members that have been gone for long enough.
pub(crate) fn on_reap(cx: &mut Ctx, prober: &mut Prober) {
    cx.timers.arm(Timer::Reap, cx.now + cx.config.knobs.reap_interval);
    // A burst's memory goes back once the burst is over.
    cx.rumours.trim();
    cx.events.trim();
    cx.out.trim();
    if let Some(above) = &mut cx.above {
        above.trim();
    }
    if cx.members.local.is_empty() {
        return;
    }
    let slots: Vec<SlotId> = cx.members.local.keys().copied().collect();
    let mut reaped = 0;
    for slot in slots {
        if slot != cx.me && reaped < REAP_SLICE && is_forgettable(cx, slot) {
            cx.forget(prober, slot);
            reaped += 1;
        }
    }
}

impl Ctx {
    /// Forgets a member.
    pub(crate) fn forget(&mut self, prober: &mut Prober, slot: SlotId) {
        let mut member = self.members.member(slot);
        if self.above.is_some() {
            member.state = if self.has_left(slot) { State::Left } else { State::Dead };
        }
        self.rumours.forget(slot);
        prober.forget(self, slot);
        self.members.remove(slot);
        self.forget_mark(slot);
        self.raise(Event::Reaped(member));
    }
}

fn is_forgettable(cx: &mut Ctx, slot: SlotId) -> bool {
    if cx.members.slot(slot).state().is_live() {
        return false;
    }
    let after = match cx.has_left(slot) {
        false => cx.config.knobs.reconnect_timeout,
        true => cx.config.knobs.tombstone_timeout,
    };
    let Some(local) = cx.members.local.get(&slot) else { return false };
    let gone = cx.now.since(local.changed);
    if !cx.verdicts.are_asked(&cx.config) {
        return gone > after;
    }
    let member = cx.members.member(slot);
    gone > cx.verdicts.reap_after(&cx.config, &member).unwrap_or(after)
}
