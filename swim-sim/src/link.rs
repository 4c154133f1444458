//! Links: how long a packet takes, and whether it arrives.

mod error;
mod latency;
mod zones;

use core::time::Duration;
use std::sync::Arc;

pub use self::error::LinkError;
use self::latency::{Delay, scale};
pub use self::latency::{Latency, SIGMA_MAX};
use self::zones::Matrix;
pub use self::zones::Zones;
use crate::draw::{K, fold, hash};

/// Smallest delay of a link. A packet never arrives in the instant in which it was sent, which is
/// also what lets nodes run side by side within such a window.
pub const DELAY_MIN: Duration = Duration::from_micros(100);

/// Largest delay of a link.
pub const DELAY_MAX: Duration = Duration::from_secs(60);

/// Longest time that a datagram waits for its node's interface, if that has a bandwidth; what would
/// wait longer is dropped, as a full queue does.
pub const QUEUE_MAX: Duration = Duration::from_millis(200);

/// Smallest MTU, that of IPv6.
pub const MTU_MIN: u32 = 1280;

/// The links between all nodes of a world.
///
/// Delay, loss, duplication and order are functions of (seed, from, to, packet number): nothing is
/// kept per pair, and no order of calls can change what befalls a packet. The default is a local
/// network: 0.5 to 2 ms each way, no loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Links {
    latency: Latency,
    delay: Delay,
    loss: f64,
    /// What few worlds have; `None` keeps a packet's way short.
    rough: Option<Arc<Rough>>,
}

/// What befalls packets besides delay and loss.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rough {
    duplicates: f64,
    overtaken: f64,
    overtaken_by_ns: u64,
    bandwidth_bps: Option<u64>,
    mtu: Option<u32>,
    resets: f64,
    zones: Option<(Zones, Matrix)>,
}

impl Default for Links {
    fn default() -> Self {
        let (min, max) = (Duration::from_micros(500), Duration::from_millis(2));
        Self::uniform(min, max).expect("the delays lie within the bounds")
    }
}

impl Links {
    /// Every packet has this latency.
    ///
    /// # Errors
    ///
    /// [`LinkError`] if a delay lies outside of [`DELAY_MIN`] to [`DELAY_MAX`].
    pub fn new(latency: Latency) -> Result<Self, LinkError> {
        Ok(Self { latency, delay: Delay::new(latency)?, loss: 0.0, rough: None })
    }

    /// Every packet takes `delay`.
    pub fn fixed(delay: Duration) -> Result<Self, LinkError> {
        Self::new(Latency::Fixed(delay))
    }

    /// Delays are spread evenly from `min` to `max`; packets may overtake each other.
    pub fn uniform(min: Duration, max: Duration) -> Result<Self, LinkError> {
        Self::new(Latency::Uniform { min, max })
    }

    /// Latency depends on the zones of both ends.
    ///
    /// # Errors
    ///
    /// [`LinkError`] if the matrix does not have a row and a column for each zone, or a delay lies
    /// outside of its bounds.
    pub fn zones(zones: &Zones) -> Result<Self, LinkError> {
        let zones = Some((zones.clone(), Matrix::new(zones)?));
        let rough = Rough { zones, ..Rough::default() };
        Ok(Self { rough: Some(Arc::new(rough)), ..Self::default() })
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

    /// The same links, delivering this share of datagrams twice, each copy with its own delay.
    pub fn with_duplicates(self, share: f64) -> Result<Self, LinkError> {
        let share = checked("duplicates", share)?;
        Ok(self.rough(|r| r.duplicates = share))
    }

    /// The same links, holding this share of packets back for up to `by` more, so that later ones
    /// overtake them.
    pub fn with_reordering(self, share: f64, by: Duration) -> Result<Self, LinkError> {
        let share = checked("reordering", share)?;
        if by > DELAY_MAX {
            return Err(LinkError::Delay(by));
        }
        Ok(self.rough(|r| (r.overtaken, r.overtaken_by_ns) = (share, by.as_nanos() as u64)))
    }

    /// The same links, with an interface of so many bits per second at each node, which sends one
    /// packet after the other. A datagram that would wait longer than [`QUEUE_MAX`] is dropped; a
    /// stream waits.
    pub fn with_bandwidth(self, bits_per_s: u64) -> Result<Self, LinkError> {
        if bits_per_s < BANDWIDTH_MIN {
            return Err(LinkError::Bandwidth(bits_per_s));
        }
        Ok(self.rough(|r| r.bandwidth_bps = Some(bits_per_s)))
    }

    /// The same links, dropping datagrams whose IP packet, 28 bytes more, is larger than this.
    /// Streams fit their segments to it.
    pub fn with_mtu(self, bytes: u32) -> Result<Self, LinkError> {
        if bytes < MTU_MIN {
            return Err(LinkError::Mtu(bytes));
        }
        Ok(self.rough(|r| r.mtu = Some(bytes)))
    }

    /// The same links, breaking this share of streams, half of them before the request arrives and
    /// half of them after: the side that asked learns that its stream was closed, the other side
    /// knows nothing of it.
    pub fn with_resets(self, share: f64) -> Result<Self, LinkError> {
        let share = checked("resets", share)?;
        Ok(self.rough(|r| r.resets = share))
    }

    fn rough(mut self, set: impl FnOnce(&mut Rough)) -> Self {
        set(Arc::make_mut(self.rough.get_or_insert_default()));
        self
    }

    /// The share of packets that is lost.
    pub const fn loss(&self) -> f64 {
        self.loss
    }

    /// The latency where there are no zones.
    pub const fn latency(&self) -> Latency {
        self.latency
    }

    /// The zones, if there are any.
    pub fn zone_table(&self) -> Option<&Zones> {
        self.rough.as_ref()?.zones.as_ref().map(|(zones, _)| zones)
    }

    /// The share of datagrams that come twice.
    pub fn duplicates(&self) -> f64 {
        self.rough.as_ref().map_or(0.0, |r| r.duplicates)
    }

    /// The share of packets that are held back, and for how long at most.
    pub fn reordering(&self) -> (f64, Duration) {
        let held = |r: &Arc<Rough>| (r.overtaken, Duration::from_nanos(r.overtaken_by_ns));
        self.rough.as_ref().map_or((0.0, Duration::ZERO), held)
    }

    /// Bits per second of an interface; `None` is without bound.
    pub fn bandwidth_bps(&self) -> Option<u64> {
        self.rough.as_ref()?.bandwidth_bps
    }

    /// The largest IP packet of a datagram, in bytes; `None` is without bound.
    pub fn mtu(&self) -> Option<u32> {
        self.rough.as_ref()?.mtu
    }

    /// The share of streams that break.
    pub fn resets(&self) -> f64 {
        self.rough.as_ref().map_or(0.0, |r| r.resets)
    }

    /// The smallest delay.
    pub fn delay_min(&self) -> Duration {
        self.delays().map(Delay::min).min().unwrap_or(DELAY_MIN)
    }

    /// The largest delay, without what reordering, bandwidth and retries of streams add.
    pub fn delay_max(&self) -> Duration {
        self.delays().map(Delay::max).max().unwrap_or(DELAY_MAX)
    }

    fn delays(&self) -> impl Iterator<Item = Delay> {
        let zones = self.rough.as_ref().and_then(|r| r.zones.as_ref());
        let base = zones.is_none().then_some(self.delay);
        zones.into_iter().flat_map(|(_, matrix)| matrix.all()).chain(base)
    }

    /// What befalls packet `number` of `from` on its way to `to`: its delay in nanoseconds, or
    /// `None` if it is lost.
    #[inline]
    pub fn fate(&self, seed: u64, from: u32, to: u32, number: u32) -> Option<u64> {
        let bits = hash(seed, u64::from(from) << 32 | u64::from(to), number.into(), 0);
        if self.loss > 0.0 && share(bits) >= 1.0 - self.loss {
            return None;
        }
        Some(self.delay(bits, from, to))
    }

    /// How long the transport needs for one leg of a stream, in nanoseconds: what is lost is sent
    /// again after `retry_ns`, then after twice that, and so on, as TCP does. A share of `blocked`
    /// is lost besides what the links lose.
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
            if loss == 0.0 || share(bits) >= loss {
                return late + self.delay(bits, from, to);
            }
            late += wait;
            wait *= 2;
        }
        // A day: later than any deadline.
        86_400_000_000_000
    }

    /// Whether delay and loss are all that befalls a packet.
    #[inline]
    pub(crate) const fn is_plain(&self) -> bool {
        self.rough.is_none()
    }

    /// Whether a datagram of so many bytes is too large for these links.
    pub(crate) fn is_oversized(&self, bytes: usize) -> bool {
        self.mtu().is_some_and(|mtu| bytes + HEADER_BYTES > mtu as usize)
    }

    /// How long an interface is busy with so many bytes, in nanoseconds; 0 without a bandwidth.
    pub(crate) fn busy_ns(&self, bytes: usize) -> u64 {
        let bits = (bytes + HEADER_BYTES) as u64 * 8;
        self.bandwidth_bps()
            .map_or(0, |bps| (u128::from(bits) * 1_000_000_000 / u128::from(bps)) as u64)
    }

    /// Whether a datagram comes twice.
    pub(crate) fn is_duplicated(&self, seed: u64, from: u32, to: u32, number: u32) -> bool {
        let duplicates = self.duplicates();
        let ends = u64::from(from) << 32 | u64::from(to);
        duplicates > 0.0 && share(hash(seed ^ DUPLICATE, ends, number.into(), 0)) < duplicates
    }

    /// Whether and when stream `number` breaks.
    pub(crate) fn reset(&self, seed: u64, from: u32, to: u32, number: u32) -> Option<Reset> {
        let resets = self.resets();
        let ends = u64::from(from) << 32 | u64::from(to);
        let bits = hash(seed ^ RESET, ends, number.into(), 0);
        let when = if bits & 1 == 0 { Reset::Early } else { Reset::Late };
        (resets > 0.0 && share(bits) < resets).then_some(when)
    }

    #[inline]
    fn delay(&self, bits: u64, from: u32, to: u32) -> u64 {
        match &self.rough {
            None => self.delay.of(bits),
            Some(rough) => rough.delay(self.delay, bits, from, to),
        }
    }
}

/// When a stream breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reset {
    /// Before its request has arrived.
    Early,
    /// After that.
    Late,
}

impl Rough {
    fn delay(&self, base: Delay, bits: u64, from: u32, to: u32) -> u64 {
        let delay = self.zones.as_ref().map_or(base, |(_, matrix)| matrix.delay(from, to));
        let more = fold(bits ^ K[1], K[3]);
        let held = self.overtaken > 0.0 && share(more) < self.overtaken;
        delay.of(bits) + if held { scale(more as u32, self.overtaken_by_ns + 1) } else { 0 }
    }
}

/// A number in `0.0..1.0` of the upper half of random bits.
#[inline]
fn share(bits: u64) -> f64 {
    (bits >> 32) as f64 / (1u64 << 32) as f64
}

fn checked(what: &'static str, share: f64) -> Result<f64, LinkError> {
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(LinkError::Share { what, share }) }
}

/// Linux gives up a connection after about as many tries.
const STREAM_ATTEMPTS: u64 = 7;
/// Bytes of the headers of IPv4 and UDP.
const HEADER_BYTES: usize = 28;
/// Slower interfaces cannot send one datagram within [`QUEUE_MAX`].
const BANDWIDTH_MIN: u64 = 64_000;
const DUPLICATE: u64 = 0x6475_706c_6963_6174;
const RESET: u64 = 0x72_6573_6574;

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
        assert_eq!(text(Links::default().with_mtu(576)), "MTU is 576 bytes, at least 1280");
        assert_eq!(
            text(Links::default().with_bandwidth(1)),
            "bandwidth is 1 bit/s, at least 64000"
        );
        assert_eq!(text(Links::default().with_resets(2.0)), "resets is 2, not in 0..=1");
        let latency = Latency::LogNormal { median: MS(1), sigma: 9.0 };
        assert_eq!(text(Links::new(latency)), "sigma is 9, not above 0 and at most 3");
    }

    #[test]
    fn a_share_of_packets_comes_twice_or_late() {
        let links = Links::fixed(MS(1)).unwrap().with_duplicates(0.1).unwrap();
        let twice = (0..10_000).filter(|&n| links.is_duplicated(1, 2, 3, n)).count();
        assert!((900..1_100).contains(&twice), "{twice}");
        let links = Links::fixed(MS(1)).unwrap().with_reordering(0.2, MS(9)).unwrap();
        let delays: Vec<u64> = (0..10_000).filter_map(|n| links.fate(1, 2, 3, n)).collect();
        let late = delays.iter().filter(|&&d| d > 1_000_000).count();
        assert!((1_850..2_150).contains(&late), "{late}");
        assert!(delays.iter().all(|d| (1_000_000..=10_000_000).contains(d)));
        assert!(delays.iter().any(|&d| d > 9_000_000));
    }

    #[test]
    fn an_interface_is_busy_for_the_bits_of_a_packet() {
        let links = Links::default().with_bandwidth(1_000_000).unwrap();
        assert_eq!(links.busy_ns(97), 1_000_000);
        assert_eq!(Links::default().busy_ns(97), 0);
        let links = links.with_mtu(1500).unwrap();
        assert!(!links.is_oversized(1472) && links.is_oversized(1473));
    }

    #[test]
    fn rough_links_keep_what_was_set_before() {
        let links = Links::default().with_loss(0.1).unwrap().with_mtu(1400).unwrap();
        let links = links.with_bandwidth(64_000).unwrap();
        assert_eq!(links.loss(), 0.1);
        assert!(links.is_oversized(1400) && links.busy_ns(1) > 0);
        assert_eq!(links.delay_max(), MS(2));
    }
}
