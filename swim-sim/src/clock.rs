//! Clocks that run fast or slow.

use swim_core::Instant;

/// A node's clock: it ran with the world's until `since`, at another rate from then on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    since: Instant,
    local: Instant,
    /// Parts per million by which it runs fast; slow if negative.
    ppm: i32,
}

/// A clock gains or loses at most a tenth.
pub const DRIFT_MAX_PPM: i32 = 100_000;

impl Clock {
    /// What it shows at a time of the world.
    pub(crate) fn local(&self, now: Instant) -> Instant {
        let ns = u128::from(now.as_nanos().saturating_sub(self.since.as_nanos()));
        let passed = ns * self.rate() / MILLION;
        Instant::from_nanos(self.local.as_nanos().saturating_add(small(passed)))
    }

    /// The first time of the world at which it shows `local`, or later.
    pub(crate) fn world(&self, local: Instant) -> Instant {
        if local == Instant::MAX {
            return local;
        }
        let ns = u128::from(local.as_nanos().saturating_sub(self.local.as_nanos()));
        let passed = (ns * MILLION).div_ceil(self.rate());
        Instant::from_nanos(self.since.as_nanos().saturating_add(small(passed)))
    }

    /// Runs at another rate from now on.
    pub(crate) fn set_rate(&mut self, now: Instant, ppm: i32) {
        *self = Self { since: now, local: self.local(now), ppm };
    }

    fn rate(&self) -> u128 {
        let ppm = i64::from(self.ppm.clamp(-DRIFT_MAX_PPM, DRIFT_MAX_PPM));
        u128::from((MILLION as i64 + ppm).unsigned_abs())
    }
}

fn small(ns: u128) -> u64 {
    u64::try_from(ns).unwrap_or(u64::MAX)
}

const MILLION: u128 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_reached_early() {
        for ppm in [-DRIFT_MAX_PPM, -7, 0, 3, 50_001, DRIFT_MAX_PPM] {
            let mut clock = Clock::default();
            clock.set_rate(Instant::from_secs(5), ppm);
            for local in (6_000_000_000..6_000_001_000).map(Instant::from_nanos) {
                let world = clock.world(local);
                assert!(clock.local(world) >= local, "{ppm}");
                let before = Instant::from_nanos(world.as_nanos() - 1);
                assert!(clock.local(before) < local, "{ppm}");
            }
        }
    }

    #[test]
    fn a_clock_goes_on_from_what_it_shows() {
        let mut clock = Clock::default();
        assert_eq!(clock.local(Instant::from_secs(10)), Instant::from_secs(10));
        clock.set_rate(Instant::from_secs(10), DRIFT_MAX_PPM);
        assert_eq!(clock.local(Instant::from_secs(20)), Instant::from_secs(21));
        clock.set_rate(Instant::from_secs(20), 0);
        assert_eq!(clock.local(Instant::from_secs(30)), Instant::from_secs(31));
        assert_eq!(clock.world(Instant::from_secs(31)), Instant::from_secs(30));
        assert_eq!(clock.world(Instant::MAX), Instant::MAX);
    }
}
