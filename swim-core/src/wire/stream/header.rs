//! The two headers that say how many bytes follow them.
//!
//! Only the numbers that decide where a message ends are read here, in every shape that a peer may
//! use (specification 0.3); the message as a whole is judged when it is decoded.

use crate::wire::DecodeError;
use crate::wire::msgpack::{Reader, Shape};

/// The fields of a push/pull header that bound it, in declaration order.
pub(super) const PUSH_PULL: [&[u8]; 2] = [b"Nodes", b"UserStateLen"];
/// The field of a stream user message's header.
pub(super) const USER: [&[u8]; 1] = [b"UserMsgLen"];

/// The integers called `names` in the complete struct `value`: a map, an array in the order of
/// `names`, or nil. What is absent or nil is zero; of duplicates the last one counts.
pub(super) fn integers<const N: usize>(
    value: &[u8],
    names: [&[u8]; N],
) -> Result<[i64; N], DecodeError> {
    let mut found = [0; N];
    let mut from = Reader::new(value);
    match from.shape()? {
        Shape::Nil => {}
        Shape::Map(pairs) => {
            for _ in 0..pairs {
                let key = from.text()?;
                match names.iter().position(|&name| name == key) {
                    Some(n) => found[n] = from.i64()?,
                    None => from.skip()?,
                }
            }
        }
        Shape::Array(values) => {
            for field in found.iter_mut().take(values as usize) {
                *field = from.i64()?;
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &[u8]) -> Option<[i64; 2]> {
        integers(value, PUSH_PULL).ok()
    }

    /// Example E17 of the memberlist specification: one header by either codec.
    #[test]
    fn either_codec_is_read() {
        let old = b"\x83\xa4Join\xc2\xa5Nodes\xcc\xff\xacUserStateLen\xcd\x01\x00";
        let new = b"\x83\xa4Join\xc2\xa5Nodes\xd1\x00\xff\xacUserStateLen\xd1\x01\x00";
        assert_eq!(read(old), Some([255, 256]));
        assert_eq!(read(new), Some([255, 256]));
        assert_eq!(integers(b"\x81\xaaUserMsgLen\xcd\x03\xe8", USER), Ok([1000]));
        assert_eq!(integers(b"\x81\xaaUserMsgLen\xd1\x03\xe8", USER), Ok([1000]));
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
        assert_eq!(read(b"\x82\xc0\x01\xa5Nodes\x05"), Some([5, 0]));
        assert_eq!(read(b"\x81\x95Nodes\x05"), Some([5, 0]));
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
