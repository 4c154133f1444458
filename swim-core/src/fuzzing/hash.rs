//! One number for everything that was written.

use core::fmt;
use core::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::{FixedState, FoldHasher};

pub(super) struct Hash(FoldHasher<'static>);

impl Hash {
    pub(super) fn new() -> Self {
        Self(FixedState::with_seed(0).build_hasher())
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    pub(super) fn value(&self) -> u64 {
        self.0.finish()
    }
}

impl fmt::Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write(text.as_bytes());
        Ok(())
    }
}
