//! Bounds: tables, queues, timers and messages.

use swim_core::{Config, Instant};

use super::formula::QUESTIONS;
use super::{Inspect, Load, Oracle, Violation};

/// In every second, no node
///
/// * knows more names than there are nodes,
/// * holds more than one claim for each of them to be gossiped,
/// * holds more user broadcasts than its three lanes take,
/// * has more than `64 + 32 n` deadlines that wait,
/// * sends more than `2 (1 + k) / T + 2 f / G + 16` datagrams of its own (`k` helpers per probe
///   interval `T`, `f` gossip targets per gossip interval `G`), `24 (1 + 1 / T)` questions to
///   suspects, and two for each that it received,
/// * wakes up more than `64 + 2 n` times by itself and four times for each datagram received.
///
/// A case is a node in a second.
#[derive(Debug)]
pub struct Bounded {
    own_max: u64,
    wakes_max: u64,
    queued_max: usize,
    last: Vec<Load>,
    at: Option<Instant>,
    cases: u64,
}

impl Bounded {
    /// For a world of `n` nodes with these settings.
    pub fn new(config: &Config, n: u32) -> Self {
        let per_second = |count: u32, interval: core::time::Duration| {
            (f64::from(count) / interval.as_secs_f64()).ceil() as u64
        };
        let probes = per_second(1 + config.indirect_checks(), config.probe_interval());
        let gossip = per_second(config.gossip_nodes(), config.gossip_interval());
        // So many at once, and then as many in each interval.
        let asked = u64::from(QUESTIONS) + per_second(QUESTIONS, config.probe_interval());
        let questions = if config.ablation().last_call { asked } else { 0 };
        Self {
            own_max: 2 * probes + 2 * gossip + 16 + questions,
            wakes_max: 64 + 2 * u64::from(n),
            queued_max: 3 * config.lane_len_max() as usize,
            last: vec![Load::default(); n as usize],
            at: None,
            cases: 0,
        }
    }

    fn check(&self, nodes: u32, before: &Load, load: &Load) -> Option<String> {
        if load.known > nodes as usize {
            return Some(format!("knows {} names, of {nodes} nodes", load.known));
        }
        if load.rumours > nodes as usize {
            return Some(format!("gossips {} claims about {nodes} nodes", load.rumours));
        }
        if load.queued > self.queued_max {
            let (queued, max) = (load.queued, self.queued_max);
            return Some(format!("holds {queued} broadcasts, at most {max}"));
        }
        let timers_max = 64 + 32 * nodes as usize;
        if load.timers > timers_max {
            return Some(format!("has {} deadlines, at most {timers_max}", load.timers));
        }
        if load.life != before.life || self.at.is_none() {
            return None;
        }
        let received = load.received - before.received;
        let (sent, sent_max) = (load.sent - before.sent, self.own_max + 2 * received);
        if sent > sent_max {
            return Some(format!("sent {sent} datagrams in a second, at most {sent_max}"));
        }
        let (wakes, wakes_max) = (load.wakes - before.wakes, self.wakes_max + 4 * received);
        (wakes > wakes_max).then(|| format!("woke {wakes} times in a second, at most {wakes_max}"))
    }
}

impl Oracle for Bounded {
    fn name(&self) -> &'static str {
        NAME
    }

    fn on_tick(&mut self, world: &dyn Inspect) -> Result<(), Violation> {
        let mut found = Ok(());
        for node in 0..world.nodes() {
            if !world.observes(node) {
                continue;
            }
            self.cases += 1;
            let load = world.load(node);
            let before = core::mem::replace(&mut self.last[node as usize], load);
            if let Some(text) = self.check(world.nodes(), &before, &load) {
                found = Err(Violation::new(NAME, world.now(), format!("n{node} {text}")));
            }
        }
        self.at = Some(world.now());
        found
    }

    fn cases(&self) -> u64 {
        self.cases
    }
}

const NAME: &str = "bounded";
