//! Views, health scores and traffic of all nodes, now and then.

use swim_core::Instant;

use crate::machine::Machine;
use crate::world::World;

/// Samples of a run, in order.
#[derive(Debug)]
pub(crate) struct Samples {
    pub(crate) list: Vec<Sample>,
    /// Datagrams and bytes that each node had sent at the last sample.
    sent: Vec<(u64, u64)>,
    at: Instant,
}

/// All nodes that are up, at one moment: smallest, median and largest of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) at_s: f64,
    /// Nodes that are up.
    pub(crate) up: u32,
    /// Members that a node takes for live.
    pub(crate) live: [f64; 3],
    /// Health scores.
    pub(crate) health: [f64; 3],
    /// Datagrams per second since the last sample.
    pub(crate) datagrams: [f64; 3],
    /// Bytes of datagrams per second since the last sample.
    pub(crate) bytes: [f64; 3],
}

impl Samples {
    pub(super) fn new(nodes: u32) -> Self {
        Self { list: Vec::new(), sent: vec![(0, 0); nodes as usize], at: Instant::ZERO }
    }

    pub(super) fn take<M: Machine>(&mut self, world: &World<M>) {
        let seconds = world.now().since(self.at).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let (mut live, mut health, mut datagrams, mut bytes) = (vec![], vec![], vec![], vec![]);
        for (node, before) in (0..).zip(&mut self.sent) {
            let now = world.sent(node);
            // A node that has started again counts from zero.
            let new = (now.0.saturating_sub(before.0), now.1.saturating_sub(before.1));
            *before = now;
            let Some(machine) = world.machine(node) else { continue };
            live.push(machine.live_len() as f64);
            health.push(f64::from(machine.health()));
            datagrams.push(new.0 as f64 / seconds);
            bytes.push(new.1 as f64 / seconds);
        }
        self.at = world.now();
        self.list.push(Sample {
            at_s: world.now().as_secs_f64(),
            up: live.len() as u32,
            live: ranks(live),
            health: ranks(health),
            datagrams: ranks(datagrams),
            bytes: ranks(bytes),
        });
    }
}

/// Smallest, median and largest.
fn ranks(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_unstable_by(f64::total_cmp);
    let at = |i: usize| values.get(i).copied().unwrap_or(0.0);
    [at(0), at(values.len() / 2), at(values.len().saturating_sub(1))]
}
