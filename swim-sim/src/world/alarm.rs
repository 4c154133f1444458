//! When a machine wants to be woken, and the wheel's entry for that.

use core::time::Duration;

use swim_core::Instant;

/// One machine has one entry that counts; older ones have an older generation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alarm {
    /// When the machine wants to be woken; `MAX` is never.
    pub(super) deadline: Instant,
    /// Time of the entry that counts; never after `deadline`.
    armed: Instant,
    /// Generation of that entry.
    generation: u32,
    /// How often it wanted to be woken at once, and when it last did.
    spins: (Instant, u32),
}

impl Default for Alarm {
    fn default() -> Self {
        let never = Instant::MAX;
        Self { deadline: never, armed: never, generation: 0, spins: (Instant::ZERO, 0) }
    }
}

impl Alarm {
    /// The entry that the wheel needs now, if the one that counts comes too late: when, and its
    /// generation.
    #[inline]
    pub(super) fn arm(&mut self, now: Instant) -> Option<(Instant, u32)> {
        if self.deadline >= self.armed {
            return None;
        }
        self.generation = self.generation.wrapping_add(1);
        self.armed = self.deadline;
        let at = if self.deadline > now { self.deadline } else { self.spin(now) };
        Some((at, self.generation))
    }

    /// An entry comes up; whether it is the one that counts.
    #[inline]
    pub(super) fn ring(&mut self, generation: u32) -> bool {
        let counts = self.generation == generation;
        if counts {
            self.armed = Instant::MAX;
        }
        counts
    }

    /// The machine is gone.
    pub(super) const fn stop(&mut self) {
        self.deadline = Instant::MAX;
        self.armed = Instant::MAX;
        self.generation = self.generation.wrapping_add(1);
    }

    /// When to wake a machine that wants to be woken at once. One that never stops wanting would
    /// stop the time of its world; it is throttled, and is left to the oracle of bounds.
    fn spin(&mut self, now: Instant) -> Instant {
        let (at, spins) = &mut self.spins;
        *spins = if *at == now { *spins + 1 } else { 0 };
        *at = now;
        if *spins < SPINS_MAX { now } else { now + SPIN_PAUSE }
    }
}

/// Wake-ups of a machine in one instant; a large merge takes some.
const SPINS_MAX: u32 = 1000;
/// Pause after that many.
const SPIN_PAUSE: Duration = Duration::from_millis(1);
