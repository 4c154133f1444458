//! Why a layer cannot be put on or taken off.

use core::fmt;

use crate::envelope::{ExpandError, LabelError};
use crate::wire::stream::StreamError;

/// Why a message could not be sealed; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The message is longer than a datagram or an encrypted frame can be.
    TooLong {
        /// How long it is.
        len: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// The keyring became empty.
    NoKey,
    /// This build has no cipher: neither feature `encryption` nor `ring` is on.
    Unsupported,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len, bytes_max } => {
                write!(f, "{len} bytes to seal, more than {bytes_max}")
            }
            Self::NoKey => f.write_str("no key to encrypt with"),
            Self::Unsupported => f.write_str("encryption is not part of this build"),
        }
    }
}

impl core::error::Error for SealError {}

/// Why something could not be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// There are no bytes.
    Empty,
    /// There are fewer bytes than the encryption alone takes.
    TooShort {
        /// How many there are.
        len: usize,
        /// How many there have to be.
        len_min: usize,
    },
    /// The version is neither 0 nor 1.
    Version {
        /// The version.
        found: u8,
    },
    /// No key opens it: it is damaged, of another cluster, or of a key that this node lacks.
    NoKey {
        /// How many keys were tried.
        tried: usize,
    },
    /// It is authentic, but its padding has an impossible length: not 1 to 16.
    Padding {
        /// The length.
        found: u8,
    },
}

impl fmt::Display for DecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing to decrypt"),
            Self::TooShort { len, len_min } => {
                write!(f, "{len} bytes to decrypt, fewer than {len_min}")
            }
            Self::Version { found } => write!(f, "encryption version {found} is not supported"),
            Self::NoKey { tried } => write!(f, "none of {tried} keys decrypts it"),
            Self::Padding { found } => write!(f, "padding of {found} bytes, not within 1..=16"),
        }
    }
}

impl core::error::Error for DecryptError {}

/// Why a datagram is to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PacketError {
    /// Its label header is damaged.
    Label(LabelError),
    /// Its label is not this cluster's; or it has one, though there should be none.
    Unacceptable {
        /// The length of the label, zero if there is none.
        label_len: usize,
    },
    /// It does not decrypt.
    Decrypt(DecryptError),
    /// Its CRC is wrong.
    Crc {
        /// The CRC that it announces.
        announced: u32,
        /// The CRC that it has.
        computed: u32,
    },
    /// There is no message in it.
    Empty,
}

impl fmt::Display for PacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(error) => error.fmt(f),
            Self::Unacceptable { label_len } => {
                write!(f, "a label of {label_len} bytes that is not acceptable here")
            }
            Self::Decrypt(error) => error.fmt(f),
            Self::Crc { announced, computed } => {
                write!(f, "CRC {computed:08x}, not {announced:08x} as announced")
            }
            Self::Empty => f.write_str("no message"),
        }
    }
}

impl core::error::Error for PacketError {}

/// Why the message on a stream is refused; the stream is to be closed.
///
/// An acceptor first answers with an error message if [`reply_text`](Self::reply_text) has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The bytes are not a message that may be read here.
    Stream(StreamError),
    /// The label is not this cluster's; or there is one, though there should be none.
    Unacceptable {
        /// The length of the label, zero if there is none.
        label_len: usize,
    },
    /// The peer does not encrypt, but there are keys and encryption is enforced.
    NotEncrypted,
    /// The peer encrypts, but there are no keys.
    NoKeys,
    /// The message does not decrypt.
    Decrypt(DecryptError),
    /// The message does not expand.
    Expand(ExpandError),
    /// There is no message within the layers of encryption and compression.
    Empty,
}

impl FrameError {
    /// What an acceptor tells the peer before it closes the stream; `None` to close it silently.
    ///
    /// An answer is due if encryption or compression failed (3.6): those are the mistakes that an
    /// operator makes and needs to hear of. A message with the wrong label gets none.
    pub fn reply_text(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotEncrypted => "this node requires encryption and the request is in clear",
            Self::NoKeys => "the request is encrypted and this node has no keys",
            Self::Decrypt(_) => "the request cannot be decrypted with the keys of this node",
            Self::Expand(_) => "the request cannot be decompressed",
            Self::Empty => "the request holds no message",
            Self::Stream(StreamError::Encrypted { .. }) => "the encrypted request is too long",
            Self::Stream(StreamError::Malformed { kind: COMPRESSED }) => {
                "the request cannot be decompressed"
            }
            Self::Stream(_) | Self::Unacceptable { .. } => return None,
        })
    }
}

const COMPRESSED: u8 = super::compress::COMPRESSED;

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(f),
            Self::Unacceptable { label_len } => {
                write!(f, "a label of {label_len} bytes that is not acceptable here")
            }
            Self::NotEncrypted => f.write_str("not encrypted, but encryption is enforced"),
            Self::NoKeys => f.write_str("encrypted, but there are no keys"),
            Self::Decrypt(error) => error.fmt(f),
            Self::Expand(error) => error.fmt(f),
            Self::Empty => f.write_str("no message"),
        }
    }
}

impl core::error::Error for FrameError {}
