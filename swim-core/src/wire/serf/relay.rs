//! A message to be passed on (section 4.5).

use bytes::BytesMut;

use crate::wire::DecodeError;
use crate::wire::body::{self, Body};
use crate::wire::msgpack::{Reader, opt_raw_len, raw_len, uint_len, write};
use crate::wire::serf::{Kind, TooLong};

/// A message that a helper passes on as it is (serf spec 4.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relay<'a> {
    /// Where to.
    pub to: Destination<'a>,
    /// Name of the node that it is for; empty before Serf 0.9.0.
    pub node: &'a [u8],
    /// The message, type byte first; nothing says that it is one.
    pub inner: &'a [u8],
}

/// An address as Go writes it (serf spec 1.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Destination<'a> {
    /// IP address: 4 or 16 bytes.
    pub ip: Option<&'a [u8]>,
    /// UDP port.
    pub port: u16,
    /// Scope of a link-local IPv6 address, as text.
    pub zone: &'a [u8],
}

impl<'a> Relay<'a> {
    /// Decodes type byte and header; the rest is the inner message.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] says what is wrong with the bytes; [`DecodeError::Unsupported`] if they are
    /// a message of another kind.
    pub fn decode(message: &'a [u8]) -> Result<Self, DecodeError> {
        let body = Kind::Relay.body(message)?;
        let (Header { to, node }, len) = body::decode_prefix(body)?;
        Ok(Self { to, node, inner: &body[len..] })
    }

    /// Checks what is to be sent against the limit of responses (serf spec 1.7).
    ///
    /// # Errors
    ///
    /// [`TooLong`] if the message exceeds `bytes_max`.
    pub const fn fits(&self, bytes_max: usize) -> Result<(), TooLong> {
        let len = self.encoded_len();
        match len > bytes_max {
            true => Err(TooLong::Response { len, max: bytes_max }),
            false => Ok(()),
        }
    }

    /// Appends type byte, header and inner message.
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::Relay.byte(), 0x82]);
            to.put(b"\xa8DestAddr\x83\xa2IP");
            to.opt_raw(self.to.ip);
            to.put(b"\xa4Port");
            to.uint(u32::from(self.to.port));
            to.put(b"\xa4Zone");
            to.raw(self.to.zone);
            to.put(b"\xa8DestName");
            to.raw(self.node);
            to.bytes(self.inner);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub const fn encoded_len(&self) -> usize {
        let port = uint_len(self.to.port as u32);
        let to = 10 + 3 + opt_raw_len(self.to.ip) + 5 + port + 5 + raw_len(self.to.zone);
        2 + to + 9 + raw_len(self.node) + self.inner.len()
    }
}

#[derive(Default)]
struct Header<'a> {
    to: Destination<'a>,
    node: &'a [u8],
}

impl<'a> Body<'a> for Header<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"DestAddr", b"DestName"];

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.to = body::read(from)?,
            1 => self.node = from.text()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

impl<'a> Body<'a> for Destination<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"IP", b"Port", b"Zone"];

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.ip = from.bytes()?,
            1 => self.port = from.u16()?,
            2 => self.zone = from.text()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}
