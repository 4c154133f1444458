//! Why an input was refused.

use core::fmt;

use crate::keyring::KeyringError;
use crate::wire::{DecodeError, PartError};

/// The whole input was refused, and the state of the protocol is unchanged. Every variant is
/// counted in [`Stats`](crate::Stats). A driver goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejected {
    /// No part of the datagram or message could be read; the last reason.
    Malformed(DecodeError),
    /// The layers of the datagram cannot be taken apart, and no part could be read; the last
    /// reason.
    Nesting(PartError),
    /// The message belongs on the other plane: a push/pull in a datagram, say.
    WrongPlane,
    /// A ping, or a stream ping, for another node.
    NotForMe,
    /// The policy refuses the members of a push/pull.
    Vetoed,
    /// Too many exchanges are under way; the bound.
    Busy(u32),
    /// A reply to an exchange that nobody waits for.
    UnknownExchange,
    /// The node has left, or leaves; it takes no such command.
    Leaving,
    /// Metadata of this many bytes, more than 512.
    MetaTooLong(usize),
    /// A payload of this many bytes does not fit the bound.
    PayloadTooLong {
        /// Its size.
        bytes: usize,
        /// The largest that fits.
        bytes_max: usize,
    },
    /// The queue holds as many bytes as it may.
    QueueFull(u32),
    /// The knob of this name cannot change while the node runs.
    FixedKnob(&'static str),
    /// The keyring refuses the change.
    Keyring(KeyringError),
    /// No member of a push/pull speaks a version that this node speaks.
    Incompatible,
    /// Nobody could reach a node at the address of `SetAddress`.
    Unreachable,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(e) => write!(f, "malformed message: {e}"),
            Self::Nesting(e) => write!(f, "malformed datagram: {e}"),
            Self::WrongPlane => f.write_str("message type not allowed on this plane"),
            Self::NotForMe => f.write_str("ping for another node"),
            Self::Vetoed => f.write_str("policy refuses the members"),
            Self::Busy(max) => write!(f, "more than {max} exchanges under way"),
            Self::UnknownExchange => f.write_str("reply to an exchange that is not under way"),
            Self::Leaving => f.write_str("node has left or is leaving"),
            Self::MetaTooLong(n) => write!(f, "metadata has {n} bytes, at most 512"),
            Self::PayloadTooLong { bytes, bytes_max } => {
                write!(f, "payload has {bytes} bytes, at most {bytes_max}")
            }
            Self::QueueFull(max) => write!(f, "queue holds its {max} bytes"),
            Self::FixedKnob(knob) => write!(f, "{knob} cannot change while the node runs"),
            Self::Keyring(e) => e.fmt(f),
            Self::Incompatible => f.write_str("no member speaks a compatible version"),
            Self::Unreachable => f.write_str("address is unspecified or has port 0"),
        }
    }
}

impl core::error::Error for Rejected {}

/// As the text that [`Display`](fmt::Display) gives.
#[cfg(feature = "serde")]
impl serde::Serialize for Rejected {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
