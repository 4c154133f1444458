//! The exchange of the whole state (section 3.3).

mod exchange;
mod header;
mod node;

pub use exchange::{Nodes, PushPull};
pub use header::PushPullHeader;
pub use node::NodeState;
