//! The two headers that say how many bytes follow them.
//!
//! Only the numbers that decide where a message ends are read here, in every shape that a peer may
//! use (specification 0.3); the message as a whole is judged when it is decoded.

use super::skip::value_len;

/// The fields of a push/pull header that bound it, in declaration order.
pub(super) const PUSH_PULL: [&[u8]; 2] = [b"Nodes", b"UserStateLen"];
/// The field of a stream user message's header.
pub(super) const USER: [&[u8]; 1] = [b"UserMsgLen"];

/// The integers called `names` in the complete struct `value`: a map, an array in the order of
/// `names`, or nil. What is absent or nil is zero; of duplicates the last one counts.
pub(super) fn integers<const N: usize>(value: &[u8], names: [&[u8]; N]) -> Option<[i64; N]> {
    let mut found = [0; N];
    let mut at = Cursor(value);
    match at.head()? {
        Head::Nil => {}
        Head::Map(entries) => {
            for _ in 0..entries {
                let key = at.key()?;
                let value = at.value()?;
                if let Some(n) = names.iter().position(|&name| name == key) {
                    found[n] = integer(value)?;
                }
            }
        }
        Head::Array(len) => {
            for field in found.iter_mut().take(usize::try_from(len).unwrap_or(usize::MAX)) {
                *field = integer(at.value()?)?;
            }
        }
    }
    Some(found)
}

enum Head {
    Nil,
    Map(u32),
    Array(u32),
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn head(&mut self) -> Option<Head> {
        let first = self.take(1)?[0];
        Some(match first {
            0xc0 => Head::Nil,
            0x80..=0x8f => Head::Map(u32::from(first & 0x0f)),
            0x90..=0x9f => Head::Array(u32::from(first & 0x0f)),
            0xde => Head::Map(big_endian(self.take(2)?) as u32),
            0xdf => Head::Map(big_endian(self.take(4)?) as u32),
            0xdc => Head::Array(big_endian(self.take(2)?) as u32),
            0xdd => Head::Array(big_endian(self.take(4)?) as u32),
            _ => return None,
        })
    }

    /// A string or byte string.
    fn key(&mut self) -> Option<&'a [u8]> {
        let first = self.take(1)?[0];
        let len = match first {
            0xa0..=0xbf => u64::from(first & 0x1f),
            0xc4 | 0xd9 => big_endian(self.take(1)?),
            0xc5 | 0xda => big_endian(self.take(2)?),
            0xc6 | 0xdb => big_endian(self.take(4)?),
            _ => return None,
        };
        self.take(usize::try_from(len).ok()?)
    }

    fn value(&mut self) -> Option<&'a [u8]> {
        self.take(value_len(self.0)?)
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }
}

/// An integer of any width and sign that fits; nil is zero.
fn integer(value: &[u8]) -> Option<i64> {
    let (&first, digits) = value.split_first()?;
    Some(match first {
        0x00..=0x7f => i64::from(first),
        0xe0..=0xff => i64::from(first as i8),
        0xc0 => 0,
        0xcc..=0xcf => i64::try_from(big_endian(digits)).ok()?,
        0xd0 => i64::from(big_endian(digits) as i8),
        0xd1 => i64::from(big_endian(digits) as i16),
        0xd2 => i64::from(big_endian(digits) as i32),
        0xd3 => big_endian(digits) as i64,
        _ => return None,
    })
}

fn big_endian(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |n, &digit| n << 8 | u64::from(digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &[u8]) -> Option<[i64; 2]> {
        integers(value, PUSH_PULL)
    }

    /// Example E17 of the memberlist specification: one header by either codec.
    #[test]
    fn either_codec_is_read() {
        let old = b"\x83\xa4Join\xc2\xa5Nodes\xcc\xff\xacUserStateLen\xcd\x01\x00";
        let new = b"\x83\xa4Join\xc2\xa5Nodes\xd1\x00\xff\xacUserStateLen\xd1\x01\x00";
        assert_eq!(read(old), Some([255, 256]));
        assert_eq!(read(new), Some([255, 256]));
        assert_eq!(integers(b"\x81\xaaUserMsgLen\xcd\x03\xe8", USER), Some([1000]));
        assert_eq!(integers(b"\x81\xaaUserMsgLen\xd1\x03\xe8", USER), Some([1000]));
    }

    #[test]
    fn every_shape_of_a_struct_is_read() {
        assert_eq!(read(b"\xc0"), Some([0, 0]));
        assert_eq!(read(b"\x80"), Some([0, 0]));
        assert_eq!(read(b"\x90"), Some([0, 0]));
        assert_eq!(read(b"\x91\x03"), Some([3, 0]));
        assert_eq!(read(b"\x95\x03\x04\xc2\xa1x\x80"), Some([3, 4]));
        assert_eq!(read(b"\xdc\x00\x02\x03\xc0"), Some([3, 0]));
        assert_eq!(read(b"\xde\x00\x01\xd9\x05Nodes\x05"), Some([5, 0]));
        assert_eq!(read(b"\x81\xc4\x05Nodes\xff"), Some([-1, 0]));
        assert_eq!(read(b"\x83\xa1x\x92\x01\x80\xacUserStateLen\x01\xa5Nodes\x02"), Some([2, 1]));
        assert_eq!(read(b"\x82\xa5Nodes\x05\xa5Nodes\x06"), Some([6, 0]));
        assert_eq!(read(b"\x81\xa5nodes\x05"), Some([0, 0]));
    }

    #[test]
    fn what_is_no_integer_is_refused() {
        assert_eq!(read(b"\x01"), None);
        assert_eq!(read(b"\x81\x01\x02"), None);
        assert_eq!(read(b"\x81\xa5Nodes\xc3"), None);
        assert_eq!(read(b"\x81\xa5Nodes\xca\x00\x00\x00\x00"), None);
        assert_eq!(read(b"\x81\xa5Nodes\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), None);
        assert_eq!(read(b"\x81\xa5Nodes"), None);
    }
}
