//! Random-looking bytes that stand for others.

use alloc::vec::Vec;

use siphasher::sip128::SipHasher24;

/// A keyed function from byte strings to byte strings of equal length: SipHash-2-4 with 128 bits of
/// output, a pseudorandom function, as a digest of the input and then, under another key, as the
/// stream that the digest chooses. Without the key its outputs tell nothing of key or inputs, but
/// for which inputs are equal.
#[derive(Clone)]
pub(super) struct Prf {
    digest: SipHasher24,
    stream: SipHasher24,
}

impl Prf {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let (digest, stream) = key.split_at(16);
        let keyed =
            |half: &[u8]| SipHasher24::new_with_key(half.first_chunk().expect("half of 32 bytes"));
        Self { digest: keyed(digest), stream: keyed(stream) }
    }

    /// What stands for `bytes`.
    pub(super) fn of(&self, bytes: &[u8]) -> Vec<u8> {
        let digest = self.digest.hash(bytes).as_bytes();
        let mut out = Vec::with_capacity(bytes.len());
        for block in 0u64.. {
            let left = bytes.len() - out.len();
            if left == 0 {
                break;
            }
            let mut input = [0; 24];
            input[..16].copy_from_slice(&digest);
            input[16..].copy_from_slice(&block.to_le_bytes());
            let random = self.stream.hash(&input).as_bytes();
            out.extend_from_slice(&random[..left.min(random.len())]);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_have_equal_pseudonyms_and_others_have_others() {
        let prf = Prf::new(&[1; 32]);
        assert_eq!(prf.of(b"topsecret"), prf.of(b"topsecret"));
        assert_ne!(prf.of(b"topsecret"), prf.of(b"topsecrets")[..9]);
        assert_ne!(prf.of(b"topsecret"), prf.of(b"topsecreT"));
        for half in [0, 16] {
            let mut other = [1; 32];
            other[half] = 2;
            assert_ne!(prf.of(b"topsecret"), Prf::new(&other).of(b"topsecret"));
        }
        for len in 0..100 {
            assert_eq!(prf.of(&[7; 100][..len]).len(), len);
        }
    }

    /// A stream that repeats, or that depends on its last block only, would show here.
    #[test]
    fn a_long_pseudonym_repeats_nothing() {
        let long = Prf::new(&[1; 32]).of(&[0; 64 * 1024]);
        let mut words: Vec<&[u8]> = long.chunks(8).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 8 * 1024);
        let ones: u32 = long.iter().map(|byte| byte.count_ones()).sum();
        // Six standard deviations of half a million coins.
        assert!(ones.abs_diff(256 * 1024) < 6 * 362, "{ones} of 524,288 bits");
    }
}
