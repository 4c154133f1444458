//! The CRC header of a datagram: `0c`, four bytes of CRC-32, the message (specification 1.6).

use bytes::{BufMut as _, BytesMut};

use crate::envelope::PacketError;

/// Appends a header with no CRC in it yet; [`finish`] fills it in once the message stands after it.
pub(super) fn begin(out: &mut BytesMut) {
    out.put_u8(CRC);
    out.put_u32(0);
}

/// Writes the CRC of everything after the header into the header that starts at `start`.
pub(super) fn finish(out: &mut BytesMut, start: usize) {
    let (header, message) = out[start..].split_at_mut(HEADER_LEN);
    header[1..].copy_from_slice(&crc32fast::hash(message).to_be_bytes());
}

/// What follows the CRC header, checked; all of `bytes` if there is none.
///
/// A type `0c` without room for a CRC is left alone: it is a message of an unsupported type.
pub(super) fn strip(bytes: &[u8]) -> Result<&[u8], PacketError> {
    let &[CRC, a, b, c, d, ref message @ ..] = bytes else { return Ok(bytes) };
    let announced = u32::from_be_bytes([a, b, c, d]);
    let computed = crc32fast::hash(message);
    if announced != computed {
        return Err(PacketError::Crc { announced, computed });
    }
    Ok(message)
}

const CRC: u8 = 12;
const HEADER_LEN: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_value_of_the_polynomial() {
        let mut out = BytesMut::from("x");
        begin(&mut out);
        out.extend_from_slice(b"123456789");
        finish(&mut out, 1);
        assert_eq!(&out[..], b"x\x0c\xcb\xf4\x39\x26123456789");
        assert_eq!(strip(&out[1..]), Ok(&b"123456789"[..]));
    }

    #[test]
    fn a_short_header_is_a_message() {
        assert_eq!(strip(b"\x0c\x00\x00\x00"), Ok(&b"\x0c\x00\x00\x00"[..]));
        assert_eq!(strip(b"\x0c\x00\x00\x00\x00"), Ok(&b""[..]));
        assert_eq!(strip(b""), Ok(&b""[..]));
    }

    #[test]
    fn a_wrong_crc_is_refused_with_both_values() {
        let error = PacketError::Crc { announced: 1, computed: 0 };
        assert_eq!(strip(b"\x0c\x00\x00\x00\x01"), Err(error));
    }
}
