//! `swim agent`.

mod discover;
mod handlers;
mod joins;
mod metrics;
mod node;
mod print;
mod pump;
mod run;
mod settings;
mod signals;

pub(crate) use run::run;
