//! What a node knows of a member whose name is claimed twice (section 3.9).

use bytes::BytesMut;

use crate::wire::DecodeError;
use crate::wire::body::{self, Body};
use crate::wire::msgpack::{
    Reader, Writer, head_len, int_len, opt_raw_len, raw_len, uint_len, write,
};
use crate::wire::serf::{Kind, List};

/// The payload of a response to `_serf_conflict` (serf spec 3.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conflict<'a> {
    /// The member as the responder knows it, if it does.
    pub member: Option<MemberRecord<'a>>,
}

/// A member as another one knows it (serf spec 1.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberRecord<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its IP address: 4 or 16 bytes.
    pub addr: Option<&'a [u8]>,
    /// Its gossip port.
    pub port: u16,
    /// Its tags, in any order.
    pub tags: Option<List<'a, (&'a [u8], &'a [u8])>>,
    /// 0 none, 1 alive, 2 leaving, 3 left, 4 failed.
    pub status: i64,
    /// Minimum, maximum and current version of its memberlist.
    pub protocol: [u8; 3],
    /// Minimum, maximum and current version of its Serf.
    pub delegate: [u8; 3],
}

impl<'a> Conflict<'a> {
    /// Decodes type byte and body; bytes after the body are ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] says what is wrong with the bytes; [`DecodeError::Unsupported`] if they are
    /// a message of another kind.
    pub fn decode(message: &'a [u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(Kind::Conflict.body(message)?);
        let member = if from.accept_nil() { None } else { Some(body::read(&mut from)?) };
        Ok(Self { member })
    }

    /// Appends type byte and body.
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::Conflict.byte()]);
            match &self.member {
                None => to.put(&[0xc0]),
                Some(member) => member.write(to),
            }
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub fn encoded_len(&self) -> usize {
        1 + self.member.as_ref().map_or(1, MemberRecord::len)
    }
}

impl<'a> MemberRecord<'a> {
    fn write(&self, to: &mut Writer<'_>) {
        let [protocol_min, protocol_max, protocol_cur] = self.protocol.map(u32::from);
        let [delegate_min, delegate_max, delegate_cur] = self.delegate.map(u32::from);
        to.put(b"\x8b\xa4Addr");
        to.opt_raw(self.addr);
        to.put(b"\xabDelegateCur");
        to.uint(delegate_cur);
        to.put(b"\xabDelegateMax");
        to.uint(delegate_max);
        to.put(b"\xabDelegateMin");
        to.uint(delegate_min);
        to.put(b"\xa4Name");
        to.raw(self.name);
        to.put(b"\xa4Port");
        to.uint(u32::from(self.port));
        to.put(b"\xabProtocolCur");
        to.uint(protocol_cur);
        to.put(b"\xabProtocolMax");
        to.uint(protocol_max);
        to.put(b"\xabProtocolMin");
        to.uint(protocol_min);
        to.put(b"\xa6Status");
        to.int(self.status);
        to.put(b"\xa4Tags");
        match self.tags {
            None => to.put(&[0xc0]),
            Some(tags) => {
                to.map(tags.len());
                for (key, value) in tags {
                    to.raw(key);
                    to.raw(value);
                }
            }
        }
    }

    fn len(&self) -> usize {
        let versions = self.protocol.iter().chain(&self.delegate);
        let versions: usize = versions.map(|version| 12 + uint_len(u32::from(*version))).sum();
        let tags = self.tags.map_or(1, |tags| {
            let pairs = tags.iter().map(|(key, value)| raw_len(key) + raw_len(value));
            head_len(tags.len()) + pairs.sum::<usize>()
        });
        let addr = 5 + opt_raw_len(self.addr) + 5 + uint_len(u32::from(self.port));
        1 + addr + versions + 5 + raw_len(self.name) + 7 + int_len(self.status) + 5 + tags
    }
}

impl<'a> Body<'a> for MemberRecord<'a> {
    const FIELDS: &'static [&'static [u8]] = &[
        b"Name",
        b"Addr",
        b"Port",
        b"Tags",
        b"Status",
        b"ProtocolMin",
        b"ProtocolMax",
        b"ProtocolCur",
        b"DelegateMin",
        b"DelegateMax",
        b"DelegateCur",
    ];

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.name = from.text()?,
            1 => self.addr = from.bytes()?,
            2 => self.port = from.u16()?,
            3 => self.tags = List::read_map(from)?,
            4 => self.status = from.i64()?,
            5..=7 => self.protocol[field - 5] = from.u8()?,
            8..=10 => self.delegate[field - 8] = from.u8()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}
