//! How long what we send may be (section 1.7).

use core::fmt;

/// Bytes of a user event unless configured otherwise, type byte included.
pub const USER_EVENT_BYTES: usize = 512;
/// The most that a user event may be configured to have; it would not fit a larger packet.
pub const USER_EVENT_BYTES_MAX: usize = 9 * 1024;
/// Bytes of a query unless configured otherwise, type byte included.
pub const QUERY_BYTES: usize = 1024;
/// Bytes of a response unless configured otherwise, type byte included.
pub const RESPONSE_BYTES: usize = 1024;
/// Bytes of encoded tags, which are the metadata of a node.
pub const TAGS_BYTES_MAX: usize = 512;

/// What is too long to be sent (serf spec 1.7). Nothing was encoded.
///
/// The texts are Serf's own, since its clients show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TooLong {
    /// Name and payload of a user event together.
    UserEventContent {
        /// Their bytes.
        len: usize,
        /// How many may be.
        max: usize,
    },
    /// A user event as a whole.
    UserEvent {
        /// Its bytes.
        len: usize,
        /// How many may be.
        max: usize,
    },
    /// A query.
    Query {
        /// Its bytes.
        len: usize,
        /// How many may be.
        max: usize,
    },
    /// A response, by itself or as it is relayed.
    Response {
        /// Its bytes.
        len: usize,
        /// How many may be.
        max: usize,
    },
    /// Tags.
    Tags {
        /// Their bytes.
        len: usize,
        /// How many may be.
        max: usize,
    },
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UserEventContent { max, .. } => {
                write!(f, "user event exceeds configured limit of {max} bytes before encoding")
            }
            Self::UserEvent { max, .. } => write!(
                f,
                "encoded user event exceeds configured limit of {max} bytes after encoding"
            ),
            Self::Query { max, .. } => write!(f, "query exceeds limit of {max} bytes"),
            Self::Response { max, .. } => write!(f, "response exceeds limit of {max} bytes"),
            Self::Tags { max, .. } => {
                write!(f, "Encoded length of tags exceeds limit of {max} bytes")
            }
        }
    }
}

impl core::error::Error for TooLong {}
