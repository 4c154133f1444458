//! Several messages in one datagram (section 1.3).

use core::fmt;

use bytes::BytesMut;
use smallvec::SmallVec;

use crate::wire::Kind;
use crate::wire::msgpack::Writer;

/// Writes messages behind each other and puts a compound header before them in the end.
///
/// One message alone gets no header. The caller need not know beforehand how many there will be;
/// the header moves what was written, which costs less than sizing every part twice.
///
/// ```
/// use bytes::BytesMut;
/// use swim_core::wire::{Compound, Nack};
///
/// let mut out = BytesMut::new();
/// let mut compound = Compound::begin(&mut out);
/// compound.part(|out| Nack { seq: 1 }.encode(out))?;
/// compound.part(|out| Nack { seq: 2 }.encode(out))?;
/// assert_eq!(compound.finish(), 2);
/// assert_eq!(out[..6], [7, 2, 0, 9, 0, 9]);
/// # Ok::<(), swim_core::wire::PartRefused>(())
/// ```
#[derive(Debug)]
#[must_use = "without `finish` the parts have no header"]
pub struct Compound<'b> {
    out: &'b mut BytesMut,
    start: usize,
    /// Lengths of the parts.
    lens: SmallVec<[u16; 128]>,
    /// Where the parts end; behind it may lie space for more.
    end: usize,
}

impl<'b> Compound<'b> {
    /// Parts that are written at most: memberlist up to 0.2.3 misreads more (hazard 15).
    pub const PARTS_MAX: usize = 127;

    /// Bytes of a part at most.
    pub const PART_BYTES_MAX: usize = u16::MAX as usize;

    /// Starts at the end of `out`.
    #[inline]
    pub fn begin(out: &'b mut BytesMut) -> Self {
        let start = out.len();
        Self { out, start, lens: SmallVec::new(), end: start }
    }

    /// Adds what `write` appends as one message; nothing appended adds no part.
    ///
    /// # Errors
    ///
    /// [`PartRefused`] if there is no place for another part or it is too long; then the buffer is
    /// as before.
    #[inline]
    pub fn part(&mut self, write: impl FnOnce(&mut BytesMut)) -> Result<(), PartRefused> {
        if self.lens.len() == Self::PARTS_MAX {
            return Err(PartRefused::Full { max: Self::PARTS_MAX });
        }
        self.out.truncate(self.end);
        write(self.out);
        let len = self.out.len().saturating_sub(self.end);
        let Ok(short) = u16::try_from(len) else {
            self.out.truncate(self.end);
            return Err(PartRefused::TooLong { len, max: Self::PART_BYTES_MAX });
        };
        if len > 0 {
            self.lens.push(short);
            self.end += len;
        }
        Ok(())
    }

    /// Makes space for parts of `bytes` together, so that [`sized_part`](Self::sized_part) need not
    /// do it for each.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.out.resize(self.end + bytes, 0);
    }

    /// Adds a message of `len` bytes, all of which `write` must write.
    #[inline]
    pub(crate) fn sized_part(&mut self, len: u16, write: impl FnOnce(&mut Writer<'_>)) {
        assert!(self.lens.len() < Self::PARTS_MAX, "the caller counts parts");
        let end = self.end + usize::from(len);
        if self.out.len() < end {
            self.out.resize(end, 0);
        }
        Writer::fill(&mut self.out[self.end..end], write);
        self.lens.push(len);
        self.end = end;
    }

    /// Parts so far.
    pub fn count(&self) -> usize {
        self.lens.len()
    }

    /// Bytes that the datagram would have if it were finished now.
    pub fn len(&self) -> usize {
        compound_len(self.count(), self.end - self.start)
    }

    /// True if there is no part yet.
    pub fn is_empty(&self) -> bool {
        self.lens.is_empty()
    }

    /// Puts the header before the parts if there are several, and says how many there are.
    #[inline]
    pub fn finish(self) -> usize {
        let (count, end) = (self.count(), self.end);
        self.out.truncate(end);
        if count > 1 {
            let header = 2 + 2 * count;
            self.out.resize(end + header, 0);
            self.out.copy_within(self.start..end, self.start + header);
            let (kind_and_count, lens) = self.out[self.start..][..header].split_at_mut(2);
            kind_and_count.copy_from_slice(&[Kind::Compound.byte(), count as u8]);
            for (slot, len) in lens.chunks_exact_mut(2).zip(self.lens) {
                slot.copy_from_slice(&len.to_be_bytes());
            }
        }
        count
    }
}

/// Bytes of a datagram of `count` messages with `parts_len` bytes together.
pub const fn compound_len(count: usize, parts_len: usize) -> usize {
    match count {
        0 | 1 => parts_len,
        _ => 2 + 2 * count + parts_len,
    }
}

/// Why a part was not added to a compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartRefused {
    /// The compound has as many parts as it may.
    Full {
        /// That many.
        max: usize,
    },
    /// The part does not fit a 16-bit length.
    TooLong {
        /// Its bytes.
        len: usize,
        /// The most that fit.
        max: usize,
    },
}

impl fmt::Display for PartRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { max } => write!(f, "compound has its {max} parts already"),
            Self::TooLong { len, max } => write!(f, "part of {len} bytes exceeds {max}"),
        }
    }
}

impl core::error::Error for PartRefused {}

#[cfg(test)]
mod tests {
    use super::*;

    fn compound_of(parts: &[&[u8]]) -> BytesMut {
        let mut out = BytesMut::from(&b"before"[..]);
        let mut compound = Compound::begin(&mut out);
        for part in parts {
            compound.part(|out| out.extend_from_slice(part)).unwrap();
        }
        let len = compound.len();
        compound.finish();
        assert_eq!(out.len(), 6 + len);
        out.split_off(6)
    }

    #[test]
    fn one_part_goes_bare_and_none_leaves_nothing() {
        assert_eq!(compound_of(&[])[..], b""[..]);
        assert_eq!(compound_of(&[b"abc"])[..], b"abc"[..]);
        assert_eq!(compound_of(&[b"", b"abc", b""])[..], b"abc"[..]);
    }

    #[test]
    fn several_parts_get_a_header() {
        assert_eq!(compound_of(&[b"abc", b"d"])[..], b"\x07\x02\x00\x03\x00\x01abcd"[..]);
    }

    #[test]
    fn a_part_too_many_or_too_long_is_refused_and_leaves_no_trace() {
        let mut out = BytesMut::new();
        let mut compound = Compound::begin(&mut out);
        let long = vec![0; 65536];
        let error = compound.part(|out| out.extend_from_slice(&long));
        assert_eq!(error, Err(PartRefused::TooLong { len: 65536, max: 65535 }));
        for _ in 0..127 {
            compound.part(|out| out.extend_from_slice(b"x")).unwrap();
        }
        let error = compound.part(|_| panic!("not called"));
        assert_eq!(error, Err(PartRefused::Full { max: 127 }));
        assert_eq!(compound.finish(), 127);
        assert_eq!(out.len(), 2 + 127 * 3);
    }
}
