//! Network coordinates: where a node is, so that the round-trip time between any two can be told
//! without measuring it.
//!
//! Vivaldi (Dabek, Cox, Kaashoek and Morris, SIGCOMM 2004) in eight dimensions with heights, and
//! with what Serf adds to it: a median filter for each peer and gravity (Ledlie, Gardner and
//! Seltzer, NSDI 2007), and an adjustment term (Lee, Zhang, Sahu and Saha, SIGMETRICS 2006). The
//! numbers are Serf's (serf spec 5), since coordinates only mean something among nodes that compute
//! alike.
//!
//! A [`Client`] is one node's part in it. It is fed with the coordinate of a peer and the
//! round-trip time to it, and moves its own [`Coordinate`]. All functions are pure arithmetic with
//! one `libm`, so that the same inputs give the same bits on every machine.

mod client;
mod config;
mod peers;
mod point;
mod vivaldi;

pub use client::Client;
pub use config::{Config, ConfigError};
pub(crate) use peers::Peer;
pub use point::{Coordinate, DIMENSIONS};
pub use vivaldi::Rejection;
pub(crate) use vivaldi::Vivaldi;
