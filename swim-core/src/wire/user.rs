//! The header of a user message on a stream (sections 2.7, 3.5).

use bytes::BytesMut;

use crate::wire::body::{Body, decoders};
use crate::wire::msgpack::{Fast, Reader, uint_len, write};
use crate::wire::{DecodeError, Kind};

/// What precedes a user message on a stream; in a packet there is only the type byte (memberlist
/// spec 3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserHeader {
    /// Bytes that follow; memberlist allows 20 MiB.
    pub len: u32,
}

decoders!(UserHeader);

impl UserHeader {
    /// Appends type byte and body.
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::User.byte(), 0x81]);
            to.put(b"\xaaUserMsgLen");
            to.uint(self.len);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub const fn encoded_len(&self) -> usize {
        2 + 11 + uint_len(self.len)
    }
}

impl<'a> Body<'a> for UserHeader {
    const FIELDS: &'static [&'static [u8]] = &[b"UserMsgLen"];

    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x81\xaaUserMsgLen")?;
        let len = from.u32()?;
        Some(Self { len })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.len = from.u32()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}
