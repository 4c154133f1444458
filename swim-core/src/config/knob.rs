//! A knob's range check and its form in a journal.

use alloc::vec::Vec;
use core::time::Duration;

use super::ConfigError;
use crate::time::nanos;

/// A running node takes a new value.
pub(super) const RELOAD: bool = true;
/// Only a new node takes a new value.
pub(super) const FIXED: bool = false;

pub(crate) trait Knob: Sized {
    type Range;

    fn check(self, knob: &'static str, range: Self::Range) -> Result<(), ConfigError>;
    fn put(self, out: &mut Vec<u8>);
    /// Takes the value from the front of `from`; `None` if it is cut short.
    fn get(from: &mut &[u8]) -> Option<Self>;
}

impl Knob for u32 {
    type Range = (Self, Self);

    fn check(self, knob: &'static str, (min, max): Self::Range) -> Result<(), ConfigError> {
        if (min..=max).contains(&self) {
            return Ok(());
        }
        let (value, min, max) = (self.into(), min.into(), max.into());
        Err(ConfigError::OutOfRange { knob, value, min, max })
    }

    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        let (head, rest) = from.split_first_chunk()?;
        *from = rest;
        Some(Self::from_le_bytes(*head))
    }
}

impl Knob for Duration {
    type Range = (Self, Self);

    fn check(self, knob: &'static str, (min, max): Self::Range) -> Result<(), ConfigError> {
        if (min..=max).contains(&self) {
            return Ok(());
        }
        Err(ConfigError::DurationOutOfRange { knob, value: self, min, max })
    }

    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&nanos(self).to_le_bytes());
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        let (head, rest) = from.split_first_chunk()?;
        *from = rest;
        Some(Self::from_nanos(u64::from_le_bytes(*head)))
    }
}

impl Knob for bool {
    type Range = ();

    fn check(self, _: &'static str, (): ()) -> Result<(), ConfigError> {
        Ok(())
    }

    fn put(self, out: &mut Vec<u8>) {
        out.push(self.into());
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        let (&head, rest) = from.split_first()?;
        *from = rest;
        Some(head != 0)
    }
}
