//! Why bytes are not a message.

use std::fmt;

use swim_core::wire::DecodeError;

/// Why bytes are not a message of the agent protocol. The connection is of no more use: nothing
/// says where the next message starts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadMessage {
    /// The bytes are no msgpack.
    NotMsgpack,
    /// A value takes more bytes than this bound.
    TooLong {
        /// The bound.
        bytes_max: usize,
    },
    /// A value is of another type than its field, or out of range.
    Value(DecodeError),
    /// An address has neither 4 nor 16 bytes, but so many.
    Addr(usize),
    /// No member has this status.
    Status(String),
    /// A record of a stream is of no known kind.
    Record(String),
    /// An answer is of another kind than the question.
    Answer,
}

impl fmt::Display for BadMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMsgpack => f.write_str("not msgpack"),
            Self::TooLong { bytes_max } => write!(f, "a value of more than {bytes_max} bytes"),
            Self::Value(e) => e.fmt(f),
            Self::Addr(len) => write!(f, "an address of {len} bytes, neither 4 nor 16"),
            Self::Status(text) => write!(f, "member status {text:?}"),
            Self::Record(text) => write!(f, "a record of kind {text:?}"),
            Self::Answer => f.write_str("the answer to another question"),
        }
    }
}

impl std::error::Error for BadMessage {}

impl From<DecodeError> for BadMessage {
    fn from(e: DecodeError) -> Self {
        Self::Value(e)
    }
}
