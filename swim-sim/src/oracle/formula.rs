//! The protocol's own time bounds, from its settings and the number of members.

use core::time::Duration;

use swim_core::Config;

/// Time bounds of a cluster of `n` members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Formula {
    /// Shortest suspicion, fully confirmed: `mult * max(1, log10 n) * interval`.
    pub suspicion_min: Duration,
    /// Longest suspicion: `mult * max(1, log10 n) * interval`, times the largest multiple.
    pub suspicion_max: Duration,
    /// Time within which a node surely probes a given member: `2n - 1` probe intervals.
    pub probe_round: Duration,
    /// Time within which news reaches nearly everybody by gossip: `log_{f+1} n + ln n / f` rounds
    /// for fanout `f`, and eight more.
    pub spread: Duration,
    /// Time between two push/pulls of a node (memberlist spec 6.5).
    pub push_pull: Duration,
    /// Time within which as many suspects as there are members are asked, by a node that asks
    /// before it believes a death: 24 in a probe interval.
    pub questions: Duration,
    /// Time within which a healed partition is noticed, except once in `e^8` runs: eight reconnect
    /// intervals.
    pub reconnect: Duration,
}

impl Formula {
    /// The bounds of `n` members with these settings.
    pub fn new(config: &Config, n: u32) -> Self {
        let size = f64::from(n.max(2));
        let interval = config.probe_interval();
        let nodes = (size.log10()).max(1.0);
        let min = interval.mul_f64(f64::from(config.suspicion_mult()) * nodes);
        let fanout = f64::from(config.gossip_nodes().max(1));
        let rounds = size.ln() / (fanout + 1.0).ln() + size.ln() / fanout + 8.0;
        let scale = if n <= 32 { 1 } else { (n - 1).ilog2() - 3 };
        Self {
            suspicion_min: min,
            suspicion_max: min * config.suspicion_max_mult(),
            probe_round: interval * (2 * n).saturating_sub(1).max(1),
            spread: config.gossip_interval().mul_f64(rounds.ceil()),
            push_pull: config.push_pull_interval() * scale,
            questions: if config.ablation().last_call {
                interval * n.div_ceil(QUESTIONS)
            } else {
                Duration::ZERO
            },
            reconnect: config.reconnect_interval() * 8,
        }
    }

    /// How often each node sends a rumour: `mult * ceil(log10(n + 1))`.
    pub fn sends(config: &Config, n: u32) -> f64 {
        f64::from(config.retransmit_mult()) * f64::from(n + 1).log10().ceil()
    }

    /// The share of nodes that never hear a rumour by gossip when each that does sends it `sends`
    /// times and all arrive: the smallest solution of `s = e^(-sends (1 - s))`.
    pub fn residue(sends: f64) -> f64 {
        (0..100).fold(0.0, |s, _| (-sends * (1.0 - s)).exp())
    }

    /// How long after a crash the last observer may report it: its own probe round, one more
    /// interval for a score that slows it down, the longest suspicion, the questions and the
    /// spread.
    pub fn detection(&self, config: &Config) -> Duration {
        let slow = config.probe_interval() * config.awareness_max();
        self.probe_round + slow + self.suspicion_max + self.questions + self.spread
    }

    /// How long views may differ after the last fault: detection, then reconnection, then four
    /// push/pulls for what gossip has missed.
    pub fn convergence(&self, config: &Config) -> Duration {
        self.detection(config) + self.reconnect + self.push_pull * 4
    }

    /// How long a wrong accusation can live on after its cause is gone.
    pub fn accusation(&self, config: &Config) -> Duration {
        let probe = config.probe_interval() * config.awareness_max();
        self.suspicion_max + probe + self.questions + self.spread
    }
}

/// Suspects that a node asks in a probe interval.
pub(super) const QUESTIONS: u32 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_the_specification() {
        let lan = Config::lan().build().unwrap();
        let f = Formula::new(&lan, 1000);
        assert_eq!(f.suspicion_max, Duration::from_secs(72));
        assert_eq!(f.probe_round, Duration::from_secs(1999));
        assert_eq!(f.push_pull, Duration::from_secs(180));
        let scales =
            [(32, 1), (33, 2), (64, 2), (65, 3), (128, 3), (129, 4), (1024, 6), (10_000, 10)];
        for (n, scale) in scales {
            assert_eq!(Formula::new(&lan, n).push_pull, Duration::from_secs(30 * scale), "{n}");
        }
        assert_eq!(Formula::new(&lan, 3).suspicion_max, Duration::from_secs(24));
        assert_eq!(Formula::sends(&lan, 999), 12.0);
        assert_eq!(Formula::sends(&lan, 1000), 16.0);
    }

    #[test]
    fn the_residue_of_gossip_is_as_in_the_literature() {
        let residue = Formula::residue(8.0);
        assert!((3.3e-4..3.5e-4).contains(&residue), "{residue}");
        let two = Formula::residue(2.0);
        assert!((0.2030..0.2034).contains(&two), "{two}");
    }
}
