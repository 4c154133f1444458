//! The whole state of a Serf node, as streams exchange it.

mod fields;
mod state;

pub use fields::{PushPullFields, Slot};
pub use state::{Event, EventSet, PushPull};
