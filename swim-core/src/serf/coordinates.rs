//! Network coordinates: this node's own in its acks, those of others from theirs (serf spec 5.2).

use core::time::Duration;

use super::core::Core;
use crate::coordinate::{Client, Config, Coordinate, DIMENSIONS, Rejection};
use crate::rng::Seed;
use crate::swim::SlotId;
use crate::wire::serf::{self, List};

/// This node's part in Vivaldi.
pub(super) struct Coordinates {
    client: Client<SlotId>,
}

impl Coordinates {
    /// A node at the origin, which says so in its acks from now on.
    pub(super) fn new(cx: &mut Core) -> Self {
        let seed = Seed::from(u64::from(cx.node.random_u32()));
        let new = Self { client: Client::new(Config::default(), seed) };
        new.tell(cx);
        new
    }

    /// Where this node is.
    pub(super) const fn own(&self) -> &Coordinate {
        self.client.coordinate()
    }

    /// Where a member said that it is.
    pub(super) fn of(&self, member: SlotId) -> Option<&Coordinate> {
        self.client.peer(&member)
    }

    pub(super) const fn resets(&self) -> u64 {
        self.client.resets()
    }

    /// A member answered a probe directly, after `rtt`. One without coordinates says nothing.
    pub(super) fn on_rtt(&mut self, cx: &mut Core, member: SlotId, rtt: Duration, payload: &[u8]) {
        if payload.is_empty() {
            return;
        }
        let Ok(other) = decode(payload) else {
            cx.stats.count().coordinates_rejected += 1;
            return;
        };
        if self.client.update(&member, &other, rtt).is_err() {
            cx.stats.count().coordinates_rejected += 1;
            return;
        }
        cx.stats.count().coordinates += 1;
        self.tell(cx);
    }

    pub(super) fn forget(&mut self, member: SlotId) {
        self.client.forget(&member);
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
