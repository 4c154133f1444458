//! A node's network coordinate, in the payload of its acks (section 5.2).

use bytes::BytesMut;

use crate::wire::DecodeError;
use crate::wire::body::{self, Body};
use crate::wire::msgpack::{F64_LEN, Fast, Reader, head_len, write};
use crate::wire::serf::List;

/// A network coordinate as it came: numbers of any value and in any number (serf spec 5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Coordinate<'a> {
    /// Position in seconds; eight dimensions in every Serf.
    pub vec: Option<List<'a, f64>>,
    /// How far off the coordinate may be, relatively.
    pub error: f64,
    /// Correction in seconds.
    pub adjustment: f64,
    /// What the node's own link adds, in seconds.
    pub height: f64,
}

impl<'a> Coordinate<'a> {
    /// Decodes the payload of an ack; bytes after the body are ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] says what is wrong with the bytes: [`DecodeError::Empty`] if there are none,
    /// as in acks of nodes without coordinates, and [`DecodeError::Version`] if they are of another
    /// version.
    pub fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let (&found, body) = payload.split_first().ok_or(DecodeError::Empty)?;
        match found {
            VERSION => body::decode(body),
            _ => Err(DecodeError::Version { found, known: VERSION }),
        }
    }

    /// Appends version and body.
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[VERSION, 0x84]);
            to.put(b"\xaaAdjustment");
            to.f64(self.adjustment);
            to.put(b"\xa5Error");
            to.f64(self.error);
            to.put(b"\xa6Height");
            to.f64(self.height);
            to.put(b"\xa3Vec");
            match self.vec {
                None => to.put(&[0xc0]),
                Some(vec) => {
                    to.list(vec.len());
                    vec.iter().for_each(|x| to.f64(x));
                }
            }
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub fn encoded_len(&self) -> usize {
        let vec = self.vec.map_or(1, |vec| head_len(vec.len()) + F64_LEN * vec.len());
        2 + 11 + 6 + 7 + 3 * F64_LEN + 4 + vec
    }
}

impl<'a> Body<'a> for Coordinate<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"Vec", b"Error", b"Adjustment", b"Height"];

    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x84\xaaAdjustment")?;
        let adjustment = from.f64()?;
        from.expect(b"\xa5Error")?;
        let error = from.f64()?;
        from.expect(b"\xa6Height")?;
        let height = from.f64()?;
        from.expect(b"\xa3Vec")?;
        let vec = List::fast(from)?;
        Some(Self { vec, error, adjustment, height })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.vec = List::read(from)?,
            1 => self.error = from.f64()?,
            2 => self.adjustment = from.f64()?,
            3 => self.height = from.f64()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

/// The version of the payload.
const VERSION: u8 = 1;
