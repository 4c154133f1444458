//! Randomness of a world: pure hashes of counters, and a generator made of one.

use swim_core::Seed;

/// A 64-bit hash of four words (two 128-bit multiplications), the same on every machine.
///
/// What befalls a packet is `hash(seed, from, to, number)`, so no order of calls can change it.
#[inline]
pub const fn hash(seed: u64, a: u64, b: u64, c: u64) -> u64 {
    fold(fold(seed ^ K[0], a ^ K[1]), fold(b ^ K[2], c ^ K[3]))
}

/// Multiplies to 128 bits and folds the halves.
#[inline]
pub(crate) const fn fold(a: u64, b: u64) -> u64 {
    let wide = a as u128 * b as u128;
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// Odd words of random bits (the fractional digits of square roots of primes).
pub(crate) const K: [u64; 4] =
    [0x6a09_e667_f3bc_c909, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1];

/// A generator for choices of the world itself: who crashes, what a swarm draws. Value-stable.
#[derive(Clone, Debug)]
pub struct Draw {
    seed: u64,
    count: u64,
}

impl Draw {
    /// The generator of `seed` for one purpose. Different labels give unrelated numbers.
    pub fn new(seed: u64, label: &str) -> Self {
        let label = label.bytes().fold(0, |h, b| fold(h ^ u64::from(b) ^ K[1], K[2]));
        Self { seed: hash(seed, label, 0, 0), count: 0 }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.count += 1;
        hash(self.seed, self.count, 0, 0)
    }

    /// A number in `0..n`; 0 if `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// A number in `min..=max`.
    pub fn between(&mut self, min: u64, max: u64) -> u64 {
        min + self.below((max - min).saturating_add(1))
    }

    /// A number in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True `percent` times in a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Moves `k` random items, or all if there are fewer, to the front, and returns them.
    pub fn choose<'a, T>(&mut self, items: &'a mut [T], k: usize) -> &'a mut [T] {
        let k = k.min(items.len());
        for i in 0..k {
            let j = i + self.below((items.len() - i) as u64) as usize;
            items.swap(i, j);
        }
        &mut items[..k]
    }
}

/// The seed of one life of one node.
pub(crate) fn node_seed(seed: u64, node: u32, life: u32) -> Seed {
    let mut draw = Draw::new(hash(seed, node.into(), life.into(), 0), "node");
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_exact_mut(8) {
        chunk.copy_from_slice(&draw.bits().to_le_bytes());
    }
    Seed::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_stable_and_spread() {
        let mut draw = Draw::new(7, "test");
        let first: Vec<u64> = (0..4).map(|_| draw.below(1000)).collect();
        assert_eq!(first, Draw::new(7, "test").take_below(4, 1000));
        assert_ne!(first, Draw::new(8, "test").take_below(4, 1000));
        assert_ne!(first, Draw::new(7, "tesu").take_below(4, 1000));
        let mean = (0..10_000).map(|_| draw.unit()).sum::<f64>() / 10_000.0;
        assert!((0.49..0.51).contains(&mean), "{mean}");
        assert!((0..100).all(|_| (3..=5).contains(&draw.between(3, 5))));
    }

    #[test]
    fn a_choice_has_no_item_twice() {
        let mut items: Vec<u32> = (0..20).collect();
        let mut chosen = Draw::new(1, "test").choose(&mut items, 12).to_vec();
        chosen.sort_unstable();
        chosen.dedup();
        assert_eq!(chosen.len(), 12);
        assert_eq!(Draw::new(1, "test").choose(&mut items, 50).len(), 20);
    }

    impl Draw {
        fn take_below(&mut self, n: usize, max: u64) -> Vec<u64> {
            (0..n).map(|_| self.below(max)).collect()
        }
    }
}
