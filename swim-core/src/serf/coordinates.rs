//! Network coordinates: this node's own in its acks, those of others from theirs (serf spec 5.2).

use alloc::vec::Vec;
use core::time::Duration;

use super::core::Core;
use crate::coordinate::{Config, Coordinate, DIMENSIONS, Peer, Rejection, Vivaldi};
use crate::rng::{Rng, Seed};
use crate::swim::SlotId;
use crate::wire::serf::{self, List};

/// This node's part in Vivaldi.
pub(super) struct Coordinates {
    own: Vivaldi,
    /// What is known of members, by their places in the table.
    peers: Vec<Peer>,
    /// How many were taken in; here, since each touches the rest of this, too.
    taken: u64,
}

impl Coordinates {
    const CONFIG: &Config = &Config::DEFAULT;

    /// A node at the origin, which says so in its acks from now on.
    pub(super) fn new(cx: &mut Core) -> Self {
        let rng = Rng::new(Seed::from(u64::from(cx.node.random_u32())));
        let own = Vivaldi::new(Self::CONFIG, rng);
        let new = Self { own, peers: Vec::new(), taken: 0 };
        new.tell(cx);
        new
    }

    /// Where this node is.
    pub(super) const fn own(&self) -> &Coordinate {
        self.own.coordinate()
    }

    /// Where a member said that it is.
    pub(super) fn of(&self, member: SlotId) -> Option<&Coordinate> {
        self.peers.get(member as usize)?.coordinate()
    }

    pub(super) const fn resets(&self) -> u64 {
        self.own.resets()
    }

    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    pub(super) const fn zero_rtts(&self) -> u64 {
        self.own.zero_rtts()
    }

    /// A member answered a probe directly, after `rtt`. One without coordinates says nothing.
    pub(super) fn on_rtt(&mut self, cx: &mut Core, member: SlotId, rtt: Duration, payload: &[u8]) {
        if payload.is_empty() {
            return;
        }
        let checked = decode(payload).and_then(|other| {
            self.own.check(&other, rtt)?;
            Ok(other)
        });
        let Ok(other) = checked else {
            cx.stats.count().coordinates_rejected += 1;
            return;
        };
        let at = member as usize;
        if at >= self.peers.len() {
            self.peers.resize_with(at + 1, Peer::default);
        }
        let rtt = self.peers[at].median(&other, rtt.as_secs_f64(), Self::CONFIG);
        self.own.take(Self::CONFIG, &other, rtt);
        self.taken += 1;
        self.tell(cx);
    }

    pub(super) fn forget(&mut self, member: SlotId) {
        if let Some(peer) = self.peers.get_mut(member as usize) {
            *peer = Peer::default();
        }
    }

    /// Puts where this node is into its acks from now on, in the place of where it was.
    fn tell(&self, cx: &mut Core) {
        let Coordinate { vec, error, adjustment, height } = self.own();
        let (error, adjustment, height) = (*error, *adjustment, *height);
        let vec = Some(List::from(&vec[..]));
        let told = serf::Coordinate { vec, error, adjustment, height };
        let mut out = cx.node.take_ack_payload().try_into_mut().unwrap_or_default();
        out.clear();
        out.reserve(told.encoded_len());
        told.encode(&mut out);
        cx.node.set_ack_payload(out.freeze());
    }
}

fn decode(payload: &[u8]) -> Result<Coordinate, Rejection> {
    let other = serf::Coordinate::decode(payload).map_err(|_| Rejection::NotFinite)?;
    let found = other.vec.map_or(0, |vec| vec.len());
    if found != DIMENSIONS {
        return Err(Rejection::Dimensions { found, known: DIMENSIONS });
    }
    let mut vec = [0.0; DIMENSIONS];
    for (to, from) in vec.iter_mut().zip(other.vec.into_iter().flatten()) {
        *to = from;
    }
    let (error, adjustment, height) = (other.error, other.adjustment, other.height);
    Ok(Coordinate { vec, error, adjustment, height })
}
