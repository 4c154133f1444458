//! The constants of the algorithm (section 5.1).

use core::fmt;

/// The constants of the algorithm.
///
/// The defaults are those of every Serf and Consul. Nodes with others understand each other, but
/// settle worse; change them for experiments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    pub(super) error_max: f64,
    pub(super) error_gain: f64,
    pub(super) move_gain: f64,
    pub(super) adjustment_window: u8,
    pub(super) height_min: f64,
    pub(super) latency_samples: u8,
    pub(super) gravity_rho: f64,
    pub(super) peers_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Config {
    pub(crate) const DEFAULT: Self = Self {
        error_max: 1.5,
        error_gain: 0.25,
        move_gain: 0.25,
        adjustment_window: 20,
        height_min: 10e-6,
        latency_samples: 3,
        gravity_rho: 150.0,
        peers_max: 1 << 20,
    };

    /// The error of a node that knows nothing yet, and the largest there is. Default 1.5.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it is not a positive number.
    pub fn error_max(self, error_max: f64) -> Result<Self, ConfigError> {
        Ok(Self { error_max: positive("error_max", error_max)?, ..self })
    }

    /// How much of the error a sample replaces at most; `ce` of the paper. Default 0.25.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it is not a positive number.
    pub fn error_gain(self, error_gain: f64) -> Result<Self, ConfigError> {
        Ok(Self { error_gain: positive("error_gain", error_gain)?, ..self })
    }

    /// How much of the way a sample moves a node at most; `cc` of the paper. Default 0.25.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it is not a positive number.
    pub fn move_gain(self, move_gain: f64) -> Result<Self, ConfigError> {
        Ok(Self { move_gain: positive("move_gain", move_gain)?, ..self })
    }

    /// How many samples the adjustment is the mean of; 0 turns it off. Default 20.
    #[must_use]
    pub const fn adjustment_window(self, adjustment_window: u8) -> Self {
        Self { adjustment_window, ..self }
    }

    /// The least height in seconds. Default 10 us.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it is not a positive number.
    pub fn height_min(self, height_min: f64) -> Result<Self, ConfigError> {
        Ok(Self { height_min: positive("height_min", height_min)?, ..self })
    }

    /// Of how many samples of a peer the median counts; 0 and 1 turn the filter off. Default 3.
    #[must_use]
    pub const fn latency_samples(self, latency_samples: u8) -> Self {
        Self { latency_samples, ..self }
    }

    /// How far from the origin, in seconds, a node is drawn back by one second. Default 150.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it is not a positive number.
    pub fn gravity_rho(self, gravity_rho: f64) -> Result<Self, ConfigError> {
        Ok(Self { gravity_rho: positive("gravity_rho", gravity_rho)?, ..self })
    }

    /// How many peers are remembered; samples of others count as they are. Default 1,048,576.
    #[must_use]
    pub const fn peers_max(self, peers_max: usize) -> Self {
        Self { peers_max, ..self }
    }
}

/// A constant that the algorithm cannot work with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfigError {
    /// Which one.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, which is not a positive number", self.name, self.value)
    }
}

impl core::error::Error for ConfigError {}

fn positive(name: &'static str, value: f64) -> Result<f64, ConfigError> {
    match value.is_finite() && value > 0.0 {
        true => Ok(value),
        false => Err(ConfigError { name, value }),
    }
}
