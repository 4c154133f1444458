//! One number for all that a node gave out.

use core::hash::{Hash, Hasher};

use crate::input::{Exchange, Transmit};
use crate::time::Instant;

/// A hash over every emitted datagram, exchange, event and deadline, in order.
///
/// Equal on every platform and in every build: words are taken in little-endian order. It finds
/// differences; it is no protection against somebody who makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// The digest of nothing.
    pub const fn new() -> Self {
        Self(0x243f_6a88_85a3_08d3)
    }

    /// The number.
    pub const fn value(&self) -> u64 {
        self.0
    }

    /// Adds a datagram.
    pub fn transmit(&mut self, sent: &Transmit, bytes: &[u8]) {
        sent.to.hash(self);
        self.write_u8(sent.crc.into());
        self.write(bytes);
    }

    /// Adds an action on the stream plane.
    pub fn exchange(&mut self, exchange: &Exchange, bytes: &[u8]) {
        exchange.hash(self);
        self.write(bytes);
    }

    /// Adds an event.
    pub fn event(&mut self, event: &impl Hash) {
        event.hash(self);
    }

    /// Adds a deadline.
    pub fn deadline(&mut self, at: Option<Instant>) {
        self.write_u64(at.unwrap_or(Instant::MAX).as_nanos());
    }

    #[inline]
    fn word(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.word(u64::from_le_bytes(last));
        }
    }

    fn write_u8(&mut self, n: u8) {
        self.word(n.into());
    }

    fn write_u16(&mut self, n: u16) {
        self.word(n.into());
    }

    fn write_u32(&mut self, n: u32) {
        self.word(n.into());
    }

    fn write_u64(&mut self, n: u64) {
        self.word(n);
    }

    fn write_usize(&mut self, n: usize) {
        self.word(n as u64);
    }
}
