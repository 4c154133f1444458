//! Rotation of keys by queries (section 4.7).

use core::fmt;

use bytes::BytesMut;

use crate::wire::DecodeError;
use crate::wire::body::Body;
use crate::wire::msgpack::{Reader, head_len, opt_raw_len, raw_len, write};
use crate::wire::serf::kind::decoder;
use crate::wire::serf::{Kind, List};

/// The payload of `_serf_install-key`, `_serf_use-key` and `_serf_remove-key` (serf spec 4.7).
///
/// A query of these must have it: every Serf crashes on an empty payload (serf spec 13.1).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyRequest<'a> {
    /// The raw key, of 16, 24 or 32 bytes; empty in `_serf_list-keys`.
    pub key: Option<&'a [u8]>,
}

/// The payload of a response to a key query (serf spec 4.7).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyResponse<'a> {
    /// Whether the responder did what was asked.
    pub result: bool,
    /// Why not, or that the list is not the whole one.
    pub message: &'a [u8],
    /// The keys in base64; only for a list.
    pub keys: Option<List<'a, &'a [u8]>>,
    /// The key that encrypts, in base64; only for a list, and only since Serf 0.9.4.
    pub primary_key: &'a [u8],
}

decoder!(KeyRequest, KeyRequest);
decoder!(KeyResponse, KeyResponse);

impl KeyRequest<'_> {
    /// Appends type byte and body.
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::KeyRequest.byte(), 0x81]);
            to.put(b"\xa3Key");
            to.opt_raw(self.key);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub const fn encoded_len(&self) -> usize {
        2 + 4 + opt_raw_len(self.key)
    }
}

impl KeyResponse<'_> {
    /// Appends type byte and body.
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::KeyResponse.byte(), 0x84]);
            to.put(b"\xa4Keys");
            match self.keys {
                None => to.put(&[0xc0]),
                Some(keys) => {
                    to.list(keys.len());
                    keys.iter().for_each(|key| to.raw(key));
                }
            }
            to.put(b"\xa7Message");
            to.raw(self.message);
            to.put(b"\xaaPrimaryKey");
            to.raw(self.primary_key);
            to.put(b"\xa6Result");
            to.bool(self.result);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub fn encoded_len(&self) -> usize {
        let keys = self
            .keys
            .map_or(1, |keys| head_len(keys.len()) + keys.iter().map(raw_len).sum::<usize>());
        2 + 5 + keys + 8 + raw_len(self.message) + 11 + raw_len(self.primary_key) + 7 + 1
    }
}

impl<'a> Body<'a> for KeyRequest<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"Key"];

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.key = from.bytes()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

impl<'a> Body<'a> for KeyResponse<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"Result", b"Message", b"Keys", b"PrimaryKey"];

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.result = from.bool()?,
            1 => self.message = from.text()?,
            2 => self.keys = List::read(from)?,
            3 => self.primary_key = from.text()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

/// The key is not printed.
impl fmt::Debug for KeyRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.key.map(<[u8]>::len);
        f.debug_struct("KeyRequest").field("key_bytes", &bytes).finish_non_exhaustive()
    }
}

/// The keys are not printed.
impl fmt::Debug for KeyResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyResponse")
            .field("result", &self.result)
            .field("message", &format_args!("{}", self.message.escape_ascii()))
            .field("keys", &self.keys.map(|keys| keys.len()))
            .finish_non_exhaustive()
    }
}
