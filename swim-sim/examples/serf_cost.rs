//! What the Serf layer costs at rest: the same pool of bare nodes, of Serf nodes, and of Serf nodes
//! with coordinates, side by side.
//!
//! ```text
//! cargo run --release -p swim-sim --example serf_cost -- [NODES [VIRTUAL_SECONDS]]
//! ```
//!
//! Each pool starts cold and is left alone until nothing is news in it. Then they run in turns of
//! ten virtual seconds, so that other work on the machine slows all of them alike. Times are CPU
//! time of the process.

use core::time::Duration;

use swim_core::Instant;
use swim_sim::serf::{Ledger, SerfMachine};
use swim_sim::{Birth, Machine, World, WorldConfig};

fn main() {
    let number = |i, default| match std::env::args().nth(i) {
        Some(text) => text.parse::<u32>().expect("a number"),
        None => default,
    };
    let (nodes, seconds) = (number(1, 1000), number(2, 120));
    let config = || WorldConfig::new(1, nodes);
    let ledger = Ledger::default();
    let mut bare = Pool::new(World::cold(config()));
    let mut serf = Pool::new(World::cold_with(config(), SerfMachine::maker(&ledger)));
    let with_coordinates = {
        let ledger = ledger.clone();
        Box::new(move |birth: &Birth<'_>| SerfMachine::configured(birth, &ledger, |serf| serf))
    };
    let mut coordinates = Pool::new(World::cold_with(config(), with_coordinates));
    for _ in 0..seconds.div_ceil(TURN_S) {
        bare.turn();
        serf.turn();
        coordinates.turn();
    }
    println!("{nodes} nodes at rest, {seconds} virtual seconds, {REST_S} s after they started");
    let base = bare.took.as_secs_f64();
    let seconds = f64::from(seconds.div_ceil(TURN_S) * TURN_S);
    let line = |what: &str, took: Duration, packets: u64| {
        println!(
            "{what:22} {:8.3} ms of CPU a virtual second, {:6.2} datagrams a node and second, \
             ratio {:.2}",
            took.as_secs_f64() * 1e3 / seconds,
            packets as f64 / f64::from(nodes) / seconds,
            took.as_secs_f64() / base,
        );
    };
    line("bare", bare.took, bare.datagrams);
    line("serf", serf.took, serf.datagrams);
    line("serf with coordinates", coordinates.took, coordinates.datagrams);
}

/// A pool, and what it has cost so far.
struct Pool<M> {
    world: World<M>,
    took: Duration,
    datagrams: u64,
}

impl<M: Machine> Pool<M> {
    /// At rest.
    fn new(mut world: World<M>) -> Self {
        world.run_until(Instant::from_secs(REST_S));
        let all = world.len() as usize;
        for node in 0..world.len() {
            let known = world.machine(node).map(Machine::live_len);
            assert_eq!(known, Some(all), "node {node} does not know all");
        }
        Self { world, took: Duration::ZERO, datagrams: 0 }
    }

    fn turn(&mut self) {
        let until = self.world.now() + Duration::from_secs(TURN_S.into());
        let (clock, before) = (cpu(), self.world.traffic().datagrams);
        self.world.run_until(until);
        self.took += cpu() - clock;
        self.datagrams += self.world.traffic().datagrams - before;
    }
}

/// CPU time of this process so far, to 10 ms.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux tells it");
    // Behind the name, which may hold blanks: fields 14 and 15, in ticks of 10 ms.
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
    let ticks: u64 = fields.take(2).map(|n| n.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 10)
}

const TURN_S: u32 = 10;
/// After which everybody knows everybody and all queues are empty.
const REST_S: u64 = 120;
