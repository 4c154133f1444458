//! Oracles: formulas that hold in every run, whatever the faults.

mod accuracy;
mod bounded;
mod completeness;
mod conduct;
mod convergence;
mod disturbances;
mod formula;
mod incarnation;
mod judge;
mod pairs;
mod resurrection;
mod takeovers;
mod trace;

pub use self::accuracy::Accuracy;
pub use self::bounded::Bounded;
pub use self::completeness::Completeness;
pub use self::convergence::Convergence;
pub(crate) use self::convergence::difference;
pub(crate) use self::disturbances::Disturbances;
pub use self::formula::Formula;
pub use self::incarnation::Incarnations;
pub use self::judge::{Excused, Inspect, Load, Oracle, Verdict, Violation};
pub use self::resurrection::Resurrection;
pub use self::trace::Trace;

use swim_core::Config;

/// Every oracle, for a world of `n` nodes with these settings.
pub fn all(config: &Config, n: u32) -> Vec<Box<dyn Oracle>> {
    vec![
        Box::new(Completeness::new(config, n)),
        Box::new(Accuracy::new(config, n)),
        Box::new(Convergence::new(config, n)),
        Box::new(Incarnations::new()),
        Box::new(Resurrection::new()),
        Box::new(Bounded::new(config, n)),
    ]
}
