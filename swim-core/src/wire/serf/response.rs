//! An answer to a query, or an ack of it (section 4.4).

use bytes::BytesMut;

use crate::wire::DecodeError;
use crate::wire::body::Body;
use crate::wire::msgpack::{Fast, Reader, opt_raw_len, raw_len, uint_len, uint64_len, write};
use crate::wire::serf::kind::decoder;
use crate::wire::serf::{Kind, TooLong};

/// An answer to a query, or an ack of it (serf spec 4.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Response<'a> {
    /// The time of the query.
    pub ltime: u64,
    /// The number of the query.
    pub id: u32,
    /// Who answers.
    pub from: &'a [u8],
    /// [`Self::ACK`]; other bits have no meaning.
    pub flags: u32,
    /// The answer; none in an ack.
    pub payload: Option<&'a [u8]>,
}

decoder!(Response, Response);

impl Response<'_> {
    /// This says only that the query came.
    pub const ACK: u32 = 1;

    /// Whether this is an ack.
    pub const fn is_ack(&self) -> bool {
        self.flags & Self::ACK != 0
    }

    /// Checks what is to be sent against a limit (serf spec 1.7).
    ///
    /// # Errors
    ///
    /// [`TooLong`] if the message exceeds `bytes_max`.
    pub const fn fits(&self, bytes_max: usize) -> Result<(), TooLong> {
        let len = self.encoded_len();
        match len > bytes_max {
            true => Err(TooLong::Response { len, max: bytes_max }),
            false => Ok(()),
        }
    }

    /// Appends type byte and body.
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::Response.byte(), 0x85]);
            to.put(b"\xa5Flags");
            to.uint(self.flags);
            to.put(b"\xa4From");
            to.raw(self.from);
            to.put(b"\xa2ID");
            to.uint(self.id);
            to.put(b"\xa5LTime");
            to.uint64(self.ltime);
            to.put(b"\xa7Payload");
            to.opt_raw(self.payload);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub const fn encoded_len(&self) -> usize {
        let which = 6 + uint_len(self.flags) + 5 + raw_len(self.from) + 3 + uint_len(self.id);
        2 + which + 6 + uint64_len(self.ltime) + 8 + opt_raw_len(self.payload)
    }
}

impl<'a> Body<'a> for Response<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"LTime", b"ID", b"From", b"Flags", b"Payload"];

    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x85\xa5Flags")?;
        let flags = from.u32()?;
        from.expect(b"\xa4From")?;
        let responder = from.raw()?;
        from.expect(b"\xa2ID")?;
        let id = from.u32()?;
        from.expect(b"\xa5LTime")?;
        let ltime = from.u64()?;
        from.expect(b"\xa7Payload")?;
        let payload = from.opt_raw()?;
        Some(Self { ltime, id, from: responder, flags, payload })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.ltime = from.u64()?,
            1 => self.id = from.u32()?,
            2 => self.from = from.text()?,
            3 => self.flags = from.u32()?,
            4 => self.payload = from.bytes()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}
