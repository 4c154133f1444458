//! What is known of each peer: where it said it was, and what the round-trip time to it is, when
//! single samples may be far off (section 5.5, step 2).

use core::hash::Hash;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::coordinate::{Config, Coordinate};

/// Those that were taken in, by key; up to a bound.
#[derive(Clone, Debug)]
pub(super) struct Peers<K>(HashMap<K, Peer, FixedState>);

impl<K: Hash + Eq + Clone> Peers<K> {
    /// The seed keeps peers that choose their own keys from choosing where they are stored.
    pub(super) fn new(seed: u64) -> Self {
        Self(HashMap::with_hasher(FixedState::with_seed(seed)))
    }

    pub(super) fn coordinate(&self, peer: &K) -> Option<&Coordinate> {
        self.0.get(peer)?.coordinate()
    }

    /// What is known of a peer. `None` if it is new, and as many as there may be are known.
    pub(super) fn get(&mut self, peer: &K, peers_max: usize) -> Option<&mut Peer> {
        let is_full = self.0.len() >= peers_max && !self.0.contains_key(peer);
        (!is_full).then(|| self.0.entry_ref(peer).or_default())
    }

    pub(super) fn forget(&mut self, peer: &K) {
        self.0.remove(peer);
    }
}

/// One of them. Of many, each is in no cache when it is heard: two lines of memory at a time.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Peer {
    coordinate: Coordinate,
    /// The last few round-trip times in seconds, the oldest first; none of a peer that was never
    /// heard.
    samples: SmallVec<[f64; 3]>,
}

impl Default for Peer {
    fn default() -> Self {
        Self { coordinate: Coordinate::origin(&Config::DEFAULT), samples: SmallVec::new() }
    }
}

impl Peer {
    /// Where it said that it is. `None` if it was never heard.
    pub(crate) fn coordinate(&self) -> Option<&Coordinate> {
        (!self.samples.is_empty()).then_some(&self.coordinate)
    }

    /// Remembers where it is, takes a sample in and tells the median of the last few; of an even
    /// number the larger of the two in the middle.
    pub(crate) fn median(&mut self, at: &Coordinate, seconds: f64, config: &Config) -> f64 {
        self.coordinate = *at;
        let samples = &mut self.samples;
        if samples.len() >= usize::from(config.latency_samples).max(1) {
            samples.remove(0);
        }
        samples.push(seconds);
        // The sample in the middle has as many below it as a sorted list would have before it.
        let below = |x: f64| samples.iter().filter(|y| **y < x).count();
        let upto = |x: f64| samples.iter().filter(|y| **y <= x).count();
        let middle = samples.len() / 2;
        let median = samples.iter().copied().find(|x| below(*x) <= middle && middle < upto(*x));
        median.expect("numbers have a median")
    }
}

const _: () = assert!(size_of::<Peer>() == 128 || size_of::<usize>() < 8, "two lines");

#[cfg(test)]
mod tests {
    use super::*;

    fn medians<const N: usize>(peers: &mut Peers<u8>, peer: u8, samples: [f64; N]) -> [f64; N] {
        let config = Config::default();
        let coordinate = Coordinate::origin(&config);
        let known = peers.get(&peer, config.peers_max).unwrap();
        samples.map(|seconds| known.median(&coordinate, seconds, &config))
    }

    #[test]
    fn the_median_is_of_the_last_three() {
        let mut peers = Peers::new(1);
        let samples = [0.2, 0.1, 0.3, 0.4, 0.05, 0.06];
        assert_eq!(medians(&mut peers, 1, samples), [0.2, 0.2, 0.2, 0.3, 0.3, 0.06]);
        assert_eq!(medians(&mut peers, 2, [0.7]), [0.7]);
        peers.forget(&1);
        assert_eq!(medians(&mut peers, 1, [0.9]), [0.9]);
    }

    #[test]
    fn equal_samples_have_a_median() {
        let medians = medians(&mut Peers::new(1), 1, [0.1, 0.1, 0.2, 0.2, 0.2]);
        assert!(medians.iter().all(|seconds| [0.1, 0.2].contains(seconds)), "{medians:?}");
    }
}
