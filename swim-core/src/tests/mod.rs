//! Scenarios on a few nodes, one file per topic.

mod alone;
mod bounds;
mod coordinates;
mod detect;
mod fast_join;
mod formulas;
mod hostile;
mod last_call;
mod late;
mod membership;
mod pick;
mod serf;
mod table;
