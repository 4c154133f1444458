//! The protocol's own time bounds, from its settings and the number of members.

use core::time::Duration;

use swim_core::Config;

/// Time bounds of a cluster of `n` members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Formula {
    /// Longest suspicion: `mult * max(1, log10 n) * interval`, times the largest multiple.
    pub suspicion_max: Duration,
    /// Time within which a node surely probes a given member: `2n - 1` probe intervals.
    pub probe_round: Duration,
    /// Time within which news reaches nearly everybody by gossip: `log_{f+1} n + ln n / f` rounds
    /// for fanout `f`, and eight more.
    pub spread: Duration,
    /// Time between two push/pulls of a node (memberlist spec 6.5).
    pub push_pull: Duration,
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
            suspicion_max: min * config.suspicion_max_mult(),
            probe_round: interval * (2 * n).saturating_sub(1).max(1),
            spread: config.gossip_interval().mul_f64(rounds.ceil()),
            push_pull: config.push_pull_interval() * scale,
            reconnect: config.reconnect_interval() * 8,
        }
    }

    /// How long after a crash the last observer may report it: its own probe round, one more
    /// interval for a score that slows it down, the longest suspicion and the spread.
    pub fn detection(&self, config: &Config) -> Duration {
        let slow = config.probe_interval() * config.awareness_max();
        self.probe_round + slow + self.suspicion_max + self.spread
    }

    /// How long views may differ after the last fault: detection, then reconnection, then four
    /// push/pulls for what gossip has missed.
    pub fn convergence(&self, config: &Config) -> Duration {
        self.detection(config) + self.reconnect + self.push_pull * 4
    }

    /// How long a wrong accusation can live on after its cause is gone.
    pub fn accusation(&self, config: &Config) -> Duration {
        let probe = config.probe_interval() * config.awareness_max();
        self.suspicion_max + probe + self.spread
    }
}

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
    }
}
