//! Scenarios on a few nodes, one file per topic.

mod detect;
mod late;
mod membership;
mod table;
