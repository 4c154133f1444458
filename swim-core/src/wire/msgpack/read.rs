//! Reading any msgpack that memberlist would accept (section 0.3).

use crate::wire::{DecodeError, Wanted};

/// A cursor over msgpack values.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// What a body starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a body takes no other form")]
pub enum Shape {
    /// There is none.
    Nil,
    /// So many pairs follow.
    Map(u32),
    /// So many values follow.
    Array(u32),
}

/// Each method takes one value off the front. After an error the cursor is of no more use.
///
/// # Errors
///
/// [`DecodeError`] of every method: the bytes end within the value, it is of another type, or it is
/// out of range.
impl<'a> Reader<'a> {
    /// A cursor at the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes that are left.
    pub const fn left(&self) -> usize {
        self.rest.len()
    }

    /// The head of a map or array, whose values follow; or nil.
    pub fn shape(&mut self) -> Result<Shape, DecodeError> {
        Ok(match self.byte()? {
            0xc0 => Shape::Nil,
            b @ 0x80..=0x8f => Shape::Map(u32::from(b & 0x0f)),
            0xde => Shape::Map(self.number::<2>()? as u32),
            0xdf => Shape::Map(self.number::<4>()? as u32),
            b @ 0x90..=0x9f => Shape::Array(u32::from(b & 0x0f)),
            0xdc => Shape::Array(self.number::<2>()? as u32),
            0xdd => Shape::Array(self.number::<4>()? as u32),
            found => return Err(DecodeError::Format { found, wanted: Wanted::Struct }),
        })
    }

    /// The bytes that are left.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes nil if it is next.
    pub fn accept_nil(&mut self) -> bool {
        let nil = self.rest.first() == Some(&0xc0);
        self.rest = &self.rest[usize::from(nil)..];
        nil
    }

    /// How many values a list holds; `None` for nil.
    pub fn list(&mut self) -> Result<Option<u32>, DecodeError> {
        Ok(Some(match self.byte()? {
            0xc0 => return Ok(None),
            b @ 0x90..=0x9f => u32::from(b & 0x0f),
            0xdc => self.number::<2>()? as u32,
            0xdd => self.number::<4>()? as u32,
            found => return Err(DecodeError::Format { found, wanted: Wanted::List }),
        }))
    }

    /// How many pairs a map holds; `None` for nil.
    pub fn map(&mut self) -> Result<Option<u32>, DecodeError> {
        Ok(Some(match self.byte()? {
            0xc0 => return Ok(None),
            b @ 0x80..=0x8f => u32::from(b & 0x0f),
            0xde => self.number::<2>()? as u32,
            0xdf => self.number::<4>()? as u32,
            found => return Err(DecodeError::Format { found, wanted: Wanted::Map }),
        }))
    }

    /// A byte or text string; `None` for nil.
    pub fn bytes(&mut self) -> Result<Option<&'a [u8]>, DecodeError> {
        let len = match self.byte()? {
            0xc0 => return Ok(None),
            b @ 0xa0..=0xbf => usize::from(b & 0x1f),
            0xd9 | 0xc4 => self.number::<1>()? as usize,
            0xda | 0xc5 => self.number::<2>()? as usize,
            0xdb | 0xc6 => self.number::<4>()? as usize,
            b @ 0x90..=0x9f => return self.byte_array(usize::from(b & 0x0f)).map(Some),
            0xdc => {
                let len = self.number::<2>()? as usize;
                return self.byte_array(len).map(Some);
            }
            0xdd => {
                let len = self.number::<4>()? as usize;
                return self.byte_array(len).map(Some);
            }
            found => return Err(DecodeError::Format { found, wanted: Wanted::Bytes }),
        };
        self.take(len).map(Some)
    }

    /// A string that cannot be absent: nil is the empty one.
    pub fn text(&mut self) -> Result<&'a [u8], DecodeError> {
        Ok(self.bytes()?.unwrap_or_default())
    }

    /// An integer from 0 to `u8::MAX`, of any width; nil is 0.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        self.unsigned(u64::from(u8::MAX)).map(|n| n as u8)
    }

    /// An integer from 0 to `u16::MAX`, of any width; nil is 0.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.unsigned(u64::from(u16::MAX)).map(|n| n as u16)
    }

    /// An integer from 0 to `u32::MAX`, of any width; nil is 0.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.unsigned(u64::from(u32::MAX)).map(|n| n as u32)
    }

    /// An integer from 0 to `u64::MAX`, of any width; nil is 0.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        self.unsigned(u64::MAX)
    }

    /// A float of either width, or an integer; nil is 0.
    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        match self.rest.first() {
            Some(0xca) => {
                self.byte()?;
                self.number::<4>().map(|bits| f64::from(f32::from_bits(bits as u32)))
            }
            Some(0xcb) => {
                self.byte()?;
                self.number::<8>().map(f64::from_bits)
            }
            _ => self.integer().map(|integer| match integer {
                Integer::Natural(n) => n as f64,
                Integer::Negative(n) => n as f64,
            }),
        }
    }

    /// An integer that an `i64` can hold, of any width; nil is 0.
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        match self.integer()? {
            Integer::Negative(n) => Ok(n),
            Integer::Natural(value) => i64::try_from(value)
                .map_err(|_| DecodeError::TooLarge { value, max: i64::MAX as u64 }),
        }
    }

    /// Yes or no; 1 and 0 will do, nil is no.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        match self.byte()? {
            0x00 | 0xc0 | 0xc2 => Ok(false),
            0x01 | 0xc3 => Ok(true),
            found => Err(DecodeError::Format { found, wanted: Wanted::Bool }),
        }
    }

    /// Passes over one value of any kind, in constant space: a container only adds to the number of
    /// values to pass over.
    pub fn skip(&mut self) -> Result<(), DecodeError> {
        let mut values: u64 = 1;
        while values > 0 {
            values -= 1;
            let more = match self.byte()? {
                b @ 0x80..=0x8f => 2 * u64::from(b & 0x0f),
                b @ 0x90..=0x9f => u64::from(b & 0x0f),
                0xdc => self.number::<2>()?,
                0xdd => self.number::<4>()?,
                0xde => 2 * self.number::<2>()?,
                0xdf => 2 * self.number::<4>()?,
                found => {
                    self.skip_scalar(found)?;
                    0
                }
            };
            // Every value costs at least a byte, so what cannot fit need not be walked through.
            values = values.saturating_add(more);
            if values > self.left() as u64 {
                return Err(self.truncated(usize::try_from(values).unwrap_or(usize::MAX)));
            }
        }
        Ok(())
    }

    fn skip_scalar(&mut self, first: u8) -> Result<(), DecodeError> {
        let len = match first {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => 0,
            b @ 0xa0..=0xbf => usize::from(b & 0x1f),
            0xc4 | 0xd9 => self.number::<1>()? as usize,
            0xc5 | 0xda => self.number::<2>()? as usize,
            0xc6 | 0xdb => self.number::<4>()? as usize,
            // Extensions carry one byte of type.
            0xc7 => 1 + self.number::<1>()? as usize,
            0xc8 => 1 + self.number::<2>()? as usize,
            0xc9 => (self.number::<4>()? as usize).saturating_add(1),
            0xcc | 0xd0 => 1,
            0xcd | 0xd1 | 0xd4 => 2,
            0xd5 => 3,
            0xca | 0xce | 0xd2 => 4,
            0xd6 => 5,
            0xcb | 0xcf | 0xd3 => 8,
            0xd7 => 9,
            0xd8 => 17,
            found => return Err(DecodeError::Format { found, wanted: Wanted::Value }),
        };
        self.take(len).map(|_| ())
    }

    /// An array of one-byte integers is its own bytes.
    fn byte_array(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let bytes = self.take(len)?;
        match bytes.iter().find(|b| **b > 0x7f) {
            Some(&found) => Err(DecodeError::Format { found, wanted: Wanted::Byte }),
            None => Ok(bytes),
        }
    }

    fn unsigned(&mut self, max: u64) -> Result<u64, DecodeError> {
        match self.integer()? {
            Integer::Negative(n) => Err(DecodeError::Negative(n)),
            Integer::Natural(value) if value > max => Err(DecodeError::TooLarge { value, max }),
            Integer::Natural(value) => Ok(value),
        }
    }

    /// An integer of any width and sign; nil is 0.
    fn integer(&mut self) -> Result<Integer, DecodeError> {
        let signed = match self.byte()? {
            0xc0 => return Ok(Integer::Natural(0)),
            b @ 0x00..=0x7f => return Ok(Integer::Natural(u64::from(b))),
            0xcc => return self.number::<1>().map(Integer::Natural),
            0xcd => return self.number::<2>().map(Integer::Natural),
            0xce => return self.number::<4>().map(Integer::Natural),
            0xcf => return self.number::<8>().map(Integer::Natural),
            b @ 0xe0..=0xff => i64::from(b as i8),
            0xd0 => i64::from(self.number::<1>()? as i8),
            0xd1 => i64::from(self.number::<2>()? as i16),
            0xd2 => i64::from(self.number::<4>()? as i32),
            0xd3 => self.number::<8>()? as i64,
            found => return Err(DecodeError::Format { found, wanted: Wanted::Integer }),
        };
        Ok(u64::try_from(signed).map_or(Integer::Negative(signed), Integer::Natural))
    }

    /// `N` big-endian bytes.
    fn number<const N: usize>(&mut self) -> Result<u64, DecodeError> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.truncated(N))?;
        self.rest = rest;
        Ok(bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (byte, rest) = self.rest.split_first().ok_or_else(|| self.truncated(1))?;
        self.rest = rest;
        Ok(*byte)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(|| self.truncated(len))?;
        self.rest = rest;
        Ok(taken)
    }

    const fn truncated(&self, need: usize) -> DecodeError {
        DecodeError::Truncated { need, have: self.rest.len() }
    }
}

enum Integer {
    Natural(u64),
    /// Below zero.
    Negative(i64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_any_width_and_sign_fit_if_the_value_does() {
        for bytes in [
            &b"\x07"[..],
            b"\xcc\x07",
            b"\xcd\x00\x07",
            b"\xce\x00\x00\x00\x07",
            b"\xcf\x00\x00\x00\x00\x00\x00\x00\x07",
            b"\xd0\x07",
            b"\xd1\x00\x07",
            b"\xd2\x00\x00\x00\x07",
            b"\xd3\x00\x00\x00\x00\x00\x00\x00\x07",
        ] {
            assert_eq!(Reader::new(bytes).u32(), Ok(7));
            assert_eq!(Reader::new(bytes).i64(), Ok(7));
        }
        assert_eq!(Reader::new(b"\xff").u32(), Err(DecodeError::Negative(-1)));
        assert_eq!(Reader::new(b"\xff").i64(), Ok(-1));
        assert_eq!(
            Reader::new(b"\xcd\x01\x00").u8(),
            Err(DecodeError::TooLarge { value: 256, max: 255 })
        );
    }

    #[test]
    fn floats_may_be_narrow_or_whole() {
        for bytes in [&b"\xcb\x3f\xf8\0\0\0\0\0\0"[..], b"\xca\x3f\xc0\0\0"] {
            assert_eq!(Reader::new(bytes).f64(), Ok(1.5), "{bytes:x?}");
        }
        assert_eq!(Reader::new(b"\xc0").f64(), Ok(0.0));
        assert_eq!(Reader::new(b"\xcd\x01\0").f64(), Ok(256.0));
        assert_eq!(Reader::new(b"\xfe").f64(), Ok(-2.0));
        assert!(Reader::new(b"\xa11").f64().is_err());
        assert!(Reader::new(b"\xcb\x3f\xf8").f64().is_err());
    }

    #[test]
    fn skipping_passes_over_every_format() {
        for value in [
            &b"\x82\xa1a\x93\x01\xff\xc0\x81\x01\x02\xcb12345678"[..],
            b"\xdc\x00\x02\xc2\xc3",
            b"\xde\x00\x01\xd9\x01a\xc4\x01b",
            b"\xc7\x03\x01abc",
            b"\xd4\x01a",
            b"\xd8\x010123456789abcdef",
            b"\xca1234",
        ] {
            let mut reader = Reader::new(value);
            assert_eq!((reader.skip(), reader.left()), (Ok(()), 0), "{value:x?}");
        }
        assert!(Reader::new(b"\xc1").skip().is_err());
    }

    #[test]
    fn skipping_a_huge_announced_container_stops_at_once() {
        assert!(Reader::new(b"\xdd\xff\xff\xff\xff\xdd\xff\xff\xff\xff\x00").skip().is_err());
    }

    #[test]
    fn an_array_of_large_integers_is_no_byte_string() {
        assert_eq!(Reader::new(b"\x92\x01\x7f").bytes(), Ok(Some(&b"\x01\x7f"[..])));
        assert!(Reader::new(b"\x92\x01\xcc\x80").bytes().is_err());
    }
}
