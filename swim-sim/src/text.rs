//! Times, shares and seeds as people write them. An error names the value and what was expected.

use core::ops::Range;
use core::time::Duration;

/// A duration: a number and a unit, like `60s`, `500ms`, `1.5m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("{text:?} is not a time such as 500ms, 60s, 2m or 1h");
    let digits = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(expected)?;
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| expected())?;
    let unit_s = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(expected()),
    };
    let seconds = number * unit_s;
    if !(0.0..=YEAR_S).contains(&seconds) {
        return Err(format!("{text:?} is not a time between 0s and {}h", YEAR_S / 3600.0));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// The text that [`duration`] reads as this, exact to the nanosecond.
pub(crate) fn duration_text(time: Duration) -> String {
    let ns = time.as_nanos();
    match ns {
        _ if ns.is_multiple_of(1_000_000_000) => format!("{}s", ns / 1_000_000_000),
        _ if ns.is_multiple_of(1_000_000) => format!("{}ms", ns / 1_000_000),
        _ if ns.is_multiple_of(1_000) => format!("{}us", ns / 1_000),
        _ => format!("{}.{:03}us", ns / 1_000, ns % 1_000),
    }
}

/// A share: `5%` or `0.05`.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let expected = || format!("{text:?} is not a share such as 5% or 0.05, from 0 to 1");
    let value = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().map_err(|_| expected())? / 100.0,
        None => text.parse().map_err(|_| expected())?,
    };
    Some(value).filter(|v| (0.0..=1.0).contains(v)).ok_or_else(expected)
}

/// Seeds: `A..B`, B not included, or one alone.
pub(crate) fn seeds(text: &str) -> Result<Range<u64>, String> {
    let expected = || format!("{text:?} is not a range of seeds such as 0..1000, or one seed");
    let number = |t: &str| t.parse::<u64>().map_err(|_| expected());
    let Some((start, end)) = text.split_once("..") else {
        let seed = number(text)?;
        return Ok(seed..seed.checked_add(1).ok_or_else(expected)?);
    };
    let range = number(start)?..number(end)?;
    if range.is_empty() { Err(format!("{text:?} holds no seed")) } else { Ok(range) }
}

const YEAR_S: f64 = 8760.0 * 3600.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_times_are_read_as_they_were() {
        let times = [0, 1, 999, 1_000, 1_500_000, 60_000_000_000, 86_399_999_999_999];
        for time in times.map(Duration::from_nanos) {
            assert_eq!(duration(&duration_text(time)), Ok(time));
        }
        assert_eq!(duration_text(Duration::from_millis(90_000)), "90s");
        assert_eq!(duration_text(Duration::from_nanos(1_234_567)), "1234.567us");
    }
}
