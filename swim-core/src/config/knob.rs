//! A knob's range check and its form in a journal.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::ConfigError;
use crate::time::nanos;

/// A running node takes a new value.
pub(super) const RELOAD: bool = true;
/// Only a new node takes a new value.
pub(super) const FIXED: bool = false;

/// The value of a knob, for tools that know knobs by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum KnobValue {
    /// A count.
    Number(u32),
    /// A time.
    Time(Duration),
    /// Yes or no.
    Flag(bool),
}

/// Why a knob cannot be set by its name. The builder is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KnobError {
    /// There is no knob of this name.
    Unknown,
    /// The knob takes another kind of value.
    Kind {
        /// Which kind.
        expected: &'static str,
    },
    /// The value lies outside of the knob's range.
    Range(ConfigError),
}

impl fmt::Display for KnobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no knob of this name"),
            Self::Kind { expected } => write!(f, "the knob takes {expected}"),
            Self::Range(e) => e.fmt(f),
        }
    }
}

impl core::error::Error for KnobError {}

pub(crate) trait Knob: Sized {
    type Range;
    /// What [`KnobError::Kind`] expects.
    const KIND: &'static str;

    fn value(self) -> KnobValue;
    fn of(value: KnobValue) -> Option<Self>;

    fn check(self, knob: &'static str, range: Self::Range) -> Result<(), ConfigError>;
    fn put(self, out: &mut Vec<u8>);
    /// Takes the value from the front of `from`; `None` if it is cut short.
    fn get(from: &mut &[u8]) -> Option<Self>;
}

impl Knob for u32 {
    type Range = (Self, Self);
    const KIND: &'static str = "a number";

    fn value(self) -> KnobValue {
        KnobValue::Number(self)
    }

    fn of(value: KnobValue) -> Option<Self> {
        if let KnobValue::Number(n) = value { Some(n) } else { None }
    }

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
    const KIND: &'static str = "a time";

    fn value(self) -> KnobValue {
        KnobValue::Time(self)
    }

    fn of(value: KnobValue) -> Option<Self> {
        if let KnobValue::Time(time) = value { Some(time) } else { None }
    }

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
    const KIND: &'static str = "true or false";

    fn value(self) -> KnobValue {
        KnobValue::Flag(self)
    }

    fn of(value: KnobValue) -> Option<Self> {
        if let KnobValue::Flag(flag) = value { Some(flag) } else { None }
    }

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
