//! Scenarios on a few Serf nodes, one file per topic.

mod bounds;
mod coalescing;
mod conflict;
mod coordinates;
mod embedding;
mod figures;
mod hazards;
mod journal;
mod keys;
mod membership;
mod names;
mod net;
mod profiles;
mod queries;
mod state;
mod user_events;
