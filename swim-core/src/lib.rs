//! SWIM membership.
#![cfg_attr(not(any(test, feature = "std")), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::std_instead_of_core, clippy::alloc_instead_of_core, clippy::std_instead_of_alloc)
)]
extern crate alloc;

mod config;
pub mod envelope;
mod error;
mod event;
mod ids;
mod input;
pub mod journal;
pub mod keyring;
mod member;
mod policy;
mod rng;
mod stats;
mod swim;
pub mod testkit;
#[cfg(test)]
mod tests;
mod time;
pub mod wire;

pub use config::{Ablation, Config, ConfigBuilder, ConfigError, Network};
pub use error::Rejected;
pub use event::{Cause, Event, Evidence, ExchangeError, Outcome, Via};
pub use ids::{
    Addr, AddrError, InboundId, Incarnation, Lane, META_BYTES_MAX, NAME_BYTES_MAX, NameError,
    NodeName, OpId, OutboundId, Peer, Token,
};
pub use input::{Command, Exchange, Input, KeyCommand, Seat, SendError, Transmit};
pub use member::{Identity, IdentityError, Member, State, Versions};
pub use policy::{Admission, Candidate, Policy};
pub use rng::Seed;
pub use stats::Stats;
pub use swim::{Node, Roster};
pub use time::Instant;
