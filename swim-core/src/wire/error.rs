//! Why bytes are not a message.

use core::fmt;

/// Why a message could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The message has no bytes at all, not even its type.
    Empty,
    /// This type byte is unknown, or is not one that is decoded here (a wrapper, a push/pull).
    Unsupported(u8),
    /// The input ends within a value: it needed this many more bytes and had fewer.
    Truncated {
        /// Bytes that the value needed.
        need: usize,
        /// Bytes that were left.
        have: usize,
    },
    /// A msgpack value of another type than its field, or one that is never valid.
    Format {
        /// The first byte of the value.
        found: u8,
        /// What its place calls for.
        wanted: Wanted,
    },
    /// A payload of another version than the one that is known.
    Version {
        /// The version of the payload.
        found: u8,
        /// The one that is known.
        known: u8,
    },
    /// An unsigned field holds a negative number.
    Negative(i64),
    /// A number exceeds its field's type or its limit.
    TooLarge {
        /// The number.
        value: u64,
        /// The largest that is accepted.
        max: u64,
    },
}

/// What a place in a message calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// A body: a map, an array or nil.
    Struct,
    /// A byte or text string, an array of small integers, or nil.
    Bytes,
    /// One of the small integers that stand for bytes.
    Byte,
    /// An integer or nil.
    Integer,
    /// A boolean, 0, 1 or nil.
    Bool,
    /// A list or nil.
    List,
    /// A map or nil.
    Map,
    /// Any value at all.
    Value,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("message without a type byte"),
            Self::Unsupported(byte) => write!(f, "unsupported message type {byte}"),
            Self::Truncated { need, have } => {
                write!(f, "message is cut short: {need} bytes needed, {have} left")
            }
            Self::Format { found, wanted } => write!(f, "expected {wanted}, found {found:#04x}"),
            Self::Version { found, known } => {
                write!(f, "payload of version {found}, only {known} is known")
            }
            Self::Negative(value) => write!(f, "negative number {value} in an unsigned field"),
            Self::TooLarge { value, max } => write!(f, "number {value} exceeds {max}"),
        }
    }
}

impl core::error::Error for DecodeError {}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Struct => "a map",
            Self::Bytes => "a byte string",
            Self::Byte => "an integer up to 127",
            Self::Integer => "an integer",
            Self::Bool => "a boolean",
            Self::List => "a list",
            Self::Map => "a map of text",
            Self::Value => "a value",
        })
    }
}
