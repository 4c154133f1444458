//! Taking the nesting layers off a datagram (sections 1.2 to 1.4).

use alloc::vec::Vec;
use core::fmt;

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
    /// The innermost compound.
    open: Open,
    /// Parts seen and bytes expanded so far.
    parts: usize,
    decompressed_bytes: usize,
}

/// Buffers for compressed messages, to be used for one datagram after another.
///
/// Allocates nothing until the first compressed message or nested compound; then it keeps what it
/// needed, up to twice [`Limits::decompressed_bytes_max`] per layer of compression.
#[derive(Default)]
pub struct Scratch {
    table: Option<lzw::Table>,
    /// What the compressed message at each layer of compression expanded to.
    plain: Vec<Vec<u8>>,
    /// The compounds around the innermost one that have parts left, outermost first.
    around: Vec<Open>,
}

impl<'a, 's> Parts<'a, 's> {
    /// Walks the parts of `datagram`.
    #[inline]
    pub fn new(datagram: &'a [u8], scratch: &'s mut Scratch, limits: Limits) -> Self {
        let whole = Some(Span { start: 0, end: datagram.len(), buffer: 0, depth: 0 });
        let open = Open::default();
        scratch.around.clear();
        Self { datagram, scratch, limits, whole, open, parts: 0, decompressed_bytes: 0 }
    }

    /// The next message, type byte first; it is never a compound or compressed.
    ///
    /// It ends after a bounded number of calls, whatever the bytes.
    #[inline]
    pub fn next_part(&mut self) -> Option<Result<&[u8], PartError>> {
        let found = self.whole.take().or_else(|| self.next_of_open());
        let message = match found {
            Some(span) if self.is_message(span) => span,
            None if self.open.left == 0 && self.scratch.around.is_empty() => return None,
            found => match self.search(found)? {
                Ok(span) => span,
                Err(error) => return Some(Err(error)),
            },
        };
        Some(Ok(self.bytes(message)))
    }

    /// The next part of the innermost compound, unless something is amiss.
    #[inline]
    fn next_of_open(&mut self) -> Option<Span> {
        let Open { buffer, depth, at: start, .. } = self.open;
        if self.open.left == 0 || self.parts >= self.limits.parts_max {
            return None;
        }
        let len = self.buffer(buffer).get(self.open.lens..)?.first_chunk()?;
        let end = start + usize::from(u16::from_be_bytes(*len));
        if end > self.open.end {
            return None;
        }
        self.parts += 1;
        self.open.left -= 1;
        self.open.lens += 2;
        self.open.at = end;
        Some(Span { start, end, buffer, depth })
    }

    /// The next message when `found` may be none, or a wrapper, or nothing at all.
    #[cold]
    fn search(&mut self, mut found: Option<Span>) -> Option<Result<Span, PartError>> {
        loop {
            let opened = match found {
                Some(span) => match self.bytes(span).first() {
                    None => Err(PartError::Empty),
                    Some(&COMPOUND) => self.open_compound(span).map(|()| None),
                    Some(&COMPRESSED) => self.open_compressed(span).map(Some),
                    Some(_) => return Some(Ok(span)),
                },
                None if self.open.left > 0 => Err(self.give_up()),
                None => {
                    self.open = self.scratch.around.pop()?;
                    Ok(None)
                }
            };
            found = match opened {
                Ok(inner) => inner.or_else(|| self.next_of_open()),
                Err(error) => return Some(Err(error)),
            };
        }
    }

    /// Closes the compound that has parts left but no next one, and says why.
    fn give_up(&mut self) -> PartError {
        let parts = usize::from(core::mem::take(&mut self.open.left));
        if self.parts < self.limits.parts_max {
            return PartError::Truncated { parts };
        }
        self.scratch.around.clear();
        PartError::TooMany { max: self.limits.parts_max }
    }

    fn open_compound(&mut self, span: Span) -> Result<(), PartError> {
        let depth = self.deeper(span)?;
        let bytes = self.bytes(span);
        let left = *bytes.get(1).ok_or(PartError::Header { len: bytes.len() })?;
        let lens = span.start + 2;
        let (at, end) = (lens + 2 * usize::from(left), span.end);
        if at > end {
            return Err(PartError::Header { len: bytes.len() });
        }
        let inner = Open { lens, at, end, left, buffer: span.buffer, depth };
        let outer = core::mem::replace(&mut self.open, inner);
        if outer.left > 0 {
            self.scratch.around.push(outer);
        }
        Ok(())
    }

    fn open_compressed(&mut self, span: Span) -> Result<Span, PartError> {
        let depth = self.deeper(span)?;
        let budget = self.limits.decompressed_bytes_max - self.decompressed_bytes;
        let expanded = self.scratch.expand(self.datagram, span, budget);
        let buffer = span.buffer + 1;
        let end = self.buffer(buffer).len();
        self.decompressed_bytes += end;
        expanded.map_err(PartError::Compressed)?;
        Ok(Span { start: 0, end, buffer, depth })
    }

    /// The depth of what is within `span`.
    const fn deeper(&self, span: Span) -> Result<u32, PartError> {
        match span.depth < self.limits.depth_max {
            true => Ok(span.depth + 1),
            false => Err(PartError::TooDeep { max: self.limits.depth_max }),
        }
    }

    #[inline]
    fn is_message(&self, span: Span) -> bool {
        !matches!(self.bytes(span).first(), None | Some(&COMPOUND | &COMPRESSED))
    }

    #[inline]
    fn bytes(&self, span: Span) -> &[u8] {
        &self.buffer(span.buffer)[span.start..span.end]
    }

    #[inline]
    fn buffer(&self, number: u32) -> &[u8] {
        match number {
            0 => self.datagram,
            n => &self.scratch.plain[n as usize - 1],
        }
    }
}

impl Scratch {
    /// Whether there was a compressed message, so that these buffers are worth keeping.
    pub fn is_used(&self) -> bool {
        self.table.is_some()
    }

    /// The table and the first buffer.
    pub(super) fn split(&mut self) -> (&mut lzw::Table, &mut Vec<u8>) {
        if self.plain.is_empty() {
            self.plain.push(Vec::new());
        }
        (self.table.get_or_insert_with(lzw::Table::default), &mut self.plain[0])
    }

    /// Expands the compressed message at `span` into the buffer after its own.
    fn expand(&mut self, datagram: &[u8], span: Span, budget: usize) -> Result<(), InflateError> {
        let number = span.buffer as usize;
        if self.plain.len() == number {
            self.plain.push(Vec::new());
        }
        let table = self.table.get_or_insert_with(lzw::Table::default);
        let (outer, inner) = self.plain.split_at_mut(number);
        let buffer = outer.last().map_or(datagram, Vec::as_slice);
        lzw::inflate(&buffer[span.start + 1..span.end], table, budget, &mut inner[0])
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
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    end: usize,
    buffer: u32,
    depth: u32,
}

/// A compound whose parts are being handed out. Offsets are those of its buffer, which stays as it
/// is as long as the compound is open: only deeper buffers are written to.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    /// Where the next length is.
    lens: usize,
    /// Where the next part starts.
    at: usize,
    /// Where the compound ends, at or before the end of the buffer.
    end: usize,
    /// Parts not yet handed out.
    left: u8,
    buffer: u32,
    /// Of its parts.
    depth: u32,
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
        max: u32,
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
