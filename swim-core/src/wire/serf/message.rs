//! A Serf message of any kind that comes by itself.

use crate::wire::DecodeError;
use crate::wire::serf::{Join, Kind, Leave, Query, Relay, Response, UserEvent};

/// What a user message of memberlist holds: gossip, or a datagram to one node (serf spec 1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message<'a> {
    /// The intent to leave, or to force another node out.
    Leave(Leave<'a>),
    /// The intent to be a member.
    Join(Join<'a>),
    /// An application's event.
    UserEvent(UserEvent<'a>),
    /// A question to many.
    Query(Query<'a>),
    /// An answer or an ack.
    Response(Response<'a>),
    /// A message to be passed on.
    Relay(Relay<'a>),
}

impl<'a> Message<'a> {
    /// Decodes type byte and body; bytes after the body are ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] says what is wrong with the bytes; [`DecodeError::Unsupported`] if they are
    /// of an unknown type, or of one that never comes by itself (a push/pull, a payload).
    #[inline]
    pub fn decode(message: &'a [u8]) -> Result<Self, DecodeError> {
        let &byte = message.first().ok_or(DecodeError::Empty)?;
        Ok(match Kind::from_byte(byte) {
            Some(Kind::Leave) => Self::Leave(Leave::decode(message)?),
            Some(Kind::Join) => Self::Join(Join::decode(message)?),
            Some(Kind::UserEvent) => Self::UserEvent(UserEvent::decode(message)?),
            Some(Kind::Query) => Self::Query(Query::decode(message)?),
            Some(Kind::Response) => Self::Response(Response::decode(message)?),
            Some(Kind::Relay) => Self::Relay(Relay::decode(message)?),
            _ => return Err(DecodeError::Unsupported(byte)),
        })
    }
}
