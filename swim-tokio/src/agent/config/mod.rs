//! Configuration files of an agent (section 9.1).

mod fields;
mod load;
mod merge;
mod parse;

pub use fields::{AgentConfig, MdnsConfig};
pub use load::ConfigFileError;
