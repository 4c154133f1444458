//! Everything that waits to be gossiped: membership rumours first, then user broadcasts by lane.

use alloc::boxed::Box;

use bytes::Bytes;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use smallvec::SmallVec;

use super::members::{Members, SlotId};
use super::queue::{ItemId, Lane as Tiers, Room};
use crate::ids::{Lane, NodeName, OpId};
use crate::member::Parts;
use crate::wire::{Alive, Claim, Compound, Kind};

/// One datagram in this many, of those made for rumours, serves the user lanes first, and each of
/// them in turn before the others: else membership under churn, or a lane that is never empty,
/// would starve those behind it.
const USER_FIRST_EVERY: u32 = 8;

/// A claim to be passed on. An alive claim says what the table holds when it is sent.
#[derive(Clone, Debug)]
pub(crate) enum Rumour {
    Alive { subject: SlotId },
    Suspect { subject: SlotId, incarnation: u32, from: NodeName },
    Dead { subject: SlotId, incarnation: u32, from: NodeName },
}

impl Rumour {
    fn subject(&self) -> SlotId {
        match *self {
            Self::Alive { subject }
            | Self::Suspect { subject, .. }
            | Self::Dead { subject, .. } => subject,
        }
    }

    /// Adds this to a datagram, and says how many bytes it took; `None` if they are not there.
    fn tell(&self, members: &Members, bytes_left: usize, out: &mut Compound<'_>) -> Option<usize> {
        match self {
            Self::Alive { subject } => {
                let claim = alive(members, *subject);
                let len = fitting(claim.encoded_len(), bytes_left)?;
                out.sized_part(len, |to| claim.write_to(to));
                Some(len.into())
            }
            Self::Suspect { subject, incarnation, from } => {
                let claim = claim(members, *subject, *incarnation, from.as_str().as_bytes());
                accuse(Kind::Suspect, &claim, bytes_left, out)
            }
            Self::Dead { subject, incarnation, from } => {
                let claim = claim(members, *subject, *incarnation, from.as_str().as_bytes());
                accuse(Kind::Dead, &claim, bytes_left, out)
            }
        }
    }
}

fn accuse(
    kind: Kind,
    claim: &Claim<'_>,
    bytes_left: usize,
    out: &mut Compound<'_>,
) -> Option<usize> {
    let len = fitting(claim.encoded_len(), bytes_left)?;
    out.sized_part(len, |to| claim.write_to(kind, to));
    Some(len.into())
}

/// The length of a part that fits.
fn fitting(len: usize, bytes_left: usize) -> Option<u16> {
    u16::try_from(len).ok().filter(|_| len <= bytes_left)
}

/// What the table says of a member, as an alive message.
#[inline]
pub(crate) fn alive(members: &Members, subject: SlotId) -> Alive<'_> {
    let slot = members.slot(subject);
    let Parts { versions, port, ip, name, meta } = slot.record().parts();
    Alive {
        incarnation: slot.incarnation(),
        node: name,
        addr: Some(ip),
        port,
        meta: Some(meta).filter(|meta| !meta.is_empty()),
        vsn: Some(versions),
    }
}

pub(crate) fn claim<'a>(
    members: &'a Members,
    subject: SlotId,
    incarnation: u32,
    from: &'a [u8],
) -> Claim<'a> {
    let node = members.name_bytes(subject);
    Claim { incarnation, node, from }
}

/// A broadcast of the embedder's.
#[derive(Clone, Debug)]
struct Broadcast {
    key: Option<Bytes>,
    payload: Bytes,
    op: Option<OpId>,
}

/// How a queued thing came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Sent,
    Displaced,
    Dropped,
}

/// What ended while the queue was worked on; nobody waits for those without an `OpId`.
pub(crate) type Ended = SmallVec<[(Option<OpId>, End); 2]>;

/// The queue of a node; a node at rest has none.
#[derive(Default)]
pub(crate) struct Rumours(Option<Box<Queued>>);

struct Queued {
    membership: Tiers<Rumour>,
    by_subject: HashMap<SlotId, ItemId, FixedState>,
    user: Option<Box<UserLanes>>,
    fills: u32,
}

struct UserLanes {
    lanes: [Tiers<Broadcast>; 3],
    by_key: HashMap<(Lane, Bytes), ItemId, FixedState>,
}

impl Rumours {
    fn queued(&mut self) -> &mut Queued {
        self.0.get_or_insert_with(|| Box::new(Queued::new()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|queued| queued.is_empty())
    }

    /// Gives an empty queue's memory back.
    pub(crate) fn trim(&mut self) {
        if self.is_empty() {
            self.0 = None;
        }
    }

    pub(crate) fn membership_len(&self) -> usize {
        self.0.as_ref().map_or(0, |queued| queued.membership.len())
    }

    pub(crate) fn lane_len(&self, lane: Lane) -> usize {
        let user = self.0.as_ref().and_then(|queued| queued.user.as_ref());
        user.map_or(0, |user| user.lanes[lane as usize].len())
    }

    /// Queues a claim; an older one about the same member gives way.
    pub(crate) fn push(&mut self, rumour: Rumour) {
        let subject = rumour.subject();
        let Queued { membership, by_subject, .. } = self.queued();
        let item = membership.push(rumour);
        if let Some(old) = by_subject.insert(subject, item) {
            membership.remove(old);
        }
    }

    /// Drops what is said about a member, since its slot is about to be free.
    pub(crate) fn forget(&mut self, subject: SlotId) {
        if let Some(queued) = &mut self.0
            && let Some(item) = queued.by_subject.remove(&subject)
        {
            queued.membership.remove(item);
        }
    }

    /// Queues a user broadcast. Of a full lane the one that was sent most often is dropped.
    pub(crate) fn push_user(
        &mut self,
        lane: Lane,
        key: Option<Bytes>,
        payload: Bytes,
        op: Option<OpId>,
        lane_len_max: u32,
    ) -> Ended {
        let mut ended = Ended::new();
        let user = self.queued().user.get_or_insert_with(|| Box::new(UserLanes::new()));
        let UserLanes { lanes, by_key } = &mut **user;
        let tiers = &mut lanes[lane as usize];
        if let Some(key) = &key
            && let Some(old) = by_key.remove(&(lane, key.clone()))
            && let Some(old) = tiers.remove(old)
        {
            ended.push((old.op, End::Displaced));
        }
        // More than one if a reload has made the bound smaller.
        while tiers.len() >= lane_len_max as usize
            && let Some(old) = tiers.remove_last()
        {
            old.key.and_then(|key| by_key.remove(&(lane, key)));
            ended.push((old.op, End::Dropped));
        }
        let item = tiers.push(Broadcast { key: key.clone(), payload, op });
        if let Some(key) = key {
            by_key.insert((lane, key), item);
        }
        ended
    }

    /// Drops the user broadcasts of more than `bytes_max`.
    pub(crate) fn drop_longer(&mut self, bytes_max: usize) -> Ended {
        let mut ended = Ended::new();
        let user = self.0.as_mut().and_then(|queued| queued.user.as_mut());
        let Some(UserLanes { lanes, by_key }) = user.map(|user| &mut **user) else { return ended };
        for lane in Lane::ALL {
            let too_long = |broadcast: &Broadcast| broadcast.payload.len() > bytes_max;
            lanes[lane as usize].drain(too_long, |old| {
                old.key.and_then(|key| by_key.remove(&(lane, key)));
                ended.push((old.op, End::Dropped));
            });
        }
        ended
    }

    /// Fills what is left of a datagram, each thing at most once. `own` is this node's slot.
    pub(crate) fn fill(
        &mut self,
        room: &mut Room,
        limit: u32,
        members: &Members,
        own: SlotId,
        out: &mut Compound<'_>,
        ended: &mut Ended,
    ) -> Filled {
        let Some(queued) = &mut self.0 else { return Filled::default() };
        let filled = queued.fill(room, limit, members, own, out, ended);
        // What a large push/pull has queued does not weigh on until the next look.
        if queued.membership.places() > PLACES_KEPT {
            self.trim();
        }
        filled
    }
}

/// What a datagram was filled with.
#[derive(Clone, Copy, Default)]
pub(crate) struct Filled {
    /// The claim about this node itself went for the last time.
    pub(crate) own_finished: bool,
    /// User broadcasts.
    pub(crate) broadcasts: u32,
    /// Bytes of those.
    pub(crate) broadcast_bytes: usize,
}

/// An empty queue with room for more claims than this gives its memory back at once.
const PLACES_KEPT: usize = 4096;

impl Queued {
    fn new() -> Self {
        Self {
            membership: Tiers::new(),
            by_subject: HashMap::with_hasher(FixedState::with_seed(0)),
            user: None,
            fills: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.membership.is_empty() && self.user.as_ref().is_none_or(|user| user.is_empty())
    }

    fn fill(
        &mut self,
        room: &mut Room,
        limit: u32,
        members: &Members,
        own: SlotId,
        out: &mut Compound<'_>,
        ended: &mut Ended,
    ) -> Filled {
        let mut filled = Filled::default();
        let (dedicated, carried) = (room.dedicated, out.count());
        self.fills = self.fills.wrapping_add(dedicated.into());
        let user_first =
            dedicated && self.user.is_some() && self.fills.is_multiple_of(USER_FIRST_EVERY);
        if user_first {
            let first = self.fills / USER_FIRST_EVERY;
            self.fill_user(room, limit, first, out, ended, &mut filled);
        }
        let by_subject = &mut self.by_subject;
        self.membership.fill(
            room,
            limit,
            |rumour, bytes_left| {
                // A claim that is longer than any room goes all the same, and by itself: the
                // datagram's length is what it is packed to, and a claim cannot be cut.
                let goes = dedicated && out.count() == carried;
                rumour.tell(members, if goes { Compound::PART_BYTES_MAX } else { bytes_left }, out)
            },
            |rumour| {
                by_subject.remove(&rumour.subject());
                filled.own_finished |= rumour.subject() == own;
            },
        );
        if !user_first {
            self.fill_user(room, limit, 0, out, ended, &mut filled);
        }
        filled
    }

    fn fill_user(
        &mut self,
        room: &mut Room,
        limit: u32,
        first: u32,
        out: &mut Compound<'_>,
        ended: &mut Ended,
        filled: &mut Filled,
    ) {
        let Some(user) = &mut self.user else { return };
        let UserLanes { lanes, by_key } = &mut **user;
        let mut order = Lane::ALL;
        order.rotate_left(first as usize % Lane::ALL.len());
        for lane in order {
            lanes[lane as usize].fill(
                room,
                limit,
                |broadcast, bytes_left| {
                    let len = fitting(broadcast.payload.len() + 1, bytes_left)?;
                    out.sized_part(len, |to| {
                        to.put(&[Kind::User.byte()]);
                        to.bytes(&broadcast.payload);
                    });
                    filled.broadcasts += 1;
                    filled.broadcast_bytes += broadcast.payload.len();
                    Some(len.into())
                },
                |broadcast| {
                    broadcast.key.and_then(|key| by_key.remove(&(lane, key)));
                    ended.extend(broadcast.op.map(|op| (Some(op), End::Sent)));
                },
            );
        }
    }
}

impl UserLanes {
    fn new() -> Self {
        Self {
            lanes: core::array::from_fn(|_| Tiers::new()),
            by_key: HashMap::with_hasher(FixedState::with_seed(0)),
        }
    }

    fn is_empty(&self) -> bool {
        self.lanes.iter().all(Tiers::is_empty)
    }
}
