//! Sums over runs.

/// The mean; NaN of nothing.
pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0u32), |(s, n), v| (s + v, n + 1));
    sum / f64::from(count)
}

/// The value that a share `q` of the values does not exceed (nearest rank); NaN of nothing.
pub(super) fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * q).ceil().max(1.0) as usize - 1;
    sorted.get(rank).copied().unwrap_or(f64::NAN)
}

/// The median.
pub(super) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Half of the 99 % confidence interval of a mean of `count` values with this deviation.
pub(super) fn half_ci99(deviation: f64, count: usize) -> f64 {
    2.576 * deviation / (count.max(1) as f64).sqrt()
}

/// Slope of the least-squares line through some points.
pub(super) fn slope(points: &[(f64, f64)]) -> f64 {
    let (mx, my) = (mean(points.iter().map(|p| p.0)), mean(points.iter().map(|p| p.1)));
    let dot: f64 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    dot / points.iter().map(|p| (p.0 - mx).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_right() {
        assert_eq!(mean([1.0, 2.0, 6.0]), 3.0);
        assert!(mean([]).is_nan() && median(&[]).is_nan());
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!((median(&values), quantile(&values, 0.99)), (100.0, 198.0));
        assert!((slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]) - 2.0).abs() < 1e-12);
        assert!((half_ci99(1.0, 10_000) - 0.02576).abs() < 1e-9);
    }
}
