//! What all message bodies have in common.

use crate::wire::DecodeError;
use crate::wire::msgpack::{Fast, Reader, Shape};

/// A struct of the protocol: named fields, also known by their position.
pub(super) trait Body<'a>: Default {
    /// Names in declaration order, which is the order of the array form (section 0.3).
    const FIELDS: &'static [&'static [u8]];

    /// Decodes the canonical form; `None` if the input has any other, and always for bodies that
    /// are too rare to be worth it.
    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        let _ = from;
        None
    }

    /// Reads the value of the field at this position, and skips it if there is no such field.
    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError>;
}

/// A body at the start of `bytes`.
#[inline(always)]
pub(super) fn decode<'a, B: Body<'a>>(bytes: &'a [u8]) -> Result<B, DecodeError> {
    match B::fast(&mut Fast::new(bytes)) {
        Some(body) => Ok(body),
        None => decode_general(bytes).map(|(body, _)| body),
    }
}

/// A body at the start of `bytes`, and how many of them it takes.
#[inline]
pub(super) fn decode_prefix<'a, B: Body<'a>>(bytes: &'a [u8]) -> Result<(B, usize), DecodeError> {
    let mut fast = Fast::new(bytes);
    match B::fast(&mut fast) {
        Some(body) => Ok((body, bytes.len() - fast.left())),
        None => decode_general(bytes),
    }
}

/// The same for every form that memberlist accepts.
#[cold]
pub(super) fn decode_general<'a, B: Body<'a>>(bytes: &'a [u8]) -> Result<(B, usize), DecodeError> {
    let mut from = Reader::new(bytes);
    let body = read(&mut from)?;
    Ok((body, bytes.len() - from.left()))
}

/// The next value, which is a body.
pub(super) fn read<'a, B: Body<'a>>(from: &mut Reader<'a>) -> Result<B, DecodeError> {
    let mut body = B::default();
    match from.shape()? {
        Shape::Nil => {}
        Shape::Array(values) => {
            for position in 0..values as usize {
                body.set(position, from)?;
            }
        }
        Shape::Map(pairs) => {
            for _ in 0..pairs {
                let key = from.text()?;
                let position = B::FIELDS.iter().position(|name| *name == key);
                body.set(position.unwrap_or(usize::MAX), from)?;
            }
        }
    }
    Ok(body)
}

/// The public decoders of a body.
macro_rules! decoders {
    ($body:ident $(<$lt:lifetime>)?) => {
        impl<'a> $body $(<$lt>)? {
            /// Decodes a body (without type byte); bytes after it are ignored.
            ///
            /// # Errors
            ///
            /// [`DecodeError`] says what is wrong with the bytes.
            #[inline(always)]
            pub fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
                $crate::wire::body::decode(body)
            }

            /// Decodes a body (without type byte) and says how many bytes it takes.
            ///
            /// # Errors
            ///
            /// [`DecodeError`] says what is wrong with the bytes.
            #[inline]
            pub fn decode_prefix(bytes: &'a [u8]) -> Result<(Self, usize), DecodeError> {
                $crate::wire::body::decode_prefix(bytes)
            }
        }
    };
}
pub(super) use decoders;
