//! Type bytes.

/// What a message is: its first byte (memberlist spec 1.1).
///
/// Encrypted *packets* have no type byte; they start with the version of the encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// A direct probe; packet or stream.
    Ping = 0,
    /// A request to probe a third node; packet.
    IndirectPing = 1,
    /// The answer to a ping; packet or stream reply.
    Ack = 2,
    /// A claim that a node is suspect; packet.
    Suspect = 3,
    /// A claim that a node is alive, with all that is known of it; packet.
    Alive = 4,
    /// A claim that a node is dead or has left; packet.
    Dead = 5,
    /// An exchange of the whole state; stream.
    PushPull = 6,
    /// Several messages in one packet.
    Compound = 7,
    /// An application's bytes; packet or stream.
    User = 8,
    /// A compressed message; packet or stream.
    Compressed = 9,
    /// An encrypted frame of a stream.
    Encrypted = 10,
    /// A helper's word that it got no ack in time; packet.
    Nack = 11,
    /// A message behind its CRC-32; outermost in a packet.
    Crc = 12,
    /// Why a request was refused; stream reply.
    Error = 13,
    /// The label of a packet or stream.
    Label = 244,
}

impl Kind {
    /// The kind with this type byte, if there is one.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Ping,
            1 => Self::IndirectPing,
            2 => Self::Ack,
            3 => Self::Suspect,
            4 => Self::Alive,
            5 => Self::Dead,
            6 => Self::PushPull,
            7 => Self::Compound,
            8 => Self::User,
            9 => Self::Compressed,
            10 => Self::Encrypted,
            11 => Self::Nack,
            12 => Self::Crc,
            13 => Self::Error,
            244 => Self::Label,
            _ => return None,
        })
    }

    /// The type byte.
    pub const fn byte(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_byte_maps_to_itself() {
        let known = (0..=255u8).filter_map(Kind::from_byte).inspect(|k| {
            assert_eq!(Kind::from_byte(k.byte()), Some(*k));
        });
        assert_eq!(known.count(), 15);
    }
}
