//! Answers: ack, nack and error (section 2.3).

use bytes::BytesMut;

use crate::wire::body::{Body, decoders};
use crate::wire::msgpack::{Fast, Reader, opt_raw_len, raw_len, uint_len, write};
use crate::wire::{DecodeError, Kind};

/// The answer to a ping (memberlist spec 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ack<'a> {
    /// The number of the ping.
    pub seq: u32,
    /// The application's bytes; none on streams and in what a helper passes on.
    pub payload: Option<&'a [u8]>,
}

/// A helper's word that it got no ack in time (memberlist spec 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nack {
    /// The number of the request.
    pub seq: u32,
}

/// Why a request on a stream was refused (memberlist spec 3.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorReply<'a> {
    /// Free text; it differs between versions of memberlist.
    pub text: &'a [u8],
}

decoders!(Ack<'a>);
decoders!(Nack);
decoders!(ErrorReply<'a>);

impl Ack<'_> {
    /// Appends type byte and body.
    #[inline]
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::Ack.byte(), 0x82]);
            to.put(b"\xa7Payload");
            to.opt_raw(self.payload);
            to.put(b"\xa5SeqNo");
            to.uint(self.seq);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    #[inline]
    pub const fn encoded_len(&self) -> usize {
        2 + 8 + opt_raw_len(self.payload) + 6 + uint_len(self.seq)
    }
}

impl Nack {
    /// Appends type byte and body.
    #[inline]
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::Nack.byte(), 0x81]);
            to.put(b"\xa5SeqNo");
            to.uint(self.seq);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    #[inline]
    pub const fn encoded_len(&self) -> usize {
        2 + 6 + uint_len(self.seq)
    }
}

impl ErrorReply<'_> {
    /// Appends type byte and body.
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::Error.byte(), 0x81]);
            to.put(b"\xa5Error");
            to.raw(self.text);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub const fn encoded_len(&self) -> usize {
        2 + 6 + raw_len(self.text)
    }
}

impl<'a> Body<'a> for Ack<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"SeqNo", b"Payload"];

    #[inline]
    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x82\xa7Payload")?;
        let payload = from.opt_raw()?;
        from.expect(b"\xa5SeqNo")?;
        let seq = from.u32()?;
        Some(Self { seq, payload })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.seq = from.u32()?,
            1 => self.payload = from.bytes()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

impl<'a> Body<'a> for Nack {
    const FIELDS: &'static [&'static [u8]] = &[b"SeqNo"];

    #[inline]
    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x81\xa5SeqNo")?;
        let seq = from.u32()?;
        Some(Self { seq })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.seq = from.u32()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

impl<'a> Body<'a> for ErrorReply<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"Error"];

    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x81\xa5Error")?;
        let text = from.raw()?;
        Some(Self { text })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.text = from.text()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}
