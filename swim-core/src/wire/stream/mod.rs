//! Where a message on a stream ends (memberlist specification 3).
//!
//! One stream carries one request and at most one reply. Messages have no common length prefix:
//! an encrypted frame announces its length, everything else ends where its msgpack values end or
//! after as many raw bytes as a header value says. [`Reader`] finds that end while bytes arrive,
//! without decoding, copying or allocating; the message is decoded once it is complete.

mod error;
mod header;
mod reader;

pub use error::StreamError;
pub use reader::{Head, Limits, Reader, Role, Status};
