//! The outermost layers of a datagram or stream: CRC, encryption and label (memberlist
//! specification 1.2, 1.5 to 1.7, 3.1 and 3.2).
//!
//! Drivers call this between the node and a socket: what the node emits is sealed, what arrives is
//! opened. All settings are in one borrowed [`Outer`]; randomness (nonces) and buffers are the
//! caller's. Compounds and compressed parts of a datagram nest, so they are taken apart by
//! [`wire`](crate::wire), not here.
//!
//! What arrives is never changed: decryption works on a copy in a buffer that the caller keeps, so
//! steady state allocates nothing. The copy is needed because one cipher backend overwrites the
//! text before it knows whether the key was right, and the same bytes may have to be tried with the
//! next key or be taken as plaintext; it costs 2 to 6 % of a decryption.

mod compress;
mod crc;
mod crypt;
mod error;
mod frame;
mod label;
mod outer;
mod packet;

pub use compress::{Compression, ExpandError, Lzw};
pub use crypt::{EncryptionVersion, Nonce};
pub use error::{DecryptError, FrameError, PacketError, SealError};
pub use frame::{FrameBuffers, FrameReader};
pub use label::{Label, LabelCheck, LabelError, split_label};
pub use outer::{Outer, Verify};
pub use packet::Crc;
