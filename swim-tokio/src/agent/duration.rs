//! Durations as Go writes them: `1h30m`, `500ms`, `1.5s`.

use std::fmt;
use std::time::Duration;

/// Parses a duration that is not negative, of at most 292 years.
///
/// # Errors
///
/// [`BadDuration`] holds the text.
pub fn parse_duration(text: &str) -> Result<Duration, BadDuration> {
    let bad = || BadDuration(text.into());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
        let (number, behind) = rest.split_at(end);
        let unit_end = behind.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, behind) = behind.split_at(unit_end.unwrap_or(behind.len()));
        let number: f64 = number.parse().map_err(|_| bad())?;
        sum += number * nanoseconds(unit).ok_or_else(bad)?;
        rest = behind;
    }
    let fits = !text.is_empty() && sum <= i64::MAX as f64;
    if fits { Ok(Duration::from_nanos(sum.round() as u64)) } else { Err(bad()) }
}

/// Of one unit.
fn nanoseconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1.0,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3600e9,
        _ => return None,
    })
}

/// Text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadDuration(String);

impl fmt::Display for BadDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no duration such as 15s, 500ms or 1m30s", self.0)
    }
}

impl std::error::Error for BadDuration {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, ms) in
            [("15s", 15_000), ("1m30s", 90_000), ("1.5s", 1_500), ("0", 0), ("2h", 7_200_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "15", "s", "-1s", "1x", "1s2", "1..5s", "99999999h"] {
            assert!(parse_duration(text).unwrap_err().to_string().contains(text), "{text}");
        }
    }
}
