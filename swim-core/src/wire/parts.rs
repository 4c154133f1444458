//! Taking the nesting layers off a datagram (sections 1.2 to 1.4).

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use smallvec::SmallVec;

use crate::wire::lzw::{self, InflateError};
use crate::wire::{Kind, Limits};

/// The messages of one datagram whose outer layers (label, encryption, CRC) are off.
///
/// Compound and compressed messages are opened in any nesting, without recursion and within
/// [`Limits`]; a bare message or a plain compound costs neither copy nor allocation. A part that
/// cannot be opened is reported and its siblings still come.
///
/// ```
/// use swim_core::wire::{Limits, Message, Parts, Scratch};
///
/// let mut scratch = Scratch::default();
/// let datagram = b"\x07\x02\x00\x09\x00\x01\x0b\x81\xa5SeqNo\x2a\x08";
/// let mut parts = Parts::new(datagram, &mut scratch, Limits::default());
/// while let Some(part) = parts.next_part() {
///     let message = Message::decode(part?);
///     assert!(matches!(message, Ok(Message::Nack(_) | Message::User(b""))));
/// }
/// # Ok::<(), swim_core::wire::PartError>(())
/// ```
#[derive(Debug)]
pub struct Parts<'a, 's> {
    datagram: &'a [u8],
    scratch: &'s mut Scratch,
    limits: Limits,
    /// The datagram itself, until it was looked at.
    whole: Option<Span>,
    /// Compounds that are open, innermost last.
    open: SmallVec<[Open; 4]>,
    /// Parts seen and bytes expanded so far.
    parts: usize,
    decompressed_bytes: usize,
}

/// Buffers for compressed messages, to be used for one datagram after another.
///
/// Allocates nothing until the first compressed message; then it keeps what it needed, up to twice
/// [`Limits::decompressed_bytes_max`] per layer of compression.
#[derive(Default)]
pub struct Scratch {
    table: Option<lzw::Table>,
    /// What the compressed message at each layer of compression expanded to.
    plain: SmallVec<[Vec<u8>; 1]>,
}

impl<'a, 's> Parts<'a, 's> {
    /// Walks the parts of `datagram`.
    #[inline]
    pub fn new(datagram: &'a [u8], scratch: &'s mut Scratch, limits: Limits) -> Self {
        let whole = Some(Span { buffer: 0, bytes: 0..datagram.len(), depth: 0 });
        let open = SmallVec::new();
        Self { datagram, scratch, limits, whole, open, parts: 0, decompressed_bytes: 0 }
    }

    /// The next message, type byte first; it is never a compound or compressed.
    ///
    /// It ends after a bounded number of calls, whatever the bytes.
    #[inline]
    pub fn next_part(&mut self) -> Option<Result<&[u8], PartError>> {
        let mut span = match self.next_span() {
            Ok(span) => span?,
            Err(error) => return Some(Err(error)),
        };
        loop {
            let opened = match self.bytes(&span).first() {
                None => Err(PartError::Empty),
                Some(&COMPOUND) => self.open_compound(&span),
                Some(&COMPRESSED) => self.open_compressed(&span),
                Some(_) => break,
            };
            span = match opened.and_then(|inner| inner.map_or_else(|| self.next_span(), to_some)) {
                Ok(span) => span?,
                Err(error) => return Some(Err(error)),
            };
        }
        Some(Ok(self.bytes(&span)))
    }

    /// The next part of the innermost open compound that has one.
    #[inline]
    fn next_span(&mut self) -> Result<Option<Span>, PartError> {
        if let Some(whole) = self.whole.take() {
            return Ok(Some(whole));
        }
        loop {
            let Some(open) = self.open.last_mut() else { return Ok(None) };
            if open.lens.is_empty() {
                self.open.pop();
                continue;
            }
            if self.parts == self.limits.parts_max {
                self.open.clear();
                return Err(PartError::TooMany { max: self.limits.parts_max });
            }
            self.parts += 1;
            let buffer = match open.buffer {
                0 => self.datagram,
                n => &self.scratch.plain[n - 1],
            };
            let len = usize::from(buffer[open.lens.start]) << 8
                | usize::from(buffer[open.lens.start + 1]);
            let (start, end) = (open.at, open.at + len);
            if end > open.end {
                let parts = open.lens.len() / 2;
                self.open.pop();
                return Err(PartError::Truncated { parts });
            }
            open.lens.start += 2;
            open.at = end;
            return Ok(Some(Span { buffer: open.buffer, bytes: start..end, depth: open.depth }));
        }
    }

    fn open_compound(&mut self, span: &Span) -> Result<Option<Span>, PartError> {
        let depth = self.deeper(span)?;
        let bytes = self.bytes(span);
        let count = usize::from(*bytes.get(1).ok_or(PartError::Header { len: bytes.len() })?);
        let lens = span.bytes.start + 2..span.bytes.start + 2 + 2 * count;
        let (at, end) = (lens.end, span.bytes.end);
        if at > end {
            return Err(PartError::Header { len: bytes.len() });
        }
        self.open.push(Open { buffer: span.buffer, lens, at, end, depth });
        Ok(None)
    }

    fn open_compressed(&mut self, span: &Span) -> Result<Option<Span>, PartError> {
        let depth = self.deeper(span)?;
        let buffer = span.buffer + 1;
        let budget = self.limits.decompressed_bytes_max - self.decompressed_bytes;
        let expanded = self.scratch.expand(self.datagram, span, budget);
        self.decompressed_bytes += self.scratch.plain[buffer - 1].len();
        expanded.map_err(PartError::Compressed)?;
        let bytes = 0..self.scratch.plain[buffer - 1].len();
        Ok(Some(Span { buffer, bytes, depth }))
    }

    /// The depth of what is within `span`.
    const fn deeper(&self, span: &Span) -> Result<usize, PartError> {
        match span.depth < self.limits.depth_max {
            true => Ok(span.depth + 1),
            false => Err(PartError::TooDeep { max: self.limits.depth_max }),
        }
    }

    #[inline]
    fn bytes(&self, span: &Span) -> &[u8] {
        match span.buffer {
            0 => &self.datagram[span.bytes.clone()],
            n => &self.scratch.plain[n - 1][span.bytes.clone()],
        }
    }
}

impl Scratch {
    /// The table and the first buffer.
    pub(super) fn split(&mut self) -> (&mut lzw::Table, &mut Vec<u8>) {
        if self.plain.is_empty() {
            self.plain.push(Vec::new());
        }
        (self.table.get_or_insert_with(lzw::Table::default), &mut self.plain[0])
    }

    /// Expands the compressed message at `span` into the buffer after its own.
    fn expand(&mut self, datagram: &[u8], span: &Span, budget: usize) -> Result<(), InflateError> {
        if self.plain.len() == span.buffer {
            self.plain.push(Vec::new());
        }
        let table = self.table.get_or_insert_with(lzw::Table::default);
        let (outer, inner) = self.plain.split_at_mut(span.buffer);
        let message = match outer.last() {
            Some(outer) => &outer[span.bytes.clone()],
            None => &datagram[span.bytes.clone()],
        };
        lzw::inflate(&message[1..], table, budget, &mut inner[0])
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: usize = self.plain.iter().map(Vec::capacity).sum();
        f.debug_struct("Scratch").field("bytes", &bytes).finish_non_exhaustive()
    }
}

/// Bytes of the datagram (buffer 0) or of what its n-th layer of compression holds (buffer n), and
/// how many layers they are within.
#[derive(Debug)]
struct Span {
    buffer: usize,
    bytes: Range<usize>,
    depth: usize,
}

/// A compound whose parts are being handed out. Offsets are those of its buffer, which stays as it
/// is as long as the compound is open: only deeper buffers are written to.
#[derive(Debug)]
struct Open {
    buffer: usize,
    /// The lengths not yet used; its end was checked to be in the buffer.
    lens: Range<usize>,
    /// Where the next part starts.
    at: usize,
    /// Where the compound ends, at or before the end of the buffer.
    end: usize,
    /// Of its parts.
    depth: usize,
}

/// Why a part of a datagram is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartError {
    /// The part, or the whole datagram, is empty. The others come.
    Empty,
    /// A compound of this many bytes is too short for its header; none of its parts can be told.
    Header {
        /// Bytes of the compound.
        len: usize,
    },
    /// A compound ends before this many of its last parts; those before them have come.
    Truncated {
        /// Parts that are missing or cut short.
        parts: usize,
    },
    /// More layers within each other than [`Limits::depth_max`]; what is around still comes.
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// More parts than [`Limits::parts_max`]; no further part comes.
    TooMany {
        /// The limit.
        max: usize,
    },
    /// A compressed message could not be expanded. The others come.
    Compressed(InflateError),
}

impl fmt::Display for PartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty message"),
            Self::Header { len } => write!(f, "compound of {len} bytes is shorter than its header"),
            Self::Truncated { parts } => write!(f, "compound is cut short by {parts} parts"),
            Self::TooDeep { max } => write!(f, "message is within more than {max} layers"),
            Self::TooMany { max } => write!(f, "datagram has more than {max} parts"),
            Self::Compressed(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PartError {}

const COMPOUND: u8 = Kind::Compound.byte();
const COMPRESSED: u8 = Kind::Compressed.byte();

const fn to_some(span: Span) -> Result<Option<Span>, PartError> {
    Ok(Some(span))
}
