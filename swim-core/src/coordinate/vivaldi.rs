//! The algorithm itself (section 5.5).

use core::fmt;
use core::time::Duration;

use smallvec::SmallVec;

use crate::coordinate::point::NEARLY_ZERO;
use crate::coordinate::{Config, Coordinate};
use crate::rng::Rng;

/// A node's coordinate, and what it takes to keep it up to date besides what is known of its peers.
/// The configuration is the caller's, since many nodes have the same.
#[derive(Clone, Debug)]
pub(crate) struct Vivaldi {
    pub(super) me: Coordinate,
    /// The latest of what coordinates were off by, in seconds; as many as the window has.
    off: SmallVec<[f64; 20]>,
    /// Where the oldest of them is.
    oldest: u8,
    rng: Rng,
    resets: u64,
    rejected: u64,
    zero_rtts: u64,
}

impl Vivaldi {
    /// A node at the origin. The randomness decides where nodes go that are in the same place.
    pub(crate) fn new(config: &Config, rng: Rng) -> Self {
        Self {
            me: Coordinate::origin(config),
            off: core::iter::repeat_n(0.0, config.adjustment_window.into()).collect(),
            oldest: 0,
            rng,
            resets: 0,
            rejected: 0,
            zero_rtts: 0,
        }
    }

    pub(crate) const fn coordinate(&self) -> &Coordinate {
        &self.me
    }

    pub(crate) const fn resets(&self) -> u64 {
        self.resets
    }

    pub(crate) const fn rejected(&self) -> u64 {
        self.rejected
    }

    pub(crate) const fn zero_rtts(&self) -> u64 {
        self.zero_rtts
    }

    pub(crate) const fn reject(&mut self, rejection: Rejection) -> Rejection {
        self.rejected += 1;
        rejection
    }

    /// Whether it can be that a peer is at `other`, and that a message to it and back took `rtt`.
    pub(crate) fn check(&mut self, other: &Coordinate, rtt: Duration) -> Result<(), Rejection> {
        if !other.is_finite() {
            return Err(self.reject(Rejection::NotFinite));
        }
        if rtt > RTT_MAX {
            return Err(self.reject(Rejection::TooSlow { rtt, max: RTT_MAX }));
        }
        self.zero_rtts += u64::from(rtt.is_zero());
        Ok(())
    }

    /// Takes that in, if it [can be](Self::check); `rtt` is in seconds, and what single samples are
    /// off by is out of it.
    pub(crate) fn take(&mut self, config: &Config, other: &Coordinate, rtt: f64) -> &Coordinate {
        self.spring(config, other, rtt);
        self.adjust(other, rtt);
        self.gravitate(config);
        if !self.me.is_finite() {
            self.me = Coordinate::origin(config);
            self.resets += 1;
        }
        &self.me
    }

    /// Vivaldi proper: a spring between the two nodes pulls or pushes.
    pub(super) fn spring(&mut self, config: &Config, other: &Coordinate, rtt: f64) {
        let Config { error_max, error_gain, move_gain, .. } = *config;
        let distance = self.me.rounded_distance(other);
        let rtt = rtt.max(NEARLY_ZERO);
        let wrong = (distance - rtt).abs() / rtt;
        let error = self.me.error;
        let weight = error / (error + other.error).max(NEARLY_ZERO);
        let part = error_gain * weight;
        self.me.error = (part * wrong + error * (1.0 - part)).min(error_max);
        self.push(config, move_gain * weight * (rtt - distance), other);
    }

    /// Half of the mean of what the coordinates were off by, so that both nodes make up for it.
    pub(super) fn adjust(&mut self, other: &Coordinate, rtt: f64) {
        let off = rtt - self.me.raw_distance(other);
        let Some(oldest) = self.off.get_mut(usize::from(self.oldest)) else { return };
        *oldest = off;
        let len = self.off.len();
        self.oldest = ((usize::from(self.oldest) + 1) % len) as u8;
        let sum: f64 = self.off.iter().sum();
        self.me.adjustment = sum / (2.0 * len as f64);
    }

    /// Draws towards the origin, or all nodes together would drift away.
    pub(super) fn gravitate(&mut self, config: &Config) {
        let origin = Coordinate::origin(config);
        let pull = origin.rounded_distance(&self.me) / config.gravity_rho;
        self.push(config, -(pull * pull), &origin);
    }

    fn push(&mut self, config: &Config, force: f64, other: &Coordinate) {
        self.me = self.me.pushed(force, other, config, &mut self.rng);
    }
}

/// Why an update was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The coordinate is of a space of other dimensions.
    Dimensions {
        /// How many it has.
        found: usize,
        /// How many there are.
        known: usize,
    },
    /// A number of the coordinate is none, or infinite.
    NotFinite,
    /// The round trip took longer than any that counts.
    TooSlow {
        /// How long it took.
        rtt: Duration,
        /// How long it may take.
        max: Duration,
    },
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dimensions { found, known } => {
                write!(f, "coordinate of {found} dimensions, not {known}")
            }
            Self::NotFinite => f.write_str("coordinate with an infinite number or none"),
            Self::TooSlow { rtt, max } => {
                write!(f, "round trip of {rtt:?} is longer than {max:?}")
            }
        }
    }
}

impl core::error::Error for Rejection {}

/// What takes longer says nothing about where a node is.
const RTT_MAX: Duration = Duration::from_secs(10);
