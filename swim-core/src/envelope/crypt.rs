//! The encrypted blob: version, nonce, ciphertext, tag (specification 1.5).

use bytes::{BufMut as _, BytesMut};

use crate::envelope::{DecryptError, SealError};
use crate::keyring::{Keyring, NONCE_LEN, TAG_LEN};

/// Random bytes of which no two encryptions under one key may share a value.
///
/// Drivers draw it from the operating system's generator, or from one seeded by it.
pub type Nonce = [u8; NONCE_LEN];

/// The form of what this node encrypts; both forms are always understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptionVersion {
    /// The plaintext is padded to a multiple of 16 bytes. For nodes that speak protocol 1.
    V0,
    /// No padding. For nodes that speak protocol 2 and above.
    #[default]
    V1,
}

impl EncryptionVersion {
    /// How many bytes encryption adds to a message at most: 45 or 29.
    pub const fn overhead(self) -> usize {
        match self {
            Self::V0 => HEADER_LEN + BLOCK_LEN + TAG_LEN,
            Self::V1 => HEADER_LEN + TAG_LEN,
        }
    }

    /// The length of the blob for a plaintext of `len` bytes.
    pub(crate) const fn blob_len(self, len: usize) -> usize {
        HEADER_LEN + len + self.padding_len(len) + TAG_LEN
    }

    const fn padding_len(self, len: usize) -> usize {
        match self {
            Self::V0 => BLOCK_LEN - len % BLOCK_LEN,
            Self::V1 => 0,
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Self::V0 => 0,
            Self::V1 => 1,
        }
    }

    fn of(byte: u8) -> Result<Self, DecryptError> {
        match byte {
            0 => Ok(Self::V0),
            1 => Ok(Self::V1),
            found => Err(DecryptError::Version { found }),
        }
    }
}

/// Appends the head of a blob; the plaintext goes after it.
pub(super) fn begin(version: EncryptionVersion, nonce: &Nonce, out: &mut BytesMut) {
    out.put_u8(version.byte());
    out.put_slice(nonce);
}

/// Encrypts everything after the head at `start`, in place, with the primary key.
pub(super) fn finish(
    keyring: &Keyring,
    version: EncryptionVersion,
    aad: &[u8],
    out: &mut BytesMut,
    start: usize,
) -> Result<(), SealError> {
    let key = keyring.expanded().next().ok_or(SealError::NoKey)?;
    let padding = version.padding_len(out.len() - start - HEADER_LEN);
    out.put_bytes(padding as u8, padding);
    let (head, text) = out[start..].split_at_mut(HEADER_LEN);
    let nonce = head.last_chunk().expect("the nonce ends the head");
    let tag = key.seal(nonce, aad, text).ok_or(SealError::Unsupported)?;
    out.put_slice(&tag);
    Ok(())
}

/// Decrypts `blob` into `buffer` with the first key of the ring that opens it.
pub(super) fn open<'b>(
    keyring: &Keyring,
    aad: &[u8],
    blob: &[u8],
    buffer: &'b mut BytesMut,
) -> Result<&'b [u8], DecryptError> {
    let (&version, _) = blob.split_first().ok_or(DecryptError::Empty)?;
    let version = EncryptionVersion::of(version)?;
    let too_short = DecryptError::TooShort { len: blob.len(), len_min: version.overhead() };
    if blob.len() < version.overhead() {
        return Err(too_short);
    }
    let (nonce, sealed) = blob[1..].split_first_chunk().ok_or(too_short)?;
    let (ciphertext, tag) = sealed.split_last_chunk().ok_or(too_short)?;
    let opened = keyring.expanded().any(|key| {
        buffer.clear();
        buffer.extend_from_slice(ciphertext);
        key.open(nonce, aad, buffer, tag)
    });
    if !opened {
        buffer.clear();
        return Err(DecryptError::NoKey { tried: keyring.len() });
    }
    let padding = match version {
        EncryptionVersion::V0 => padding(buffer)?,
        EncryptionVersion::V1 => 0,
    };
    Ok(&buffer[..buffer.len() - padding])
}

/// How much padding `text` ends with, as its last byte says: at most a block, and not more than
/// there is. The other padding bytes are not looked at; memberlist does not look at them either,
/// and what a key holder wrote there does no harm.
fn padding(text: &[u8]) -> Result<usize, DecryptError> {
    let found = text.last().copied().unwrap_or(0);
    let len = usize::from(found);
    if len == 0 || len > BLOCK_LEN || len > text.len() {
        return Err(DecryptError::Padding { found });
    }
    Ok(len)
}

const HEADER_LEN: usize = 1 + NONCE_LEN;
const BLOCK_LEN: usize = 16;
