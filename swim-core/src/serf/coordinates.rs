//! Network coordinates: this node's own in its acks, those of others from theirs (serf spec 5.2).

use alloc::collections::BTreeMap;
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use super::core::Core;
use crate::coordinate::{Client, Config, Coordinate, DIMENSIONS, Rejection};
use crate::ids::NodeName;
use crate::rng::Seed;
use crate::swim::SlotId;
use crate::wire::serf::{self, List};

/// This node's part in Vivaldi, and the coordinates of the members that it has probed.
pub(super) struct Coordinates {
    client: Client<NodeName>,
    known: BTreeMap<NodeName, Coordinate>,
}

impl Coordinates {
    /// A node at the origin, which says so in its acks from now on.
    pub(super) fn new(cx: &mut Core) -> Self {
        let seed = Seed::from(u64::from(cx.node.random_u32()));
        let new = Self { client: Client::new(Config::default(), seed), known: BTreeMap::new() };
        new.tell(cx);
        new
    }

    /// Where this node is.
    pub(super) const fn own(&self) -> &Coordinate {
        self.client.coordinate()
    }

    /// Where the member of this name said that it is.
    pub(super) fn of(&self, name: &NodeName) -> Option<&Coordinate> {
        self.known.get(name)
    }

    pub(super) const fn resets(&self) -> u64 {
        self.client.resets()
    }

    /// A member answered a probe directly, after `rtt`. One without coordinates says nothing.
    pub(super) fn on_rtt(&mut self, cx: &mut Core, member: SlotId, rtt: Duration, payload: &[u8]) {
        if payload.is_empty() {
            return;
        }
        let name = cx.node.at(member).node_name();
        let Ok(other) = decode(payload) else {
            cx.stats.count().coordinates_rejected += 1;
            return;
        };
        if self.client.update(&name, &other, rtt).is_err() {
            cx.stats.count().coordinates_rejected += 1;
            return;
        }
        cx.stats.count().coordinates += 1;
        self.known.insert(name, other);
        self.tell(cx);
    }

    /// A member is forgotten.
    pub(super) fn forget(&mut self, name: &NodeName) {
        self.known.remove(name);
        self.client.forget(name);
    }

    fn tell(&self, cx: &mut Core) {
        cx.node.set_ack_payload(encode(self.own()));
    }
}

fn encode(coordinate: &Coordinate) -> Bytes {
    let Coordinate { vec, error, adjustment, height } = coordinate;
    let (error, adjustment, height) = (*error, *adjustment, *height);
    let vec = Some(List::from(&vec[..]));
    let mut out = BytesMut::new();
    serf::Coordinate { vec, error, adjustment, height }.encode(&mut out);
    out.freeze()
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
