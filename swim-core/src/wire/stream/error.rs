//! Why a stream is refused.

use core::fmt;

/// Why bytes on a stream are not a message that may be read here; the stream is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamError {
    /// The label header announces an empty label, which is never sent.
    EmptyLabel,
    /// A message of this type has no place in this direction of a stream.
    Unsupported {
        /// The type byte.
        kind: u8,
    },
    /// The bytes after the type byte are not msgpack, or not the header that the type needs.
    Malformed {
        /// The type byte.
        kind: u8,
    },
    /// An encrypted frame announces more bytes than are read.
    Encrypted {
        /// The announced length.
        len: u64,
        /// The bound, [`Limits::encrypted_bytes_max`](super::Limits::encrypted_bytes_max).
        bytes_max: u64,
    },
    /// A message is longer than the bound on everything.
    TooLong {
        /// The type byte.
        kind: u8,
        /// The bound, [`Limits::frame_bytes_max`](super::Limits::frame_bytes_max).
        bytes_max: u64,
    },
    /// A push/pull header announces a number of nodes out of bounds.
    Nodes {
        /// The announced number.
        found: i64,
        /// The bound, [`Limits::nodes_max`](super::Limits::nodes_max).
        max: u64,
    },
    /// A header announces a length of application bytes out of bounds.
    UserBytes {
        /// The announced length.
        found: i64,
        /// The bound, [`Limits::user_bytes_max`](super::Limits::user_bytes_max).
        max: u64,
    },
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyLabel => f.write_str("the label header holds no label"),
            Self::Unsupported { kind } => write!(f, "message type {kind} has no place here"),
            Self::Malformed { kind } => write!(f, "malformed message of type {kind}"),
            Self::Encrypted { len, bytes_max } => {
                write!(f, "encrypted frame of {len} bytes, more than {bytes_max}")
            }
            Self::TooLong { kind, bytes_max } => {
                write!(f, "message of type {kind} longer than {bytes_max} bytes")
            }
            Self::Nodes { found, max } => {
                write!(f, "push/pull of {found} nodes, not within 0..={max}")
            }
            Self::UserBytes { found, max } => {
                write!(f, "{found} application bytes announced, not within 0..={max}")
            }
        }
    }
}

impl core::error::Error for StreamError {}
