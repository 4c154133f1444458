//! What stands before every body (section 8.1).

use bytes::BytesMut;
use swim_core::wire::msgpack::Reader;

use super::BadMessage;
use super::read::{fields, text};
use super::write::Writer;

/// Starts a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestHeader {
    /// The name of the command.
    pub command: String,
    /// What the answer, and the records of a stream, are tagged with.
    pub seq: u64,
}

impl RequestHeader {
    /// A request for this command.
    pub fn new(command: impl Into<String>, seq: u64) -> Self {
        Self { command: command.into(), seq }
    }

    /// # Errors
    ///
    /// [`BadMessage`] says what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadMessage> {
        let mut header = Self::default();
        fields(&mut Reader::new(bytes), &["Command", "Seq"], |name, from| {
            match name {
                "Command" => header.command = text(from)?,
                _ => header.seq = from.u64()?,
            }
            Ok(())
        })?;
        Ok(header)
    }

    /// Appends the header.
    pub fn encode(&self, out: &mut BytesMut) {
        Writer::new(out).map(2).text("Command").text(&self.command).text("Seq").uint(self.seq);
    }
}

/// Starts an answer, and every record of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseHeader {
    /// That of the request.
    pub seq: u64,
    /// What went wrong; empty if nothing did.
    pub error: String,
}

impl ResponseHeader {
    /// An answer to the request of this number; without an error if `error` is empty.
    pub fn new(seq: u64, error: impl Into<String>) -> Self {
        Self { seq, error: error.into() }
    }

    /// # Errors
    ///
    /// [`BadMessage`] says what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadMessage> {
        let mut header = Self::default();
        fields(&mut Reader::new(bytes), &["Seq", "Error"], |name, from| {
            match name {
                "Seq" => header.seq = from.u64()?,
                _ => header.error = text(from)?,
            }
            Ok(())
        })?;
        Ok(header)
    }

    /// Appends the header.
    pub fn encode(&self, out: &mut BytesMut) {
        Writer::new(out).map(2).text("Error").text(&self.error).text("Seq").uint(self.seq);
    }
}
