//! What nodes intend: to join or to leave (section 3.3).

use bytes::BytesMut;

use crate::wire::DecodeError;
use crate::wire::body::Body;
use crate::wire::msgpack::{Fast, Reader, raw_len, uint64_len, write};
use crate::wire::serf::Kind;
use crate::wire::serf::kind::decoder;

/// The intent of a node to be a member (serf spec 3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Join<'a> {
    /// The issuer's member clock.
    pub ltime: u64,
    /// Who joins.
    pub node: &'a [u8],
}

/// The intent of a node to leave, or of another to force it out (serf spec 3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leave<'a> {
    /// The issuer's member clock.
    pub ltime: u64,
    /// Who leaves.
    pub node: &'a [u8],
    /// It shall be forgotten at once.
    pub prune: bool,
}

decoder!(Join, Join);
decoder!(Leave, Leave);

impl Join<'_> {
    /// Appends type byte and body.
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::Join.byte(), 0x82]);
            to.put(b"\xa5LTime");
            to.uint64(self.ltime);
            to.put(b"\xa4Node");
            to.raw(self.node);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub const fn encoded_len(&self) -> usize {
        2 + 6 + uint64_len(self.ltime) + 5 + raw_len(self.node)
    }
}

impl Leave<'_> {
    /// Appends type byte and body.
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::Leave.byte(), 0x83]);
            to.put(b"\xa5LTime");
            to.uint64(self.ltime);
            to.put(b"\xa4Node");
            to.raw(self.node);
            to.put(b"\xa5Prune");
            to.bool(self.prune);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub const fn encoded_len(&self) -> usize {
        2 + 6 + uint64_len(self.ltime) + 5 + raw_len(self.node) + 6 + 1
    }
}

impl<'a> Body<'a> for Join<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"LTime", b"Node"];

    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x82\xa5LTime")?;
        let ltime = from.u64()?;
        from.expect(b"\xa4Node")?;
        let node = from.raw()?;
        Some(Self { ltime, node })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.ltime = from.u64()?,
            1 => self.node = from.text()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

impl<'a> Body<'a> for Leave<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"LTime", b"Node", b"Prune"];

    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x83\xa5LTime")?;
        let ltime = from.u64()?;
        from.expect(b"\xa4Node")?;
        let node = from.raw()?;
        from.expect(b"\xa5Prune")?;
        let prune = from.bool()?;
        Some(Self { ltime, node, prune })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.ltime = from.u64()?,
            1 => self.node = from.text()?,
            2 => self.prune = from.bool()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}
