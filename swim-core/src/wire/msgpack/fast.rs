//! Reading exactly what memberlist itself emits (section 0.1), in a straight line.

use crate::wire::DecodeError;
use crate::wire::msgpack::Reader;

/// A cursor that knows only the canonical forms; whoever gets `None` starts over with the general
/// reader.
#[derive(Clone, Copy)]
pub(crate) struct Fast<'a>(&'a [u8]);

/// A byte string of less than 32 bytes; its length is in the low bits.
const FIXRAW: u8 = 0xa0;

impl<'a> Fast<'a> {
    #[inline]
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Bytes that are left.
    #[inline]
    pub(crate) const fn left(&self) -> usize {
        self.0.len()
    }

    /// Takes `N` bytes that must be these.
    #[inline(always)]
    pub(crate) fn expect<const N: usize>(&mut self, bytes: &[u8; N]) -> Option<()> {
        self.accept(bytes).then_some(())
    }

    /// Takes `N` bytes if they are these.
    #[inline(always)]
    pub(crate) fn accept<const N: usize>(&mut self, bytes: &[u8; N]) -> bool {
        match self.0.split_first_chunk::<N>() {
            Some((head, rest)) if head == bytes => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes `N` bytes that stand between these, all of them or none.
    #[inline(always)]
    pub(crate) fn between<const B: usize, const N: usize, const A: usize>(
        &mut self,
        before: &[u8; B],
        after: &[u8; A],
    ) -> Option<&'a [u8; N]> {
        let (all, rest) = self.0.split_at_checked(B + N + A)?;
        let (chunk, tail) = all[B..].split_first_chunk()?;
        if all.first_chunk() != Some(before) || tail != after {
            return None;
        }
        self.0 = rest;
        Some(chunk)
    }

    /// Takes `N` bytes.
    #[inline]
    pub(crate) fn chunk<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(chunk)
    }

    #[inline(always)]
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    /// Takes a key of four letters and its byte string. Most are short, and for those this is one
    /// comparison.
    #[inline(always)]
    pub(crate) fn keyed(&mut self, key: &[u8; 5]) -> Option<Option<&'a [u8]>> {
        let (head, rest) = self.0.split_first_chunk::<6>()?;
        let (found, format) = (head.first_chunk()?, head[5]);
        if found != key {
            return None;
        }
        let len = usize::from(format ^ FIXRAW);
        if len >= 32 {
            let (raw, rest) = long(&self.0[5..])?;
            self.0 = rest;
            return Some(raw);
        }
        let (raw, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some(Some(raw))
    }

    #[inline(always)]
    pub(crate) fn raw(&mut self) -> Option<&'a [u8]> {
        let len = match self.byte()? {
            b @ FIXRAW..=0xbf => usize::from(b & 0x1f),
            0xda => usize::from(self.be16()?),
            0xdb => self.be32()? as usize,
            _ => return None,
        };
        let (raw, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(raw)
    }

    #[inline(always)]
    pub(crate) fn opt_raw(&mut self) -> Option<Option<&'a [u8]>> {
        match self.accept(b"\xc0") {
            true => Some(None),
            false => self.raw().map(Some),
        }
    }

    #[inline(always)]
    pub(crate) fn u16(&mut self) -> Option<u16> {
        match self.byte()? {
            b @ 0x00..=0x7f => Some(u16::from(b)),
            0xcc => self.byte().map(u16::from),
            0xcd => self.be16(),
            _ => None,
        }
    }

    #[inline(always)]
    pub(crate) fn u32(&mut self) -> Option<u32> {
        match self.byte()? {
            b @ 0x00..=0x7f => Some(u32::from(b)),
            0xcc => self.byte().map(u32::from),
            0xcd => self.be16().map(u32::from),
            0xce => self.be32(),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Option<u64> {
        match self.0.first()? {
            0xcf => {
                self.byte()?;
                self.be64()
            }
            _ => self.u32().map(u64::from),
        }
    }

    #[inline]
    pub(crate) fn f64(&mut self) -> Option<f64> {
        self.expect(b"\xcb")?;
        self.be64().map(f64::from_bits)
    }

    /// What the general reader makes of the next value.
    #[inline]
    pub(crate) fn general<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
    ) -> Option<T> {
        let mut reader = Reader::new(self.0);
        let value = read(&mut reader).ok()?;
        self.0 = reader.rest();
        Some(value)
    }

    #[inline(always)]
    pub(crate) fn bool(&mut self) -> Option<bool> {
        match self.byte()? {
            0xc2 => Some(false),
            0xc3 => Some(true),
            _ => None,
        }
    }

    #[inline(always)]
    fn be16(&mut self) -> Option<u16> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*bytes))
    }

    #[inline(always)]
    fn be32(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    #[inline]
    fn be64(&mut self) -> Option<u64> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*bytes))
    }
}

/// A byte string of any length. The cursor is no argument, so that it stays in registers.
#[inline(never)]
fn long(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let mut from = Fast(bytes);
    let raw = from.opt_raw()?;
    Some((raw, from.0))
}
