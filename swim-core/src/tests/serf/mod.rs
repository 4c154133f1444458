//! Scenarios on a few Serf nodes, one file per topic.

mod bounds;
mod coalescing;
mod conflict;
mod coordinates;
mod hazards;
mod keys;
mod membership;
mod net;
mod queries;
mod state;
mod user_events;
