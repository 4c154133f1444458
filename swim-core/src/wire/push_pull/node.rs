//! One entry of a push/pull (section 2.6).

use bytes::BytesMut;

use crate::wire::DecodeError;
use crate::wire::body::{Body, decoders};
use crate::wire::msgpack::{Fast, Reader, int_len, opt_raw_len, raw_len, uint_len, write};

/// One node as a push/pull describes it (memberlist spec 2.6); it has no type byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeState<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// As in [`Alive`](crate::wire::Alive).
    pub addr: Option<&'a [u8]>,
    /// As in [`Alive`](crate::wire::Alive).
    pub port: u16,
    /// As in [`Alive`](crate::wire::Alive).
    pub meta: Option<&'a [u8]>,
    /// As in [`Alive`](crate::wire::Alive).
    pub incarnation: u32,
    /// 0 alive, 1 suspect, 2 dead, 3 left; memberlist ignores entries with any other number.
    pub state: i64,
    /// As in [`Alive`](crate::wire::Alive).
    pub vsn: Option<&'a [u8]>,
}

decoders!(NodeState<'a>);

impl NodeState<'_> {
    /// Appends the entry.
    #[inline]
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(b"\x87\xa4Addr");
            to.opt_raw(self.addr);
            to.put(b"\xabIncarnation");
            to.uint(self.incarnation);
            to.put(b"\xa4Meta");
            to.opt_raw(self.meta);
            to.put(b"\xa4Name");
            to.raw(self.name);
            to.put(b"\xa4Port");
            to.uint(u32::from(self.port));
            to.put(b"\xa5State");
            to.int(self.state);
            to.put(b"\xa3Vsn");
            to.opt_raw(self.vsn);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    #[inline]
    pub const fn encoded_len(&self) -> usize {
        let addr = 5 + opt_raw_len(self.addr);
        let incarnation = 12 + uint_len(self.incarnation);
        let meta = 5 + opt_raw_len(self.meta);
        let name = 5 + raw_len(self.name);
        let port = 5 + uint_len(self.port as u32);
        let state = 6 + int_len(self.state);
        let vsn = 4 + opt_raw_len(self.vsn);
        1 + addr + incarnation + meta + name + port + state + vsn
    }
}

impl<'a> Body<'a> for NodeState<'a> {
    const FIELDS: &'static [&'static [u8]] =
        &[b"Name", b"Addr", b"Port", b"Meta", b"Incarnation", b"State", b"Vsn"];

    #[inline]
    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x87\xa4Addr")?;
        let addr = from.opt_raw()?;
        from.expect(b"\xabIncarnation")?;
        let incarnation = from.u32()?;
        from.expect(b"\xa4Meta")?;
        let meta = from.opt_raw()?;
        from.expect(b"\xa4Name")?;
        let name = from.raw()?;
        from.expect(b"\xa4Port")?;
        let port = from.u16()?;
        from.expect(b"\xa5State")?;
        let state = i64::from(from.u32()?);
        from.expect(b"\xa3Vsn")?;
        let vsn = from.opt_raw()?;
        Some(Self { name, addr, port, meta, incarnation, state, vsn })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.name = from.text()?,
            1 => self.addr = from.bytes()?,
            2 => self.port = from.u16()?,
            3 => self.meta = from.bytes()?,
            4 => self.incarnation = from.u32()?,
            5 => self.state = from.i64()?,
            6 => self.vsn = from.bytes()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}
