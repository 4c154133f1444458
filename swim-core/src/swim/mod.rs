//! The SWIM machine.
mod node;
pub use node::{Node, Roster};
