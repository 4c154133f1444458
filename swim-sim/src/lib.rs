//! Thousands of [`swim_core`] nodes in virtual time: deterministic, with faults and oracles.

mod arena;
mod change;
pub mod cli;
mod digest;
mod draw;
mod fault;
mod link;
mod machine;
pub mod oracle;
pub mod place;
mod prefetch;
pub mod report;
mod stream;
pub mod swarm;
mod tracker;
mod wheel;
mod world;

pub use arena::Arena;
pub use change::{Change, Claim, Says, Stall, Strike, What};
pub use digest::Digest;
pub use draw::{Draw, hash};
pub use fault::{Fault, FaultCounts, Split, Who};
pub use link::{DELAY_MAX, DELAY_MIN, LinkError, Links};
pub use machine::{Birth, Machine, Seen};
pub use report::Report;
pub use tracker::{Crash, Tracker};
pub use wheel::{Due, Wheel};
pub use world::{Driver, Make, Traffic, VIOLATIONS_MAX, World, WorldConfig};
