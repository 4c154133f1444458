//! How much to run for one of the settings.

use core::time::Duration;

use swim_core::Config;

use crate::oracle::Formula;

/// The worlds for one of the settings, and what happens in each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) nodes: u32,
    pub(super) worlds: u64,
    /// Members whose metadata changes, one after the other, and the time between.
    pub(super) changes: u32,
    pub(super) change_every: Duration,
    /// How long nothing happens.
    pub(super) calm: Duration,
    /// Members that crash, one after the other, and the time between.
    pub(super) crashes: u32,
    pub(super) crash_every: Duration,
    /// After the last crash, how long to wait at most until all know.
    pub(super) patience: Duration,
}

impl Size {
    /// Half of the effort goes into crashes and changes, half into waiting for false positives.
    pub(super) fn of(config: &Config, nodes: u32, effort: f64) -> Self {
        let formula = Formula::new(config, nodes);
        let (changes, crashes) = ((nodes / 5).clamp(1, 10), (nodes / 20).clamp(1, 10));
        let (change_every, crash_every) = (formula.spread, config.probe_interval());
        // A suspicion that is confirmed comes near its shortest; a share is slower.
        let patience = formula.suspicion_max + config.probe_interval() * 20 + formula.spread;
        let usual = formula.suspicion_min * 2 + config.probe_interval() * 5 + formula.spread;
        let busy = WARM + change_every * changes + crash_every * crashes + usual;
        let half = NODE_SECONDS * effort / 2.0 / f64::from(nodes);
        let worlds = (half / busy.as_secs_f64()).clamp(WORLDS.0, WORLDS.1 * effort.max(1.0));
        let calm = (half / worlds).clamp(CALM_S.0, CALM_S.1);
        Self {
            nodes,
            worlds: worlds as u64,
            changes,
            change_every,
            calm: Duration::from_secs(calm as u64),
            crashes,
            crash_every,
            patience,
        }
    }
}

/// Before that, a start in step may still show.
pub(super) const WARM: Duration = Duration::from_secs(10);

/// Virtual seconds of a node that an effort of 1 runs for each of the settings: some ten seconds of
/// a core.
const NODE_SECONDS: f64 = 2e6;

const WORLDS: (f64, f64) = (3.0, 40.0);
const CALM_S: (f64, f64) = (60.0, 14_400.0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effort_is_spent_and_large_worlds_are_few() {
        let lan = Config::lan().build().unwrap();
        let of = |nodes, effort| Size::of(&lan, nodes, f64::from(effort));
        assert_eq!((of(100, 1).worlds, of(100, 1).crashes), (40, 5));
        assert_eq!((of(20_000, 1).worlds, of(20_000, 1).calm), (3, Duration::from_secs(60)));
        assert_eq!((of(2, 1).changes, of(2, 1).crashes), (1, 1));
        assert!(of(1000, 10).worlds > of(1000, 1).worlds);
    }
}
