//! What a node does for the layer above it, inside of the crate.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use super::above::{Above, Mail, Mark, Sum};
use super::exchange::WriteState;
use super::members::SlotId;
use super::node::Node;
use super::outbox::Direct;
use crate::event::Outcome;
use crate::ids::{Addr, Lane, NodeName, OpId};
use crate::input::{Exchange, Seat};
use crate::member::{Member, Record, State};
use crate::time::Instant;

impl Node {
    /// From now on what concerns the layer above is mail, and no event.
    pub(crate) fn attach(&mut self, wants_rtt: bool) {
        self.cx.above = Some(Box::new(Above::new(wants_rtt)));
        while let Some(event) = self.cx.events.pop() {
            self.cx.raise(event);
        }
    }

    /// Takes what waits for the layer above; `None` if nothing does.
    pub(crate) fn take_mail(&mut self) -> Option<Box<Mail>> {
        self.cx.mail.take()
    }

    /// Gives the space of read mail back for the next.
    pub(crate) fn return_mail(&mut self, mail: Box<Mail>) {
        if let Some(above) = &mut self.cx.above {
            above.return_mail(mail);
        }
    }

    /// Whether mail waits.
    pub(crate) const fn has_mail(&self) -> bool {
        self.cx.mail.is_some()
    }

    /// The places of those whom the last push/pull told of, in its order.
    pub(crate) fn take_order(&mut self) -> Vec<SlotId> {
        self.cx.above.as_mut().map(|above| core::mem::take(&mut above.order)).unwrap_or_default()
    }

    /// [`poll_exchange`](Self::poll_exchange) for a layer that writes its state when it goes.
    pub(crate) fn poll_exchange_with(
        &mut self,
        buf: &mut BytesMut,
        state: WriteState<'_>,
    ) -> Option<Exchange> {
        self.exchanges.poll(&mut self.cx, buf, Some(state))
    }

    /// Whether nothing is left to poll, mail not counted.
    pub(crate) fn is_polled(&self) -> bool {
        self.cx.out.is_empty() && self.cx.events.is_empty() && self.exchanges.is_drained()
    }

    /// Lets time pass up to an input of the layer above.
    pub(crate) fn advance(&mut self, now: Instant) {
        if now < self.cx.now {
            self.cx.stats.rare().clock_backwards += 1;
        } else {
            self.cx.now = now;
        }
    }

    pub(crate) fn random_u32(&mut self) -> u32 {
        self.cx.rng.next_u32()
    }

    /// The time of the last input.
    pub(crate) fn now(&self) -> Instant {
        self.cx.now
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<SlotId> {
        self.cx.members.find(name)
    }

    /// The same, of one who may be at `guess`, or else after the last who was found.
    pub(crate) fn find_at(&mut self, guess: Option<SlotId>, name: &[u8]) -> Option<SlotId> {
        let members = &mut self.cx.members;
        guess.filter(|&guess| members.is_named(guess, name)).or_else(|| members.find_next(name))
    }

    /// The places of all members.
    pub(crate) fn slots(&self) -> impl Iterator<Item = SlotId> + '_ {
        self.cx.members.iter().map(|(slot, _)| slot)
    }

    /// A member by its place, which must be in use.
    pub(crate) fn at(&self, slot: SlotId) -> Member {
        self.cx.members.member(slot)
    }

    /// Whether a member is alive or suspect.
    pub(crate) fn is_live(&self, slot: SlotId) -> bool {
        self.cx.members.slot(slot).state().is_live()
    }

    pub(crate) fn is_suspect(&self, slot: SlotId) -> bool {
        self.cx.members.slot(slot).state() == State::Suspect
    }

    /// Where this node stands in its own table.
    pub(crate) fn my_slot(&self) -> SlotId {
        self.cx.me
    }

    pub(crate) fn my_record(&self) -> &Record {
        self.cx.my_record()
    }

    /// Members that are alive or suspect, besides this node.
    pub(crate) fn others_live(&self) -> u32 {
        self.cx.others_live()
    }

    pub(crate) fn mark(&self, slot: SlotId) -> Mark {
        self.cx.mark(slot)
    }

    pub(crate) fn set_mark(&mut self, slot: SlotId, mark: Mark) {
        if let Some(above) = &mut self.cx.above {
            above.set_mark(slot, mark);
        }
    }

    /// What the names and numbers of all members come to.
    pub(crate) fn marks_sum(&mut self) -> Sum {
        let members = &self.cx.members;
        let kept = self.cx.above.as_ref().and_then(|above| above.sum());
        if let Some(sum) = kept.filter(|sum| sum.members() == members.len()) {
            return sum;
        }
        let mut sum = Sum::default();
        for (slot, s) in members.iter() {
            sum.add(members.hash(s.record().name_bytes()), self.cx.mark(slot).number);
        }
        if let Some(above) = &mut self.cx.above {
            above.keep_sum(sum);
        }
        sum
    }

    /// A hash of a name, for [`Sum::add`].
    pub(crate) fn hash(&self, name: &[u8]) -> u64 {
        self.cx.members.hash(name)
    }

    /// Whether it was said of any member that it leaves.
    pub(crate) fn anybody_leaves(&self) -> bool {
        self.cx.anybody_leaves()
    }

    /// Up to `k` different members for which `wanted` holds, uniformly drawn.
    pub(crate) fn pick_members(
        &mut self,
        k: usize,
        wanted: impl Fn(SlotId, &Record, bool) -> bool,
    ) -> SmallVec<[SlotId; 8]> {
        self.cx.pick(k, |_, slot, s| wanted(slot, s.record(), s.state().is_live()))
    }

    /// Queues a broadcast; of a full lane the one that was sent most often is dropped. `op` ends
    /// when it was sent often enough or dropped. False if no datagram has room for it.
    pub(crate) fn broadcast(
        &mut self,
        lane: Lane,
        payload: Bytes,
        op: Option<OpId>,
        lane_len_max: u32,
    ) -> bool {
        let cx = &mut self.cx;
        if payload.len() > cx.broadcast_bytes_max() {
            return false;
        }
        let ended = cx.rumours.push_user(lane, None, payload, op, lane_len_max);
        cx.end_broadcasts(ended);
        cx.arm_gossip();
        true
    }

    /// Queues a datagram to one node; false if too many bytes wait.
    pub(crate) fn send(&mut self, to: Addr, name: &[u8], payload: Bytes) -> bool {
        let bytes_max = self.cx.config.knobs.direct_bytes_max;
        let name = self.cx.names.then(|| NodeName::from_wire(name).ok()).flatten();
        let to = Seat { addr: to.canonical(), name };
        let queued = self.cx.out.direct(Direct { to, payload }, bytes_max);
        if !queued {
            self.cx.stats.rare().direct_dropped += 1;
        }
        queued
    }

    /// What is in acks, for another to take its place.
    pub(crate) fn take_ack_payload(&mut self) -> Bytes {
        core::mem::take(&mut self.cx.app().ack_payload)
    }

    /// Puts this into acks from now on.
    pub(crate) fn set_ack_payload(&mut self, payload: Bytes) {
        self.cx.app().ack_payload = payload;
    }

    /// Replaces this node's metadata, and announces it; ends with `Event::Done`.
    pub(crate) fn renew_meta(&mut self, op: OpId, meta: &[u8]) {
        let record = self.cx.my_record().with(self.cx.my_record().addr(), meta);
        self.cx.renew(record, Some((op, Outcome::Applied)));
    }

    /// Forgets a member that is gone; false if it is live, or this node itself.
    pub(crate) fn erase(&mut self, slot: SlotId) -> bool {
        let gone = slot != self.cx.me && !self.is_live(slot);
        if gone {
            self.cx.forget(&mut self.prober, slot);
        }
        gone
    }
}
