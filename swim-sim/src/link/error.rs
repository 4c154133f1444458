//! Why links cannot be made.

use core::fmt;
use core::time::Duration;

use super::{BANDWIDTH_MIN, DELAY_MAX, DELAY_MIN, MTU_MIN, SIGMA_MAX};

/// Why [`Links`](super::Links) cannot be made.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum LinkError {
    /// A delay lies outside of [`DELAY_MIN`] to [`DELAY_MAX`].
    Delay(Duration),
    /// The smallest delay is larger than the largest.
    Order {
        /// Smallest.
        min: Duration,
        /// Largest.
        max: Duration,
    },
    /// The spread of a log-normal latency is not above 0 and at most [`SIGMA_MAX`].
    Sigma(f64),
    /// A share of lost packets is not between 0 and 1.
    Loss(f64),
    /// Another share is not between 0 and 1.
    Share {
        /// Of what.
        what: &'static str,
        /// The share.
        share: f64,
    },
    /// So many bits per second are too few.
    Bandwidth(u64),
    /// So many bytes are too few, less than [`MTU_MIN`].
    Mtu(u32),
    /// A matrix of latencies has not one row and one column for each zone.
    Matrix {
        /// How many zones there are.
        zones: usize,
        /// How many rows.
        rows: usize,
        /// How many columns of a row that is wrong, or of all.
        columns: usize,
    },
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(d) => write!(f, "delay is {d:?}, not in {DELAY_MIN:?}..={DELAY_MAX:?}"),
            Self::Order { min, max } => write!(f, "smallest delay {min:?} is above {max:?}"),
            Self::Sigma(s) => write!(f, "sigma is {s}, not above 0 and at most {SIGMA_MAX}"),
            Self::Loss(p) => write!(f, "loss is {p}, not in 0..=1"),
            Self::Share { what, share } => write!(f, "{what} is {share}, not in 0..=1"),
            Self::Bandwidth(b) => write!(f, "bandwidth is {b} bit/s, at least {BANDWIDTH_MIN}"),
            Self::Mtu(bytes) => write!(f, "MTU is {bytes} bytes, at least {MTU_MIN}"),
            Self::Matrix { zones, rows, columns } => {
                write!(f, "matrix of latencies has {rows} rows and {columns} columns")?;
                write!(f, " for {zones} zones, needs {zones} each")
            }
        }
    }
}

impl core::error::Error for LinkError {}
