//! What the benchmarks share: one workload, the node under test, the peer beside it, and how time,
//! memory and allocations are taken.
//!
//! The `compare` binary prints the table of all rows; the criterion suites under `benches/` are for
//! work on one part. `README.md` says what each row means and how to read it.

pub mod clock;
pub mod counting;
pub mod feed;
pub mod ours;
pub mod peer;
pub mod process;
pub mod table;
pub mod tasks;
pub mod workload;
