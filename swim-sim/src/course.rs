//! Courses: when a fault that lasts is on.

use core::time::Duration;

use crate::draw::Draw;

/// When a fault that lasts for a time is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Course {
    /// All the time.
    Steady,
    /// In turns: on first, all nodes at once.
    Turns {
        /// How long it is on each time.
        on: Duration,
        /// How long it is off in between.
        off: Duration,
    },
    /// In bursts of random lengths, exponentially distributed, each node for itself; off first.
    Bursts {
        /// The mean time that it is on.
        on: Duration,
        /// The mean time that it is off.
        off: Duration,
    },
}

impl Course {
    /// Whether it is on at once.
    pub(crate) const fn starts_on(self) -> bool {
        !matches!(self, Self::Bursts { .. })
    }

    /// How long it stays on, or off, this time; `None` is until the end.
    pub(crate) fn length(self, on: bool, draw: &mut Draw) -> Option<Duration> {
        let length = match self {
            Self::Steady => return None,
            Self::Turns { on: length, .. } | Self::Bursts { on: length, .. } if on => length,
            Self::Turns { off, .. } | Self::Bursts { off, .. } => off,
        };
        let length = match self {
            // `1 - unit` is never 0.
            Self::Bursts { .. } => length.mul_f64(-libm::log(1.0 - draw.unit())),
            _ => length,
        };
        Some(length.max(LENGTH_MIN))
    }
}

/// Shorter turns would stop the time of a world.
const LENGTH_MIN: Duration = Duration::from_micros(1);

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn turns_are_exact_and_bursts_have_their_mean() {
        let mut draw = Draw::new(1, "test");
        let turns = Course::Turns { on: MS(20), off: MS(30) };
        assert_eq!(turns.length(true, &mut draw), Some(MS(20)));
        assert_eq!(turns.length(false, &mut draw), Some(MS(30)));
        assert_eq!(Course::Steady.length(true, &mut draw), None);
        let bursts = Course::Bursts { on: MS(5), off: MS(100) };
        for (on, mean) in [(true, 5e-3), (false, 0.1)] {
            let length = |_| bursts.length(on, &mut draw).unwrap().as_secs_f64();
            let sum: f64 = (0..20_000).map(length).sum();
            assert!((sum / 20_000.0 / mean - 1.0).abs() < 0.03, "{on}: {sum}");
        }
    }

    #[test]
    fn no_turn_is_empty() {
        let turns = Course::Turns { on: Duration::ZERO, off: Duration::ZERO };
        assert_eq!(turns.length(true, &mut Draw::new(1, "test")), Some(LENGTH_MIN));
    }
}
