//! The messages of the agent protocol: bytes to values and back, without state.
//!
//! A connection is a plain stream of msgpack values. A request is a [`RequestHeader`] and, for most
//! commands, a body; an answer is an [`ResponseHeader`] and, for some commands, a body; a record of
//! a stream is an [`ResponseHeader`] with the sequence number that started the stream, and a body.
//! Nothing announces a length: [`Frames`] finds where a value ends, within a bound.
//!
//! Whatever any Serf sends is read: keys in any order, unknown keys, integers of any width, byte
//! strings of either family. What is written is what Serf 0.9 writes: sorted keys, all fields, the
//! smallest unsigned integers, empty byte strings as nil. Text that is not UTF-8 is read with
//! replacement characters.

mod answer;
mod coordinate;
mod error;
mod frame;
mod header;
mod member;
mod read;
mod record;
mod request;
mod why;
mod write;

pub use answer::{Answer, KeyReport, Stats};
pub use coordinate::Coordinate;
pub use error::BadMessage;
pub use frame::Frames;
pub use header::{RequestHeader, ResponseHeader};
pub use member::{Member, MemberStatus};
pub use record::{EventRecord, LogRecord, MemberChange, QueryRecord};
pub use request::{MemberFilter, Query, Request, UserEvent};
pub use why::{Accusation, Saying};
