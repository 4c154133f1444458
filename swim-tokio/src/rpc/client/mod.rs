//! Speaking to an agent, ours or Serf's.

mod commands;
mod connection;
mod error;
mod records;

pub use commands::{Client, ClientBuilder};
pub use error::ClientError;
pub use records::{Record, Records};
