//! One key.

use core::fmt;

/// An AES key of 16, 24 or 32 bytes: AES-128, AES-192 or AES-256.
///
/// `Debug` prints the length only. Comparison is not constant-time: keys are compared only with
/// keys that an operator or an authenticated key query supplied.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// The key, then zeros; a length of 16, 24 or 32 says where it ends.
    bytes: [u8; 32],
    len: u8,
}

impl Key {
    /// A key of these bytes; fails unless there are 16, 24 or 32.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        let len = match bytes.len() {
            16 => 16,
            24 => 24,
            32 => 32,
            found => return Err(KeyError::Length { found }),
        };
        let mut padded = [0; 32];
        padded[..bytes.len()].copy_from_slice(bytes);
        Ok(Self { bytes: padded, len })
    }

    /// The bytes of the key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Prints `Key(32 bytes)`: whoever reads a log must not learn the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} bytes)", self.len)
    }
}

/// Why bytes are not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The number of bytes is not 16, 24 or 32.
    Length {
        /// How many bytes there were.
        found: usize,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => write!(f, "a key has 16, 24 or 32 bytes, not {found}"),
        }
    }
}

impl core::error::Error for KeyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_aes_key_lengths_are_keys() {
        for len in 0..70 {
            let key = Key::new(&[7; 70][..len]);
            match len {
                16 | 24 | 32 => assert_eq!(key.unwrap().as_bytes(), &[7; 70][..len]),
                found => assert_eq!(key, Err(KeyError::Length { found })),
            }
        }
    }

    #[test]
    fn debug_does_not_print_the_key() {
        assert_eq!(std::format!("{:?}", Key::new(&[0xab; 16]).unwrap()), "Key(16 bytes)");
    }

    #[test]
    fn a_key_differs_from_its_zero_padded_form() {
        assert_ne!(Key::new(&[0; 16]).unwrap(), Key::new(&[0; 32]).unwrap());
    }
}
