//! One number for everything that was written.

use core::fmt;
use core::hash::Hasher as _;

/// A digest of everything that was written to it.
#[derive(Clone, Copy)]
pub(super) struct Hash(pub(super) u64);

impl core::hash::Hasher for Hash {
    fn finish(&self) -> u64 {
        self.0
    }

    /// FNV-1a.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl fmt::Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write(text.as_bytes());
        Ok(())
    }
}
