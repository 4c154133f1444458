//! A message of any kind but the ones that hold others.

use bytes::BytesMut;

use crate::wire::{Ack, Alive, Claim, DecodeError, ErrorReply, IndirectPing, Kind, Nack, Ping};

/// A message of a packet, or one of a stream other than a push/pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message<'a> {
    /// A direct probe.
    Ping(Ping<'a>),
    /// A request to probe a third node.
    IndirectPing(IndirectPing<'a>),
    /// The answer to a ping.
    Ack(Ack<'a>),
    /// A helper's word that it got no ack in time.
    Nack(Nack),
    /// A claim that a node is suspect.
    Suspect(Claim<'a>),
    /// A claim that a node is alive.
    Alive(Alive<'a>),
    /// A claim that a node is dead or has left.
    Dead(Claim<'a>),
    /// An application's bytes: all that follow the type byte. On a stream they start with a
    /// [`UserHeader`](crate::wire::UserHeader).
    User(&'a [u8]),
    /// Why a request on a stream was refused.
    Error(ErrorReply<'a>),
}

impl<'a> Message<'a> {
    /// Decodes type byte and body; bytes after the body are ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] says what is wrong with the bytes; [`DecodeError::Unsupported`] if they are
    /// a push/pull, a wrapper or of an unknown type.
    #[inline]
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (&byte, body) = bytes.split_first().ok_or(DecodeError::Empty)?;
        Ok(match Kind::from_byte(byte) {
            Some(Kind::Ping) => Self::Ping(Ping::decode(body)?),
            Some(Kind::IndirectPing) => Self::IndirectPing(IndirectPing::decode(body)?),
            Some(Kind::Ack) => Self::Ack(Ack::decode(body)?),
            Some(Kind::Nack) => Self::Nack(Nack::decode(body)?),
            Some(Kind::Suspect) => Self::Suspect(Claim::decode(body)?),
            Some(Kind::Alive) => Self::Alive(Alive::decode(body)?),
            Some(Kind::Dead) => Self::Dead(Claim::decode(body)?),
            Some(Kind::User) => Self::User(body),
            Some(Kind::Error) => Self::Error(ErrorReply::decode(body)?),
            _ => return Err(DecodeError::Unsupported(byte)),
        })
    }

    /// Appends type byte and body.
    pub fn encode(&self, out: &mut BytesMut) {
        match self {
            Self::Ping(ping) => ping.encode(out),
            Self::IndirectPing(ping) => ping.encode(out),
            Self::Ack(ack) => ack.encode(out),
            Self::Nack(nack) => nack.encode(out),
            Self::Suspect(claim) => claim.encode(Kind::Suspect, out),
            Self::Alive(alive) => alive.encode(out),
            Self::Dead(claim) => claim.encode(Kind::Dead, out),
            Self::User(payload) => {
                out.extend_from_slice(&[Kind::User.byte()]);
                out.extend_from_slice(payload);
            }
            Self::Error(error) => error.encode(out),
        }
    }
}
