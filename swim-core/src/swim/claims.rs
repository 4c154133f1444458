//! Applying claims about members: alive, suspect, dead (memberlist spec 4.2 to 4.5).

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};

use super::ctx::Ctx;
use super::members::{Local, SlotId};
use super::outbox::Packet;
use super::rules::{self, Known, OnAccusation, OnAlive, Place, Subject};
use super::rumours::Rumour;
use super::suspicion::Suspicion;
use super::timers::Due;
use crate::event::{Cause, Event, Evidence, Outcome};
use crate::ids::{Addr, Incarnation, META_BYTES_MAX, NodeName, OpId, check_name};
use crate::member::{Member, Record, State, Versions};
use crate::policy::{Admission, Candidate};
use crate::time::Instant;
use crate::wire;

/// Who a claim came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This node's own probe.
    Probe,
    Datagram(SocketAddr),
    PushPull,
}

impl Origin {
    fn evidence(self) -> Evidence {
        match self {
            Self::Probe => Evidence::Probe,
            Self::Datagram(_) => Evidence::Gossip,
            Self::PushPull => Evidence::PushPull,
        }
    }
}

impl Ctx {
    pub(crate) fn on_alive(&mut self, origin: Origin, claim: &wire::Alive<'_>) {
        let port = if claim.port == 0 { self.my_record().port() } else { claim.port };
        let Some(slot) = self.members.find(claim.node) else {
            self.on_newcomer(origin, claim, port);
            return;
        };
        let known = self.members.slot(slot);
        let record = known.record();
        let ip = claim.addr.unwrap_or_default();
        let same_form = record.is_at(ip, port);
        if same_form && claim.incarnation <= known.incarnation() && slot != self.me {
            self.stats.stale += 1;
            return;
        }
        if same_form && self.is_renewal(slot, claim) {
            self.members.set(slot, claim.incarnation, State::Alive);
            self.gossip(Rumour::Alive { subject: slot });
            return;
        }
        let Some((addr, versions)) = self.check_alive(origin, claim, ip, port) else { return };
        let known = self.members.slot(slot);
        let record = known.record();
        let meta = claim.meta.unwrap_or_default();
        let same_content = same_form && record.meta() == meta && record.versions() == versions;
        let place = if same_form || record.addr().same_place(&addr) {
            Place::Same
        } else if known.state() == State::Dead && self.is_reclaimable(slot) {
            Place::OtherReclaimable
        } else {
            Place::Other
        };
        let before = Known { state: known.state(), incarnation: known.incarnation() };
        match rules::on_alive(before, self.subject(slot), claim.incarnation, place, same_content) {
            OnAlive::Stale => self.stats.stale += 1,
            OnAlive::Refute => self.refute(origin, claim.incarnation),
            OnAlive::Conflict => {
                self.stats.rare().conflicts += 1;
                let record = Record::new(claim.node, addr, meta, versions);
                let incarnation = Incarnation(claim.incarnation);
                let other = Member { record, incarnation, state: State::Alive };
                let existing = self.members.member(slot);
                self.raise(Event::Conflict { existing, other });
            }
            OnAlive::Apply | OnAlive::TakeOver => {
                let allowed = place == Place::Same || self.allows(addr.canonical().ip());
                if !allowed || !self.admits(claim.node, addr, meta, versions) {
                    return;
                }
                if same_content {
                    self.members.set(slot, claim.incarnation, State::Alive);
                } else {
                    let record = Record::new(claim.node, addr, meta, versions);
                    self.members.replace(slot, record, claim.incarnation, State::Alive);
                }
                self.after_alive(slot, before.state, same_content);
            }
        }
    }

    /// Whether a claim from the known address only raises the incarnation of another member that is
    /// alive, and nobody but the rules has a say: what it repeats was checked when it was news.
    fn is_renewal(&self, slot: SlotId, claim: &wire::Alive<'_>) -> bool {
        let known = self.members.slot(slot);
        let record = known.record();
        slot != self.me
            && known.state() == State::Alive
            && claim.incarnation > known.incarnation()
            && record.says(claim.meta.unwrap_or_default(), claim.vsn.unwrap_or_default())
            && self.config.allowed.is_empty()
            && !self.verdicts.are_asked(&self.config)
    }

    fn after_alive(&mut self, slot: SlotId, before: State, same_content: bool) {
        if before != State::Alive {
            self.members.local.remove(&slot);
        }
        self.gossip(Rumour::Alive { subject: slot });
        match before {
            State::Dead | State::Left => self.raise(Event::Up(self.members.member(slot))),
            State::Suspect if self.config.knobs.evidence_events => {
                self.raise(Event::Trusted(self.members.member(slot)));
            }
            _ => {}
        }
        if before.is_live() && !same_content {
            self.raise(Event::Changed(self.members.member(slot)));
        }
    }

    fn on_newcomer(&mut self, origin: Origin, claim: &wire::Alive<'_>, port: u16) {
        if check_name(claim.node).is_err() {
            self.stats.rare().bad_names += 1;
            return;
        }
        // Incarnations begin at 1; Go would keep a phantom (hazard 5).
        if claim.incarnation == 0 {
            self.stats.rare().bad_incarnations += 1;
            return;
        }
        let ip = claim.addr.unwrap_or_default();
        let Some((addr, versions)) = self.check_alive(origin, claim, ip, port) else { return };
        if !self.allows(addr.canonical().ip()) {
            return;
        }
        if self.members.len() >= self.config.knobs.members_max {
            self.stats.rare().table_full += 1;
            return;
        }
        let meta = claim.meta.unwrap_or_default();
        if !self.admits(claim.node, addr, meta, versions) {
            return;
        }
        let record = Record::new(claim.node, addr, meta, versions);
        let slot = self.members.insert(record, claim.incarnation, State::Alive);
        self.gossip(Rumour::Alive { subject: slot });
        self.raise(Event::Up(self.members.member(slot)));
    }

    /// What must hold of any alive claim that could change something.
    fn check_alive(
        &mut self,
        origin: Origin,
        claim: &wire::Alive<'_>,
        ip: &[u8],
        port: u16,
    ) -> Option<(Addr, Versions)> {
        if claim.meta.is_some_and(|meta| meta.len() > META_BYTES_MAX) {
            self.stats.rare().bad_meta += 1;
            return None;
        }
        let versions = claim.vsn.and_then(sane_versions);
        let Some(versions) = versions else {
            self.stats.rare().bad_versions += 1;
            return None;
        };
        let addr = Addr::from_wire(ip, port).ok().filter(|a| !a.canonical().ip().is_unspecified());
        let Some(addr) = addr else {
            self.stats.rare().bad_addresses += 1;
            return None;
        };
        if let Origin::Datagram(from) = origin
            && !(self.config.allows(from.ip()) && self.config.allows(addr.canonical().ip()))
        {
            self.stats.rare().bad_addresses += 1;
            return None;
        }
        Some((addr, versions))
    }

    fn allows(&mut self, ip: IpAddr) -> bool {
        let allowed = self.config.allows(ip);
        if !allowed {
            self.stats.rare().bad_addresses += 1;
        }
        allowed
    }

    fn admits(&mut self, name: &[u8], addr: Addr, meta: &[u8], versions: Versions) -> bool {
        let Ok(name) = check_name(name) else { return false };
        if !self.verdicts.are_asked(&self.config) {
            return true;
        }
        let candidate = Candidate { name, addr, meta, versions, state: State::Alive };
        let me = self.members.member(self.me);
        let admitted = self.verdicts.admit(&self.config, &me, &[candidate], Admission::Alive);
        if admitted.is_err() {
            self.stats.rare().vetoed += 1;
        }
        admitted.is_ok()
    }

    fn is_reclaimable(&self, slot: SlotId) -> bool {
        let after = self.config.knobs.dead_node_reclaim_time;
        let changed = self.members.local.get(&slot).map_or(Instant::ZERO, |local| local.changed);
        !after.is_zero() && self.now.since(changed) > after
    }

    fn subject(&self, slot: SlotId) -> Subject {
        match (slot == self.me, self.leaving) {
            (false, _) => Subject::Other,
            (true, false) => Subject::Me,
            (true, true) => Subject::MeLeaving,
        }
    }

    pub(crate) fn on_suspect(&mut self, origin: Origin, claim: &wire::Claim<'_>) {
        let Some(slot) = self.members.find(claim.node) else {
            self.stats.stale += 1;
            return;
        };
        let known = self.known(slot);
        match rules::on_suspect(known, self.subject(slot), claim.incarnation) {
            OnAccusation::Stale => self.stats.stale += 1,
            OnAccusation::Unanswerable => self.stats.rare().bad_incarnations += 1,
            OnAccusation::Refute if self.leaving => {}
            OnAccusation::Refute => self.refute(origin, claim.incarnation),
            OnAccusation::Confirm => self.confirm(slot, claim),
            OnAccusation::Apply => self.begin_suspicion(origin, slot, claim),
        }
    }

    fn confirm(&mut self, slot: SlotId, claim: &wire::Claim<'_>) {
        let local = self.members.local.get_mut(&slot);
        let Some(suspicion) = local.and_then(|local| local.suspicion.as_mut()) else { return };
        if !suspicion.confirm(claim.from) {
            self.stats.stale += 1;
            return;
        }
        self.timers.push(suspicion.deadline(), Due::Suspicion(slot));
        if let Ok(from) = NodeName::from_wire(claim.from) {
            let incarnation = claim.incarnation;
            self.gossip(Rumour::Suspect { subject: slot, incarnation, from });
        }
    }

    fn begin_suspicion(&mut self, origin: Origin, slot: SlotId, claim: &wire::Claim<'_>) {
        if !self.config.ablation.suspicion {
            self.on_dead(origin, claim);
            return;
        }
        let Ok(from) = NodeName::from_wire(claim.from) else {
            self.stats.rare().bad_names += 1;
            return;
        };
        let incarnation = claim.incarnation;
        self.stats.rare().suspicions += 1;
        self.members.set(slot, incarnation, State::Suspect);
        let suspicion = Suspicion::new(self.now, &self.config, self.members.len(), from.clone());
        self.timers.push(suspicion.deadline(), Due::Suspicion(slot));
        let local = Local { changed: self.now, suspicion: Some(Box::new(suspicion)) };
        self.members.local.insert(slot, local);
        if origin != Origin::PushPull || !self.challenge(slot) {
            self.gossip(Rumour::Suspect { subject: slot, incarnation, from: from.clone() });
        }
        if self.config.knobs.evidence_events {
            let member = self.members.member(slot);
            self.raise(Event::Suspected { member, by: from, evidence: origin.evidence() });
        }
    }

    /// Tells a suspect alone of a suspicion that came by push/pull; false if too much waits to be
    /// sent. After a healed partition whole halves of a cluster are suspected at once: gossip about
    /// each of them takes longer than the suspicions last, an answer takes one round trip.
    fn challenge(&mut self, suspect: SlotId) -> bool {
        self.out.reply(Packet::Challenge { suspect }, self.config.knobs.replies_max)
    }

    /// A suspicion's time may have come.
    pub(crate) fn on_suspicion_due(&mut self, slot: SlotId) {
        let local = self.members.local.get(&slot);
        let Some(suspicion) = local.and_then(|local| local.suspicion.as_ref()) else { return };
        if suspicion.deadline() > self.now {
            return;
        }
        let incarnation = self.members.slot(slot).incarnation();
        let from = self.my_name.clone();
        self.apply_dead(slot, incarnation, from);
    }

    /// Gives every suspect the time in which this node did not listen.
    pub(crate) fn extend_suspicions(&mut self, late: core::time::Duration) {
        for (&slot, local) in &mut self.members.local {
            if let Some(suspicion) = &mut local.suspicion {
                suspicion.extend(late);
                self.timers.push(suspicion.deadline(), Due::Suspicion(slot));
            }
        }
    }

    pub(crate) fn on_dead(&mut self, origin: Origin, claim: &wire::Claim<'_>) {
        let Some(slot) = self.members.find(claim.node) else {
            self.stats.stale += 1;
            return;
        };
        match rules::on_dead(self.known(slot), self.subject(slot), claim.incarnation) {
            OnAccusation::Stale | OnAccusation::Confirm => self.stats.stale += 1,
            OnAccusation::Unanswerable => self.stats.rare().bad_incarnations += 1,
            OnAccusation::Refute => self.refute(origin, claim.incarnation),
            OnAccusation::Apply => match NodeName::from_wire(claim.from) {
                Ok(from) => self.apply_dead(slot, claim.incarnation, from),
                Err(_) => self.stats.rare().bad_names += 1,
            },
        }
    }

    fn apply_dead(&mut self, slot: SlotId, incarnation: u32, from: NodeName) {
        let left = self.members.slot(slot).record().name_bytes() == from.as_str().as_bytes();
        let (state, cause) =
            if left { (State::Left, Cause::Left) } else { (State::Dead, Cause::Failed) };
        let accuser = self.members.local.get(&slot).and_then(|local| local.suspicion.as_ref());
        let by = match accuser {
            Some(suspicion) if from == self.my_name => suspicion.accuser().clone(),
            _ => from.clone(),
        };
        self.members.set(slot, incarnation, state);
        self.members.local.insert(slot, Local { changed: self.now, suspicion: None });
        self.gossip(Rumour::Dead { subject: slot, incarnation, from });
        let by = self.config.knobs.evidence_events.then_some(by);
        self.raise(Event::Down { member: self.members.member(slot), cause, by });
    }

    /// Answers an accusation against this node of this incarnation: to all by gossip, and to whoever
    /// passed it on at once.
    fn refute(&mut self, origin: Origin, accused: u32) {
        if !self.config.ablation.refute {
            return;
        }
        let incarnation = rules::refutation(self.my_incarnation(), accused);
        self.members.set(self.me, incarnation, State::Alive);
        self.stats.rare().refutations += 1;
        self.adjust_awareness(1);
        self.announce_self(None);
        if let Origin::Datagram(from) = origin {
            let refutation = Packet::Refutation { to: Addr::from(from) };
            // Should too much wait, gossip tells it later.
            self.out.reply(refutation, self.config.knobs.replies_max);
        }
        if self.config.knobs.evidence_events {
            self.raise(Event::Refuted(Incarnation(incarnation)));
        }
    }

    /// Renews the claim of this node, with what has changed about it.
    pub(crate) fn renew(&mut self, record: Record, op: Option<(OpId, Outcome)>) {
        let incarnation = self.my_incarnation().saturating_add(1);
        let before = self.members.slot(self.me).state();
        self.members.replace(self.me, record, incarnation, State::Alive);
        self.members.local.remove(&self.me);
        let member = self.members.member(self.me);
        self.raise(if before.is_live() { Event::Changed(member) } else { Event::Up(member) });
        self.announce_self(op);
    }

    /// Says that this node leaves.
    pub(crate) fn leave(&mut self, op: OpId, outcome: Outcome) {
        self.leaving = true;
        self.app().own_claim_ops.push((op, outcome));
        let others = self.others_live();
        self.apply_dead(self.me, self.my_incarnation(), self.my_name.clone());
        if others == 0 {
            self.own_claim_sent();
        }
    }

    /// Leaves the old address, to come back at another.
    pub(crate) fn move_to(&mut self, addr: Addr, op: OpId) {
        if self.others_live() == 0 {
            self.arrive(addr, op);
            return;
        }
        self.app().moving = Some((addr, op));
        self.apply_dead(self.me, self.my_incarnation(), self.my_name.clone());
    }

    pub(crate) fn arrive(&mut self, addr: Addr, op: OpId) {
        let record = self.my_record().with(addr, self.my_record().meta());
        self.renew(record, Some((op, Outcome::Applied)));
    }

    fn known(&self, slot: SlotId) -> Known {
        let slot = self.members.slot(slot);
        Known { state: slot.state(), incarnation: slot.incarnation() }
    }

    /// An entry of a push/pull about a member that is not alive there.
    pub(crate) fn on_remote_not_alive(&mut self, name: &[u8], incarnation: u32, state: State) {
        let me = self.my_name.clone();
        let from = if state == State::Left { name } else { me.as_str().as_bytes() };
        let claim = wire::Claim { incarnation, node: name, from };
        match state {
            State::Left => self.on_dead(Origin::PushPull, &claim),
            // Another's "dead" only makes this node suspicious (memberlist spec 4.6).
            _ => self.on_suspect(Origin::PushPull, &claim),
        }
    }
}

/// Six version bytes of a node that some node can talk to (hazards 3 and 13).
pub(crate) fn sane_versions(bytes: &[u8]) -> Option<Versions> {
    let bytes: [u8; 6] = bytes.try_into().ok()?;
    let [min, max, current, ..] = bytes;
    (min > 0 && min <= max && (min..=max).contains(&current)).then_some(Versions(bytes))
}
