//! What the Serf layer costs at rest: the same pool of bare nodes, of Serf nodes, and of Serf nodes
//! with coordinates, side by side.
//!
//! ```text
//! cargo run --release -p swim-sim --example serf_cost -- [NODES [VIRTUAL_SECONDS]]
//! ```
//!
//! Each pool has a process of its own, so that none finds the heap as another left it. It starts
//! cold and is left alone until nothing is news in it. Then they run in turns, so that other work
//! on the machine slows all of them alike; of the turns' CPU times the median counts.

use core::time::Duration;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use swim_core::Instant;
use swim_sim::serf::{Ledger, SerfMachine};
use swim_sim::{Machine, World, WorldConfig};

const POOLS: [&str; 3] = ["bare", "serf", "serf with coordinates"];
/// In which each of 1,000 nodes has a push/pull of its own.
const TURN_S: u32 = 180;
/// After which everybody knows everybody and all queues are empty.
const REST_S: u64 = 120;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |i: usize, default| match args.get(i) {
        Some(text) => text.parse::<u32>().expect("a number"),
        None => default,
    };
    let nodes = number(1, 1000);
    // What the parent calls its children with.
    if let Some(pool) = args.get(3) {
        let (config, ledger) = (WorldConfig::new(1, nodes), Ledger::default());
        return match pool.as_str() {
            "bare" => serve(World::cold(config)),
            "serf" => serve(World::cold_with(config, SerfMachine::maker(&ledger))),
            _ => serve(World::cold_with(config, SerfMachine::maker_with(&ledger, |serf| serf))),
        };
    }
    let turns = number(2, 1800).div_ceil(TURN_S).max(1);
    let mut pools = POOLS.map(|pool| Pool::start(nodes, pool));
    for _ in 0..turns {
        pools.iter_mut().for_each(Pool::turn);
    }
    let seconds = turns * TURN_S;
    println!("{nodes} nodes at rest, {seconds} virtual seconds, {REST_S} s after they started");
    let base = pools[0].median();
    for (name, pool) in POOLS.iter().zip(&mut pools) {
        let took = pool.median();
        println!(
            "{name:22} {:8.3} ms of CPU a virtual second, {:6.2} datagrams a node and second, \
             ratio {:.2}",
            took / 1e6 / f64::from(TURN_S),
            pool.datagrams / f64::from(nodes) / f64::from(seconds),
            took / base,
        );
    }
    for pool in pools {
        pool.end();
    }
}

/// Brings a world to rest, and runs a turn for each line that comes in: a line goes out with the
/// CPU time it took in ns, and the datagrams.
fn serve<M: Machine>(mut world: World<M>) {
    world.run_until(Instant::from_secs(REST_S));
    let all = world.len() as usize;
    for node in 0..world.len() {
        let known = world.machine(node).map(Machine::live_len);
        assert_eq!(known, Some(all), "node {node} does not know all");
    }
    println!("0 0");
    for line in std::io::stdin().lines() {
        line.expect("the parent writes lines");
        let until = world.now() + Duration::from_secs(TURN_S.into());
        let (clock, before) = (cpu_ns(), world.traffic().datagrams);
        world.run_until(until);
        println!("{} {}", cpu_ns() - clock, world.traffic().datagrams - before);
    }
}

/// CPU time of this process so far in ns; it has one thread.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").expect("Linux tells it");
    let first = text.split_whitespace().next().and_then(|field| field.parse().ok());
    first.expect("its first field is a number")
}

/// A pool in a process of its own, and what it has cost so far.
struct Pool {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// By each turn, in ns.
    took: Vec<f64>,
    datagrams: f64,
}

impl Pool {
    /// At rest.
    fn start(nodes: u32, pool: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
            .args([&nodes.to_string(), "0", pool])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let (to, from) = (to.expect("it is piped"), BufReader::new(from.expect("it is piped")));
        let mut new = Self { child, to, from, took: Vec::new(), datagrams: 0.0 };
        new.hear();
        new.took.clear();
        new
    }

    fn turn(&mut self) {
        writeln!(self.to).expect("the child listens");
        self.hear();
    }

    fn hear(&mut self) {
        let mut line = String::new();
        self.from.read_line(&mut line).expect("the child writes lines");
        let mut fields = line.split_whitespace().map(|n| n.parse::<f64>().expect("a number"));
        self.took.push(fields.next().expect("the child is alive"));
        self.datagrams += fields.next().expect("the child is alive");
    }

    fn median(&mut self) -> f64 {
        self.took.sort_by(f64::total_cmp);
        self.took[self.took.len() / 2]
    }

    fn end(mut self) {
        drop(self.to);
        self.child.wait().expect("the child ends");
    }
}
