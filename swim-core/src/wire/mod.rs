//! memberlist's wire format: bytes to messages and back, without state.
//!
//! Everything here is a pure function of its input. Decoders borrow from the input, never allocate
//! by an announced length and never panic, whatever the bytes; encoders append to a caller's
//! buffer exactly the bytes a memberlist node would (maps with sorted keys, the raw family,
//! smallest unsigned integers). Section numbers in this module are those of the memberlist
//! specification.
//!
//! * [`Parts`] takes the layers that nest (compound, compression) off a datagram;
//! * [`Message`] and the bodies ([`Ping`], [`Alive`], ...) are what is inside;
//! * [`PushPull`] is the state exchange of a stream;
//! * [`Compound`] and [`lzw::compress`] put layers on;
//! * [`serf`] is what Serf puts into user messages, metadata, acks and user state.
//!
//! # What is accepted
//!
//! All that memberlist's current msgpack decoder accepts (section 0.3), with these differences:
//!
//! * an array of integers in place of a byte string is accepted if every element is a one-byte
//!   integer `0..=127`, for then it is its own bytes; others, which nothing sends, are refused;
//! * a map in place of a byte string is refused;
//! * an unknown value may nest to any depth, as older memberlists allow: skipping one takes
//!   neither stack nor memory.
//!
//! Names are bytes here. Whether they are UTF-8, and of a sensible length, is for the state
//! machine to judge.

pub mod lzw;
#[doc(hidden)]
pub mod msgpack;
pub mod serf;
pub mod stream;

mod ack;
pub(crate) mod agree;
mod alive;
mod body;
mod claim;
mod compound;
mod error;
mod flat;
mod kind;
mod limits;
mod message;
mod parts;
mod ping;
mod push_pull;
mod user;

#[cfg(test)]
mod proptests;

pub use ack::{Ack, ErrorReply, Nack};
pub use alive::Alive;
pub use claim::Claim;
pub use compound::{Compound, PartRefused, compound_len};
pub use error::{DecodeError, Wanted};
pub(crate) use flat::FlatParts;
pub use kind::Kind;
pub use limits::Limits;
pub use message::Message;
pub use parts::{PartError, Parts, Scratch};
pub use ping::{IndirectPing, Ping, Source};
pub use push_pull::{NodeState, Nodes, PushPull, PushPullHeader};
pub use user::UserHeader;
