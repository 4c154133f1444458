//! Expanding what a peer compressed.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::wire::body::{Body, decode_prefix};
use crate::wire::lzw::{CLEAR, CODES, END, WIDTH_MAX, WIDTH_MIN};
use crate::wire::msgpack::{Fast, Reader};
use crate::wire::{DecodeError, Scratch};

/// Expands the body of a compressed message (memberlist spec 1.4) to at most `budget` bytes.
///
/// The result is a complete inner message, or empty.
///
/// # Errors
///
/// [`InflateError`] if the bytes are no such body or expand to more.
pub fn decompress<'s>(
    body: &[u8],
    scratch: &'s mut Scratch,
    budget: usize,
) -> Result<&'s [u8], InflateError> {
    let (table, out) = scratch.split();
    inflate(body, table, budget, out)?;
    Ok(out)
}

/// Expands the body of a compressed message into `out`, which it clears first.
pub(crate) fn inflate(
    body: &[u8],
    table: &mut Table,
    budget: usize,
    out: &mut Vec<u8>,
) -> Result<(), InflateError> {
    out.clear();
    let (compressed, _) = decode_prefix::<Compressed<'_>>(body).map_err(InflateError::Body)?;
    match compressed.algo {
        0 => table.expand(compressed.buf, budget, out),
        algo => Err(InflateError::Algorithm(algo)),
    }
}

/// Where the expansion of every code stands in the output.
///
/// The string of an entry is the previous string and one byte more, so it always stands there
/// already, and expanding it is a copy within the output. Entries below the current one are valid,
/// whatever is left of an earlier message beyond it.
pub(crate) struct Table(Box<[(u32, u16); CODES]>);

impl Default for Table {
    fn default() -> Self {
        Self(Box::new([(0, 0); CODES]))
    }
}

impl Table {
    fn expand(
        &mut self,
        input: &[u8],
        budget: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), InflateError> {
        // Positions are kept in 32 bits.
        let budget = budget.min(u32::MAX as usize);
        let mut codes = Codes { input: input.iter(), bits: 0, count: 0 };
        let mut width = WIDTH_MIN;
        // The entry that the next code completes; the first code after a clear completes none.
        let mut entry = usize::from(END);
        let mut previous = 0..0;
        loop {
            let code = codes.next(width)?;
            if code == CLEAR {
                (width, entry) = (WIDTH_MIN, usize::from(END));
                continue;
            }
            if code == END {
                return Ok(());
            }
            let start = out.len();
            if entry > usize::from(END) && entry < CODES {
                self.0[entry] = (previous.start as u32, previous.len() as u16 + 1);
            }
            if code < CLEAR {
                in_budget(start + 1, budget)?;
                out.push(code as u8);
            } else if usize::from(code) < entry {
                let (from, len) = self.0[usize::from(code)];
                let (from, len) = (from as usize, usize::from(len));
                in_budget(start + len, budget)?;
                out.extend_from_within(from..from + len);
            } else if usize::from(code) == entry && entry > usize::from(END) {
                // The entry being completed: the previous string and its own first byte.
                in_budget(start + previous.len() + 1, budget)?;
                out.extend_from_within(previous.clone());
                out.push(out[previous.start]);
            } else {
                return Err(InflateError::InvalidCode { code, next: entry as u16 });
            }
            previous = start..out.len();
            if entry < CODES {
                entry += 1;
                if entry >> width != 0 && width < WIDTH_MAX {
                    width += 1;
                }
            }
        }
    }
}

/// Codes of a varying width, least significant bits first.
struct Codes<'a> {
    input: core::slice::Iter<'a, u8>,
    bits: u32,
    count: u32,
}

impl Codes<'_> {
    fn next(&mut self, width: u32) -> Result<u16, InflateError> {
        while self.count < width {
            let byte = self.input.next().ok_or(InflateError::Unterminated)?;
            self.bits |= u32::from(*byte) << self.count;
            self.count += 8;
        }
        let code = self.bits & ((1 << width) - 1);
        self.bits >>= width;
        self.count -= width;
        Ok(code as u16)
    }
}

const fn in_budget(len: usize, max: usize) -> Result<(), InflateError> {
    match len <= max {
        true => Ok(()),
        false => Err(InflateError::TooLarge { max }),
    }
}

/// The body of a compressed message (section 2.7).
#[derive(Default)]
struct Compressed<'a> {
    algo: u8,
    buf: &'a [u8],
}

impl<'a> Body<'a> for Compressed<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"Algo", b"Buf"];

    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x82\xa4Algo\x00\xa3Buf")?;
        let buf = from.raw()?;
        Some(Self { algo: 0, buf })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.algo = from.u8()?,
            1 => self.buf = from.text()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

/// Why a compressed message could not be expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InflateError {
    /// The body is not a map of algorithm and bytes.
    Body(DecodeError),
    /// There is no algorithm but 0.
    Algorithm(u8),
    /// A code that the table does not have yet.
    InvalidCode {
        /// The code.
        code: u16,
        /// The entry that comes next in the table.
        next: u16,
    },
    /// The compressed bytes end without the end code.
    Unterminated,
    /// The message expands to more than its budget.
    TooLarge {
        /// The budget in bytes.
        max: usize,
    },
}

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(error) => write!(f, "compressed message: {error}"),
            Self::Algorithm(algo) => write!(f, "unknown compression algorithm {algo}"),
            Self::InvalidCode { code, next } => {
                write!(f, "LZW code {code} where the table ends at {next}")
            }
            Self::Unterminated => f.write_str("LZW stream without end code"),
            Self::TooLarge { max } => write!(f, "message expands to more than {max} bytes"),
        }
    }
}

impl core::error::Error for InflateError {}
