//! A network coordinate as the agent tells of it.

use std::time::Duration;

use swim_core::wire::msgpack::Reader;

use super::BadMessage;
use super::read::{fields, list};
use super::write::Writer;

/// Where a node lies in the space of round-trip times; all but `error` in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Coordinate {
    /// The position.
    pub vec: Vec<f64>,
    /// How wrong the position may be; no unit.
    pub error: f64,
    /// Correction by what was measured lately.
    pub adjustment: f64,
    /// Distance from the position into the net.
    pub height: f64,
}

impl Coordinate {
    /// A coordinate of these parts.
    pub const fn new(vec: Vec<f64>, error: f64, adjustment: f64, height: f64) -> Self {
        Self { vec, error, adjustment, height }
    }

    /// The estimated round-trip time between two nodes (section 5.3); `None` if their positions
    /// have different numbers of dimensions or the estimate is no number.
    pub fn rtt(&self, other: &Self) -> Option<Duration> {
        if self.vec.len() != other.vec.len() {
            return None;
        }
        let squares = self.vec.iter().zip(&other.vec).map(|(a, b)| (a - b) * (a - b));
        let raw = squares.sum::<f64>().sqrt() + self.height + other.height;
        let adjusted = raw + self.adjustment + other.adjustment;
        let seconds = if adjusted > 0.0 { adjusted } else { raw };
        // Serf cuts to whole nanoseconds.
        Duration::try_from_secs_f64(seconds)
            .ok()
            .map(|_| Duration::from_nanos((seconds * 1e9) as u64))
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, BadMessage> {
        let mut coordinate = Self::default();
        fields(from, &["Vec", "Error", "Adjustment", "Height"], |name, from| {
            match name {
                "Vec" => coordinate.vec = list(from, |from| Ok(from.f64()?))?,
                "Error" => coordinate.error = from.f64()?,
                "Adjustment" => coordinate.adjustment = from.f64()?,
                _ => coordinate.height = from.f64()?,
            }
            Ok(())
        })?;
        Ok(coordinate)
    }

    pub(super) fn write(&self, to: &mut Writer<'_>) {
        to.map(4).text("Adjustment").f64(self.adjustment).text("Error").f64(self.error);
        to.text("Height").f64(self.height).text("Vec");
        if self.vec.is_empty() {
            to.nil();
            return;
        }
        to.list(self.vec.len());
        for n in &self.vec {
            to.f64(*n);
        }
    }
}
