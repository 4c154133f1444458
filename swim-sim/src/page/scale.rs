//! From values to places on an axis, and the ticks of that axis.

/// Maps `min..=max` to `from..=to`, evenly or by logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    min: f64,
    max: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Scale {
    /// A scale that shows all of `values`. A linear one begins at zero, unless all values lie far
    /// above it; a logarithmic one begins and ends with a power of ten, and leaves out what is not
    /// above zero.
    pub(crate) fn fit(values: impl Iterator<Item = f64>, log: bool, from: f64, to: f64) -> Self {
        let shown = values.filter(|v| v.is_finite() && (!log || *v > 0.0));
        let (min, max) = shown.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        let (min, max) = match (min <= max, log) {
            (false, true) => (1.0, 10.0),
            (false, false) => (0.0, 1.0),
            (true, true) => decades(min, max),
            (true, false) => around(min, max),
        };
        Self { min, max, from, to, log }
    }

    /// Where a value stands; `None` if it has no place on a logarithmic axis.
    pub(crate) fn at(&self, value: f64) -> Option<f64> {
        if !value.is_finite() || self.log && value <= 0.0 {
            return None;
        }
        let part = if self.log {
            (value / self.min).ln() / (self.max / self.min).ln()
        } else {
            (value - self.min) / (self.max - self.min)
        };
        Some(self.from + part * (self.to - self.from))
    }

    /// Round values for ticks, at most about `wanted` of them.
    pub(crate) fn ticks(&self, wanted: usize) -> Vec<f64> {
        if self.log { self.log_ticks(wanted) } else { self.linear_ticks(wanted) }
    }

    fn linear_ticks(&self, wanted: usize) -> Vec<f64> {
        let step = step((self.max - self.min) / wanted.max(1) as f64);
        let first = (self.min / step - 1e-9).ceil();
        let ticks = (0..).map(|i| (first + f64::from(i)) * step);
        // A multiple of the step that should be zero may miss it by a rounding error.
        ticks
            .take_while(|t| *t <= self.max + step * 1e-9)
            .map(|t| if t.abs() < step * 1e-9 { 0.0 } else { t })
            .collect()
    }

    fn log_ticks(&self, wanted: usize) -> Vec<f64> {
        let (low, high) = (self.min.log10().floor() as i32, self.max.log10().ceil() as i32);
        let decades = (high - low).max(1) as usize;
        let within: &[f64] = if decades * 3 <= wanted { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let every = decades.div_ceil(wanted.max(1)).max(1);
        let powers = (low..=high).step_by(every);
        powers
            .flat_map(|power| within.iter().map(move |w| w * 10f64.powi(power)))
            .filter(|t| (self.min * 0.999..=self.max * 1.001).contains(t))
            .collect()
    }
}

/// A value as an axis or a table shows it: about four digits, no needless zeros.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        0.0 => return "0".to_owned(),
        _ if !value.is_finite() => return value.to_string(),
        _ if size >= 1e6 => return format!("{}M", number(value / 1e6)),
        _ if size >= 1e4 => format!("{value:.0}"),
        _ if size < 1e-3 => return format!("{value:.1e}"),
        _ => format!("{value:.*}", (3 - size.log10().floor() as i32).clamp(0, 5) as usize),
    };
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Whole powers of ten around a range.
fn decades(min: f64, max: f64) -> (f64, f64) {
    let low = 10f64.powf((min.log10() + 1e-9).floor());
    let high = 10f64.powf((max.log10() - 1e-9).ceil());
    if high > low { (low, high) } else { (low, low * 10.0) }
}

/// A linear range with some air, from zero if the values are not far from it.
fn around(min: f64, max: f64) -> (f64, f64) {
    // Values that are nearly equal are not blown up into a difference.
    let least = if max == 0.0 && min == 0.0 { 1.0 } else { max.abs().max(min.abs()) * 0.05 };
    let span = (max - min).max(least);
    let low = if min >= 0.0 && min < span { 0.0 } else { min - span * 0.08 };
    let high = if max <= 0.0 && max > -span { 0.0 } else { max + span * 0.08 };
    (low, high)
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `least`.
fn step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= least).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_axis() {
        let linear = Scale::fit([0.3, 9.4].into_iter(), false, 0.0, 100.0);
        assert_eq!(linear.ticks(6), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        let log = Scale::fit([8.0, 9_000.0].into_iter(), true, 0.0, 100.0);
        assert_eq!(log.ticks(8), [1.0, 10.0, 100.0, 1_000.0, 10_000.0]);
        let short = Scale::fit([2.0, 9.0].into_iter(), true, 0.0, 100.0);
        assert_eq!(short.ticks(8), [1.0, 2.0, 5.0, 10.0]);
        let far = Scale::fit([1000.0, 1001.0].into_iter(), false, 0.0, 1.0);
        assert!(far.ticks(5).iter().all(|t| (990.0..1010.0).contains(t)));
    }

    #[test]
    fn values_stand_where_the_axis_says() {
        let log = Scale::fit([1.0, 100.0].into_iter(), true, 0.0, 200.0);
        assert!((log.at(10.0).unwrap() - 100.0).abs() < 1e-9);
        assert_eq!(log.at(0.0), None);
        let same = Scale::fit([5.0, 5.0].into_iter(), false, 0.0, 10.0);
        assert!(same.at(5.0).unwrap().is_finite());
        let near = Scale::fit([2.0, 2.000_001].into_iter(), false, 0.0, 100.0);
        assert!((near.at(2.0).unwrap() - near.at(2.000_001).unwrap()).abs() < 0.1);
        let none = Scale::fit(core::iter::empty(), false, 0.0, 10.0);
        assert_eq!(none.at(0.5), Some(5.0));
    }

    #[test]
    fn numbers_are_short() {
        let shown = [(0.0, "0"), (1.5, "1.5"), (0.0653, "0.0653"), (12_345.6, "12346")];
        for (value, text) in shown {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(435_330_000.0), "435.3M");
        assert_eq!(number(0.00012), "1.2e-4");
        assert_eq!(number(100.0), "100");
    }
}
