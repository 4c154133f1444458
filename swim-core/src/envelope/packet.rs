//! Datagrams.

use bytes::BytesMut;

use crate::envelope::compress::{Compressor, put_smaller};
use crate::envelope::{Nonce, Outer, PacketError, SealError, Verify, crc, crypt, split_label};

/// Whether a datagram gets a CRC: only where the receiver is known to understand it (1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Crc {
    /// Add a CRC, five bytes.
    Add,
    /// Add none.
    Omit,
}

impl Outer<'_> {
    /// Appends the datagram for `message` to `out`.
    ///
    /// `message` is a complete message, or a compound of several. With a compressor it is
    /// compressed if that makes it smaller. `nonce` counts only if [`Outer::encrypts`]. On error
    /// `out` is as it was.
    pub fn seal_packet(
        &self,
        crc: Crc,
        nonce: Nonce,
        message: &[u8],
        compressor: Option<&mut dyn super::Compression>,
        out: &mut BytesMut,
    ) -> Result<(), SealError> {
        if message.len() > PACKET_BYTES_MAX {
            let bytes_max = PACKET_BYTES_MAX;
            return Err(SealError::TooLong { len: message.len(), bytes_max });
        }
        let start = out.len();
        out.reserve(message.len() + self.overhead() + CRC_LEN);
        self.label.put_header(out);
        let blob = out.len();
        if !self.encrypts() {
            put_body(crc, message, compressor, out);
            return Ok(());
        }
        crypt::begin(self.version, &nonce, out);
        put_body(crc, message, compressor, out);
        crypt::finish(self.keyring, self.version, self.label.as_bytes(), out, blob)
            .inspect_err(|_| out.truncate(start))
    }

    /// The message in `datagram`, never empty: label, encryption and CRC are checked and taken off.
    ///
    /// `buffer` is overwritten if there is something to decrypt. Keep it from call to call; it does
    /// not grow beyond the largest datagram.
    pub fn open_packet<'b>(
        &self,
        datagram: &'b [u8],
        buffer: &'b mut BytesMut,
    ) -> Result<&'b [u8], PacketError> {
        let (label, sealed) = split_label(datagram).map_err(PacketError::Label)?;
        if !self.accepts_label(label) {
            return Err(PacketError::Unacceptable { label_len: label.len() });
        }
        let message = crc::strip(self.decrypt_packet(sealed, buffer)?)?;
        if message.is_empty() {
            return Err(PacketError::Empty);
        }
        Ok(message)
    }

    fn decrypt_packet<'b>(
        &self,
        sealed: &'b [u8],
        buffer: &'b mut BytesMut,
    ) -> Result<&'b [u8], PacketError> {
        if self.keyring.is_empty() {
            return Ok(sealed);
        }
        match crypt::open(self.keyring, self.label.as_bytes(), sealed, buffer) {
            Ok(message) => Ok(message),
            Err(_) if self.incoming == Verify::Tolerant => Ok(sealed),
            Err(error) => Err(PacketError::Decrypt(error)),
        }
    }
}

fn put_body(crc: Crc, message: &[u8], compressor: Compressor<'_>, out: &mut BytesMut) {
    let start = out.len();
    match crc {
        Crc::Omit => put_smaller(message, compressor, out),
        Crc::Add => {
            crc::begin(out);
            put_smaller(message, compressor, out);
            crc::finish(out, start);
        }
    }
}

/// No UDP datagram is longer.
const PACKET_BYTES_MAX: usize = 65_535;
const CRC_LEN: usize = 5;
