//! Claims against a node: suspect and dead (section 2.3).

use bytes::BytesMut;

use crate::wire::body::{Body, decoders};
use crate::wire::msgpack::{Fast, Reader, Writer, raw_len, uint_len, write};
use crate::wire::{DecodeError, Kind};

/// The body of suspect and of dead (memberlist spec 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The incarnation that the claim is about.
    pub incarnation: u32,
    /// Name of the accused.
    pub node: &'a [u8],
    /// Name of the accuser; in a dead message equal to `node` if the node leaves by itself.
    pub from: &'a [u8],
}

decoders!(Claim<'a>);

impl Claim<'_> {
    /// Appends type byte and body.
    ///
    /// # Panics
    ///
    /// In debug builds, if `kind` is neither [`Kind::Suspect`] nor [`Kind::Dead`].
    #[inline]
    pub fn encode(&self, kind: Kind, out: &mut BytesMut) {
        debug_assert!(matches!(kind, Kind::Suspect | Kind::Dead), "no claim is of {kind:?}");
        write(out, self.encoded_len(), |to| self.write_to(kind, to));
    }

    /// Writes [`encoded_len`](Self::encoded_len) bytes.
    #[inline]
    pub(crate) fn write_to(&self, kind: Kind, to: &mut Writer<'_>) {
        to.put(&[kind.byte(), 0x83]);
        to.keyed(b"\xa4From", Some(self.from));
        to.put(b"\xabIncarnation");
        to.uint(self.incarnation);
        to.keyed(b"\xa4Node", Some(self.node));
    }

    /// How many bytes [`encode`](Self::encode) appends.
    #[inline]
    pub const fn encoded_len(&self) -> usize {
        2 + 5 + raw_len(self.from) + 12 + uint_len(self.incarnation) + 5 + raw_len(self.node)
    }
}

impl<'a> Body<'a> for Claim<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"Incarnation", b"Node", b"From"];

    #[inline]
    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x83\xa4From")?;
        let accuser = from.raw()?;
        from.expect(b"\xabIncarnation")?;
        let incarnation = from.u32()?;
        from.expect(b"\xa4Node")?;
        let node = from.raw()?;
        Some(Self { incarnation, node, from: accuser })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.incarnation = from.u32()?,
            1 => self.node = from.text()?,
            2 => self.from = from.text()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}
