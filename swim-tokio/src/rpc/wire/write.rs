//! Writing as Serf 0.9 does: the smallest form of each value, strings and byte strings apart.

use std::collections::BTreeMap;

use bytes::{BufMut as _, BytesMut};

/// Appends msgpack values.
pub(super) struct Writer<'b>(&'b mut BytesMut);

impl<'b> Writer<'b> {
    pub(super) const fn new(out: &'b mut BytesMut) -> Self {
        Self(out)
    }

    /// The head of a map; so many keys and values must follow.
    pub(super) fn map(&mut self, len: usize) -> &mut Self {
        self.container(0x80, 0xde, len)
    }

    /// The head of an array; so many values must follow.
    pub(super) fn list(&mut self, len: usize) -> &mut Self {
        self.container(0x90, 0xdc, len)
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        match text.len() {
            len @ 0..=31 => self.0.put_u8(0xa0 | len as u8),
            len => self.length(0xd9, len),
        }
        self.0.put_slice(text.as_bytes());
        self
    }

    /// A byte string; the empty one is nil, as Go's absent ones are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        if bytes.is_empty() {
            return self.nil();
        }
        self.length(0xc4, bytes.len());
        self.0.put_slice(bytes);
        self
    }

    pub(super) fn uint(&mut self, n: u64) -> &mut Self {
        match n {
            0..=0x7f => self.0.put_u8(n as u8),
            0x80..=0xff => self.0.put_slice(&[0xcc, n as u8]),
            0x100..=0xffff => {
                self.0.put_u8(0xcd);
                self.0.put_u16(n as u16);
            }
            0x1_0000..=0xffff_ffff => {
                self.0.put_u8(0xce);
                self.0.put_u32(n as u32);
            }
            _ => {
                self.0.put_u8(0xcf);
                self.0.put_u64(n);
            }
        }
        self
    }

    /// A signed field: unsigned formats unless negative.
    pub(super) fn int(&mut self, n: i64) -> &mut Self {
        if let Ok(n) = u64::try_from(n) {
            return self.uint(n);
        }
        self.0.put_u8(0xd3);
        self.0.put_i64(n);
        self
    }

    pub(super) fn bool(&mut self, yes: bool) -> &mut Self {
        self.0.put_u8(0xc2 | u8::from(yes));
        self
    }

    pub(super) fn f64(&mut self, n: f64) -> &mut Self {
        self.0.put_u8(0xcb);
        self.0.put_f64(n);
        self
    }

    pub(super) fn nil(&mut self) -> &mut Self {
        self.0.put_u8(0xc0);
        self
    }

    /// A list of texts; the empty one is nil, as Go's absent ones are.
    pub(super) fn texts(&mut self, texts: &[String]) -> &mut Self {
        if texts.is_empty() {
            return self.nil();
        }
        self.list(texts.len());
        for text in texts {
            self.text(text);
        }
        self
    }

    pub(super) fn text_map(&mut self, map: &BTreeMap<String, String>) -> &mut Self {
        self.map(map.len());
        for (key, value) in map {
            self.text(key).text(value);
        }
        self
    }

    fn container(&mut self, small: u8, large: u8, len: usize) -> &mut Self {
        match len {
            0..=15 => self.0.put_u8(small | len as u8),
            16..=0xffff => {
                self.0.put_u8(large);
                self.0.put_u16(len as u16);
            }
            _ => {
                self.0.put_u8(large + 1);
                self.0.put_u32(u32::try_from(len).expect("fewer than 2^32 values fit in memory"));
            }
        }
        self
    }

    /// The head of a string: `format` for one byte of length, and the two that follow it.
    fn length(&mut self, format: u8, len: usize) {
        match len {
            0..=0xff => self.0.put_slice(&[format, len as u8]),
            0x100..=0xffff => {
                self.0.put_u8(format + 1);
                self.0.put_u16(len as u16);
            }
            _ => {
                self.0.put_u8(format + 2);
                self.0.put_u32(u32::try_from(len).expect("a string below 4 GiB"));
            }
        }
    }
}
