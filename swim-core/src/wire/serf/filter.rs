//! Who shall answer a query (sections 1.4, 4.3).

use bytes::BytesMut;

use crate::wire::DecodeError;
use crate::wire::body::{self, Body};
use crate::wire::msgpack::{Reader, head_len, raw_len, write};
use crate::wire::serf::List;

/// One filter of a query, as it stands in [`Query::filters`](crate::wire::serf::Query::filters)
/// (serf spec 1.4).
///
/// Whatever does not decode matches nobody (serf spec 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Filter<'a> {
    /// Nodes of these names.
    Nodes(Option<List<'a, &'a [u8]>>),
    /// Nodes for whose tag a regular expression matches somewhere in its value.
    Tag {
        /// The tag's name; a node without it has it with an empty value.
        tag: &'a [u8],
        /// An expression in the syntax of RE2.
        expr: &'a [u8],
    },
}

impl<'a> Filter<'a> {
    /// Decodes type byte and body; bytes after the body are ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] says what is wrong with the bytes; [`DecodeError::Empty`] if there are none,
    /// on which Serf itself crashes, and [`DecodeError::Unsupported`] if the type is unknown.
    pub fn decode(filter: &'a [u8]) -> Result<Self, DecodeError> {
        let (&kind, body) = filter.split_first().ok_or(DecodeError::Empty)?;
        match kind {
            NODES => List::read(&mut Reader::new(body)).map(Self::Nodes),
            TAG => {
                let Expression { tag, expr } = body::decode(body)?;
                Ok(Self::Tag { tag, expr })
            }
            other => Err(DecodeError::Unsupported(other)),
        }
    }

    /// Appends type byte and body.
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| match *self {
            Self::Nodes(None) => to.put(&[NODES, 0xc0]),
            Self::Nodes(Some(names)) => {
                to.put(&[NODES]);
                to.list(names.len());
                names.iter().for_each(|name| to.raw(name));
            }
            Self::Tag { tag, expr } => {
                to.put(&[TAG, 0x82]);
                to.put(b"\xa4Expr");
                to.raw(expr);
                to.put(b"\xa3Tag");
                to.raw(tag);
            }
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub fn encoded_len(&self) -> usize {
        match *self {
            Self::Nodes(None) => 2,
            Self::Nodes(Some(names)) => {
                1 + head_len(names.len()) + names.iter().map(raw_len).sum::<usize>()
            }
            Self::Tag { tag, expr } => 2 + 5 + raw_len(expr) + 4 + raw_len(tag),
        }
    }
}

#[derive(Default)]
struct Expression<'a> {
    tag: &'a [u8],
    expr: &'a [u8],
}

impl<'a> Body<'a> for Expression<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"Tag", b"Expr"];

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.tag = from.text()?,
            1 => self.expr = from.text()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

const NODES: u8 = 0;
const TAG: u8 = 1;
