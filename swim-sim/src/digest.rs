//! A digest of what nodes emit: same seed, same digest.

use swim_core::{Event, Exchange, Incarnation, Member};

use crate::draw::{K, fold};

/// A 64-bit hash over datagrams, exchanges, events and deadlines, in order.
///
/// One per node; a world combines them by node number, so that the order in which nodes happen to
/// run does not show. It is no cryptographic hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(K[0])
    }
}

impl Digest {
    /// The hash so far.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// Adds two words.
    #[inline]
    pub const fn words(&mut self, a: u64, b: u64) {
        let wide = (self.0 ^ a) as u128 * (K[1] ^ b) as u128;
        self.0 = (wide as u64) ^ ((wide >> 64) as u64) ^ a;
    }

    /// Adds bytes and their number.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        let (pairs, rest) = bytes.as_chunks::<16>();
        let mut h = self.0;
        for pair in pairs {
            let (a, b) = (word(&pair[..8]), word(&pair[8..]));
            h = fold(h ^ a, K[2] ^ b) ^ b;
        }
        let mut last = [0; 16];
        last[..rest.len()].copy_from_slice(rest);
        self.0 = fold(h ^ word(&last[..8]), K[3] ^ word(&last[8..])) ^ h;
        self.words(bytes.len() as u64, 0);
    }

    /// Adds a datagram that was handed out.
    #[inline]
    pub fn datagram(&mut self, at: u64, to: u64, bytes: &[u8]) {
        self.words(at, to << 8 | 1);
        self.bytes(bytes);
    }

    /// Adds a deadline.
    #[inline]
    pub const fn deadline(&mut self, at: u64) {
        self.words(at, 2);
    }

    /// Adds a stream action and its message.
    pub fn exchange(&mut self, at: u64, exchange: &Exchange, message: &[u8]) {
        let (tag, id) = match exchange {
            Exchange::Open { id, .. } => (1, id.0),
            // An inbound id is the world's own number, not something the node emitted.
            Exchange::Reply { .. } => (2, 0),
            Exchange::Refuse { .. } => (3, 0),
            Exchange::Close { .. } => (4, 0),
            Exchange::Cancel { id } => (5, id.0),
            _ => (6, 0),
        };
        self.words(at, tag << 8 | 3);
        self.words(id, message.len() as u64);
        self.bytes(message);
    }

    /// Adds an event.
    pub fn event(&mut self, at: u64, event: &Event) {
        let (tag, member) = match event {
            Event::Up(m) => (1, m),
            Event::Down { member, by, .. } => {
                self.bytes(by.as_ref().map_or(&[], |by| by.as_str().as_bytes()));
                (2, member)
            }
            Event::Changed(m) => (3, m),
            Event::Reaped(m) => (4, m),
            Event::Trusted(m) => (5, m),
            Event::Suspected { member, by, .. } => {
                self.bytes(by.as_str().as_bytes());
                (6, member)
            }
            Event::Confirmed { member, by, .. } => {
                self.bytes(by.as_str().as_bytes());
                (8, member)
            }
            other => {
                self.words(at, 7 << 8 | 4);
                return self.bytes(format!("{other:?}").as_bytes());
            }
        };
        self.words(at, tag << 8 | 4);
        self.member(member);
    }

    fn member(&mut self, member: &Member) {
        let Incarnation(incarnation) = member.incarnation();
        self.words(incarnation.into(), member.state() as u64);
        self.bytes(member.name().as_bytes());
        self.bytes(member.meta());
    }
}

fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("the caller cuts 8 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(f: impl Fn(&mut Digest)) -> u64 {
        let mut d = Digest::default();
        f(&mut d);
        d.value()
    }

    #[test]
    fn order_time_target_and_every_byte_count() {
        let base = of(|d| {
            d.datagram(1, 2, &[7; 70]);
            d.deadline(9);
        });
        let others = [
            of(|d| d.datagram(1, 2, &[7; 70])),
            of(|d| {
                d.deadline(9);
                d.datagram(1, 2, &[7; 70]);
            }),
            of(|d| {
                d.datagram(2, 2, &[7; 70]);
                d.deadline(9);
            }),
            of(|d| {
                d.datagram(1, 3, &[7; 70]);
                d.deadline(9);
            }),
            of(|d| {
                d.datagram(1, 2, &[7; 71]);
                d.deadline(9);
            }),
        ];
        assert!(others.iter().all(|&o| o != base));
        for i in 0..70 {
            let mut bytes = [7; 70];
            bytes[i] = 8;
            assert_ne!(of(|d| d.bytes(&bytes)), of(|d| d.bytes(&[7; 70])));
        }
        assert_ne!(of(|d| d.bytes(&[0; 3])), of(|d| d.bytes(&[0; 4])));
    }
}
