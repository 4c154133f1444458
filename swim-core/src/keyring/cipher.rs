//! The seam to the AES-GCM implementations: one trait, one value per key.

use alloc::sync::Arc;
use core::panic::{RefUnwindSafe, UnwindSafe};

use crate::keyring::Key;

/// An expanded key: AES-GCM with a 96-bit nonce and a 128-bit tag, in place.
pub(crate) trait Aead: Send + Sync + UnwindSafe + RefUnwindSafe {
    /// Encrypts `text` in place and returns its tag; `None` if this build has no cipher.
    fn seal(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], text: &mut [u8]) -> Option<[u8; TAG_LEN]>;

    /// Decrypts `text` in place if `tag` is right. Otherwise returns false and leaves unspecified
    /// bytes in `text`: ring decrypts while it authenticates.
    fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> bool;
}

/// Expands `key` with the fastest implementation in this build that has its length.
pub(super) fn expand(key: &Key) -> Arc<dyn Aead> {
    #[cfg(feature = "ring")]
    if let Some(expanded) = asm::expand(key.as_bytes()) {
        return expanded;
    }
    #[cfg(feature = "encryption")]
    return soft::expand(key.as_bytes());
    #[cfg(not(feature = "encryption"))]
    return absent::expand(key.as_bytes());
}

pub(crate) const NONCE_LEN: usize = 12;
pub(crate) const TAG_LEN: usize = 16;

#[cfg(feature = "ring")]
mod asm {
    use super::*;

    use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};

    /// `None` for a length that ring does not have.
    pub(super) fn expand(key: &[u8]) -> Option<Arc<dyn Aead>> {
        let algorithm = match key.len() {
            16 => &AES_128_GCM,
            32 => &AES_256_GCM,
            _ => return None,
        };
        let key = UnboundKey::new(algorithm, key).ok()?;
        Some(Arc::new(Asm(LessSafeKey::new(key))))
    }

    struct Asm(LessSafeKey);

    impl Aead for Asm {
        fn seal(&self, nonce: &[u8; 12], aad: &[u8], text: &mut [u8]) -> Option<[u8; TAG_LEN]> {
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), text).ok()?;
            tag.as_ref().try_into().ok()
        }

        fn open(&self, nonce: &[u8; 12], aad: &[u8], text: &mut [u8], tag: &[u8; TAG_LEN]) -> bool {
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let (aad, tag) = (Aad::from(aad), Tag::from(*tag));
            self.0.open_in_place_separate_tag(nonce, aad, tag, text, 0..).is_ok()
        }
    }
}

#[cfg(feature = "encryption")]
mod soft {
    use super::*;

    use aes_gcm::aead::AeadInOut;
    use aes_gcm::aead::consts::{U12, U16};
    use aes_gcm::aes::Aes192;
    use aes_gcm::{Aes128Gcm, Aes256Gcm, AesGcm, KeyInit};

    /// `key` has 16, 24 or 32 bytes, being a [`Key`].
    pub(super) fn expand(key: &[u8]) -> Arc<dyn Aead> {
        match key.len() {
            16 => soft::<Aes128Gcm>(key),
            24 => soft::<AesGcm<Aes192, U12>>(key),
            _ => soft::<Aes256Gcm>(key),
        }
    }

    fn soft<A>(key: &[u8]) -> Arc<dyn Aead>
    where
        A: KeyInit + AeadInOut<NonceSize = U12, TagSize = U16>,
        A: Send + Sync + UnwindSafe + RefUnwindSafe + 'static,
    {
        Arc::new(Soft(A::new_from_slice(key).expect("the length chose the cipher")))
    }

    struct Soft<A>(A);

    impl<A> Aead for Soft<A>
    where
        A: AeadInOut<NonceSize = U12, TagSize = U16> + Send + Sync + UnwindSafe + RefUnwindSafe,
    {
        fn seal(&self, nonce: &[u8; 12], aad: &[u8], text: &mut [u8]) -> Option<[u8; TAG_LEN]> {
            self.0.encrypt_inout_detached(nonce.into(), aad, text.into()).ok().map(Into::into)
        }

        fn open(&self, nonce: &[u8; 12], aad: &[u8], text: &mut [u8], tag: &[u8; TAG_LEN]) -> bool {
            self.0.decrypt_inout_detached(nonce.into(), aad, text.into(), tag.into()).is_ok()
        }
    }
}

#[cfg(not(feature = "encryption"))]
mod absent {
    use super::*;

    pub(super) fn expand(_key: &[u8]) -> Arc<dyn Aead> {
        Arc::new(Absent)
    }

    struct Absent;

    impl Aead for Absent {
        fn seal(&self, _: &[u8; 12], _: &[u8], _: &mut [u8]) -> Option<[u8; TAG_LEN]> {
            None
        }

        fn open(&self, _: &[u8; 12], _: &[u8], _: &mut [u8], _: &[u8; TAG_LEN]) -> bool {
            false
        }
    }
}

#[cfg(all(test, feature = "encryption"))]
mod tests {
    use super::*;

    /// The two implementations must agree, or a cluster of mixed builds falls apart.
    #[test]
    fn every_backend_seals_alike() {
        for len in [16, 24, 32] {
            let key = [0x5a; 32];
            let default = expand(&Key::new(&key[..len]).unwrap());
            let soft = soft::expand(&key[..len]);
            for text_len in [0, 1, 15, 16, 17, 1400] {
                let (mut a, mut b) = (std::vec![3; text_len], std::vec![3; text_len]);
                let tag = default.seal(&[9; 12], b"aad", &mut a);
                assert_eq!(tag, soft.seal(&[9; 12], b"aad", &mut b));
                assert_eq!(a, b);
                assert!(soft.open(&[9; 12], b"aad", &mut a, &tag.unwrap()));
                assert!(default.open(&[9; 12], b"aad", &mut b, &tag.unwrap()));
                assert_eq!((a, b), (std::vec![3; text_len], std::vec![3; text_len]));
            }
        }
    }
}
