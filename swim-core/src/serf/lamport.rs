//! Lamport clocks (serf spec 2.1).

/// A clock that runs ahead of every time that it has heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock(u64);

impl Clock {
    /// A clock at its first time, 1.
    pub(super) const fn new() -> Self {
        Self(1)
    }

    pub(super) const fn time(self) -> u64 {
        self.0
    }

    /// The time for a message of this node's own, and steps on.
    pub(super) fn tick(&mut self) -> u64 {
        let time = self.0;
        self.witness(time);
        time
    }

    /// Hears of a time. A peer can push it to its end, where it stays.
    pub(super) fn witness(&mut self, time: u64) {
        if time >= self.0 {
            self.0 = time.saturating_add(1);
        }
    }
}

/// The clocks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clocks {
    pub(super) member: Clock,
    pub(super) event: Clock,
    pub(super) query: Clock,
}

impl Clocks {
    pub(super) const fn new() -> Self {
        Self { member: Clock::new(), event: Clock::new(), query: Clock::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_ahead_of_what_it_heard() {
        let mut clock = Clock::new();
        assert_eq!((clock.tick(), clock.time()), (1, 2));
        clock.witness(1);
        assert_eq!(clock.time(), 2);
        clock.witness(7);
        assert_eq!(clock.time(), 8);
        clock.witness(u64::MAX);
        clock.witness(u64::MAX);
        assert_eq!((clock.tick(), clock.time()), (u64::MAX, u64::MAX));
    }
}
