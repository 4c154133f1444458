//! The label in front of datagrams and connections.

use core::fmt;

use bytes::{BufMut as _, BytesMut};

/// The name of a cluster, sent in clear in front of every datagram and every connection, and
/// authenticated where there is encryption (memberlist specification 1.7).
///
/// The empty label is the default and adds nothing to the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Label<'a>(&'a [u8]);

impl<'a> Label<'a> {
    /// No label.
    pub const EMPTY: Label<'static> = Label(&[]);

    /// The longest label, in bytes.
    pub const BYTES_MAX: usize = 255;

    /// A label of these bytes, at most [`Label::BYTES_MAX`] of them.
    pub fn new(bytes: &'a [u8]) -> Result<Self, LabelError> {
        if bytes.len() > Self::BYTES_MAX {
            return Err(LabelError::TooLong { len: bytes.len(), bytes_max: Self::BYTES_MAX });
        }
        Ok(Self(bytes))
    }

    /// The bytes of the label.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// How many bytes the label header takes: none for the empty label.
    pub fn header_len(self) -> usize {
        if self.0.is_empty() { 0 } else { 2 + self.0.len() }
    }

    /// Appends the label header.
    pub(super) fn put_header(self, out: &mut BytesMut) {
        if !self.0.is_empty() {
            let len = u8::try_from(self.0.len()).expect("a label has at most 255 bytes");
            out.put_slice(&[LABEL, len]);
            out.put_slice(self.0);
        }
    }
}

/// What to expect at the start of what arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelCheck {
    /// The configured label, or no label header if there is none configured.
    #[default]
    Match,
    /// No label header at all: something in front of this node takes it off. The configured label
    /// still counts where messages are authenticated.
    Stripped,
}

/// Splits off the label header: the label, empty if there is no header, and what follows.
pub fn split_label(bytes: &[u8]) -> Result<(&[u8], &[u8]), LabelError> {
    let (len, rest) = match bytes {
        [LABEL, 0, ..] => return Err(LabelError::Empty),
        [LABEL, len, rest @ ..] => (usize::from(*len), rest),
        [LABEL] => return Err(LabelError::Truncated { missing: 1 }),
        _ => return Ok((&[], bytes)),
    };
    let missing = len.saturating_sub(rest.len());
    rest.split_at_checked(len).ok_or(LabelError::Truncated { missing })
}

const LABEL: u8 = 244;

/// Why there is no label to be had from some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelError {
    /// The label to use is too long.
    TooLong {
        /// Its length.
        len: usize,
        /// The bound, [`Label::BYTES_MAX`].
        bytes_max: usize,
    },
    /// A label header announces an empty label, which is never sent.
    Empty,
    /// The bytes end within the label header.
    Truncated {
        /// How many bytes are missing at least.
        missing: usize,
    },
}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len, bytes_max } => {
                write!(f, "the label has {len} bytes, more than {bytes_max}")
            }
            Self::Empty => f.write_str("the label header holds no label"),
            Self::Truncated { missing } => write!(f, "the label header lacks {missing} bytes"),
        }
    }
}

impl core::error::Error for LabelError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_label_has_no_header() {
        let mut out = BytesMut::new();
        Label::EMPTY.put_header(&mut out);
        assert!(out.is_empty());
        assert_eq!(Label::EMPTY.header_len(), 0);
    }

    #[test]
    fn every_label_comes_back() {
        for len in 1..=255 {
            let bytes = [b'x'; 255];
            let label = Label::new(&bytes[..len]).unwrap();
            let mut out = BytesMut::new();
            label.put_header(&mut out);
            assert_eq!(out.len(), label.header_len());
            out.extend_from_slice(b"rest");
            assert_eq!(split_label(&out), Ok((label.as_bytes(), &b"rest"[..])));
            let missing = 3;
            let cut = &out[..label.header_len() - missing];
            if cut.len() >= 2 {
                assert_eq!(split_label(cut), Err(LabelError::Truncated { missing }));
            }
        }
    }

    #[test]
    fn a_label_of_256_bytes_is_refused() {
        let error = LabelError::TooLong { len: 256, bytes_max: 255 };
        assert_eq!(Label::new(&[b'x'; 256]), Err(error));
    }
}
