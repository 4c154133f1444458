//! Scripts that run on events (section 9.2).

mod input;
mod invoke;
mod spec;

pub use invoke::{Invoked, SelfInfo, invoke};
pub use spec::{BadHandler, Handler};
