//! What a node keeps across restarts: a text file of lines, here as bytes. The files themselves
//! are the driver's.

mod line;
mod replay;
mod table;

pub use line::Line;
pub use replay::Replay;
pub use table::Snapshot;
