//! What an experiment is, and what it found.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::lab::Lab;
use crate::page::{Plot, number};

/// A published result and how to get it again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Experiment {
    /// `E1`, ...
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// What is tried, in a sentence.
    pub(crate) title: &'static str,
    /// Where the published figures come from.
    pub(crate) source: &'static str,
    /// What the full experiment costs.
    pub(crate) cost: &'static str,
    pub(crate) run: fn(&Lab) -> Found,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Found {
    /// The seeds of its worlds.
    pub(crate) seeds: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) plots: Vec<Plot>,
    /// What a reader should know: choices, limits, and why something lies outside of its band.
    pub(crate) notes: Vec<String>,
}

/// What was found, and by which experiment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) source: String,
    pub(crate) quick: bool,
    pub(crate) verdict: Verdict,
    pub(crate) events: u64,
    pub(crate) wall_s: f64,
    pub(crate) found: Found,
}

/// One measured value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) metric: String,
    pub(crate) unit: String,
    /// `None`: it never came to that.
    pub(crate) measured: Option<f64>,
    pub(crate) published: String,
    pub(crate) band: Band,
    pub(crate) verdict: Verdict,
    /// The same with the settings that this implementation ships.
    pub(crate) ours: Option<f64>,
}

/// Where a measured value must lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Band {
    /// It is shown, not judged.
    Free,
    Within(f64, f64),
    AtMost(f64),
    AtLeast(f64),
}

/// Whether it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    Inside,
    Outside,
    /// Nothing was judged.
    Shown,
}

impl Band {
    /// A share of a value to either side of it.
    pub(crate) fn share(value: f64, share: f64) -> Self {
        Self::Within(value - value.abs() * share, value + value.abs() * share)
    }

    pub(crate) fn judge(self, measured: Option<f64>) -> Verdict {
        let inside = match (self, measured) {
            (Self::Free, _) => return Verdict::Shown,
            (_, None) => false,
            (Self::Within(min, max), Some(v)) => (min..=max).contains(&v),
            (Self::AtMost(max), Some(v)) => v <= max,
            (Self::AtLeast(min), Some(v)) => v >= min,
        };
        if inside { Verdict::Inside } else { Verdict::Outside }
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Free => Ok(()),
            Self::Within(min, max) => write!(f, "{} to {}", number(min), number(max)),
            Self::AtMost(max) => write!(f, "≤ {}", number(max)),
            Self::AtLeast(min) => write!(f, "≥ {}", number(min)),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Inside => "inside",
            Self::Outside => "OUTSIDE",
            Self::Shown => "",
        })
    }
}

impl Row {
    /// A value that is not judged.
    pub(crate) fn new(
        metric: impl Into<String>,
        unit: &str,
        measured: impl Into<Option<f64>>,
    ) -> Self {
        Self {
            metric: metric.into(),
            unit: unit.to_owned(),
            measured: measured.into().filter(|v| v.is_finite()),
            published: String::new(),
            band: Band::Free,
            verdict: Verdict::Shown,
            ours: None,
        }
    }

    /// What was published, or follows from the theory.
    pub(crate) fn published(mut self, value: f64) -> Self {
        self.published = number(value);
        self
    }

    /// What was published, in words.
    pub(crate) fn published_as(mut self, text: &str) -> Self {
        text.clone_into(&mut self.published);
        self
    }

    /// Judges the value.
    pub(crate) fn band(mut self, band: Band) -> Self {
        self.band = band;
        self.verdict = band.judge(self.measured);
        self
    }

    /// What our defaults give.
    pub(crate) fn ours(mut self, value: impl Into<Option<f64>>) -> Self {
        self.ours = value.into().filter(|v| v.is_finite());
        self
    }
}

impl Found {
    /// The whole is inside if every judged row is.
    pub(crate) fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::Shown;
        for row in &self.rows {
            match row.verdict {
                Verdict::Outside => return Verdict::Outside,
                Verdict::Inside => verdict = Verdict::Inside,
                Verdict::Shown => {}
            }
        }
        verdict
    }

    /// Adds a remark.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

impl Outcome {
    /// How many rows are inside and outside.
    pub(crate) fn tally(&self) -> (usize, usize) {
        let count = |v| self.found.rows.iter().filter(|r| r.verdict == v).count();
        (count(Verdict::Inside), count(Verdict::Outside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_holds_its_ends_and_nothing_beyond() {
        let judge = |band: Band, v| band.judge(Some(v)) == Verdict::Inside;
        assert!(judge(Band::Within(1.0, 2.0), 2.0) && !judge(Band::Within(1.0, 2.0), 2.001));
        assert!(judge(Band::AtMost(3.0), 3.0) && !judge(Band::AtMost(3.0), 3.1));
        assert!(judge(Band::AtLeast(3.0), 3.0) && !judge(Band::AtLeast(3.0), 2.9));
        assert!(!judge(Band::AtLeast(3.0), f64::NAN));
        assert_eq!(Band::AtMost(3.0).judge(None), Verdict::Outside);
        assert_eq!(Band::share(2.0, 0.1), Band::Within(1.8, 2.2));
    }

    #[test]
    fn one_row_outside_is_enough() {
        let row = |v| Row::new("m", "s", v).band(Band::AtMost(1.0));
        let mut found = Found { rows: vec![Row::new("m", "s", 9.0)], ..Found::default() };
        assert_eq!(found.verdict(), Verdict::Shown);
        found.rows.push(row(0.5));
        assert_eq!(found.verdict(), Verdict::Inside);
        found.rows.push(row(1.5));
        assert_eq!(found.verdict(), Verdict::Outside);
    }
}
