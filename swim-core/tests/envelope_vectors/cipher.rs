//! What only tests with a cipher need.

use bytes::BytesMut;
use serde_json::Value;
use swim_core::envelope::{EncryptionVersion, FrameBuffers, FrameError, FrameReader, Outer};
use swim_core::keyring::{Key, Keyring};
use swim_core::wire::stream::{Limits, Role};

use crate::support::{Lzw, NONE, unhex};

pub(crate) fn ring(keys: &[&str]) -> Keyring {
    let mut ring = Keyring::empty();
    for key in keys {
        ring.add(Key::new(&unhex(key)).unwrap()).unwrap();
    }
    ring
}

pub(crate) fn optional(record: &Value, field: &str) -> Option<Vec<u8>> {
    record.get(field).and_then(Value::as_str).map(unhex)
}

pub(crate) fn string(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub(crate) fn with_version<'a>(mut outer: Outer<'a>, version: &Value) -> Outer<'a> {
    outer.version = match version.as_u64().unwrap() {
        0 => EncryptionVersion::V0,
        _ => EncryptionVersion::V1,
    };
    outer
}

/// Finds and opens the frame in `stream`, which arrives in one piece, byte by byte, and in random
/// pieces: every way must end alike.
pub(crate) fn receive(
    outer: &Outer<'_>,
    role: Role,
    stream: &[u8],
    lzw: &mut Lzw,
) -> Result<Option<Vec<u8>>, FrameError> {
    let whole = FrameReader::new(*outer, role, Limits::default()).advance(stream);
    let mut random = 12345u32;
    for most in [1u32, 2, 7, 100] {
        let mut reader = FrameReader::new(*outer, role, Limits::default());
        let mut end = 0;
        let chopped = loop {
            random = random.wrapping_mul(1664525).wrapping_add(1013904223);
            end = stream.len().min(end + 1 + (random >> 8) as usize % most as usize);
            match reader.advance(&stream[..end]) {
                Ok(None) if end < stream.len() => {}
                outcome => break outcome,
            }
        };
        assert_eq!(chopped, whole);
    }
    let Some(frame) = whole? else { return Ok(None) };
    assert_eq!(frame.end, stream.len());
    let mut buffers = FrameBuffers::default();
    let message = outer.open_frame(role, &stream[frame], lzw, &mut buffers)?;
    Ok(Some(message.to_vec()))
}

/// Seals `message` as `stream` was sealed: with its nonce, and its compressed form if it has one.
pub(crate) fn send(
    outer: &Outer<'_>,
    role: Role,
    stream: &[u8],
    message: &[u8],
    mut lzw: Lzw,
) -> Vec<u8> {
    let header_len = if role == Role::Dialer { outer.label.header_len() } else { 0 };
    let nonce = if outer.encrypts() {
        stream[header_len + 6..header_len + 18].try_into().unwrap()
    } else {
        NONE
    };
    let mut out = BytesMut::new();
    let compressor = lzw.used().then_some(&mut lzw as _);
    outer.seal_frame(role, nonce, message, compressor, &mut out).unwrap();
    out.to_vec()
}

impl Lzw {
    pub(crate) fn with_body(body: &[u8]) -> Self {
        Self { body: Some(body.to_vec()) }
    }

    pub(crate) fn used(&self) -> bool {
        self.body.is_some()
    }
}
