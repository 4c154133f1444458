//! Links: how long a packet takes, and whether it arrives.

use core::fmt;
use core::time::Duration;

use crate::draw::hash;

/// Smallest delay of a link. A packet never arrives in the instant in which it was sent, which is
/// also what lets nodes run side by side within such a window.
pub const DELAY_MIN: Duration = Duration::from_micros(100);

/// Largest delay of a link.
pub const DELAY_MAX: Duration = Duration::from_secs(60);

/// The links between all nodes of a world.
///
/// Delay and loss are functions of (seed, from, to, packet number): nothing is kept per pair, and
/// no order of calls can change what befalls a packet. The default is a local network: 0.5 to 2 ms
/// each way, no loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Links {
    delay_min_ns: u64,
    delay_span_ns: u64,
    loss: f64,
}

impl Default for Links {
    fn default() -> Self {
        Self { delay_min_ns: 500_000, delay_span_ns: 1_500_000, loss: 0.0 }
    }
}

impl Links {
    /// Every packet takes `delay`.
    pub fn fixed(delay: Duration) -> Result<Self, LinkError> {
        Self::uniform(delay, delay)
    }

    /// Delays are spread evenly from `min` to `max`; packets may overtake each other.
    pub fn uniform(min: Duration, max: Duration) -> Result<Self, LinkError> {
        for delay in [min, max] {
            if !(DELAY_MIN..=DELAY_MAX).contains(&delay) {
                return Err(LinkError::Delay(delay));
            }
        }
        if max < min {
            return Err(LinkError::Order { min, max });
        }
        let (min, max) = (min.as_nanos() as u64, max.as_nanos() as u64);
        Ok(Self { delay_min_ns: min, delay_span_ns: max - min, loss: 0.0 })
    }

    /// The same links, losing this share of all packets (0 to 1).
    ///
    /// A stream loses none of its bytes; what the network loses of it is sent again, later.
    pub fn with_loss(mut self, loss: f64) -> Result<Self, LinkError> {
        if !(0.0..=1.0).contains(&loss) {
            return Err(LinkError::Loss(loss));
        }
        self.loss = loss;
        Ok(self)
    }

    /// The share of packets that is lost.
    pub const fn loss(&self) -> f64 {
        self.loss
    }

    /// The largest delay.
    pub const fn delay_max(&self) -> Duration {
        Duration::from_nanos(self.delay_min_ns + self.delay_span_ns)
    }

    /// What befalls packet `number` of `from` on its way to `to`: its delay, or `None` if lost.
    #[inline]
    pub fn fate(&self, seed: u64, from: u32, to: u32, number: u32) -> Option<u64> {
        let bits = hash(seed, u64::from(from) << 32 | u64::from(to), number.into(), 0);
        if self.loss > 0.0 && (bits >> 32) as f64 / (1u64 << 32) as f64 >= 1.0 - self.loss {
            return None;
        }
        Some(self.delay(bits))
    }

    /// How long the transport needs for one leg of a stream: what is lost is sent again after
    /// `retry_ns`, then after twice that, and so on, as TCP does. A share of `blocked` is lost
    /// besides what the links lose.
    pub fn leg(
        &self,
        seed: u64,
        from: u32,
        to: u32,
        number: u32,
        retry_ns: u64,
        blocked: f64,
    ) -> u64 {
        let both = 1.0 - (1.0 - self.loss) * (1.0 - blocked);
        let loss = if blocked > 0.0 { both } else { self.loss };
        let (mut late, mut wait) = (0u64, retry_ns);
        for attempt in 1..=STREAM_ATTEMPTS {
            let bits = hash(seed, u64::from(from) << 32 | u64::from(to), number.into(), attempt);
            if loss == 0.0 || (bits >> 32) as f64 / (1u64 << 32) as f64 >= loss {
                return late + self.delay(bits);
            }
            late += wait;
            wait *= 2;
        }
        // A day: later than any deadline.
        86_400_000_000_000
    }

    #[inline]
    const fn delay(&self, bits: u64) -> u64 {
        let part = (bits as u32) as u128 * (self.delay_span_ns + 1) as u128;
        self.delay_min_ns + (part >> 32) as u64
    }
}

/// Linux gives up a connection after about as many tries.
const STREAM_ATTEMPTS: u64 = 7;

/// Why [`Links`] cannot be made.
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
    /// A share of lost packets is not between 0 and 1.
    Loss(f64),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(d) => write!(f, "delay is {d:?}, not in {DELAY_MIN:?}..={DELAY_MAX:?}"),
            Self::Order { min, max } => write!(f, "smallest delay {min:?} is above {max:?}"),
            Self::Loss(p) => write!(f, "loss is {p}, not in 0..=1"),
        }
    }
}

impl core::error::Error for LinkError {}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn delays_keep_to_their_range_and_fill_it() {
        let links = Links::uniform(MS(1), MS(3)).unwrap();
        let delays: Vec<u64> = (0..10_000).filter_map(|n| links.fate(1, 2, 3, n)).collect();
        assert_eq!(delays.len(), 10_000);
        assert!(delays.iter().all(|d| (1_000_000..=3_000_000).contains(d)));
        assert!(delays.iter().any(|&d| d < 1_010_000) && delays.iter().any(|&d| d > 2_990_000));
        let mean = delays.iter().sum::<u64>() / 10_000;
        assert!((1_980_000..2_020_000).contains(&mean), "{mean}");
        assert_eq!(Links::fixed(MS(5)).unwrap().fate(1, 2, 3, 4), Some(5_000_000));
    }

    #[test]
    fn the_share_of_lost_packets_is_as_asked() {
        for loss in [0.0, 0.05, 0.2, 1.0] {
            let links = Links::default().with_loss(loss).unwrap();
            let lost = (0..50_000).filter(|&n| links.fate(9, 1, 2, n).is_none()).count();
            assert!((lost as f64 / 50_000.0 - loss).abs() < 0.006, "{lost} lost at {loss}");
        }
    }

    #[test]
    fn fate_depends_on_seed_and_ends_and_number_only() {
        let links = Links::default().with_loss(0.1).unwrap();
        let fates = |seed, a, b| (0..64).map(|n| links.fate(seed, a, b, n)).collect::<Vec<_>>();
        assert_eq!(fates(1, 2, 3), fates(1, 2, 3));
        assert_ne!(fates(1, 2, 3), fates(1, 3, 2));
        assert_ne!(fates(1, 2, 3), fates(2, 2, 3));
    }

    #[test]
    fn streams_lose_time_instead_of_bytes() {
        let links = Links::default().with_loss(0.2).unwrap();
        let late =
            (0..10_000).filter(|&n| links.leg(1, 2, 3, n, 200_000_000, 0.0) > 2_000_000).count();
        assert!((1_850..2_150).contains(&late), "{late}");
        assert!(Links::default().leg(1, 2, 3, 4, 200_000_000, 0.0) <= 2_000_000);
    }

    #[test]
    fn bad_links_name_value_and_bound() {
        let text = |r: Result<Links, LinkError>| r.unwrap_err().to_string();
        assert_eq!(text(Links::fixed(MS(0))), "delay is 0ns, not in 100µs..=60s");
        assert_eq!(text(Links::uniform(MS(2), MS(1))), "smallest delay 2ms is above 1ms");
        assert_eq!(text(Links::default().with_loss(1.5)), "loss is 1.5, not in 0..=1");
        assert_eq!(text(Links::default().with_loss(f64::NAN)), "loss is NaN, not in 0..=1");
    }
}
