//! How much one source may send.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use swim_core::Instant;

/// Bounds on what one source may send; what exceeds them is dropped and counted.
///
/// A source is an IPv4 address or the first 64 bits of an IPv6 address. The limits are checked
/// before anything is decrypted, so they bound what an outsider can make a node do. Nodes behind
/// one address (many on one host, say) share its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// Datagrams a second, on average. Default 5,000: a thousand times what a member sends. Here
    /// and below, 0 stands for 1.
    pub datagrams_per_second: u32,
    /// Datagrams at once after a pause. Default 10,000.
    pub datagrams_burst: u32,
    /// Streams a second, on average. Default 100.
    pub streams_per_second: u32,
    /// Streams at once after a pause. Default 400.
    pub streams_burst: u32,
    /// Sources that are told apart. Default 4,096. Beyond it, new sources share one bucket until
    /// others have been quiet.
    pub sources_max: u32,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            datagrams_per_second: 5_000,
            datagrams_burst: 10_000,
            streams_per_second: 100,
            streams_burst: 400,
            sources_max: 4_096,
        }
    }
}

impl RateLimit {
    pub(crate) fn datagrams(&self) -> Buckets {
        Buckets::new(self.datagrams_per_second, self.datagrams_burst, self.sources_max)
    }

    pub(crate) fn streams(&self) -> Buckets {
        Buckets::new(self.streams_per_second, self.streams_burst, self.sources_max)
    }
}

/// A token bucket for each source, kept as the time at which it will be full again.
#[derive(Debug)]
pub(crate) struct Buckets {
    /// Time in which one token comes back.
    token: Duration,
    /// Time in which an empty bucket fills.
    full: Duration,
    sources_max: usize,
    /// When each bucket is full again; one that is full by now is as good as none.
    full_at: HashMap<Source, Instant>,
    /// The bucket of all sources that found no place.
    rest_full_at: Instant,
    swept_at: Instant,
}

impl Buckets {
    fn new(per_second: u32, burst: u32, sources_max: u32) -> Self {
        let token = Duration::from_secs(1) / per_second.max(1);
        Self {
            token,
            full: token * burst.max(1),
            sources_max: sources_max as usize,
            full_at: HashMap::new(),
            rest_full_at: Instant::ZERO,
            swept_at: Instant::ZERO,
        }
    }

    /// Takes a token of the source `ip`; false if it has none.
    pub(crate) fn admit(&mut self, now: Instant, ip: IpAddr) -> bool {
        let source = Source::of(ip);
        if self.full_at.len() >= self.sources_max && !self.full_at.contains_key(&source) {
            self.sweep(now);
        }
        let bucket = if self.full_at.len() < self.sources_max {
            self.full_at.entry(source).or_insert(now)
        } else {
            self.full_at.get_mut(&source).unwrap_or(&mut self.rest_full_at)
        };
        let full_at = (*bucket).max(now) + self.token;
        if full_at.since(now) > self.full {
            return false;
        }
        *bucket = full_at;
        true
    }

    /// Forgets full buckets. At most once in ten milliseconds, so that a flood of forged sources
    /// does not buy a walk over the table with each datagram.
    fn sweep(&mut self, now: Instant) {
        if now.since(self.swept_at) >= Duration::from_millis(10) {
            self.swept_at = now;
            self.full_at.retain(|_, full_at| *full_at > now);
        }
    }
}

/// Whom a limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    V4(u32),
    V6Prefix(u64),
}

impl Source {
    pub(crate) fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.to_bits()),
            IpAddr::V6(v6) => Self::V6Prefix((v6.to_bits() >> 64) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn ip(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(n).into()
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let mut buckets = Buckets::new(10, 5, 8);
        let now = Instant::from_secs(100);
        assert_eq!((0..20).filter(|_| buckets.admit(now, A)).count(), 5);
        assert!(!buckets.admit(now + Duration::from_millis(99), A));
        assert!(buckets.admit(now + Duration::from_millis(100), A));
        let later = now + Duration::from_secs(60);
        assert_eq!((0..20).filter(|_| buckets.admit(later, A)).count(), 5);
    }

    #[test]
    fn sources_do_not_share_a_bucket() {
        let mut buckets = Buckets::new(1, 1, 8);
        let now = Instant::from_secs(1);
        assert!(buckets.admit(now, A) && !buckets.admit(now, A));
        assert!(buckets.admit(now, ip(1)));
        assert!(!buckets.admit(now, "::ffff:10.0.0.1".parse().unwrap()));
        assert!(buckets.admit(now, "2001:db8::1".parse().unwrap()));
        assert!(!buckets.admit(now, "2001:db8::2".parse().unwrap()));
    }

    #[test]
    fn a_flood_of_sources_stays_within_the_table() {
        let mut buckets = Buckets::new(1, 2, 8);
        let now = Instant::from_secs(1);
        assert_eq!((0..1000).filter(|n| buckets.admit(now, ip(*n))).count(), 8 + 2);
        assert_eq!(buckets.full_at.len(), 8);
        assert!(buckets.admit(now, ip(3)), "a source that has a place keeps its tokens");
        let later = now + Duration::from_secs(5);
        assert_eq!((0..1000).filter(|n| buckets.admit(later, ip(*n))).count(), 8 + 2);
    }
}
