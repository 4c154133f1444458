//! Where a value ends, while its bytes arrive.

use bytes::{Bytes, BytesMut};
use swim_core::wire::msgpack::token;

use super::BadMessage;

/// Cuts a stream into msgpack values.
///
/// Every byte is looked at once, however small the pieces are that it arrives in, and nesting takes
/// no stack.
#[derive(Debug)]
pub struct Frames {
    buffer: BytesMut,
    /// Bytes of the value at the front that have been stepped over.
    scanned: usize,
    /// Values that are to come before the one at the front is complete.
    open: u64,
    bytes_max: usize,
}

impl Frames {
    /// Values of at most `bytes_max` bytes each.
    pub fn new(bytes_max: usize) -> Self {
        Self { buffer: BytesMut::new(), scanned: 0, open: 1, bytes_max }
    }

    /// Where what arrives is appended to, with room for some.
    pub fn buffer(&mut self) -> &mut BytesMut {
        self.buffer.reserve(ROOM);
        &mut self.buffer
    }

    /// Takes the value at the front; `None` if it is not complete.
    ///
    /// # Errors
    ///
    /// [`BadMessage::NotMsgpack`] and [`BadMessage::TooLong`]; the latter as soon as it is certain,
    /// not when the bytes have arrived.
    pub fn take(&mut self) -> Result<Option<Bytes>, BadMessage> {
        let bytes_max = self.bytes_max;
        while self.open > 0 {
            let rest = self.buffer.get(self.scanned..).unwrap_or_default();
            let Some(token) = token(rest).map_err(|_| BadMessage::NotMsgpack)? else {
                return Ok(None);
            };
            let end = self.scanned.saturating_add(token.len);
            let open = (self.open - 1).saturating_add(token.children);
            // What is open takes at least a byte each.
            if (end as u64).saturating_add(open) > bytes_max as u64 {
                return Err(BadMessage::TooLong { bytes_max });
            }
            if token.len > rest.len() {
                return Ok(None);
            }
            (self.scanned, self.open) = (end, open);
        }
        self.open = 1;
        Ok(Some(self.buffer.split_to(std::mem::take(&mut self.scanned)).freeze()))
    }
}

/// Bytes that one read can take.
const ROOM: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_however_the_bytes_arrive() {
        let stream = b"\x82\xa1a\x92\x01\xc4\x02xy\xa1b\xc0\x05\xd9\x03abc";
        let values: [&[u8]; 3] = [&stream[..12], b"\x05", b"\xd9\x03abc"];
        for step in 1..=stream.len() {
            let (mut frames, mut found) = (Frames::new(64), Vec::new());
            for piece in stream.chunks(step) {
                frames.buffer().extend_from_slice(piece);
                while let Some(value) = frames.take().unwrap() {
                    found.push(value);
                }
            }
            assert_eq!(found, values, "in steps of {step}");
        }
    }

    #[test]
    fn a_value_beyond_the_bound_is_refused_by_its_head() {
        for head in [&b"\xdb\xff\xff\xff\xff"[..], b"\xc5\x00\x3e", b"\xdf\xff\xff\xff\xff"] {
            let mut frames = Frames::new(64);
            frames.buffer().extend_from_slice(head);
            assert_eq!(frames.take(), Err(BadMessage::TooLong { bytes_max: 64 }), "{head:x?}");
        }
        let mut frames = Frames::new(64);
        frames.buffer().extend_from_slice(&[&b"\xc4\x3e"[..], &[7; 62]].concat());
        assert_eq!(frames.take().unwrap().unwrap().len(), 64);
    }

    #[test]
    fn what_is_no_msgpack_is_refused() {
        let mut frames = Frames::new(64);
        frames.buffer().extend_from_slice(b"\x91\xc1");
        assert_eq!(frames.take(), Err(BadMessage::NotMsgpack));
    }
}
