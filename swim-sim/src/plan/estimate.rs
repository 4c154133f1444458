//! What some measurements tell, and how sure that is.

use core::time::Duration;

use serde::Serialize;

use crate::report::Spread;

/// A time that was measured some times, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Estimate {
    pub(crate) count: u64,
    pub(crate) median: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
    /// Where the median of endlessly many would be, at 95 % confidence.
    pub(crate) median_low: f64,
    pub(crate) median_high: f64,
}

impl Estimate {
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let Spread { count, median, p99, max, .. } = Spread::of(times.iter().copied());
        // The number of values below the true median is binomial, whatever the distribution.
        let n = times.len() as f64;
        let half = 1.96 * n.sqrt() / 2.0;
        let rank = |r: f64| {
            let i = (r.max(0.0) as usize).min(times.len().saturating_sub(1));
            times.get(i).map_or(0.0, Duration::as_secs_f64)
        };
        let (median_low, median_high) = (rank(n / 2.0 - half), rank((n / 2.0 + half).ceil()));
        Self { count, median, p99, max, median_low, median_high }
    }

    /// Whether 99 in 100 can be told from the largest.
    pub(crate) const fn tells_p99(&self) -> bool {
        self.count >= 100
    }
}

/// How often something rare happened.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Rate {
    pub(crate) count: u64,
    /// Virtual hours of the whole cluster in which it was watched for.
    pub(crate) watched_h: f64,
    pub(crate) per_day: f64,
    /// Where the rate of endless watching would be, at 95 % confidence.
    pub(crate) low_per_day: f64,
    pub(crate) high_per_day: f64,
}

impl Rate {
    pub(super) fn of(count: u64, watched: Duration) -> Self {
        let days = watched.as_secs_f64() / 86_400.0;
        let (low, high) = poisson_interval(count);
        Self {
            count,
            watched_h: days * 24.0,
            per_day: count as f64 / days,
            low_per_day: low / days,
            high_per_day: high / days,
        }
    }
}

/// The means that a Poisson variable may have that was found to be `count`, at 95 % confidence: at
/// most 3 if it was 0, else two-sided.
fn poisson_interval(count: u64) -> (f64, f64) {
    let c = count as f64;
    if count == 0 {
        return (0.0, 20f64.ln());
    }
    if count > 500 {
        return (c - 1.96 * c.sqrt(), c + 1.96 * (c + 1.0).sqrt());
    }
    let root = |below: u64, share: f64| {
        let (mut low, mut high) = (0.0, 2.0 * c + 20.0);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if poisson_cdf(below, middle) > share { low = middle } else { high = middle }
        }
        low
    };
    (root(count - 1, 0.975), root(count, 0.025))
}

/// P(X <= k) of a Poisson variable of this mean.
fn poisson_cdf(k: u64, mean: f64) -> f64 {
    let term = |log: &mut f64, i: u64| {
        if i > 0 {
            *log += (mean / i as f64).ln();
        }
        Some((*log).exp())
    };
    (0..=k).scan(-mean, term).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        let near = |(low, high): (f64, f64), l: f64, h: f64| {
            assert!((low - l).abs() < 0.02 && (high - h).abs() < 0.02, "{low} {high}");
        };
        near(poisson_interval(0), 0.0, 3.0);
        near(poisson_interval(1), 0.03, 5.57);
        near(poisson_interval(10), 4.80, 18.39);
        near(poisson_interval(100), 81.36, 121.63);
        let (low, high) = poisson_interval(501);
        assert!((455.0..460.0).contains(&low) && (543.0..548.0).contains(&high), "{low} {high}");
    }

    #[test]
    fn medians_know_how_sure_they_are() {
        let of = |n: u64| Estimate::of((1..=n).map(Duration::from_secs).collect());
        let e = of(100);
        assert_eq!((e.count, e.median, e.p99, e.max), (100, 50.0, 99.0, 100.0));
        assert_eq!((e.median_low, e.median_high), (41.0, 61.0));
        assert!(e.tells_p99() && !of(99).tells_p99());
        assert_eq!(Estimate::of(Vec::new()), Estimate::default());
        let one = of(1);
        assert_eq!((one.median_low, one.median_high), (1.0, 1.0));
    }
}
