//! Thousands of [`swim_core`] nodes in virtual time: deterministic, with faults and oracles.
//!
//! A [`World`] runs the very machines that a program on a network runs. Datagrams travel between
//! them as the bytes that they put out; links delay and lose them; processes crash, restart, freeze
//! and leave; partitions come and heal. All chance comes from one seed, so that a run is a function
//! of its configuration: [`World::digest`] tells whether two were the same.
//!
//! ```
//! use swim_core::Instant;
//! use swim_sim::{Fault, World, WorldConfig, Who};
//!
//! let mut config = WorldConfig::new(7, 100);
//! config.faults = vec![(Instant::from_secs(20), Fault::Crash(Who::Random(3)))];
//! let mut world = World::converged(config);
//! world.watch_all();
//! world.run_until(Instant::from_secs(60));
//!
//! assert!(world.tracker().crashes().iter().all(|crash| crash.known_to_all()));
//! for verdict in world.verdicts() {
//!     assert_eq!(verdict.violations, 0, "{}", verdict.oracle);
//! }
//! ```
//!
//! # Model
//!
//! * **Time** is in nanoseconds. What is due in the same instant comes in the order of (time,
//!   sender, the sender's number for it), which no thread or hash can change; faults come first.
//! * **Links** ([`Links`]): the fate of a packet is a function of (seed, from, to, number). The
//!   default is a local network, 0.5 to 2 ms each way, spread evenly; the smallest delay is 100 us.
//!   Others have log-normal latencies, zones, loss, duplicates, packets out of order, an MTU, and
//!   interfaces with a bandwidth.
//! * **Faults** ([`Fault`]) strike processes (crash, restart, move, leave), whole machines (vanish,
//!   slow, drift), drivers (stall) and the network: partitions, and blocks that drop what some
//!   nodes send or receive, of one transport or both. What lasts may come and go ([`Course`]).
//! * **Streams** take three legs for connection and request, one for the reply. A node that is down
//!   refuses them, a partition lets them run into their deadline, loss makes them late as TCP would
//!   (a second for a lost handshake, 200 ms for lost data, doubling). A stream to a machine that
//!   has lost its power is half-open: it runs into its deadline, too. Their messages are plain;
//!   compression and encryption belong to drivers, and drivers are not simulated.
//! * **Drivers** do what a real one does: hand in what has arrived, then the time-out, then poll
//!   everything. [`Driver::TimersFirst`] is for experiments. A frozen driver ([`Stall::Loop`])
//!   finds its mail in a socket of 2 MiB; blocked input and output ([`Stall::Io`]) lets timers run.
//! * **Nodes** are called `n0`, `n1`, ... at 10.0.0.1:7946 and up. A node that starts again has its
//!   old name and address and nothing else; it joins by three nodes that are up, and tries again
//!   with others until one answers.
//! * **Scenarios** ([`scenario`]) are worlds, faults and measures in a TOML file, see
//!   `docs/scenarios.md`. What fails is made smaller ([`shrink`]) and kept as one.
//! * **Oracles** ([`oracle`]) judge every change, and all views once, at the end. Each states its
//!   formula in its documentation.

mod arena;
mod block;
mod change;
pub mod cli;
mod clock;
mod counts;
mod course;
mod digest;
mod draw;
mod experiment;
pub mod failure;
mod fault;
mod history;
mod link;
mod machine;
mod memory;
pub mod oracle;
mod page;
pub mod place;
mod plan;
mod prefetch;
pub mod report;
pub mod scenario;
pub mod serf;
pub mod shrink;
mod stream;
pub mod swarm;
mod sweep;
mod text;
mod tracker;
mod wheel;
mod world;

pub use arena::Arena;
pub use block::{Ends, Plane};
pub use change::{Change, Claim, Says, Stall, Strike, What};
pub use clock::DRIFT_MAX_PPM;
pub use counts::FaultCounts;
pub use course::Course;
pub use digest::Digest;
pub use draw::{Draw, hash};
pub use fault::{DRIFT_IMPAIRS_PPM, EVENT_BYTES_MIN, Fault, Order, Split, Who};
pub use link::{
    DELAY_MAX, DELAY_MIN, Latency, LinkError, Links, MTU_MIN, QUEUE_MAX, SIGMA_MAX, Zones,
};
pub use machine::{Birth, Machine, MachineKind, Seen};
pub use report::Report;
pub use tracker::{Crash, Tracker};
pub use wheel::{Due, Wheel};
pub use world::{Driver, Make, States, Traffic, VIOLATIONS_MAX, World, WorldConfig};
