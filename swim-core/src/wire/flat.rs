//! The common case of a datagram: one message, or one compound of messages.

use crate::wire::{Kind, Limits};

/// The messages of a datagram that nests no further and of which nothing is amiss; they borrow
/// from it.
#[derive(Clone, Debug)]
pub(crate) struct FlatParts<'a> {
    /// Lengths of the parts that are left.
    lens: &'a [u8],
    bytes: &'a [u8],
    /// The datagram itself, if it is one message.
    alone: Option<&'a [u8]>,
}

impl<'a> FlatParts<'a> {
    /// Reads a datagram whose outer layers are off; `None` if it takes
    /// [`Parts`](crate::wire::Parts) to read it.
    #[inline]
    pub(crate) fn read(datagram: &'a [u8], limits: &Limits) -> Option<Self> {
        let (&kind, rest) = datagram.split_first()?;
        if kind != COMPOUND {
            let alone = (kind != COMPRESSED).then_some(datagram)?;
            return Some(Self { lens: &[], bytes: &[], alone: Some(alone) });
        }
        let (&count, rest) = rest.split_first()?;
        let count = usize::from(count);
        if count == 0 || count > limits.parts_max {
            return None;
        }
        let (lens, bytes) = rest.split_at_checked(2 * count)?;
        let mut at = 0;
        for len in lens.as_chunks().0 {
            // An empty part, another layer or a part beyond the end.
            if matches!(bytes.get(at)?, &COMPOUND | &COMPRESSED) || *len == [0, 0] {
                return None;
            }
            at += usize::from(u16::from_be_bytes(*len));
        }
        (at <= bytes.len()).then_some(Self { lens, bytes, alone: None })
    }
}

impl<'a> Iterator for FlatParts<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let Some((len, lens)) = self.lens.split_first_chunk() else { return self.alone.take() };
        let (part, rest) = self.bytes.split_at_checked(u16::from_be_bytes(*len).into())?;
        self.lens = lens;
        self.bytes = rest;
        Some(part)
    }
}

const COMPOUND: u8 = Kind::Compound.byte();
const COMPRESSED: u8 = Kind::Compressed.byte();

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::wire::{Parts, Scratch};

    fn flat(datagram: &[u8]) -> Option<Vec<Vec<u8>>> {
        let parts = FlatParts::read(datagram, &Limits::default())?;
        Some(parts.map(<[u8]>::to_vec).collect())
    }

    fn nested(datagram: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut scratch = Scratch::default();
        let mut parts = Parts::new(datagram, &mut scratch, Limits::default());
        let mut all = Vec::new();
        while let Some(part) = parts.next_part() {
            all.push(part.ok()?.to_vec());
        }
        Some(all)
    }

    proptest! {
        #[test]
        fn what_is_flat_reads_as_the_general_reader_has_it(
            parts in vec(vec(0u8..13, 0..4), 0..5),
            cut in 0usize..4,
            extra in vec(any::<u8>(), 0..3),
        ) {
            let mut datagram = Vec::from([COMPOUND, parts.len() as u8]);
            datagram.extend(parts.iter().flat_map(|part| (part.len() as u16).to_be_bytes()));
            datagram.extend(parts.iter().flatten());
            datagram.extend(extra);
            datagram.truncate(datagram.len() - cut.min(datagram.len()));
            if let Some(read) = flat(&datagram) {
                prop_assert_eq!(Some(read), nested(&datagram));
            }
        }
    }

    #[test]
    fn only_a_message_or_a_whole_compound_of_messages_is_flat() {
        assert_eq!(flat(b"\x0babc"), Some([b"\x0babc".to_vec()].into()));
        assert_eq!(
            flat(b"\x07\x02\0\x01\0\x02\x0b\x0bx"),
            nested(b"\x07\x02\0\x01\0\x02\x0b\x0bx")
        );
        assert_eq!(flat(b"\x07\x02\0\x01\0\x02\x0b\x0bx").map(|parts| parts.len()), Some(2));
        let others: [&[u8]; 6] =
            [b"", b"\x07", b"\x07\0", b"\x09x", b"\x07\x01\0\x02\x0b", b"\x07\x01\0\x01\x07"];
        for other in others {
            assert_eq!(flat(other), None, "{other:?}");
        }
    }
}
