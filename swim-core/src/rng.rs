//! All randomness of the core, from one seed.

use rand_core::{Rng as _, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Where a node's randomness comes from: 32 bytes.
///
/// Two nodes with equal seed, configuration and inputs behave alike to the last bit. Outside of
/// tests draw it from the operating system; sequence numbers, which are all that protects an
/// unencrypted cluster from forged acks, come from it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// A seed of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A seed drawn from any generator.
    pub fn draw(from: &mut impl rand_core::Rng) -> Self {
        let mut bytes = [0; 32];
        from.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The bytes, for a journal.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A seed for tests and simulations, spread over all bytes by `SplitMix64`.
impl From<u64> for Seed {
    fn from(n: u64) -> Self {
        let mut x = n;
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_exact_mut(8) {
            chunk.copy_from_slice(&mix(&mut x).to_le_bytes());
        }
        Self(bytes)
    }
}

/// Not printed: whoever knows the seed can forge acks.
impl core::fmt::Debug for Seed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// `xoshiro256++`: value-stable, 32 bytes of state.
#[derive(Clone, Debug)]
pub(crate) struct Rng(Xoshiro256PlusPlus);

impl Rng {
    pub(crate) fn new(seed: Seed) -> Self {
        Self(Xoshiro256PlusPlus::from_seed(seed.0))
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    pub(crate) fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    /// A number in `0..n`, uniform (Lemire's multiply-shift with rejection). `n` of 0 gives 0.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        if n == 0 {
            return 0;
        }
        let threshold = n.wrapping_neg() % n;
        loop {
            let wide = u64::from(self.next_u32()) * u64::from(n);
            if wide as u32 >= threshold {
                return (wide >> 32) as u32;
            }
        }
    }

    /// A number in `0.0..1.0` with 53 random bits.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A duration in `0..=max`.
    pub(crate) fn up_to(&mut self, max: core::time::Duration) -> core::time::Duration {
        let ns = crate::time::nanos(max) as f64 * self.unit();
        core::time::Duration::from_nanos(ns as u64)
    }
}

fn mix(x: &mut u64) -> u64 {
    *x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *x;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_stable() {
        let mut rng = Rng::new(Seed::from(7));
        let drawn: [u32; 3] = core::array::from_fn(|_| rng.below(1000));
        assert_eq!(drawn, VALUES_OF_SEED_7);
    }

    const VALUES_OF_SEED_7: [u32; 3] = [55, 172, 717];

    #[test]
    fn below_stays_below() {
        let mut rng = Rng::new(Seed::from(1));
        for n in [0u32, 1, 2, 3, 7, 1 << 31, u32::MAX] {
            for _ in 0..100 {
                assert!(rng.below(n) < n.max(1));
            }
        }
    }
}
