//! What is known of a live node (section 2.4).

use bytes::BytesMut;

use crate::wire::body::{Body, decoders};
use crate::wire::msgpack::{Fast, Reader, Writer, opt_raw_len, raw_len, uint_len, write};
use crate::wire::{DecodeError, Kind};

/// A claim that a node is alive, with all that is known of it (memberlist spec 2.4).
///
/// No length is checked here. Absent and empty byte strings are told apart, so that what is passed
/// on is byte for byte what came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alive<'a> {
    /// The node's own counter; higher wins.
    pub incarnation: u32,
    /// Its name.
    pub node: &'a [u8],
    /// Its IP address: 4 or 16 bytes, to be kept as they are.
    pub addr: Option<&'a [u8]>,
    /// Its port; 0 means the receiver's own.
    pub port: u16,
    /// Its application's metadata; memberlist sends up to 512 bytes.
    pub meta: Option<&'a [u8]>,
    /// Six version bytes: protocol minimum, maximum and current, then the application's.
    pub vsn: Option<&'a [u8]>,
}

decoders!(Alive<'a>);

impl Alive<'_> {
    /// Appends type byte and body.
    #[inline]
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| self.write_to(to));
    }

    /// Writes [`encoded_len`](Self::encoded_len) bytes.
    #[inline(always)]
    pub(crate) fn write_to(&self, to: &mut Writer<'_>) {
        // What nearly all members have is one move each: before the incarnation, and at the end.
        if let Some(addr) = self.addr
            && let Some(addr) = addr.as_array::<4>()
        {
            to.between(b"\x04\x86\xa4Addr\xa4", addr, b"\xabIncarnation");
        } else {
            to.put(&[Kind::Alive.byte(), 0x86]);
            to.keyed(b"\xa4Addr", self.addr);
            to.put(b"\xabIncarnation");
        }
        to.uint(self.incarnation);
        to.keyed(b"\xa4Meta", self.meta);
        to.keyed(b"\xa4Node", Some(self.node));
        match (self.port.to_be_bytes(), self.vsn) {
            ([p, q], Some(&[a, b, c, d, e, f])) if p > 0 => {
                to.put(&[
                    0xa4, b'P', b'o', b'r', b't', 0xcd, p, q, 0xa3, b'V', b's', b'n', 0xa6, a, b,
                    c, d, e, f,
                ]);
            }
            _ => {
                to.keyed_port(b"\xa4Port", self.port);
                to.put(b"\xa3Vsn");
                to.opt_raw(self.vsn);
            }
        }
    }

    /// How many bytes [`encode`](Self::encode) appends.
    #[inline]
    pub fn encoded_len(&self) -> usize {
        let len = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
        let (addr, meta, vsn) = (len(self.addr), len(self.meta), len(self.vsn));
        let uints = uint_len(self.incarnation) + uint_len(self.port as u32);
        // Short byte strings, absent ones too, take one byte more than they hold.
        if (addr | meta | vsn | self.node.len()) < 32 {
            return KEY_BYTES + 4 + addr + meta + vsn + self.node.len() + uints;
        }
        let raws = opt_raw_len(self.addr)
            + opt_raw_len(self.meta)
            + raw_len(self.node)
            + opt_raw_len(self.vsn);
        KEY_BYTES + raws + uints
    }
}

/// Type byte, map header and the keys.
const KEY_BYTES: usize = 2 + 5 + 12 + 5 + 5 + 5 + 4;

impl<'a> Body<'a> for Alive<'a> {
    const FIELDS: &'static [&'static [u8]] =
        &[b"Incarnation", b"Node", b"Addr", b"Port", b"Meta", b"Vsn"];

    #[inline(always)]
    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        // A copy of the cursor stays in registers.
        let mut at = *from;
        let addr = match at.between::<7, 4, 12>(b"\x86\xa4Addr\xa4", b"\xabIncarnation") {
            Some(addr) => Some(addr.as_slice()),
            None => {
                at.expect(b"\x86")?;
                let addr = at.keyed(b"\xa4Addr")?;
                at.expect(b"\xabIncarnation")?;
                addr
            }
        };
        let incarnation = at.u32()?;
        let meta = at.keyed(b"\xa4Meta")?;
        let node = at.keyed(b"\xa4Node")??;
        let (port, vsn) = match at.between(b"\xa4Port\xcd", b"\xa3Vsn\xa6") {
            Some(port) => (u16::from_be_bytes(*port), Some(at.chunk::<6>()?.as_slice())),
            None => {
                at.expect(b"\xa4Port")?;
                let port = at.u16()?;
                at.expect(b"\xa3Vsn")?;
                (port, at.opt_raw()?)
            }
        };
        *from = at;
        Some(Self { incarnation, node, addr, port, meta, vsn })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.incarnation = from.u32()?,
            1 => self.node = from.text()?,
            2 => self.addr = from.bytes()?,
            3 => self.port = from.u16()?,
            4 => self.meta = from.bytes()?,
            5 => self.vsn = from.bytes()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}
