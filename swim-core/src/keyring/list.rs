//! The keys of a node, and the rules for changing them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::keyring::Key;
use crate::keyring::cipher::{Aead, expand};

/// An ordered list of keys; the first is the primary.
///
/// Encryption is on exactly while the ring is not empty. A clone is cheap and shares the key
/// schedules, so a driver can keep the ring that it seals with while the node changes its own.
///
/// The ring holds at most [`Keyring::KEYS_MAX`] keys, because every key is one more decryption of
/// each datagram that no key opens.
#[derive(Clone, Default)]
pub struct Keyring {
    /// No key occurs twice.
    entries: Arc<Vec<Entry>>,
}

#[derive(Clone)]
struct Entry {
    key: Key,
    expanded: Arc<dyn Aead>,
}

impl Keyring {
    /// How many keys a ring holds at most.
    ///
    /// A rotation needs two, a rotation that overlaps another one three. 64 leaves room for rings
    /// that nobody cleans up and keeps the cost of a forged datagram below 64 decryptions.
    pub const KEYS_MAX: usize = 64;

    /// A ring of one key.
    pub fn new(primary: Key) -> Self {
        Self { entries: Arc::new(alloc::vec![Entry::new(primary)]) }
    }

    /// A ring without keys: encryption is off.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A ring of `primary` and then `others`; duplicates are left out.
    ///
    /// Fails with [`KeyringError::Full`] if more than [`Keyring::KEYS_MAX`] different keys are
    /// given.
    pub fn with_keys(
        primary: Key,
        others: impl IntoIterator<Item = Key>,
    ) -> Result<Self, KeyringError> {
        let mut ring = Self::new(primary);
        for key in others {
            ring.add(key)?;
        }
        Ok(ring)
    }

    /// Appends `key`; the first key of an empty ring becomes its primary.
    ///
    /// Returns whether the ring changed: a key that is already there changes nothing.
    pub fn add(&mut self, key: Key) -> Result<bool, KeyringError> {
        if self.contains(&key) {
            return Ok(false);
        }
        if self.entries.len() >= Self::KEYS_MAX {
            return Err(KeyringError::Full { keys_max: Self::KEYS_MAX });
        }
        Arc::make_mut(&mut self.entries).push(Entry::new(key));
        Ok(true)
    }

    /// Makes `key`, which must be in the ring, the primary; the others keep their order.
    ///
    /// Returns whether the ring changed.
    pub fn use_key(&mut self, key: &Key) -> Result<bool, KeyringError> {
        match self.position(key) {
            None => Err(KeyringError::Unknown),
            Some(0) => Ok(false),
            Some(at) => {
                Arc::make_mut(&mut self.entries)[..=at].rotate_right(1);
                Ok(true)
            }
        }
    }

    /// Removes `key`, which must not be the primary.
    ///
    /// Returns whether the ring changed: a key that is not there changes nothing.
    pub fn remove(&mut self, key: &Key) -> Result<bool, KeyringError> {
        match self.position(key) {
            None => Ok(false),
            Some(0) => Err(KeyringError::Primary),
            Some(at) => {
                Arc::make_mut(&mut self.entries).remove(at);
                Ok(true)
            }
        }
    }

    /// The keys, primary first.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Key> + '_ {
        self.entries.iter().map(|entry| &entry.key)
    }

    /// The key that seals; `None` in an empty ring.
    pub fn primary(&self) -> Option<&Key> {
        self.entries.first().map(|entry| &entry.key)
    }

    /// Whether `key` is in the ring.
    pub fn contains(&self, key: &Key) -> bool {
        self.position(key).is_some()
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key, which means that encryption is off.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The expanded keys, primary first.
    pub(crate) fn expanded(&self) -> impl ExactSizeIterator<Item = &dyn Aead> + '_ {
        self.entries.iter().map(|entry| &*entry.expanded)
    }

    fn position(&self, key: &Key) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == *key)
    }
}

impl Entry {
    fn new(key: Key) -> Self {
        let expanded = expand(&key);
        Self { key, expanded }
    }
}

/// Two rings are equal if they hold the same keys in the same order.
impl PartialEq for Keyring {
    fn eq(&self, other: &Self) -> bool {
        self.keys().eq(other.keys())
    }
}

impl Eq for Keyring {}

/// Prints the number of keys and the length of each, never a key.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys()).finish()
    }
}

/// Why a ring refused a change; it is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyringError {
    /// The key to use is not in the ring.
    Unknown,
    /// The key to remove is the primary: another one has to be used first.
    Primary,
    /// The ring holds as many keys as it may.
    Full {
        /// How many that is.
        keys_max: usize,
    },
}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the key is not in the keyring"),
            Self::Primary => f.write_str("the primary key cannot be removed"),
            Self::Full { keys_max } => write!(f, "the keyring holds {keys_max} keys already"),
        }
    }
}

impl core::error::Error for KeyringError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> Key {
        Key::new(&[n; 16]).unwrap()
    }

    fn order(ring: &Keyring) -> Vec<u8> {
        ring.keys().map(|key| key.as_bytes()[0]).collect()
    }

    #[test]
    fn first_key_of_an_empty_ring_becomes_primary() {
        let mut ring = Keyring::empty();
        assert_eq!(ring.primary(), None);
        assert_eq!(ring.add(key(1)), Ok(true));
        assert_eq!(ring.add(key(2)), Ok(true));
        assert_eq!(ring.primary(), Some(&key(1)));
    }

    #[test]
    fn adding_a_duplicate_changes_nothing() {
        let mut ring = Keyring::with_keys(key(1), [key(2), key(1), key(2)]).unwrap();
        assert_eq!(ring.add(key(2)), Ok(false));
        assert_eq!(order(&ring), [1, 2]);
    }

    #[test]
    fn using_a_key_moves_it_to_the_front_and_keeps_the_rest_in_order() {
        let mut ring = Keyring::with_keys(key(1), [key(2), key(3), key(4)]).unwrap();
        assert_eq!(ring.use_key(&key(3)), Ok(true));
        assert_eq!(order(&ring), [3, 1, 2, 4]);
        assert_eq!(ring.use_key(&key(3)), Ok(false));
        assert_eq!(ring.use_key(&key(9)), Err(KeyringError::Unknown));
        assert_eq!(order(&ring), [3, 1, 2, 4]);
    }

    #[test]
    fn the_primary_cannot_be_removed_and_an_absent_key_is_ignored() {
        let mut ring = Keyring::with_keys(key(1), [key(2)]).unwrap();
        assert_eq!(ring.remove(&key(1)), Err(KeyringError::Primary));
        assert_eq!(ring.remove(&key(9)), Ok(false));
        assert_eq!(ring.remove(&key(2)), Ok(true));
        assert_eq!(order(&ring), [1]);
    }

    /// Hazard 29 of the memberlist specification.
    #[test]
    fn removing_from_an_empty_ring_does_nothing() {
        assert_eq!(Keyring::empty().remove(&key(1)), Ok(false));
        assert_eq!(Keyring::empty().use_key(&key(1)), Err(KeyringError::Unknown));
    }

    #[test]
    fn a_full_ring_refuses_a_new_key_but_not_a_duplicate() {
        let mut ring = Keyring::with_keys(key(0), (1..64).map(key)).unwrap();
        assert_eq!(ring.add(key(64)), Err(KeyringError::Full { keys_max: 64 }));
        assert_eq!(ring.add(key(63)), Ok(false));
        assert_eq!(ring.len(), 64);
    }

    #[test]
    fn a_clone_is_independent() {
        let mut ring = Keyring::new(key(1));
        let before = ring.clone();
        ring.add(key(2)).unwrap();
        assert_eq!(order(&before), [1]);
        assert_ne!(ring, before);
    }

    #[test]
    fn debug_does_not_print_keys() {
        let ring = Keyring::new(Key::new(&[0xab; 32]).unwrap());
        assert_eq!(std::format!("{ring:?}"), "[Key(32 bytes)]");
    }
}
