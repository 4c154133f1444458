//! Compression (section 1.4): LZW in the variant of GIF, byte for byte as memberlist writes it.
//!
//! Written here rather than taken from a crate for three reasons: the output equals memberlist's
//! in every case, a hostile input of nothing but clear codes costs nothing, and the expansion is
//! bounded as it happens.

mod decode;
mod encode;

pub use decode::{InflateError, decompress};
pub(super) use decode::{Table, inflate};
pub use encode::{Compressor, compress};

/// Codes below are literal bytes.
const CLEAR: u16 = 256;
/// Ends the stream; mandatory.
const END: u16 = 257;
const WIDTH_MIN: u32 = 9;
const WIDTH_MAX: u32 = 12;
/// As many entries as codes of the greatest width.
const CODES: usize = 1 << WIDTH_MAX;
