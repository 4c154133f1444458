//! What becomes of suspects: they are confirmed, asked, and declared dead if they do not answer.
//!
//! Nobody is declared dead unasked. Gossip about hundreds of suspects at once, as after a healed
//! partition, takes longer than suspicions last, and brings deaths that were true on the other side
//! only; asking a suspect takes a round trip.

use alloc::boxed::Box;
use core::time::Duration;

use super::claims::Origin;
use super::ctx::Ctx;
use super::members::{Local, SlotId};
use super::outbox::Packet;
use super::rules::Subject;
use super::rumours::Rumour;
use super::suspicion::Suspicion;
use super::timers::Due;
use crate::event::{Cause, Event};
use crate::ids::NodeName;
use crate::member::State;
use crate::time::Instant;
use crate::wire;

/// Suspects that are asked by themselves in a probe interval, so that a healed partition causes no
/// burst; in a large cluster as many as it takes to ask everybody in a round.
const QUESTIONS: u32 = 24;
/// Probe intervals that anybody waits for a turn at most.
const ROUND: u32 = 10;

impl Ctx {
    pub(super) fn begin_suspicion(
        &mut self,
        origin: Origin,
        slot: SlotId,
        claim: &wire::Claim<'_>,
    ) {
        if !self.config.ablation.suspicion {
            self.on_dead(origin, claim);
            return;
        }
        let Ok(from) = self.members.node_name(claim.from) else {
            self.stats.rare().bad_names += 1;
            return;
        };
        self.suspect(origin, slot, claim.incarnation, from.clone());
        // After a healed partition push/pulls suspect whole halves of a cluster at once.
        if origin == Origin::PushPull && self.config.ablation.last_call {
            self.ask(slot);
        } else {
            let incarnation = claim.incarnation;
            self.gossip(Rumour::Suspect { subject: slot, incarnation, from });
        }
    }

    fn suspect(&mut self, origin: Origin, slot: SlotId, incarnation: u32, from: NodeName) {
        self.stats.rare().suspicions += 1;
        self.members.set(slot, incarnation, State::Suspect);
        let suspicion = Suspicion::new(self.now, &self.config, self.members.len(), from.clone());
        let (due, confirmed) = (suspicion.due(), suspicion.is_confirmed());
        self.change(slot, Some(Box::new(suspicion)));
        self.look(slot, due);
        if confirmed {
            self.members.settle(slot);
        }
        if self.config.knobs.evidence_events {
            let member = self.members.member(slot);
            self.raise(Event::Suspected { member, by: from, evidence: origin.evidence() });
        }
    }

    pub(super) fn confirm(&mut self, origin: Origin, slot: SlotId, claim: &wire::Claim<'_>) {
        let suspicion = |local: &Local| local.suspicion.as_ref().map(|s| s.wants(claim.from));
        let Some(wanted) = self.members.local.get(&slot).and_then(suspicion) else { return };
        let from = if wanted { self.members.node_name(claim.from).ok() } else { None };
        let Some(from) = from else {
            self.stats.stale += 1;
            return;
        };
        let confirm = |suspicion: &mut Suspicion| {
            suspicion.confirm(from.clone());
            suspicion.is_confirmed()
        };
        if self.with_suspicion(slot, confirm) == Some(true) {
            self.members.settle(slot);
        }
        if self.config.knobs.evidence_events {
            let (member, by) = (self.members.member(slot), from.clone());
            self.raise(Event::Confirmed { member, by, evidence: origin.evidence() });
        }
        self.gossip(Rumour::Suspect { subject: slot, incarnation: claim.incarnation, from });
    }

    /// Whether a death that another has declared is believed only after a question.
    pub(super) fn asks_first(&self, slot: SlotId, claim: &wire::Claim<'_>) -> bool {
        let left = self.members.name_bytes(slot) == claim.from;
        let ablation = &self.config.ablation;
        ablation.last_call && ablation.suspicion && !left && self.subject(slot) == Subject::Other
    }

    /// Another has declared a member dead that lives here. It may have been cut off from it; so the
    /// member is asked, now, and dead unless it answers.
    pub(super) fn ask_first(&mut self, origin: Origin, slot: SlotId, claim: &wire::Claim<'_>) {
        let Ok(from) = self.members.node_name(claim.from) else { return };
        let known = self.members.slot(slot);
        let newer = claim.incarnation > known.incarnation();
        if known.state() == State::Alive {
            self.suspect(origin, slot, claim.incarnation, from);
            self.call(slot);
            return;
        }
        let uncalled = self.with_suspicion(slot, |suspicion| suspicion.is_uncalled());
        if !newer && uncalled == Some(false) {
            // It has been asked, and has yet to answer.
            self.stats.stale += 1;
            return;
        }
        self.members.set(slot, claim.incarnation, State::Suspect);
        let (now, wait) = (self.now, self.config.knobs.probe_timeout);
        if self.with_suspicion(slot, |s| s.is_callable(now, wait)) == Some(true) {
            self.call(slot);
        }
    }

    /// Has the last call to a suspect made as soon as may be.
    fn call(&mut self, slot: SlotId) {
        let (at, wait) = (self.next_turn(slot), self.config.knobs.probe_timeout);
        self.with_suspicion(slot, |suspicion| suspicion.call_at(at, wait));
    }

    /// Has a suspect asked as soon as may be.
    fn ask(&mut self, slot: SlotId) {
        let at = self.next_turn(slot);
        self.with_suspicion(slot, |suspicion| suspicion.ask_at(at));
    }

    /// When this suspect may be asked by itself whether it lives: now, unless there were or are too
    /// many. A turn is kept until it has come, whatever is claimed of the suspect in the meantime:
    /// so there are no more of them than members, and nobody waits for long.
    fn next_turn(&mut self, slot: SlotId) -> Instant {
        let (now, interval) = (self.now, self.config.knobs.probe_interval);
        let step = interval / QUESTIONS.max(self.members.len() / ROUND);
        let Some(local) = self.members.local.get_mut(&slot) else { return now };
        if let Some(turn) = local.turn.filter(|&turn| turn > now) {
            return turn;
        }
        let next = self.questions.max(now);
        self.questions = (next + step).min(now + interval * ROUND);
        let turn = (next - step * (QUESTIONS - 1)).max(now);
        local.turn = Some(turn);
        turn
    }

    /// Changes a suspicion, and has it looked at when it is due then.
    fn with_suspicion<T>(
        &mut self,
        slot: SlotId,
        change: impl FnOnce(&mut Suspicion) -> T,
    ) -> Option<T> {
        let suspicion = self.members.local.get_mut(&slot)?.suspicion.as_mut()?;
        let (result, due) = (change(suspicion), suspicion.due());
        self.look(slot, due);
        Some(result)
    }

    /// Notes that the state of a member changed now.
    fn change(&mut self, slot: SlotId, suspicion: Option<Box<Suspicion>>) {
        let before = self.members.local.get(&slot);
        let (look, turn) = before.map_or((None, None), |local| (local.look, local.turn));
        self.members.local.insert(slot, Local { changed: self.now, suspicion, look, turn });
    }

    /// Has the suspicion of a member looked at by `at`. A look that comes too early asks for
    /// another.
    fn look(&mut self, slot: SlotId, at: Instant) {
        // One that confirmations have cut short may be over already. That is no late time-out.
        let at = at.max(self.now);
        let Some(local) = self.members.local.get_mut(&slot) else { return };
        if local.look.is_none_or(|look| at < look) {
            local.look = Some(at);
            self.timers.push(at, Due::Suspicion(slot));
        }
    }

    /// A suspicion's time may have come.
    pub(crate) fn on_suspicion_due(&mut self, slot: SlotId) {
        let now = self.now;
        let Some(local) = self.members.local.get_mut(&slot) else { return };
        if local.look.take_if(|look| *look <= now).is_none() {
            return;
        }
        let Some(suspicion) = &mut local.suspicion else {
            let turn = local.turn.filter(|&turn| turn > now);
            match (self.members.slot(slot).state(), turn) {
                (State::Alive, Some(turn)) => self.look(slot, turn),
                (State::Alive, None) => drop(self.members.local.remove(&slot)),
                _ => {}
            }
            return;
        };
        let due = suspicion.due();
        if due > now {
            self.look(slot, due);
        } else if suspicion.take_question(now) {
            let due = suspicion.due();
            self.look(slot, due);
            if !self.reply(Packet::Challenge { suspect: slot }) {
                self.ask(slot);
            }
        } else if suspicion.is_uncalled() {
            self.call(slot);
        } else {
            if !suspicion.is_confirmed() {
                self.stats.rare().suspicions_unconfirmed += 1;
            }
            let incarnation = self.members.slot(slot).incarnation();
            let from = self.my_name();
            self.apply_dead(slot, incarnation, from);
        }
    }

    /// Gives every suspect the time in which this node did not listen.
    pub(crate) fn extend_suspicions(&mut self, late: Duration) {
        // The looks that are under way come too early, and ask for others.
        for local in self.members.local.values_mut() {
            if let Some(suspicion) = &mut local.suspicion {
                suspicion.extend(late);
            }
        }
    }

    /// Notes how the latest life of a member ended, and passes it on; what it came to.
    pub(super) fn bury(&mut self, slot: SlotId, incarnation: u32, from: NodeName) -> Cause {
        let left = self.members.name_bytes(slot) == from.as_str().as_bytes();
        let (state, cause) =
            if left { (State::Left, Cause::Left) } else { (State::Dead, Cause::Failed) };
        self.members.set(slot, incarnation, state);
        self.change(slot, None);
        self.gossip(Rumour::Dead { subject: slot, incarnation, from });
        cause
    }

    pub(super) fn apply_dead(&mut self, slot: SlotId, incarnation: u32, from: NodeName) {
        let accuser = self.members.local.get(&slot).and_then(|local| local.suspicion.as_ref());
        let by = match accuser {
            Some(suspicion) if from == self.my_name() => suspicion.accuser().clone(),
            _ => from.clone(),
        };
        let cause = self.bury(slot, incarnation, from);
        if let Some(figures) = self.figures() {
            figures.dead_claims += 1;
        }
        let by = self.config.knobs.evidence_events.then_some(by);
        self.raise(Event::Down { member: self.members.member(slot), cause, by });
    }
}
