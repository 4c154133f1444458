//! A Serf agent: the Serf layer of `swim-core` with its sockets, run by one task on tokio.
//!
//! ```no_run
//! use swim_core::Config;
//! use swim_core::serf::{Event, QueryParams, SerfConfig, Tags};
//! use swim_tokio::serf::{Answer, SerfAgent};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let config = SerfConfig::builder(Config::lan().build()?).build()?;
//! let (handle, mut events) = SerfAgent::builder(config)
//!     .tags(Tags::new([("role", "web")])?)
//!     .bind("10.0.0.1:7946".parse()?)
//!     .join(["10.0.0.2:7946"])
//!     .spawn()
//!     .await?;
//! let params = QueryParams::new().tag("role", "^web$");
//! let mut answers = handle.query("load", "", params).await?;
//! while let Some(answer) = answers.recv().await {
//!     if let Answer::Response { from, payload } = answer {
//!         println!("{from}: {payload:?}");
//!     }
//! }
//! while let Some(event) = events.recv().await {
//!     if let Event::Query(query) = event {
//!         handle.respond(query.id, "0.42").await?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Several agents run in one process without knowing of each other, a LAN and a WAN pool, say.

mod builder;
mod desk;
mod handle;
mod query;
mod request;
mod rpc;
mod snapshot;

pub use builder::{SerfAgent, SerfBuilder};
pub use handle::SerfHandle;
pub use query::{Answer, Answers};
pub use request::{SerfAgentStats, SerfSnapshot};
pub use rpc::SerfBackend;
