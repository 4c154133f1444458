//! Runs of a sweep: what each has shown, kept in a folder so that nothing is run twice.

mod results;
mod row;
mod shard;
mod store;

pub(crate) use self::results::{Combination, write};
pub(crate) use self::row::{Metrics, Row};
pub(crate) use self::shard::Shard;
pub(crate) use self::store::{Found, Store, gather, sweep_of};
