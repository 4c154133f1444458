//! Negative controls: experiments with something broken must leave their bands.

use super::lab::Lab;
use super::outcome::Row;
use super::{e01_swim_detect, e05_lifeguard_fp, e10_asym_flip};

/// An experiment that is broken on purpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Control {
    /// Which, and what is broken.
    pub(crate) title: &'static str,
    /// Its row must lie outside of the band.
    pub(crate) run: fn(&Lab) -> Row,
}

/// All controls.
pub(crate) const CONTROLS: &[Control] = &[
    Control { title: "E1 with a biased generator", run: e01_swim_detect::control },
    Control { title: "E5 with refutation disabled", run: e05_lifeguard_fp::control },
    Control { title: "E10 with damping off", run: e10_asym_flip::control },
];
