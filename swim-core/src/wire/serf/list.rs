//! Lists and maps inside of a message (section 1.3).

use core::fmt;

use crate::wire::DecodeError;
use crate::wire::msgpack::{Fast, Reader};

/// A list, or the pairs of a map: either the checked bytes of a message that was decoded, or the
/// elements of a message to be encoded ([`List::from`] a slice).
///
/// Equal lists have equal elements in the same order, wherever these are.
#[derive(Clone, Copy)]
pub struct List<'a, T>(Store<'a, T>);

#[derive(Clone, Copy)]
enum Store<'a, T> {
    /// So many elements, every one of which has decoded once.
    Encoded {
        len: u32,
        bytes: &'a [u8],
    },
    Given(&'a [T]),
}

/// What a list can hold.
pub(crate) trait Element<'a>: Copy {
    fn read(from: &mut Reader<'a>) -> Result<Self, DecodeError>;
}

impl<'a, T> List<'a, T> {
    /// How many elements there are; of a map, how many pairs, among which a key may be repeated.
    pub const fn len(&self) -> usize {
        match self.0 {
            Store::Encoded { len, .. } => len as usize,
            Store::Given(elements) => elements.len(),
        }
    }

    /// True if there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements in their order.
    pub const fn iter(self) -> Items<'a, T> {
        Items(self.0)
    }
}

#[expect(private_bounds, reason = "what a list can hold is settled here")]
impl<'a, T: Element<'a>> List<'a, T> {
    /// Reads a list; `None` for nil.
    pub(super) fn read(from: &mut Reader<'a>) -> Result<Option<Self>, DecodeError> {
        let len = from.list()?;
        len.map(|len| Self::elements(len, from)).transpose()
    }

    /// Reads a map; `None` for nil.
    pub(super) fn read_map(from: &mut Reader<'a>) -> Result<Option<Self>, DecodeError> {
        let len = from.map()?;
        len.map(|len| Self::elements(len, from)).transpose()
    }

    /// Reads what can be read of a map, and says why that is not all.
    pub(super) fn read_map_leniently(from: &mut Reader<'a>) -> (Self, Option<DecodeError>) {
        match from.map() {
            Ok(len) => Self::as_many(len.unwrap_or(0), from),
            Err(error) => (Self::default(), Some(error)),
        }
    }

    pub(super) fn fast(from: &mut Fast<'a>) -> Option<Option<Self>> {
        from.general(Self::read)
    }

    fn elements(len: u32, from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        match Self::as_many(len, from) {
            (list, None) => Ok(list),
            (_, Some(error)) => Err(error),
        }
    }

    /// Every element takes a byte at least, so the bytes bound the work, whatever `announced` says.
    fn as_many(announced: u32, from: &mut Reader<'a>) -> (Self, Option<DecodeError>) {
        let all = from.rest();
        let (mut len, mut end) = (0, 0);
        let mut error = None;
        while len < announced && error.is_none() {
            error = T::read(from).err();
            if error.is_none() {
                len += 1;
                end = all.len() - from.left();
            }
        }
        (Self(Store::Encoded { len, bytes: &all[..end] }), error)
    }
}

/// A list without elements.
impl<T> Default for List<'_, T> {
    fn default() -> Self {
        Self(Store::Given(&[]))
    }
}

/// A list to be encoded.
impl<'a, T> From<&'a [T]> for List<'a, T> {
    fn from(elements: &'a [T]) -> Self {
        Self(Store::Given(elements))
    }
}

impl<'a, T: Element<'a>> IntoIterator for List<'a, T> {
    type Item = T;
    type IntoIter = Items<'a, T>;

    fn into_iter(self) -> Items<'a, T> {
        self.iter()
    }
}

impl<'a, T: Element<'a> + PartialEq> PartialEq for List<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<'a, T: Element<'a> + Eq> Eq for List<'a, T> {}

impl<'a, T: Element<'a> + fmt::Debug> fmt::Debug for List<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The elements of a [`List`].
#[derive(Clone)]
pub struct Items<'a, T>(Store<'a, T>);

impl<'a, T: Element<'a>> Iterator for Items<'a, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        match &mut self.0 {
            Store::Given(elements) => {
                let (first, rest) = elements.split_first()?;
                *elements = rest;
                Some(*first)
            }
            Store::Encoded { len, bytes } => {
                *len = len.checked_sub(1)?;
                let mut from = Reader::new(bytes);
                let element = T::read(&mut from).expect("every element has decoded once");
                *bytes = from.rest();
                Some(element)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = List(self.0).len();
        (len, Some(len))
    }
}

impl<'a, T: Element<'a>> ExactSizeIterator for Items<'a, T> {}

impl<'a, T: Element<'a>> core::iter::FusedIterator for Items<'a, T> {}

impl<T> fmt::Debug for Items<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = match self.0 {
            Store::Encoded { len, .. } => len as usize,
            Store::Given(elements) => elements.len(),
        };
        f.debug_struct("Items").field("left", &left).finish()
    }
}

/// A text or byte string; nil is empty.
impl<'a> Element<'a> for &'a [u8] {
    fn read(from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        from.text()
    }
}

/// A pair of a map from text to text.
impl<'a> Element<'a> for (&'a [u8], &'a [u8]) {
    fn read(from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok((from.text()?, from.text()?))
    }
}

/// A pair of a map from text to a time.
impl<'a> Element<'a> for (&'a [u8], u64) {
    fn read(from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok((from.text()?, from.u64()?))
    }
}

impl<'a> Element<'a> for f64 {
    fn read(from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        from.f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_with_a_bad_element_is_none() {
        let names = |bytes| List::<&[u8]>::read(&mut Reader::new(bytes));
        assert_eq!(names(b"\x92\xa1a\xc0"), Ok(Some(List::from(&[&b"a"[..], b""][..]))));
        assert_eq!(names(b"\xc0"), Ok(None));
        assert!(names(b"\x92\xa1a\x01").is_err());
        assert!(names(b"\x81\xa1a\x01").is_err());
        assert!(names(b"\xdd\xff\xff\xff\xff\xa1a").is_err());
    }

    #[test]
    fn what_is_left_of_a_broken_map_is_what_came_before() {
        let mut from = Reader::new(b"\x83\xa1a\xa1b\xa1c\xa1d\xa1e");
        let (pairs, error) = List::<(&[u8], &[u8])>::read_map_leniently(&mut from);
        assert_eq!(pairs, List::from(&[(&b"a"[..], &b"b"[..]), (b"c", b"d")][..]));
        assert_eq!(error, Some(DecodeError::Truncated { need: 1, have: 0 }));
    }
}
