//! The file in which a node keeps who is there and its clocks (serf spec 7).

mod file;
mod recorder;
mod writer;

pub(super) use file::open;
pub(super) use recorder::Recorder;
