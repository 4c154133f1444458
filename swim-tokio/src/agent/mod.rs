//! What a Serf agent is besides a node: configuration files, event handlers, a file of tags.
//!
//! Sections are those of chapter 9 of the Serf specification. The `swim` binary is built of this.

mod config;
mod duration;
mod handler;
mod interface;
mod tags_file;

pub use config::{AgentConfig, ConfigFileError, MdnsConfig};
pub use duration::{BadDuration, parse_duration};
pub use handler::{BadHandler, Handler, Invoked, SelfInfo, invoke};
pub use interface::{InterfaceError, bind_to_interface, interface_addrs};
pub use tags_file::{TagsFileError, read_tags, write_tags};

pub use crate::builder::host_name;
