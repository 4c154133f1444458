//! The published experiments, run again: E1 to E13 of the list of bands.
//!
//! Each file `eNN_*.rs` is one experiment: its set-up, its metric and its band, which were written
//! down before its first run. Beside them stands what they share.

mod controls;
mod e01_swim_detect;
mod e02_swim_load;
mod e03_swim_infect;
mod e04_swim_fp;
mod e05_lifeguard_fp;
mod e06_lifeguard_load;
mod e07_lifeguard_tune;
mod e08_cpu_stress;
mod e09_boot;
mod e10_asym_flip;
mod e11_loss80;
mod e12_crash_bandwidth;
mod e13_serf_conv;
mod lab;
mod lifeguard;
mod outcome;
mod report;
mod sums;
mod tap;
mod views;

pub(crate) use self::controls::CONTROLS;
pub(crate) use self::lab::Lab;
pub(crate) use self::lifeguard::Known;
pub(crate) use self::outcome::{Experiment, Outcome, Verdict};
pub(crate) use self::report::{csv, page, table, text};

/// All experiments, in order.
pub(crate) const ALL: &[Experiment] = &[
    e01_swim_detect::EXPERIMENT,
    e02_swim_load::EXPERIMENT,
    e03_swim_infect::EXPERIMENT,
    e04_swim_fp::EXPERIMENT,
    e05_lifeguard_fp::EXPERIMENT,
    e06_lifeguard_load::EXPERIMENT,
    e07_lifeguard_tune::EXPERIMENT,
    e08_cpu_stress::EXPERIMENT,
    e09_boot::EXPERIMENT,
    e10_asym_flip::EXPERIMENT,
    e11_loss80::EXPERIMENT,
    e12_crash_bandwidth::EXPERIMENT,
    e13_serf_conv::EXPERIMENT,
];
