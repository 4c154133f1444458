//! A codec of fixed layout: about as little work as a codec can do.

use core::fmt;
use core::marker::PhantomData;

use bytes::{Buf, BufMut};
use foca::{Codec, Header, Member, Message, State};

use super::identity::Content;

/// The codec for an identity.
#[derive(Debug)]
pub struct Raw<T>(PhantomData<T>);

impl<T> Raw<T> {
    /// The codec.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for Raw<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Too few bytes, or an unknown tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("short buffer or unknown tag")
    }
}

impl core::error::Error for Refused {}

impl<T: Content> Codec<T> for Raw<T> {
    type Error = Refused;

    fn encode_header(&mut self, header: &Header<T>, mut out: impl BufMut) -> Result<(), Refused> {
        if out.remaining_mut() < 3 * T::BYTES + 4 {
            return Err(Refused);
        }
        header.src.put(&mut out);
        out.put_u16(header.src_incarnation);
        header.dst.put(&mut out);
        let (tag, number, identity) = match &header.message {
            Message::Ping(n) => (1, Some(*n), None),
            Message::Ack(n) => (2, Some(*n), None),
            Message::PingReq { target, probe_number } => (3, Some(*probe_number), Some(target)),
            Message::IndirectPing { origin, probe_number } => {
                (4, Some(*probe_number), Some(origin))
            }
            Message::IndirectAck { target, probe_number } => (5, Some(*probe_number), Some(target)),
            Message::ForwardedAck { origin, probe_number } => {
                (6, Some(*probe_number), Some(origin))
            }
            Message::Announce => (7, None, None),
            Message::Feed => (8, None, None),
            Message::Gossip => (9, None, None),
            Message::Broadcast => (10, None, None),
            Message::TurnUndead => (11, None, None),
        };
        out.put_u8(tag);
        if let Some(number) = number {
            out.put_u8(number);
        }
        if let Some(identity) = identity {
            identity.put(&mut out);
        }
        Ok(())
    }

    fn decode_header(&mut self, mut from: impl Buf) -> Result<Header<T>, Refused> {
        let src = T::get(&mut from)?;
        let src_incarnation = from.try_get_u16().map_err(|_| Refused)?;
        let dst = T::get(&mut from)?;
        let tag = from.try_get_u8().map_err(|_| Refused)?;
        let probe_number = match tag {
            1..=6 => from.try_get_u8().map_err(|_| Refused)?,
            _ => 0,
        };
        let message = match tag {
            1 => Message::Ping(probe_number),
            2 => Message::Ack(probe_number),
            3 => Message::PingReq { target: T::get(&mut from)?, probe_number },
            4 => Message::IndirectPing { origin: T::get(&mut from)?, probe_number },
            5 => Message::IndirectAck { target: T::get(&mut from)?, probe_number },
            6 => Message::ForwardedAck { origin: T::get(&mut from)?, probe_number },
            7 => Message::Announce,
            8 => Message::Feed,
            9 => Message::Gossip,
            10 => Message::Broadcast,
            11 => Message::TurnUndead,
            _ => return Err(Refused),
        };
        Ok(Header { src, src_incarnation, dst, message })
    }

    fn encode_member(&mut self, member: &Member<T>, mut out: impl BufMut) -> Result<(), Refused> {
        if out.remaining_mut() < T::BYTES + 3 {
            return Err(Refused);
        }
        member.id().put(&mut out);
        out.put_u16(member.incarnation());
        out.put_u8(member.state() as u8);
        Ok(())
    }

    fn decode_member(&mut self, mut from: impl Buf) -> Result<Member<T>, Refused> {
        let id = T::get(&mut from)?;
        let incarnation = from.try_get_u16().map_err(|_| Refused)?;
        let state = match from.try_get_u8() {
            Ok(0) => State::Alive,
            Ok(1) => State::Suspect,
            Ok(2) => State::Down,
            _ => return Err(Refused),
        };
        Ok(Member::new(id, incarnation, state))
    }
}
