//! The table that `compare` prints, row by row as the figures come in.

use core::fmt::Write as _;

use crate::clock::Summary;

/// One row: what was measured on both sides, and what is asked of it.
#[derive(Clone, Debug)]
pub struct Row {
    number: &'static str,
    what: String,
    unit: Unit,
    ours: Summary,
    peer: Option<(&'static str, Summary)>,
    /// The peer's figure over ours must be at least this.
    ratio_min: Option<f64>,
    /// Ours must be at most this, in the unit's base, for what no peer can be asked.
    ours_max: Option<f64>,
    /// Allocations of ours and of the peer.
    allocations: (Option<f64>, Option<f64>),
    allocations_max: Option<f64>,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Nanoseconds, printed as ns, us, ms or s.
    Time,
    /// Bytes.
    Bytes,
    /// A plain number.
    Plain,
}

impl Row {
    /// A row of performance.md's number.
    pub fn new(number: &'static str, what: impl Into<String>, unit: Unit, ours: Summary) -> Self {
        Self {
            number,
            what: what.into(),
            unit,
            ours,
            peer: None,
            ratio_min: None,
            ours_max: None,
            allocations: (None, None),
            allocations_max: None,
        }
    }

    /// Puts a peer's figure beside ours.
    #[must_use]
    pub fn beside(mut self, name: &'static str, figure: Summary) -> Self {
        self.peer = Some((name, figure));
        self
    }

    /// Asks that the peer's figure be at least `ratio` times ours.
    #[must_use]
    pub fn at_least(mut self, ratio: f64) -> Self {
        self.ratio_min = Some(ratio);
        self
    }

    /// Asks that ours be at most `figure`.
    #[must_use]
    pub fn at_most(mut self, figure: f64) -> Self {
        self.ours_max = Some(figure);
        self
    }

    /// Adds allocations, ours and the peer's.
    #[must_use]
    pub fn allocations(mut self, ours: Option<f64>, peer: Option<f64>) -> Self {
        self.allocations = (ours, peer);
        self
    }

    /// Asks that ours allocate at most so often.
    #[must_use]
    pub fn allocations_at_most(mut self, max: f64) -> Self {
        self.allocations_max = Some(max);
        self
    }

    /// The number of the row.
    pub const fn number(&self) -> &'static str {
        self.number
    }

    /// The peer's figure over ours.
    pub fn ratio(&self) -> Option<f64> {
        self.peer.map(|(_, peer)| peer.median / self.ours.median)
    }

    /// Whether all that is asked holds; `None` if nothing is asked.
    pub fn met(&self) -> Option<bool> {
        let ratio = self.ratio_min.map(|min| self.ratio().is_some_and(|ratio| ratio >= min));
        let ours = self.ours_max.map(|max| self.ours.median <= max);
        let allocations = self
            .allocations_max
            .map(|max| self.allocations.0.is_some_and(|allocations| allocations <= max));
        [ratio, ours, allocations].into_iter().flatten().reduce(|a, b| a && b)
    }

    /// The row as text, under [`heading`].
    pub fn line(&self) -> String {
        let mut must = String::new();
        if let Some(min) = self.ratio_min {
            let _ = write!(must, ">={min:.3}x ").map(|()| must = trim_zeros(&must));
        }
        if let Some(max) = self.ours_max {
            let _ = write!(must, "<={} ", self.unit.show(max));
        }
        if let Some(max) = self.allocations_max {
            let _ = write!(must, "<={max} al");
        }
        let met = self.met().map_or("", |met| if met { "yes" } else { "NO" });
        let (peer_name, peer) =
            self.peer.map_or(("", String::new()), |(name, peer)| (name, self.unit.range(peer)));
        let ratio = self.ratio().map_or(String::new(), |ratio| format!("{ratio:.2}x"));
        let count = |n: Option<f64>| n.map_or_else(|| "-".into(), show_count);
        let allocations = match self.allocations {
            (None, None) => String::new(),
            (ours, peer) => format!("{}/{}", count(ours), count(peer)),
        };
        let (number, what, ours) = (self.number, &self.what, self.unit.range(self.ours));
        let must = must.trim_end();
        format!(
            "{number:<4} {what:<36} {ours:>25}  {peer_name:<11} {peer:>25} {ratio:>9} {must:<20} {met:<4} {allocations}"
        )
        .trim_end()
        .into()
    }
}

/// The names of the columns.
pub fn heading() -> String {
    format!(
        "{:<4} {:<36} {:>25}  {:<11} {:>25} {:>9} {:<20} {:<4} {}",
        "row",
        "what",
        "ours (min..max)",
        "peer",
        "peer's (min..max)",
        "ratio",
        "must",
        "met",
        "allocations ours/peer"
    )
}

impl Unit {
    fn show(self, value: f64) -> String {
        let (value, unit) = match self {
            Self::Time if value < 1e3 => (value, " ns"),
            Self::Time if value < 1e6 => (value / 1e3, " us"),
            Self::Time if value < 1e9 => (value / 1e6, " ms"),
            Self::Time => (value / 1e9, " s"),
            Self::Bytes => (value, " B"),
            Self::Plain => (value, ""),
        };
        let digits = match value {
            v if v >= 100.0 => 0,
            v if v >= 10.0 => 1,
            _ => 2,
        };
        trim_zeros(&format!("{value:.digits$}{unit}"))
    }

    fn range(self, figure: Summary) -> String {
        let median = self.show(figure.median);
        if figure.min == figure.max {
            return median;
        }
        // The ends in the unit of the median.
        let scale = match self {
            Self::Time if figure.median < 1e3 => 1.0,
            Self::Time if figure.median < 1e6 => 1e3,
            Self::Time if figure.median < 1e9 => 1e6,
            Self::Time => 1e9,
            _ => 1.0,
        };
        let end = |value: f64| Self::Plain.show(value / scale);
        format!("{median} ({}..{})", end(figure.min), end(figure.max))
    }
}

fn show_count(n: f64) -> String {
    if n > 0.0 && n < 0.1 { format!("{n:.3}") } else { trim_zeros(&format!("{n:.1}")) }
}

/// `1.50 x` as `1.5 x`, `2.00` as `2`.
fn trim_zeros(number: &str) -> String {
    let end = number.find(|c: char| !(c.is_ascii_digit() || ".>=<".contains(c)));
    let (digits, unit) = number.split_at(end.unwrap_or(number.len()));
    if !digits.contains('.') {
        return number.into();
    }
    format!("{}{unit}", digits.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_no_idle_zeros() {
        let shown = |ns| Unit::Time.show(ns);
        assert_eq!(shown(87.0), "87 ns");
        assert_eq!(shown(386.4), "386 ns");
        assert_eq!(shown(1_500.0), "1.5 us");
        assert_eq!(shown(33_596.0), "33.6 us");
        assert_eq!(shown(7.1e9), "7.1 s");
    }

    #[test]
    fn a_row_is_met_if_all_that_is_asked_holds() {
        let row = Row::new("1", "ping", Unit::Time, Summary::once(200.0))
            .beside("foca", Summary::once(400.0))
            .at_least(2.0);
        assert_eq!(row.met(), Some(true));
        assert_eq!(row.clone().allocations_at_most(0.0).met(), Some(false));
        let row = row.allocations(Some(0.0), Some(3.0)).allocations_at_most(0.0);
        assert_eq!(row.met(), Some(true));
        assert_eq!(row.at_most(199.0).met(), Some(false));
    }
}
