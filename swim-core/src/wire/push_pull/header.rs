//! The header of a push/pull (section 2.5).

use bytes::BytesMut;

use crate::wire::body::{Body, decoders};
use crate::wire::msgpack::{Fast, Reader, uint_len, write};
use crate::wire::{DecodeError, Kind};

/// What follows the type byte of a push/pull (memberlist spec 2.5).
///
/// Its bounds (memberlist spec 3.3) are checked by [`PushPull::decode`](crate::wire::PushPull), not
/// here; negative numbers are refused here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PushPullHeader {
    /// The exchange is a join, not the periodic one.
    pub join: bool,
    /// Node entries that follow.
    pub nodes: u32,
    /// Bytes of user state after them.
    pub user_state_len: u32,
}

decoders!(PushPullHeader);

impl PushPullHeader {
    /// Appends type byte and body.
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::PushPull.byte(), 0x83]);
            to.put(b"\xa4Join");
            to.bool(self.join);
            to.put(b"\xa5Nodes");
            to.uint(self.nodes);
            to.put(b"\xacUserStateLen");
            to.uint(self.user_state_len);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub const fn encoded_len(&self) -> usize {
        2 + 5 + 1 + 6 + uint_len(self.nodes) + 13 + uint_len(self.user_state_len)
    }
}

impl<'a> Body<'a> for PushPullHeader {
    const FIELDS: &'static [&'static [u8]] = &[b"Nodes", b"UserStateLen", b"Join"];

    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x83\xa4Join")?;
        let join = from.bool()?;
        from.expect(b"\xa5Nodes")?;
        let nodes = from.u32()?;
        from.expect(b"\xacUserStateLen")?;
        let user_state_len = from.u32()?;
        Some(Self { join, nodes, user_state_len })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.nodes = from.u32()?,
            1 => self.user_state_len = from.u32()?,
            2 => self.join = from.bool()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}
