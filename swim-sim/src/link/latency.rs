//! Latency: how long packets take, as a distribution.

use core::time::Duration;

use super::{DELAY_MAX, DELAY_MIN, LinkError};
use crate::draw::{K, fold};

/// How long packets take, one way.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Latency {
    /// All the same time.
    Fixed(Duration),
    /// Spread evenly; packets may overtake each other.
    Uniform {
        /// Smallest.
        min: Duration,
        /// Largest.
        max: Duration,
    },
    /// Log-normal, as measured on the internet: most packets near the median, a long tail above.
    LogNormal {
        /// Half of all packets take less.
        median: Duration,
        /// Standard deviation of the logarithm, above 0 and at most [`SIGMA_MAX`]: with 0.5, one
        /// packet in a hundred takes 3.2 medians. Results are held within [`DELAY_MIN`] and
        /// [`DELAY_MAX`].
        sigma: f64,
    },
}

/// Largest spread of [`Latency::LogNormal`]; a packet in a hundred then takes a thousand medians.
pub const SIGMA_MAX: f64 = 3.0;

/// A latency that is within its bounds, in the form that packets need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Delay {
    Span { min_ns: u64, span_ns: u64 },
    LogNormal { ln_median: f64, sigma: f64 },
}

impl Delay {
    pub(super) fn new(latency: Latency) -> Result<Self, LinkError> {
        let (min, max) = match latency {
            Latency::Fixed(delay) => (delay, delay),
            Latency::Uniform { min, max } => (min, max),
            Latency::LogNormal { median, .. } => (median, median),
        };
        for delay in [min, max] {
            if !(DELAY_MIN..=DELAY_MAX).contains(&delay) {
                return Err(LinkError::Delay(delay));
            }
        }
        if max < min {
            return Err(LinkError::Order { min, max });
        }
        if let Latency::LogNormal { median, sigma } = latency {
            if !(sigma > 0.0 && sigma <= SIGMA_MAX) {
                return Err(LinkError::Sigma(sigma));
            }
            return Ok(Self::LogNormal { ln_median: libm::log(nanos(median) as f64), sigma });
        }
        Ok(Self::Span { min_ns: nanos(min), span_ns: nanos(max) - nanos(min) })
    }

    /// The delay in nanoseconds that these random bits give.
    #[inline]
    pub(super) fn of(self, bits: u64) -> u64 {
        match self {
            Self::Span { min_ns, span_ns } => min_ns + scale(bits as u32, span_ns + 1),
            Self::LogNormal { ln_median, sigma } => log_normal(ln_median, sigma, bits),
        }
    }

    pub(super) fn min(self) -> Duration {
        match self {
            Self::Span { min_ns, .. } => Duration::from_nanos(min_ns),
            Self::LogNormal { .. } => DELAY_MIN,
        }
    }

    pub(super) fn max(self) -> Duration {
        match self {
            Self::Span { min_ns, span_ns } => Duration::from_nanos(min_ns + span_ns),
            Self::LogNormal { .. } => DELAY_MAX,
        }
    }
}

/// A number below `n`, in the proportion of `bits` to 2^32.
#[inline]
pub(super) const fn scale(bits: u32, n: u64) -> u64 {
    ((bits as u128 * n as u128) >> 32) as u64
}

/// A normal variable by Box and Muller, then its exponential.
fn log_normal(ln_median: f64, sigma: f64, bits: u64) -> u64 {
    // The upper bits have decided about loss already.
    let bits = fold(bits ^ K[3], K[2]);
    let unit = |half: u32| (f64::from(half) + 0.5) / (1u64 << 32) as f64;
    let radius = libm::sqrt(-2.0 * libm::log(unit((bits >> 32) as u32)));
    let normal = radius * libm::cos(core::f64::consts::TAU * unit(bits as u32));
    let ns = libm::exp(ln_median + sigma * normal);
    (ns as u64).clamp(nanos(DELAY_MIN), nanos(DELAY_MAX))
}

const fn nanos(d: Duration) -> u64 {
    d.as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::hash;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn sample(latency: Latency) -> Vec<u64> {
        let delay = Delay::new(latency).unwrap();
        let mut sample: Vec<u64> = (0..20_000).map(|n| delay.of(hash(1, 2, 3, n))).collect();
        sample.sort_unstable();
        sample
    }

    #[test]
    fn a_log_normal_delay_has_its_median_and_its_tail() {
        let sample = sample(Latency::LogNormal { median: MS(20), sigma: 0.5 });
        let at = |share: f64| sample[(20_000.0 * share) as usize] as f64 / 20e6;
        assert!((at(0.5) - 1.0).abs() < 0.02, "{}", at(0.5));
        // e^(0.5 z) for the quantiles z of the normal distribution.
        for (share, factor) in [(0.159, 0.606), (0.841, 1.649), (0.99, 3.2)] {
            assert!((at(share) / factor - 1.0).abs() < 0.06, "{share}: {}", at(share));
        }
    }

    #[test]
    fn delays_stay_within_the_bounds_of_links() {
        let low = sample(Latency::LogNormal { median: DELAY_MIN, sigma: 3.0 });
        assert_eq!(low[0], nanos(DELAY_MIN));
        let high = sample(Latency::LogNormal { median: DELAY_MAX, sigma: 3.0 });
        assert_eq!(high[19_999], nanos(DELAY_MAX));
    }
}
