//! What a peer's round-trip time is, when single samples may be far off (section 5.5, step 2).

use alloc::collections::{BTreeMap, VecDeque};

/// The last few samples of each peer.
#[derive(Clone, Debug)]
pub(super) struct Filter<K> {
    samples: BTreeMap<K, VecDeque<f64>>,
}

impl<K: Ord + Clone> Filter<K> {
    pub(super) const fn new() -> Self {
        Self { samples: BTreeMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }

    pub(super) fn contains(&self, peer: &K) -> bool {
        self.samples.contains_key(peer)
    }

    /// Takes a sample in and tells the median of the last `keep`; of an even number the larger of
    /// the two in the middle.
    pub(super) fn median(&mut self, peer: &K, seconds: f64, keep: usize) -> f64 {
        if keep <= 1 {
            return seconds;
        }
        if !self.samples.contains_key(peer) {
            self.samples.insert(peer.clone(), VecDeque::with_capacity(keep));
        }
        let samples = self.samples.get_mut(peer).expect("inserted above");
        if samples.len() == keep {
            samples.pop_front();
        }
        samples.push_back(seconds);
        // The sample in the middle has as many below it as a sorted list would have before it.
        let below = |x: f64| samples.iter().filter(|y| **y < x).count();
        let upto = |x: f64| samples.iter().filter(|y| **y <= x).count();
        let middle = samples.len() / 2;
        let median = samples.iter().copied().find(|x| below(*x) <= middle && middle < upto(*x));
        median.expect("numbers have a median")
    }

    pub(super) fn forget(&mut self, peer: &K) {
        self.samples.remove(peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_of_the_last_three() {
        let mut filter = Filter::new();
        let samples = [0.2, 0.1, 0.3, 0.4, 0.05, 0.06];
        let medians = samples.map(|seconds| filter.median(&"a", seconds, 3));
        assert_eq!(medians, [0.2, 0.2, 0.2, 0.3, 0.3, 0.06]);
        assert_eq!(filter.median(&"b", 0.7, 3), 0.7);
        filter.forget(&"a");
        assert_eq!(filter.median(&"a", 0.9, 3), 0.9);
    }

    #[test]
    fn equal_samples_have_a_median() {
        let mut filter = Filter::new();
        for seconds in [0.1, 0.1, 0.2, 0.2, 0.2] {
            assert!([0.1, 0.2].contains(&filter.median(&"a", seconds, 3)));
        }
    }
}
