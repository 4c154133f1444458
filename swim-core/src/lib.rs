//! SWIM membership.
#![cfg_attr(not(any(test, feature = "std")), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::std_instead_of_core, clippy::alloc_instead_of_core, clippy::std_instead_of_alloc))]
extern crate alloc;

pub mod envelope;
pub mod keyring;
mod rng;
mod time;
pub mod wire;

pub use rng::Seed;
pub use time::Instant;
