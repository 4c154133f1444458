//! Complaints about peers, as few lines as say it.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use swim_core::Instant;

use crate::limit::Source;

/// Lets one complaint about each source and plane through in [`Self::PAUSE`], and counts the rest.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<(Source, Plane), Said>>);

/// Where a peer misbehaved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Plane {
    Datagram,
    Stream,
    /// In its answer on a stream of ours.
    Answer,
}

#[derive(Debug)]
struct Said {
    at: Instant,
    untold: u64,
}

impl Throttle {
    const PAUSE: Duration = Duration::from_secs(10);
    /// Sources remembered at most; while all of them are fresh, others are not complained of.
    const SOURCES_MAX: usize = 256;

    /// Warns that something from `peer` was refused and why, unless that was said just now.
    pub(crate) fn warn(
        &self,
        now: Instant,
        peer: SocketAddr,
        plane: Plane,
        why: &dyn fmt::Display,
    ) {
        let Some(untold) = self.admit(now, peer.ip(), plane) else { return };
        let what = match plane {
            Plane::Datagram => "datagram",
            Plane::Stream => "stream",
            Plane::Answer => "answer",
        };
        if untold == 0 {
            tracing::warn!("{what} from {peer} refused: {why}");
        } else {
            tracing::warn!("{what} from {peer} refused: {why} ({untold} more since the last line)");
        }
    }

    /// How many complaints were held back since the last one, if one may be made now.
    fn admit(&self, now: Instant, ip: IpAddr, plane: Plane) -> Option<u64> {
        let key = (Source::of(ip), plane);
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(said) = said.get_mut(&key) {
            if now.since(said.at) < Self::PAUSE {
                said.untold += 1;
                return None;
            }
            said.at = now;
            return Some(std::mem::take(&mut said.untold));
        }
        if said.len() >= Self::SOURCES_MAX {
            said.retain(|_, said| now.since(said.at) < Self::PAUSE);
            if said.len() >= Self::SOURCES_MAX {
                return None;
            }
        }
        said.insert(key, Said { at: now, untold: 0 });
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_complained_of_once_in_ten_seconds() {
        let throttle = Throttle::default();
        let ip = IpAddr::from([10, 0, 0, 1]);
        let now = Instant::from_secs(100);
        assert_eq!(throttle.admit(now, ip, Plane::Datagram), Some(0));
        assert_eq!(throttle.admit(now, ip, Plane::Datagram), None);
        assert_eq!(throttle.admit(now, ip, Plane::Stream), Some(0));
        assert_eq!(throttle.admit(now + Throttle::PAUSE, ip, Plane::Datagram), Some(1));
        assert_eq!(throttle.admit(now + Throttle::PAUSE * 3, ip, Plane::Datagram), Some(0));
    }

    #[test]
    fn the_table_of_sources_is_bounded() {
        let throttle = Throttle::default();
        let now = Instant::from_secs(100);
        let told = |now, from: u32| {
            (from..from + 1000)
                .filter(|n| {
                    throttle
                        .admit(now, std::net::Ipv4Addr::from_bits(*n).into(), Plane::Stream)
                        .is_some()
                })
                .count()
        };
        assert_eq!(told(now, 0), Throttle::SOURCES_MAX);
        assert_eq!(told(now + Throttle::PAUSE, 5000), Throttle::SOURCES_MAX);
    }
}
