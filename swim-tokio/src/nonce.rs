//! Random bytes from the operating system.

use swim_core::Seed;

/// A seed for a node.
pub(crate) fn seed() -> Result<Seed, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Seed::from_bytes(bytes))
}

/// Nonces of 96 random bits, fetched 21 at a time so that a datagram costs no system call.
#[derive(Debug)]
pub(crate) struct Nonces {
    bytes: [u8; Self::LEN * Self::BATCH],
    used: usize,
}

impl Nonces {
    const LEN: usize = 12;
    /// 252 bytes: up to 256 are handed out by Linux without interruption.
    const BATCH: usize = 21;

    pub(crate) const fn new() -> Self {
        Self { bytes: [0; Self::LEN * Self::BATCH], used: Self::BATCH }
    }

    /// A nonce that was never given out before.
    pub(crate) fn next(&mut self) -> Result<[u8; 12], getrandom::Error> {
        if self.used == Self::BATCH {
            getrandom::fill(&mut self.bytes)?;
            self.used = 0;
        }
        let at = self.used * Self::LEN;
        self.used += 1;
        let mut nonce = [0; Self::LEN];
        nonce.copy_from_slice(&self.bytes[at..at + Self::LEN]);
        Ok(nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_do_not_repeat_across_batches() {
        let mut nonces = Nonces::new();
        let mut seen = std::collections::BTreeSet::new();
        assert!((0..100).all(|_| seen.insert(nonces.next().unwrap())));
    }
}
