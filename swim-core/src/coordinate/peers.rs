//! What is known of each peer: where it said it was, and what the round-trip time to it is, when
//! single samples may be far off (section 5.5, step 2).

use core::hash::Hash;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::coordinate::{Config, Coordinate};

/// Up to a bound; those beyond it are not remembered.
#[derive(Clone, Debug)]
pub(super) struct Peers<K> {
    peers: HashMap<K, Peer, FixedState>,
}

#[derive(Clone, Debug)]
struct Peer {
    coordinate: Coordinate,
    /// The last few round-trip times in seconds, the oldest first.
    samples: SmallVec<[f64; 3]>,
}

impl<K: Hash + Eq + Clone> Peers<K> {
    /// The seed keeps peers that choose their own keys from choosing where they are stored.
    pub(super) fn new(seed: u64) -> Self {
        Self { peers: HashMap::with_hasher(FixedState::with_seed(seed)) }
    }

    pub(super) fn coordinate(&self, peer: &K) -> Option<&Coordinate> {
        self.peers.get(peer).map(|peer| &peer.coordinate)
    }

    /// Remembers where a peer is, takes a sample in and tells the median of the last few; of an
    /// even number the larger of the two in the middle.
    pub(super) fn median(
        &mut self,
        peer: &K,
        coordinate: &Coordinate,
        seconds: f64,
        config: &Config,
    ) -> f64 {
        if self.peers.len() >= config.peers_max && !self.peers.contains_key(peer) {
            return seconds;
        }
        let new = || Peer { coordinate: *coordinate, samples: SmallVec::new() };
        let known = self.peers.entry_ref(peer).or_insert_with(new);
        known.coordinate = *coordinate;
        known.median(seconds, usize::from(config.latency_samples))
    }

    pub(super) fn forget(&mut self, peer: &K) {
        self.peers.remove(peer);
    }
}

impl Peer {
    fn median(&mut self, seconds: f64, keep: usize) -> f64 {
        if keep <= 1 {
            return seconds;
        }
        let samples = &mut self.samples;
        if samples.len() == keep {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn medians<const N: usize>(peers: &mut Peers<u8>, peer: u8, samples: [f64; N]) -> [f64; N] {
        let config = Config::default();
        let coordinate = Coordinate::origin(&config);
        samples.map(|seconds| peers.median(&peer, &coordinate, seconds, &config))
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
