//! The driver's clock.

use std::time::Duration;

use swim_core::Instant;

/// A monotonic clock that keeps running while the machine is suspended, where the system has one,
/// so that a node that slept knows that it is late. tokio's clock, which stops, is for sleeping
/// only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Source);

#[cfg(unix)]
type Source = nix::time::ClockId;
#[cfg(not(unix))]
type Source = std::time::Instant;

impl Clock {
    #[cfg(unix)]
    pub(crate) fn new() -> Self {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if Source::CLOCK_BOOTTIME.now().is_ok() {
            return Self(Source::CLOCK_BOOTTIME);
        }
        Self(Source::CLOCK_MONOTONIC)
    }

    #[cfg(unix)]
    pub(crate) fn now(&self) -> Instant {
        let now = self.0.now().expect("the clock was read before");
        Instant::ZERO + Duration::from(now)
    }

    #[cfg(not(unix))]
    pub(crate) fn new() -> Self {
        Self(Source::now())
    }

    #[cfg(not(unix))]
    pub(crate) fn now(&self) -> Instant {
        Instant::ZERO + self.0.elapsed()
    }

    /// The same moment on tokio's clock, for sleeping until it.
    pub(crate) fn tokio_instant(&self, at: Instant) -> tokio::time::Instant {
        let wait = at.since(self.now()).min(SLEEP_MAX);
        tokio::time::Instant::now() + wait
    }
}

/// Longer sleeps are cut: waking up early is harmless, and `Instant::MAX` would overflow.
const SLEEP_MAX: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_and_never_overflows() {
        let clock = Clock::new();
        let (a, b) = (clock.now(), clock.now());
        assert!(a <= b);
        assert!(clock.tokio_instant(Instant::MAX) > tokio::time::Instant::now());
    }
}
