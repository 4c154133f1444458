//! A coordinate and its geometry (sections 5.3, 5.4).

use core::time::Duration;

use crate::coordinate::Config;
use crate::rng::Rng;

/// How many dimensions the space has, apart from height.
pub const DIMENSIONS: usize = 8;

/// Where a node is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Coordinate {
    /// Position in seconds.
    pub vec: [f64; DIMENSIONS],
    /// How far off predictions have been lately, relative to what was measured: 0 is perfect.
    pub error: f64,
    /// Correction in seconds, for what does not fit into a Euclidean space.
    pub adjustment: f64,
    /// What the node's own link adds to every way, in seconds.
    pub height: f64,
}

impl Coordinate {
    /// Where a node starts: at the origin, with the largest error and the least height.
    pub const fn origin(config: &Config) -> Self {
        Self {
            vec: [0.0; DIMENSIONS],
            error: config.error_max,
            adjustment: 0.0,
            height: config.height_min,
        }
    }

    /// The round-trip time between two nodes as their coordinates predict it, to the nanosecond.
    /// Coordinates of hostile peers may predict less than nothing, which is zero here.
    pub fn distance(&self, other: &Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.distance_ns(other)).unwrap_or(0))
    }

    /// Whether every number is one.
    pub fn is_finite(&self) -> bool {
        let others = [self.error, self.adjustment, self.height];
        self.vec.iter().chain(&others).all(|x| x.is_finite())
    }

    /// The distance in seconds without adjustments.
    pub(super) fn raw_distance(&self, other: &Self) -> f64 {
        norm(&difference(&self.vec, &other.vec)) + self.height + other.height
    }

    /// The adjusted distance, or the raw one where adjusting leaves nothing. Serf keeps it as whole
    /// nanoseconds even between the steps of the algorithm, which shows in the last digits.
    pub(super) fn distance_ns(&self, other: &Self) -> i64 {
        let raw = self.raw_distance(other);
        let adjusted = raw + self.adjustment + other.adjustment;
        let seconds = if adjusted > 0.0 { adjusted } else { raw };
        (seconds * 1e9) as i64
    }

    /// The distance as the algorithm uses it, in seconds.
    pub(super) fn rounded_distance(&self, other: &Self) -> f64 {
        let ns = self.distance_ns(other);
        (ns / 1_000_000_000) as f64 + (ns % 1_000_000_000) as f64 / 1e9
    }

    /// This coordinate, pushed away from `other` by `force` seconds, or towards it if negative.
    pub(crate) fn pushed(&self, force: f64, other: &Self, config: &Config, rng: &mut Rng) -> Self {
        let away = difference(&self.vec, &other.vec);
        let far = norm(&away);
        let mut pushed = *self;
        if far > NEARLY_ZERO {
            pushed.add(force, &scaled(&away, 1.0 / far));
            let higher = (self.height + other.height) * force / far + self.height;
            pushed.height = higher.max(config.height_min);
        } else {
            pushed.add(force, &any_direction(rng));
        }
        pushed
    }

    fn add(&mut self, force: f64, unit: &[f64; DIMENSIONS]) {
        for (x, u) in self.vec.iter_mut().zip(unit) {
            *x += force * u;
        }
    }
}

/// A random unit vector, for nodes that are in the same place.
fn any_direction(rng: &mut Rng) -> [f64; DIMENSIONS] {
    let drawn: [f64; DIMENSIONS] = core::array::from_fn(|_| rng.unit() - 0.5);
    match norm(&drawn) {
        len if len > NEARLY_ZERO => scaled(&drawn, 1.0 / len),
        _ => core::array::from_fn(|i| if i == 0 { 1.0 } else { 0.0 }),
    }
}

fn difference(a: &[f64; DIMENSIONS], b: &[f64; DIMENSIONS]) -> [f64; DIMENSIONS] {
    core::array::from_fn(|i| a[i] - b[i])
}

fn scaled(vec: &[f64; DIMENSIONS], by: f64) -> [f64; DIMENSIONS] {
    vec.map(|x| x * by)
}

fn norm(vec: &[f64; DIMENSIONS]) -> f64 {
    libm::sqrt(vec.iter().map(|x| x * x).sum())
}

/// Seconds below which two numbers are no longer told apart.
pub(super) const NEARLY_ZERO: f64 = 1e-6;
