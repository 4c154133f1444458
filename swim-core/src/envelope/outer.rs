//! The settings of the outermost layers.

use crate::envelope::{EncryptionVersion, Label, LabelCheck};
use crate::keyring::Keyring;

/// The settings of the outermost layers, borrowed: as cheap to make anew for each datagram as to
/// keep.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Outer<'a> {
    /// The cluster's label.
    pub label: Label<'a>,
    /// The keys. An empty ring means that nothing is encrypted or decrypted.
    pub keyring: &'a Keyring,
    /// What this node encrypts with. Default: [`EncryptionVersion::V1`].
    pub version: EncryptionVersion,
    /// Whether what comes in has to be encrypted while there are keys. Default: enforced.
    pub incoming: Verify,
    /// Whether what goes out is encrypted while there are keys. Default: enforced.
    pub outgoing: Verify,
    /// What to do about the label of what comes in. Default: it has to match.
    pub label_check: LabelCheck,
}

/// Whether encryption is enforced in one direction while there are keys.
///
/// A plaintext cluster becomes an encrypted one without downtime by giving every node a key with
/// both directions tolerant, then enforcing outgoing everywhere, then incoming.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verify {
    /// Outgoing: encrypt. Incoming: refuse what does not decrypt.
    #[default]
    Enforced,
    /// Outgoing: send in clear. Incoming: take what does not decrypt as plaintext.
    Tolerant,
}

impl<'a> Outer<'a> {
    /// Settings with this label and ring and defaults for the rest.
    pub fn new(label: Label<'a>, keyring: &'a Keyring) -> Self {
        Self {
            label,
            keyring,
            version: EncryptionVersion::default(),
            incoming: Verify::default(),
            outgoing: Verify::default(),
            label_check: LabelCheck::default(),
        }
    }

    /// Whether what goes out is encrypted.
    pub fn encrypts(&self) -> bool {
        !self.keyring.is_empty() && self.outgoing == Verify::Enforced
    }

    /// How many bytes label and encryption add to a datagram at most (1.8). The five bytes of a CRC
    /// are not in it.
    pub fn overhead(&self) -> usize {
        let encryption = if self.encrypts() { self.version.overhead() } else { 0 };
        self.label.header_len() + encryption
    }

    /// Whether a label found on what came in, empty if there was no header, is acceptable (1.7).
    pub(super) fn accepts_label(&self, found: &[u8]) -> bool {
        match self.label_check {
            LabelCheck::Match => found == self.label.as_bytes(),
            LabelCheck::Stripped => found.is_empty(),
        }
    }
}
