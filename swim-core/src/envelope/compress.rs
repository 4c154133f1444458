//! The seam to compression, and memberlist's.

use core::fmt;

use bytes::BytesMut;

use crate::wire::Scratch;
use crate::wire::lzw::{self, InflateError};

/// Turns messages into compressed messages and back (memberlist specification 1.4).
///
/// Takes `&mut self` so that an implementation can keep its tables from call to call.
pub trait Compression {
    /// Appends the compressed form of `message`, type byte `09` first, to `out`.
    fn compress(&mut self, message: &[u8], out: &mut BytesMut);

    /// Appends the message inside a compressed one to `out`; `body` is what follows the type byte.
    ///
    /// Whatever was appended is discarded on error.
    fn expand(&mut self, body: &[u8], out: &mut BytesMut) -> Result<(), ExpandError>;
}

/// Why a compressed message could not be expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpandError {
    /// The body is not the map that it should be, or the compressed bytes are damaged.
    Malformed,
    /// The algorithm is not one that is implemented.
    Algorithm {
        /// The algorithm's number.
        found: u8,
    },
    /// The message is longer than it may be.
    TooLong {
        /// The bound.
        bytes_max: usize,
    },
}

impl fmt::Display for ExpandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("malformed compressed message"),
            Self::Algorithm { found } => write!(f, "unknown compression algorithm {found}"),
            Self::TooLong { bytes_max } => {
                write!(f, "compressed message expands to more than {bytes_max} bytes")
            }
        }
    }
}

impl core::error::Error for ExpandError {}

/// memberlist's compression: LZW.
#[derive(Default)]
pub struct Lzw {
    compressor: lzw::Compressor,
    scratch: Scratch,
}

/// Bytes that a compressed stream message may expand to (memberlist specification 1.4).
const EXPANDED_BYTES_MAX: usize = 40 * 1024 * 1024;

impl Compression for Lzw {
    fn compress(&mut self, message: &[u8], out: &mut BytesMut) {
        lzw::compress(message, &mut self.compressor, out);
    }

    fn expand(&mut self, body: &[u8], out: &mut BytesMut) -> Result<(), ExpandError> {
        let plain = lzw::decompress(body, &mut self.scratch, EXPANDED_BYTES_MAX);
        out.extend_from_slice(plain.map_err(|e| match e {
            InflateError::Algorithm(found) => ExpandError::Algorithm { found },
            InflateError::TooLarge { max } => ExpandError::TooLong { bytes_max: max },
            _ => ExpandError::Malformed,
        })?);
        Ok(())
    }
}

impl fmt::Debug for Lzw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lzw").finish_non_exhaustive()
    }
}

/// A compressor, if compression is on.
pub(super) type Compressor<'c> = Option<&'c mut dyn Compression>;

/// Appends `message` to `out`, compressed if that is strictly smaller: the rule for datagrams.
pub(super) fn put_smaller(message: &[u8], compressor: Compressor<'_>, out: &mut BytesMut) {
    let start = out.len();
    if let Some(compression) = compressor {
        compression.compress(message, out);
        if out.len() - start < message.len() {
            return;
        }
        out.truncate(start);
    }
    out.extend_from_slice(message);
}

/// Appends `message` to `out`, compressed if compression is on: the rule for streams.
pub(super) fn put_always(message: &[u8], compressor: Compressor<'_>, out: &mut BytesMut) {
    match compressor {
        Some(compression) => compression.compress(message, out),
        None => out.extend_from_slice(message),
    }
}

/// The first byte of a compressed message.
pub(super) const COMPRESSED: u8 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    /// "Compresses" to a message of a given length.
    struct Fixed(usize);

    impl Compression for Fixed {
        fn compress(&mut self, _: &[u8], out: &mut BytesMut) {
            out.extend(core::iter::repeat_n(COMPRESSED, self.0));
        }

        fn expand(&mut self, _: &[u8], _: &mut BytesMut) -> Result<(), ExpandError> {
            Err(ExpandError::Malformed)
        }
    }

    #[test]
    fn datagrams_are_compressed_only_if_that_is_strictly_smaller() {
        for (compressed_len, expected) in [(4, &b"x\x09\x09\x09\x09"[..]), (5, b"xhello")] {
            let mut out = BytesMut::from("x");
            put_smaller(b"hello", Some(&mut Fixed(compressed_len)), &mut out);
            assert_eq!(&out[..], expected);
        }
    }

    #[test]
    fn streams_are_compressed_whenever_compression_is_on() {
        let mut out = BytesMut::new();
        put_always(b"hello", Some(&mut Fixed(7)), &mut out);
        assert_eq!(&out[..], [COMPRESSED; 7]);
        put_always(b"hello", None, &mut out);
        assert_eq!(&out[7..], b"hello");
    }
}
