//! Compressing as memberlist does.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::{BufMut, BytesMut};

use crate::wire::Kind;
use crate::wire::lzw::{CLEAR, CODES, END, WIDTH_MAX, WIDTH_MIN};
use crate::wire::msgpack::{raw_len, write};

/// Appends `plain`, a complete message, as a compressed message with its type byte (memberlist
/// spec 1.4).
///
/// That it got smaller is for the caller to check: on packets memberlist compresses only then, on
/// streams always.
pub fn compress(plain: &[u8], compressor: &mut Compressor, out: &mut BytesMut) {
    compressor.deflate(plain);
    let buf = &compressor.out;
    write(out, 12 + raw_len(buf), |to| {
        to.put(&[Kind::Compressed.byte()]);
        to.put(b"\x82\xa4Algo\x00\xa3Buf");
        to.raw(buf);
    });
}

/// State to compress with, to be used again and again; it allocates when first used.
#[derive(Debug, Default)]
pub struct Compressor {
    table: Table,
    out: Vec<u8>,
}

impl Compressor {
    fn deflate(&mut self, plain: &[u8]) {
        self.out.clear();
        let mut codes = Codes { out: &mut self.out, bits: 0, count: 0, width: WIDTH_MIN };
        codes.put(CLEAR);
        let mut bytes = plain.iter();
        if let Some(&first) = bytes.next() {
            self.table.clear();
            let mut entry = END;
            let mut code = u16::from(first);
            for &byte in bytes {
                let key = u32::from(code) << 8 | u32::from(byte);
                let slot = match self.table.find(key) {
                    Ok(longer) => {
                        code = longer;
                        continue;
                    }
                    Err(slot) => slot,
                };
                codes.put(code);
                code = u16::from(byte);
                entry = codes.count_up(entry);
                match entry {
                    END => self.table.clear(),
                    entry => self.table.insert(slot, key, entry),
                }
            }
            codes.put(code);
            codes.count_up(entry);
        }
        codes.put(END);
        codes.finish();
    }
}

/// From a known string (its code) and one byte more to the code of both: a hash table with open
/// addressing that is never more than half full.
#[derive(Debug, Default)]
struct Table {
    /// `key << 12 | code`, or 0, which is no entry because no code is 0.
    slots: Option<Box<[u32; SLOTS]>>,
}

const SLOTS: usize = 2 * CODES;

impl Table {
    fn clear(&mut self) {
        match &mut self.slots {
            Some(slots) => slots.fill(0),
            None => self.slots = Some(Box::new([0; SLOTS])),
        }
    }

    /// The code of this key, or the slot where it belongs.
    fn find(&self, key: u32) -> Result<u16, usize> {
        let Some(slots) = &self.slots else { return Err(0) };
        let mut slot = (key.wrapping_mul(0x9e37_79b1) >> (32 - SLOTS.ilog2())) as usize;
        loop {
            match slots[slot % SLOTS] {
                0 => return Err(slot % SLOTS),
                entry if entry >> WIDTH_MAX == key => return Ok((entry & 0xfff) as u16),
                _ => slot += 1,
            }
        }
    }

    fn insert(&mut self, slot: usize, key: u32, code: u16) {
        if let Some(slots) = &mut self.slots {
            slots[slot] = key << WIDTH_MAX | u32::from(code);
        }
    }
}

/// Codes of a varying width, least significant bits first.
struct Codes<'o> {
    out: &'o mut Vec<u8>,
    bits: u32,
    count: u32,
    width: u32,
}

impl Codes<'_> {
    fn put(&mut self, code: u16) {
        self.bits |= u32::from(code) << self.count;
        self.count += self.width;
        while self.count >= 8 {
            self.out.put_u8(self.bits as u8);
            self.bits >>= 8;
            self.count -= 8;
        }
    }

    /// The entry after `entry`, at the width that it needs; `END` if the table was full and a clear
    /// code went out.
    fn count_up(&mut self, entry: u16) -> u16 {
        let next = entry + 1;
        if next == (1 << WIDTH_MAX) - 1 {
            self.put(CLEAR);
            self.width = WIDTH_MIN;
            return END;
        }
        if next >> self.width != 0 {
            self.width += 1;
        }
        next
    }

    fn finish(self) {
        if self.count > 0 {
            self.out.push(self.bits as u8);
        }
    }
}
