//! Where experiments run: many worlds, side by side.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::lifeguard::Known;
use crate::machine::Machine;
use crate::world::World;

/// Runs the worlds of an experiment over all cores and counts what they cost.
#[derive(Debug)]
pub(crate) struct Lab {
    quick: bool,
    repeats: Option<u64>,
    events: AtomicU64,
    bar: ProgressBar,
    known: Arc<Known>,
}

impl Lab {
    /// A lab for one experiment; a quick one makes fewer and smaller runs. What is known of the
    /// large grid, by experiments before this one, is not run again.
    pub(crate) const fn new(
        quick: bool,
        repeats: Option<u64>,
        bar: ProgressBar,
        known: Arc<Known>,
    ) -> Self {
        Self { quick, repeats, events: AtomicU64::new(0), bar, known }
    }

    /// What is known of the large grid.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// How often the points of a large grid are to be repeated, if that was said.
    pub(crate) const fn repeats(&self) -> Option<u64> {
        self.repeats
    }

    /// The first in a full experiment, the second in a quick one.
    pub(crate) fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Runs all jobs, some at a time. Results come in the order of the jobs and depend on nothing
    /// but them, so the number of threads does not show.
    pub(crate) fn each<J, R>(&self, jobs: &[J], run: impl Fn(&J) -> R + Sync) -> Vec<R>
    where
        J: Sync,
        R: Send,
    {
        self.bar.inc_length(jobs.len() as u64);
        let one = |job| {
            let result = run(job);
            self.bar.inc(1);
            result
        };
        // Long jobs often stand together at the end; small pieces keep every core busy.
        jobs.par_iter().with_max_len(1).map(one).collect()
    }

    /// Runs every repetition of every point: seeds count from 1, the same for each point. Gives a
    /// list of results for each point.
    pub(crate) fn repeat<P, R>(
        &self,
        points: &[P],
        times: impl Fn(&P) -> u64,
        run: impl Fn(&P, u64) -> R + Sync,
    ) -> Vec<Vec<R>>
    where
        P: Sync,
        R: Send,
    {
        let seeds = |(i, p)| (1..=times(p)).map(move |seed| (i, seed));
        let jobs: Vec<(usize, u64)> = points.iter().enumerate().flat_map(seeds).collect();
        let results = self.each(&jobs, |&(i, seed)| run(&points[i], seed));
        let mut grouped: Vec<Vec<R>> = points.iter().map(|_| Vec::new()).collect();
        for ((i, _), result) in jobs.into_iter().zip(results) {
            grouped[i].push(result);
        }
        grouped
    }

    /// Counts the events of a world that has run.
    pub(crate) fn count<M: Machine>(&self, world: &World<M>) {
        self.count_events(world.traffic().events);
    }

    /// Counts the events of worlds that somebody else has run.
    pub(super) fn count_events(&self, events: u64) {
        self.events.fetch_add(events, Ordering::Relaxed);
    }

    /// The events so far.
    pub(crate) fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        let run = |threads| {
            let lab = Lab::new(false, None, ProgressBar::hidden(), Arc::default());
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                lab.repeat(&[3, 5], |p| *p, |p, seed| crate::draw::hash(*p, seed, 0, 0))
            })
        };
        let one = run(1);
        assert_eq!(one.iter().map(Vec::len).collect::<Vec<_>>(), [3, 5]);
        assert_eq!(one, run(4));
    }
}
