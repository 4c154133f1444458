//! The keys of a cluster and the rules of their rotation (memberlist specification 1.5).
//!
//! A [`Keyring`] is an ordered list: its first key is the primary, which seals everything that goes
//! out; what comes in is tried against every key in order. The ring is pure data with rotation
//! rules; [`envelope`](crate::envelope) puts it to use. Beside each key it keeps the expanded AES
//! key schedule, so that sealing a datagram costs no key set-up.
//!
//! Keys are not wiped from memory when dropped: that cannot be done reliably without `unsafe`.

mod cipher;
mod key;
mod list;

pub(crate) use cipher::{NONCE_LEN, TAG_LEN};
pub use key::{Key, KeyError};
pub use list::{Keyring, KeyringError};
