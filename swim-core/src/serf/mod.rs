//! The Serf layer: a state machine that owns a [`Node`](crate::Node).
//!
//! [`Serf`] adds to SWIM what HashiCorp's Serf adds to memberlist, and speaks its protocol: members
//! that leave are told from members that fail, even if the word of the leave comes late; every
//! member gets application events, once; queries ask many and gather answers; nodes have tags; keys
//! are rotated for the whole cluster; two nodes of one name settle whose it is.
//!
//! The drive loop is that of a bare node (see the crate's documentation): [`Serf::handle`] takes
//! an [`Input`] with a [`Command`] of Serf's, and [`Serf::poll_event`] hands out an [`Event`] of
//! Serf's.
//!
//! ```
//! use swim_core::serf::{Command, Event, Input, Serf, SerfConfig, Tags};
//! use swim_core::{Config, Identity, Instant, OpId, Seed};
//!
//! let config = SerfConfig::builder(Config::lan().build()?).build()?;
//! let me = Identity::new("web-1", "10.0.0.1:7946".parse::<std::net::SocketAddr>()?)?;
//! let tags = Tags::new([("role", "web")])?;
//! let mut serf = Serf::new(config, me, &tags, Seed::from(7), Instant::ZERO);
//!
//! let command = Command::UserEvent {
//!     name: "deploy".into(),
//!     payload: "v1".into(),
//!     coalesce: false,
//! };
//! serf.handle(Instant::from_millis(1), Input::Command { op: OpId(1), command })?;
//! let told = std::iter::from_fn(|| serf.poll_event());
//! assert!(told.into_iter().any(|e| matches!(e, Event::User(e) if e.name == "deploy")));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod answer;
mod coalesce;
mod command;
mod config;
mod conflict;
mod coordinates;
mod core;
mod error;
mod event;
mod events;
mod expression;
mod filter;
mod internal;
mod keys;
mod lamport;
mod leave;
mod member;
mod members;
mod node;
mod query;
mod queues;
mod re2;
mod ring;
pub mod snapshot;
mod state;
mod stats;
mod tags;
mod timers;
mod user_event;

pub use coalesce::{Coalescer, Window};
pub use command::{Command, Input, QueryParams};
pub use config::{SerfConfig, SerfConfigBuilder};
pub use error::Rejected;
pub use event::{Change, Event, Finding, Outcome, QueryEvent, QueryId, Queue, UserEvent};
pub use keys::{KeyReport, KeyReportError};
pub use member::{Member, Status};
pub use node::Serf;
pub use stats::{Info, SerfStats};
pub use tags::Tags;

pub use crate::wire::serf::TooLong;
