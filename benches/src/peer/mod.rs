//! foca 2.0.0 beside ours: identities, a codec, a receiver of packets, a simulation.
//!
//! foca leaves identity and codec to its user. Two identities stand here: a small one, which is the
//! fastest that a capable user would write, and one with the content that ours has.

mod codec;
mod identity;
mod receiver;
mod simulation;

pub use codec::{Raw, Refused};
pub use identity::{Content, Heap, Named, Small};
pub use receiver::{Theirs, loaded, members};
pub use simulation::{Simulation, Totals};
