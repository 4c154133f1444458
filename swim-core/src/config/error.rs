//! Why a configuration is refused.

use core::fmt;
use core::time::Duration;

/// Why a configuration is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A number lies outside of its range.
    OutOfRange {
        /// The knob.
        knob: &'static str,
        /// Its value.
        value: u64,
        /// Smallest allowed.
        min: u64,
        /// Largest allowed.
        max: u64,
    },
    /// A duration lies outside of its range.
    DurationOutOfRange {
        /// The knob.
        knob: &'static str,
        /// Its value.
        value: Duration,
        /// Smallest allowed.
        min: Duration,
        /// Largest allowed.
        max: Duration,
    },
    /// The label has this many bytes, more than 255.
    LabelTooLong(usize),
    /// A network's prefix is longer than its address.
    Prefix {
        /// The prefix.
        prefix_bits: u8,
        /// Bits of the address.
        bits_max: u8,
    },
    /// A network is not written as `address/bits`.
    NotCidr,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { knob, value, min, max } => {
                write!(f, "{knob} is {value}, not in {min}..={max}")
            }
            Self::DurationOutOfRange { knob, value, min, max } => {
                write!(f, "{knob} is {value:?}, not in {min:?}..={max:?}")
            }
            Self::LabelTooLong(n) => write!(f, "label has {n} bytes, at most 255"),
            Self::Prefix { prefix_bits, bits_max } => {
                write!(f, "network prefix is {prefix_bits} bits, at most {bits_max}")
            }
            Self::NotCidr => f.write_str("a network is written as address/bits"),
        }
    }
}

impl core::error::Error for ConfigError {}
