//! Type bytes.

use crate::wire::DecodeError;

/// What a Serf message is: its first byte (serf spec 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// The intent to leave, or to force another node out; gossip.
    Leave = 0,
    /// The intent to be a member; gossip.
    Join = 1,
    /// The whole state; user state of a push/pull.
    PushPull = 2,
    /// An application's event; gossip.
    UserEvent = 3,
    /// A question to many; gossip, or a datagram to one.
    Query = 4,
    /// An answer or an ack; a datagram to the one who asked.
    Response = 5,
    /// The record of a member, in the payload of a response.
    Conflict = 6,
    /// A key to install, use or remove, in the payload of a query.
    KeyRequest = 7,
    /// What came of it, in the payload of a response.
    KeyResponse = 8,
    /// A message to be passed on; a datagram to a helper.
    Relay = 9,
}

impl Kind {
    /// The kind with this type byte, if there is one.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Leave,
            1 => Self::Join,
            2 => Self::PushPull,
            3 => Self::UserEvent,
            4 => Self::Query,
            5 => Self::Response,
            6 => Self::Conflict,
            7 => Self::KeyRequest,
            8 => Self::KeyResponse,
            9 => Self::Relay,
            _ => return None,
        })
    }

    /// The type byte.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// What follows the type byte of a message that must be of this kind.
    pub(super) fn body(self, message: &[u8]) -> Result<&[u8], DecodeError> {
        match message.split_first() {
            None => Err(DecodeError::Empty),
            Some((&byte, body)) if byte == self.byte() => Ok(body),
            Some((&byte, _)) => Err(DecodeError::Unsupported(byte)),
        }
    }
}

/// The public decoder of a message that is a type byte and one body.
macro_rules! decoder {
    ($body:ident, $kind:ident) => {
        impl<'a> $body<'a> {
            /// Decodes type byte and body; bytes after the body are ignored.
            ///
            /// # Errors
            ///
            /// [`DecodeError`] says what is wrong with the bytes; [`DecodeError::Unsupported`] if
            /// they are a message of another kind.
            #[inline]
            pub fn decode(message: &'a [u8]) -> Result<Self, DecodeError> {
                $crate::wire::body::decode($crate::wire::serf::Kind::$kind.body(message)?)
            }
        }
    };
}
pub(super) use decoder;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_byte_maps_to_itself() {
        let known = (0..=255u8).filter_map(Kind::from_byte).inspect(|k| {
            assert_eq!(Kind::from_byte(k.byte()), Some(*k));
        });
        assert_eq!(known.count(), 10);
    }
}
