//! Probes, direct and by a helper (sections 2.1, 2.2).

use bytes::BytesMut;

use crate::wire::body::{Body, decoders};
use crate::wire::msgpack::{Fast, Reader, Writer, opt_raw_len, raw_len, uint_len, write};
use crate::wire::{DecodeError, Kind};

/// A direct probe (memberlist spec 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ping<'a> {
    /// Comes back in the ack.
    pub seq: u32,
    /// Name of the node that is meant; another node ignores the ping. Empty means whoever gets it.
    pub node: &'a [u8],
    /// Where the ack goes; not used on streams.
    pub source: Source<'a>,
}

/// Where an answer goes: fields that are left out one by one when empty (memberlist spec 2.1).
///
/// The default is none of them, as memberlist before 0.2.0 sent; then the datagram's source counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Source<'a> {
    /// IP address, of 4 or 16 bytes if it is of use.
    pub addr: &'a [u8],
    /// UDP port.
    pub port: u16,
    /// Name of the sender.
    pub node: &'a [u8],
}

/// A request to probe a third node (memberlist spec 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndirectPing<'a> {
    /// Comes back in the ack or nack; the number of the requester's own ping.
    pub seq: u32,
    /// IP address of the node to probe.
    pub target: Option<&'a [u8]>,
    /// Its port; 0 means the helper's own.
    pub port: u16,
    /// Its name.
    pub node: &'a [u8],
    /// The requester wants a nack when no ack came in time.
    pub nack: bool,
    /// Where the answer goes.
    pub source: Source<'a>,
}

decoders!(Ping<'a>);
decoders!(IndirectPing<'a>);

impl Ping<'_> {
    /// Appends type byte and body.
    #[inline]
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::Ping.byte(), 0x82 + self.source.fields()]);
            to.put(b"\xa4Node");
            to.raw(self.node);
            to.put(b"\xa5SeqNo");
            to.uint(self.seq);
            self.source.write(to);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    #[inline]
    pub const fn encoded_len(&self) -> usize {
        2 + 5 + raw_len(self.node) + 6 + uint_len(self.seq) + self.source.len()
    }
}

impl IndirectPing<'_> {
    /// Appends type byte and body.
    #[inline]
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::IndirectPing.byte(), 0x85 + self.source.fields()]);
            to.put(b"\xa4Nack");
            to.bool(self.nack);
            to.put(b"\xa4Node");
            to.raw(self.node);
            to.put(b"\xa4Port");
            to.uint(u32::from(self.port));
            to.put(b"\xa5SeqNo");
            to.uint(self.seq);
            self.source.write(to);
            to.put(b"\xa6Target");
            to.opt_raw(self.target);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    #[inline]
    pub const fn encoded_len(&self) -> usize {
        let port = uint_len(self.port as u32);
        let head = 2 + 5 + 1 + 5 + raw_len(self.node) + 5 + port + 6 + uint_len(self.seq);
        head + self.source.len() + 7 + opt_raw_len(self.target)
    }
}

impl<'a> Source<'a> {
    /// How many fields go on the wire.
    const fn fields(&self) -> u8 {
        !self.addr.is_empty() as u8 + !self.node.is_empty() as u8 + (self.port != 0) as u8
    }

    const fn len(&self) -> usize {
        let mut len = 11 * self.fields() as usize;
        if !self.addr.is_empty() {
            len += raw_len(self.addr);
        }
        if !self.node.is_empty() {
            len += raw_len(self.node);
        }
        if self.port != 0 {
            len += uint_len(self.port as u32);
        }
        len
    }

    #[inline]
    fn write(&self, to: &mut Writer<'_>) {
        if !self.addr.is_empty() {
            to.put(b"\xaaSourceAddr");
            to.raw(self.addr);
        }
        if !self.node.is_empty() {
            to.put(b"\xaaSourceNode");
            to.raw(self.node);
        }
        if self.port != 0 {
            to.put(b"\xaaSourcePort");
            to.uint(u32::from(self.port));
        }
    }

    /// Reads `fields` fields, in the order of their names.
    #[inline]
    fn fast(from: &mut Fast<'a>, mut fields: u8) -> Option<Self> {
        let mut source = Self::default();
        if fields > 0 && from.accept(b"\xaaSourceAddr") {
            source.addr = from.raw()?;
            fields -= 1;
        }
        if fields > 0 && from.accept(b"\xaaSourceNode") {
            source.node = from.raw()?;
            fields -= 1;
        }
        if fields > 0 && from.accept(b"\xaaSourcePort") {
            source.port = from.u16()?;
            fields -= 1;
        }
        (fields == 0).then_some(source)
    }
}

impl<'a> Body<'a> for Ping<'a> {
    const FIELDS: &'static [&'static [u8]] =
        &[b"SeqNo", b"Node", b"SourceAddr", b"SourcePort", b"SourceNode"];

    #[inline]
    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        let fields = from.byte()?.wrapping_sub(0x82);
        if fields > 3 {
            return None;
        }
        from.expect(b"\xa4Node")?;
        let node = from.raw()?;
        from.expect(b"\xa5SeqNo")?;
        let seq = from.u32()?;
        let source = Source::fast(from, fields)?;
        Some(Self { seq, node, source })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.seq = from.u32()?,
            1 => self.node = from.text()?,
            2 => self.source.addr = from.text()?,
            3 => self.source.port = from.u16()?,
            4 => self.source.node = from.text()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

impl<'a> Body<'a> for IndirectPing<'a> {
    const FIELDS: &'static [&'static [u8]] = &[
        b"SeqNo",
        b"Target",
        b"Port",
        b"Node",
        b"Nack",
        b"SourceAddr",
        b"SourcePort",
        b"SourceNode",
    ];

    #[inline]
    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        let fields = from.byte()?.wrapping_sub(0x85);
        if fields > 3 {
            return None;
        }
        from.expect(b"\xa4Nack")?;
        let nack = from.bool()?;
        from.expect(b"\xa4Node")?;
        let node = from.raw()?;
        from.expect(b"\xa4Port")?;
        let port = from.u16()?;
        from.expect(b"\xa5SeqNo")?;
        let seq = from.u32()?;
        let source = Source::fast(from, fields)?;
        from.expect(b"\xa6Target")?;
        let target = from.opt_raw()?;
        Some(Self { seq, target, port, node, nack, source })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.seq = from.u32()?,
            1 => self.target = from.bytes()?,
            2 => self.port = from.u16()?,
            3 => self.node = from.text()?,
            4 => self.nack = from.bool()?,
            5 => self.source.addr = from.text()?,
            6 => self.source.port = from.u16()?,
            7 => self.source.node = from.text()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}
