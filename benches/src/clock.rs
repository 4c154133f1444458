//! Time of this thread, and what is made of samples of it.

use std::time::Instant;

/// CPU time of this thread in nanoseconds: it stands still while another process has the core.
#[expect(unsafe_code, reason = "the standard library has no thread clock")]
pub fn thread_cpu_ns() -> u64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: `time` is valid for writes and laid out as the C library's `timespec`.
    let failed = unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "every thread has a CPU clock");
    time.seconds as u64 * 1_000_000_000 + time.nanoseconds as u64
}

/// CPU nanoseconds that `what` takes.
pub fn cpu_ns_of(what: impl FnOnce()) -> f64 {
    let start = thread_cpu_ns();
    what();
    (thread_cpu_ns() - start) as f64
}

/// What one reading of the wall clock costs; a figure of packets timed one by one contains it.
pub fn wall_clock_ns() -> f64 {
    let mut samples: Vec<f64> = (0..1001)
        .map(|_| {
            let start = Instant::now();
            start.elapsed().as_nanos() as f64
        })
        .collect();
    Summary::of(&mut samples).median
}

/// The mean of samples by the wall clock, in which a sample above 20 times the median, which is
/// another process on the core, counts as the median.
pub fn mean_without_preemption(samples: &mut [u64]) -> f64 {
    let Some(last) = samples.len().checked_sub(1) else { return 0.0 };
    samples.sort_unstable();
    let median = samples[last / 2];
    let sum: u64 = samples.iter().map(|&ns| if ns > 20 * median { median } else { ns }).sum();
    sum as f64 / samples.len() as f64
}

/// Median and range of several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The middle run.
    pub median: f64,
    /// The fastest.
    pub min: f64,
    /// The slowest.
    pub max: f64,
}

impl Summary {
    /// Sorts the runs, of which there is at least one.
    pub fn of(runs: &mut [f64]) -> Self {
        runs.sort_by(f64::total_cmp);
        let (min, max) = (runs[0], runs[runs.len() - 1]);
        Self { median: runs[runs.len() / 2], min, max }
    }

    /// A figure that does not vary, or was taken once.
    pub const fn once(value: f64) -> Self {
        Self { median: value, min: value, max: value }
    }
}

/// Runs every side `runs` times, one after the other each time, so that a slow hour slows all.
pub fn alternate<const N: usize>(runs: usize, sides: [&mut dyn FnMut() -> f64; N]) -> [Summary; N] {
    let mut taken: [Vec<f64>; N] = core::array::from_fn(|_| Vec::with_capacity(runs));
    for run in 0..runs {
        for turn in 0..N {
            // Who goes first changes, too.
            let side = (turn + run) % N;
            taken[side].push(sides[side]());
        }
    }
    taken.map(|mut runs| Summary::of(&mut runs))
}

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

#[expect(unsafe_code, reason = "the C library's clock")]
unsafe extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

const CLOCK_THREAD_CPUTIME_ID: i32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preempted_sample_counts_as_the_median() {
        assert_eq!(mean_without_preemption(&mut [10, 10, 10, 10, 5000]), 10.0);
        assert_eq!(mean_without_preemption(&mut []), 0.0);
    }

    #[test]
    fn a_summary_is_the_middle_and_the_ends() {
        let expected = Summary { median: 2.0, min: 1.0, max: 9.0 };
        assert_eq!(Summary::of(&mut [9.0, 1.0, 2.0]), expected);
    }

    #[test]
    fn the_thread_clock_counts_work() {
        let ns = cpu_ns_of(|| {
            std::hint::black_box((0..100_000u64).map(std::hint::black_box).sum::<u64>());
        });
        assert!(ns > 10_000.0);
    }
}
