//! Reading vector files, sealing and opening, and just enough compression to take a frame apart.

use std::path::Path;

use bytes::BytesMut;
use serde_json::Value;
use swim_core::envelope::{Compression, Crc, ExpandError, Outer, PacketError};

/// The nonce of what is not encrypted.
pub(crate) const NONE: [u8; 12] = [0; 12];

pub(crate) fn load(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    let lines = std::fs::read_to_string(path).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn text<'a>(record: &'a Value, field: &str) -> &'a str {
    record[field].as_str().unwrap()
}

pub(crate) fn bytes(record: &Value, field: &str) -> Vec<u8> {
    unhex(text(record, field))
}

pub(crate) fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn count(what: &str, found: usize, expected: usize) {
    println!("{what}: {found}");
    assert_eq!(found, expected, "{what}");
}

/// Seals `message` with the nonce in `like`.
pub(crate) fn seal(outer: &Outer<'_>, crc: Crc, like: &[u8], message: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    outer.seal_packet(crc, nonce_of_packet(outer, like), message, None, &mut out).unwrap();
    out.to_vec()
}

pub(crate) fn open(outer: &Outer<'_>, datagram: &[u8]) -> Result<Vec<u8>, PacketError> {
    outer.open_packet(datagram, &mut BytesMut::new()).map(<[u8]>::to_vec)
}

pub(crate) fn nonce_of_packet(outer: &Outer<'_>, datagram: &[u8]) -> [u8; 12] {
    let start = outer.label.header_len() + 1;
    if outer.encrypts() { datagram[start..start + 12].try_into().unwrap() } else { NONE }
}

/// Expands what is written the usual way, and "compresses" to the body that it last expanded: an
/// encoder need not match byte for byte, but these tests want to.
#[derive(Default)]
pub(crate) struct Lzw {
    pub(crate) body: Option<Vec<u8>>,
}

impl Compression for Lzw {
    fn compress(&mut self, _: &[u8], out: &mut BytesMut) {
        out.extend_from_slice(&[9]);
        out.extend_from_slice(self.body.as_ref().unwrap());
    }

    fn expand(&mut self, body: &[u8], out: &mut BytesMut) -> Result<(), ExpandError> {
        self.body = Some(body.to_vec());
        let raw = body.strip_prefix(b"\x82\xa4Algo\x00\xa3Buf").ok_or(ExpandError::Malformed)?;
        let head = match raw.first() {
            Some(0xda) => 3,
            Some(0xdb) => 5,
            _ => 1,
        };
        let mut decoder = weezl::decode::Decoder::new(weezl::BitOrder::Lsb, 8);
        let plain = decoder.decode(&raw[head..]).map_err(|_| ExpandError::Malformed)?;
        out.extend_from_slice(&plain);
        Ok(())
    }
}
