//! Applying claims about members: alive, suspect, dead (memberlist spec 4.2 to 4.5).

use core::net::{IpAddr, SocketAddr};

use super::ctx::Ctx;
use super::members::{Slot, SlotId};
use super::outbox::Packet;
use super::rules::{self, Known, OnAccusation, OnAlive, Place, Subject};
use super::rumours::Rumour;
use crate::event::{Event, Evidence, Outcome};
use crate::ids::{Addr, Incarnation, META_BYTES_MAX, OpId, check_name};
use crate::member::{Member, Record, State, Versions};
use crate::policy::{Admission, Candidate};
use crate::time::Instant;
use crate::wire;

/// Who a claim came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This node's own probe, which asked in these ways.
    Probe(Asked),
    Datagram(SocketAddr),
    PushPull,
    /// A push/pull by which this node joins: what it teaches is told by others.
    Joining,
}

/// How a member was asked besides directly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) helpers: u16,
    /// Helpers that had no answer either.
    pub(crate) nacks: u16,
    pub(crate) stream: bool,
}

impl Origin {
    pub(super) fn evidence(self) -> Evidence {
        match self {
            Self::Probe(Asked { helpers, nacks, stream }) => {
                Evidence::Probe { helpers: helpers.into(), nacks: nacks.into(), stream }
            }
            Self::Datagram(_) => Evidence::Gossip,
            Self::PushPull | Self::Joining => Evidence::PushPull,
        }
    }
}

impl Ctx {
    pub(crate) fn on_alive(&mut self, origin: Origin, claim: &wire::Alive<'_>) {
        let slot = match origin {
            Origin::Datagram(_) | Origin::Probe(_) => self.members.find(claim.node),
            Origin::PushPull | Origin::Joining => self.members.find_next(claim.node),
        };
        self.on_alive_at(origin, claim, slot);
    }

    /// The same, of the member in this slot; `None` if there was none.
    #[inline]
    pub(crate) fn on_alive_at(
        &mut self,
        origin: Origin,
        claim: &wire::Alive<'_>,
        slot: Option<SlotId>,
    ) {
        let port = if claim.port == 0 { self.my_record().port() } else { claim.port };
        let Some(slot) = slot else {
            self.on_newcomer(origin, claim, port);
            return;
        };
        // Most claims repeat what is known, or renew it: those take the short way.
        let known = self.members.slot(slot);
        let same_form = known.record().is_at(claim.addr.unwrap_or_default(), port);
        if same_form && claim.incarnation <= known.incarnation() && slot != self.me {
            self.stats.stale += 1;
        } else if same_form && self.is_renewal(slot, known, claim) {
            self.members.renew(slot, claim.incarnation);
            self.count_alive();
            self.gossip(Rumour::Alive { subject: slot });
        } else {
            self.on_other_alive(origin, claim, slot, port);
        }
    }

    /// A claim that may change more than the incarnation, or is about this node.
    #[inline(never)]
    fn on_other_alive(&mut self, origin: Origin, claim: &wire::Alive<'_>, slot: SlotId, port: u16) {
        let ip = claim.addr.unwrap_or_default();
        let same_form = self.members.slot(slot).record().is_at(ip, port);
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
            OnAlive::Refute => self.refute(origin, claim.incarnation, None),
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
                    let record = self.members.record(claim.node, addr, meta, versions);
                    self.members.replace(slot, record, claim.incarnation, State::Alive);
                }
                self.after_alive(slot, before.state, same_content);
            }
        }
    }

    /// Whether a claim from the known address only raises the incarnation of another member that is
    /// alive, and nobody but the rules has a say: what it repeats was checked when it was news.
    fn is_renewal(&self, slot: SlotId, known: Slot<'_>, claim: &wire::Alive<'_>) -> bool {
        slot != self.me
            && known.state() == State::Alive
            && claim.incarnation > known.incarnation()
            && known.record().says(claim.meta.unwrap_or_default(), claim.vsn.unwrap_or_default())
            && self.takes_everybody()
    }

    /// Whether neither addresses nor the policy can keep anybody out.
    pub(crate) fn takes_everybody(&self) -> bool {
        self.config.allowed.is_empty() && !self.verdicts.are_asked(&self.config)
    }

    fn after_alive(&mut self, slot: SlotId, before: State, same_content: bool) {
        if before != State::Alive {
            match self.members.local.get_mut(&slot) {
                Some(local) if local.look.is_some() => local.suspicion = None,
                _ => drop(self.members.local.remove(&slot)),
            }
        }
        self.count_alive();
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

    #[inline(never)]
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
        let record = self.members.record(claim.node, addr, meta, versions);
        self.welcome(origin, record, claim.incarnation);
    }

    /// Takes in a newcomer of whom nothing need be checked.
    fn welcome(&mut self, origin: Origin, record: Record, incarnation: u32) {
        let slot = self.members.insert(record, incarnation, State::Alive);
        self.count_alive();
        if origin != Origin::Joining {
            self.gossip(Rumour::Alive { subject: slot });
        }
        self.raise(Event::Up(self.members.member(slot)));
    }

    /// A newcomer of whom the roster of this process tells, which was checked when it was made;
    /// for nodes that [take everybody](Self::takes_everybody).
    pub(crate) fn on_placed_newcomer(&mut self, origin: Origin, record: &Record, incarnation: u32) {
        if self.members.len() >= self.config.knobs.members_max {
            self.stats.rare().table_full += 1;
            return;
        }
        self.welcome(origin, record.clone(), incarnation);
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

    pub(super) fn subject(&self, slot: SlotId) -> Subject {
        match (slot == self.me, self.leaving || self.is_moving()) {
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
            OnAccusation::Stale | OnAccusation::Outdate => {
                self.on_stale_accusation(origin, slot, claim.from)
            }
            OnAccusation::Unanswerable => self.stats.rare().bad_incarnations += 1,
            OnAccusation::Refute if self.leaving => {}
            OnAccusation::Refute => {
                self.refute(origin, claim.incarnation, Some((claim.from, State::Suspect)));
            }
            OnAccusation::Confirm if self.members.slot(slot).is_settled() => self.stats.stale += 1,
            OnAccusation::Confirm => self.confirm(origin, slot, claim),
            OnAccusation::Apply => self.begin_suspicion(origin, slot, claim),
        }
    }

    /// Whoever accuses this node of an incarnation that it has left behind has missed its answer.
    fn on_stale_accusation(&mut self, origin: Origin, slot: SlotId, by: &[u8]) {
        self.stats.stale += 1;
        if self.subject(slot) == Subject::Me
            && self.config.ablation.refute
            && let Origin::Datagram(from) = origin
        {
            self.answer(from, by);
        }
    }

    /// Tells an accuser that this node lives. Should too much wait, gossip tells it later. `by`:
    /// who made the accusation, who need not be who passed it on.
    fn answer(&mut self, accuser: SocketAddr, by: &[u8]) {
        if !self.config.ablation.answer_accusers {
            return;
        }
        let to = Addr::from(accuser);
        // One answer will do for all accusations of a datagram.
        if !self.out.ends_with_refutation(to) {
            let is_theirs = |slot| self.members.slot(slot).record().addr().same_place(&to);
            let named = self.names && self.members.find(by).is_some_and(is_theirs);
            self.reply_by_name(if named { by } else { b"" }, Packet::Refutation { to });
        }
    }

    pub(crate) fn on_dead(&mut self, origin: Origin, claim: &wire::Claim<'_>) {
        let Some(slot) = self.members.find(claim.node) else {
            self.stats.stale += 1;
            return;
        };
        match rules::on_dead(self.known(slot), self.subject(slot), claim.incarnation) {
            OnAccusation::Stale | OnAccusation::Confirm => {
                self.on_stale_accusation(origin, slot, claim.from)
            }
            OnAccusation::Unanswerable => self.stats.rare().bad_incarnations += 1,
            OnAccusation::Refute => {
                let left = claim.from == claim.node;
                let claimed = if left { State::Left } else { State::Dead };
                self.refute(origin, claim.incarnation, Some((claim.from, claimed)));
            }
            OnAccusation::Apply => match self.members.node_name(claim.from) {
                Ok(_) if self.asks_first(slot, claim) => self.ask_first(origin, slot, claim),
                Ok(from) => self.apply_dead(slot, claim.incarnation, from),
                Err(_) => self.stats.rare().bad_names += 1,
            },
            OnAccusation::Outdate => match self.members.node_name(claim.from) {
                Ok(from) => {
                    self.bury(slot, claim.incarnation, from);
                }
                Err(_) => self.stats.rare().bad_names += 1,
            },
        }
    }

    /// Answers an accusation against this node of this incarnation: to all by gossip, and to
    /// whoever passed it on at once. `accuser`: who says what, unless it is an alive of an earlier
    /// life.
    fn refute(&mut self, origin: Origin, accused: u32, accuser: Option<(&[u8], State)>) {
        if !self.config.ablation.refute {
            return;
        }
        let incarnation = rules::refutation(self.my_incarnation(), accused);
        self.members.set(self.me, incarnation, State::Alive);
        self.stats.rare().refutations += 1;
        self.adjust_awareness(1);
        self.announce_self(None);
        if let Origin::Datagram(from) = origin {
            self.answer(from, accuser.map_or(b"", |(by, _)| by));
        }
        if self.config.knobs.evidence_events {
            if let Some((by, claimed)) = accuser
                && let Ok(by) = self.members.node_name(by)
            {
                self.raise(Event::Accused { by, evidence: origin.evidence(), claimed });
            }
            self.raise(Event::Refuted(Incarnation(incarnation)));
        }
    }

    /// Renews the claim of this node, with what has changed about it.
    pub(crate) fn renew(&mut self, record: Record, op: Option<(OpId, Outcome)>) {
        if self.is_moving() {
            // It has said that it left; the change is told when it arrives.
            self.members.replace(self.me, record, self.my_incarnation(), State::Left);
            self.app().own_claim_ops.extend(op);
            return;
        }
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
        let moving = self.app().moving.take();
        self.app().own_claim_ops.push((op, outcome));
        let others = self.others_live();
        let (incarnation, me) = (self.my_incarnation(), self.my_name());
        match moving {
            // On the move it has left already, and says so again.
            Some((_, moving)) => {
                self.done(moving, Outcome::Displaced);
                self.gossip(Rumour::Dead { subject: self.me, incarnation, from: me });
            }
            None => self.apply_dead(self.me, incarnation, me),
        }
        if others == 0 {
            self.own_claim_sent();
        }
    }

    /// Leaves the old address, to come back at another.
    pub(crate) fn move_to(&mut self, addr: Addr, op: OpId) {
        let before = self.app().moving.replace((addr, op));
        if let Some((_, before)) = before {
            self.done(before, Outcome::Displaced);
        }
        if self.others_live() == 0 {
            self.on_arrival();
        } else if before.is_none() {
            self.apply_dead(self.me, self.my_incarnation(), self.my_name());
        }
    }

    /// Comes to the new address.
    pub(crate) fn on_arrival(&mut self) {
        let Some((addr, op)) = self.app().moving.take() else { return };
        let record = self.my_record().with(addr, self.my_record().meta());
        self.renew(record, Some((op, Outcome::Applied)));
    }

    fn known(&self, slot: SlotId) -> Known {
        let slot = self.members.slot(slot);
        Known { state: slot.state(), incarnation: slot.incarnation() }
    }

    /// An entry of a push/pull about a member that is not alive there.
    pub(crate) fn on_remote_not_alive(&mut self, name: &[u8], incarnation: u32, state: State) {
        let me = self.my_record().clone();
        let from = if state == State::Left { name } else { me.name_bytes() };
        let claim = wire::Claim { incarnation, node: name, from };
        match state {
            State::Left => self.on_dead(Origin::PushPull, &claim),
            State::Dead if self.holds_as_gone(name) => self.on_dead(Origin::PushPull, &claim),
            // Another's "dead" only makes this node suspicious (memberlist spec 4.6).
            _ => self.on_suspect(Origin::PushPull, &claim),
        }
    }

    fn holds_as_gone(&self, name: &[u8]) -> bool {
        let slot = self.members.find(name);
        slot.is_some_and(|slot| !self.members.slot(slot).state().is_live())
    }
}

/// Six version bytes of a node that some node can talk to (hazards 3 and 13).
pub(crate) fn sane_versions(bytes: &[u8]) -> Option<Versions> {
    let bytes: [u8; 6] = bytes.try_into().ok()?;
    let [min, max, current, ..] = bytes;
    (min > 0 && min <= max && (min..=max).contains(&current)).then_some(Versions(bytes))
}
