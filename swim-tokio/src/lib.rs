//! A tokio driver for [`swim_core`]: membership, failure detection and gossip that speak to
//! memberlist and Serf.
//!
//! ```no_run
//! use swim_tokio::{Agent, Event};
//! use swim_tokio::swim_core::Config;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::lan().build()?;
//! let (handle, mut events) = Agent::builder(config)
//!     .name("node-a")
//!     .bind("10.0.0.1:7946".parse()?)
//!     .join(["10.0.0.2:7946"])
//!     .spawn()
//!     .await?;
//! while let Some(event) = events.recv().await {
//!     if let Event::Up(member) = event {
//!         println!("{} joined from {}", member.name(), member.addr());
//!     }
//! }
//! # handle.leave().await?;
//! # Ok(())
//! # }
//! ```
//!
//! One task owns the node and its transport, which is UDP and TCP on one port unless another is
//! given ([`Transport`]); a [`Handle`] speaks to it, [`Events`] hears from it.
//! Several agents run in one process without knowing of each other. All queues are bounded, what
//! one source may send is limited ([`RateLimit`]), and whatever is dropped is counted
//! ([`Handle::stats`]).
//!
//! The crate logs by `tracing`. A peer with another encryption key or label is one warning that
//! names it, not one for each of its datagrams.
//!
//! With the default feature `agent` the crate also has the binary `swim`, an agent on the command
//! line with the flags of `serf agent`.

mod addr;
mod advertise;
#[cfg(feature = "agent")]
pub mod agent;
mod bind;
mod builder;
mod clock;
mod counters;
mod driver;
mod error;
mod events;
#[doc(hidden)]
pub mod fuzzing;
mod handle;
mod join;
mod journal;
mod keyring_file;
mod layers;
mod limit;
mod nonce;
mod recv;
mod replace_file;
pub mod rpc;
pub mod serf;
mod snapshot;
mod sockets;
mod stream;
#[cfg(test)]
mod tests;
mod throttle;
mod transport;

pub use addr::{AddrParseError, DEFAULT_PORT, JoinAddr, parse_addr};
pub use bind::Sockets;
pub use builder::{Agent, Builder};
pub use counters::DriverStats;
pub use error::{CommandError, JoinError, SeedFailure, StartError};
pub use events::{Events, Overflow};
pub use handle::{Delivery, Handle, Spread};
pub use join::Joined;
pub use keyring_file::{
    KeyParseError, KeyringFileError, format_key, parse_key, read_keyring, write_keyring,
};
pub use limit::RateLimit;
pub use snapshot::{AgentStats, Snapshot};
pub use swim_core::{self, Event};
pub use transport::{Effort, Received, Target, Transport};
