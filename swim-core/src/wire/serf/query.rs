//! A question to many (section 4).

use core::time::Duration;

use bytes::BytesMut;

use crate::wire::DecodeError;
use crate::wire::body::Body;
use crate::wire::msgpack::{
    Fast, Reader, head_len, int_len, opt_raw_len, raw_len, uint_len, uint64_len, write,
};
use crate::wire::serf::kind::decoder;
use crate::wire::serf::{Kind, List, TooLong};

/// A question to all members that pass its filters (serf spec 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query<'a> {
    /// The asker's query clock.
    pub ltime: u64,
    /// Random; tells queries of the same time apart.
    pub id: u32,
    /// The asker's IP address, for answers: 4 or 16 bytes.
    pub addr: Option<&'a [u8]>,
    /// The asker's gossip port.
    pub port: u16,
    /// The asker's name; empty before Serf 0.9.0.
    pub source_node: &'a [u8],
    /// Who shall answer: all of them must match. Each is the bytes of a
    /// [`Filter`](crate::wire::serf::Filter).
    pub filters: Option<List<'a, &'a [u8]>>,
    /// [`Self::ACK`] and [`Self::NO_BROADCAST`]; other bits have no meaning.
    pub flags: u32,
    /// By how many other members an answer is sent besides directly.
    pub relay_factor: u8,
    /// How long the asker waits, in nanoseconds; nothing keeps it from being negative.
    pub timeout_ns: i64,
    /// What is asked; names with the prefix `_serf_` are Serf's own.
    pub name: &'a [u8],
    /// The application's bytes.
    pub payload: Option<&'a [u8]>,
}

decoder!(Query, Query);

impl Query<'_> {
    /// The asker wants an ack of everyone who passes the filters.
    pub const ACK: u32 = 1;
    /// Receivers shall not pass the query on.
    pub const NO_BROADCAST: u32 = 2;

    /// Whether the asker wants acks.
    pub const fn wants_ack(&self) -> bool {
        self.flags & Self::ACK != 0
    }

    /// Whether receivers pass the query on.
    pub const fn is_broadcast(&self) -> bool {
        self.flags & Self::NO_BROADCAST == 0
    }

    /// Whether every Serf crashes on it (serf spec 13.1): a filter has no bytes, or keys are to be
    /// changed and no key is given. It must not be sent, nor passed on.
    pub fn crashes_serf(&self) -> bool {
        let no_payload = self.payload.is_none_or(<[u8]>::is_empty);
        no_payload && KEY_CHANGES.contains(&self.name)
            || self.filters.into_iter().flatten().any(<[u8]>::is_empty)
    }

    /// How long the asker waits; not at all if the number is negative.
    pub fn timeout(&self) -> Duration {
        Duration::from_nanos(u64::try_from(self.timeout_ns).unwrap_or(0))
    }

    /// Checks what is to be sent against a limit (serf spec 1.7).
    ///
    /// # Errors
    ///
    /// [`TooLong`] if the message exceeds `bytes_max`.
    pub fn fits(&self, bytes_max: usize) -> Result<(), TooLong> {
        match self.encoded_len() {
            len if len > bytes_max => Err(TooLong::Query { len, max: bytes_max }),
            _ => Ok(()),
        }
    }

    /// Appends type byte and body. Filters of what is to be sent must not be empty: every Serf
    /// crashes on one that is (serf spec 13.1).
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::Query.byte(), 0x8b]);
            to.put(b"\xa4Addr");
            to.opt_raw(self.addr);
            to.put(b"\xa7Filters");
            match self.filters {
                None => to.put(&[0xc0]),
                Some(filters) => {
                    to.list(filters.len());
                    filters.iter().for_each(|filter| to.raw(filter));
                }
            }
            to.put(b"\xa5Flags");
            to.uint(self.flags);
            to.put(b"\xa2ID");
            to.uint(self.id);
            to.put(b"\xa5LTime");
            to.uint64(self.ltime);
            to.put(b"\xa4Name");
            to.raw(self.name);
            to.put(b"\xa7Payload");
            to.opt_raw(self.payload);
            to.put(b"\xa4Port");
            to.uint(u32::from(self.port));
            to.put(b"\xabRelayFactor");
            to.uint(u32::from(self.relay_factor));
            to.put(b"\xaaSourceNode");
            to.raw(self.source_node);
            to.put(b"\xa7Timeout");
            to.int(self.timeout_ns);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub fn encoded_len(&self) -> usize {
        let filters = self.filters.map_or(1, |filters| {
            head_len(filters.len()) + filters.iter().map(raw_len).sum::<usize>()
        });
        let who = 5 + opt_raw_len(self.addr) + 8 + filters;
        let which = 6 + uint_len(self.flags) + 3 + uint_len(self.id) + 6 + uint64_len(self.ltime);
        let what = 5 + raw_len(self.name) + 8 + opt_raw_len(self.payload);
        let relay = 5 + uint_len(self.port.into()) + 12 + uint_len(self.relay_factor.into());
        2 + who
            + which
            + what
            + relay
            + 11
            + raw_len(self.source_node)
            + 8
            + int_len(self.timeout_ns)
    }
}

/// Queries that change keys, and have one as payload.
const KEY_CHANGES: [&[u8]; 3] = [b"_serf_install-key", b"_serf_use-key", b"_serf_remove-key"];

impl<'a> Body<'a> for Query<'a> {
    const FIELDS: &'static [&'static [u8]] = &[
        b"LTime",
        b"ID",
        b"Addr",
        b"Port",
        b"SourceNode",
        b"Filters",
        b"Flags",
        b"RelayFactor",
        b"Timeout",
        b"Name",
        b"Payload",
    ];

    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x8b\xa4Addr")?;
        let addr = from.opt_raw()?;
        from.expect(b"\xa7Filters")?;
        let filters = List::fast(from)?;
        from.expect(b"\xa5Flags")?;
        let flags = from.u32()?;
        from.expect(b"\xa2ID")?;
        let id = from.u32()?;
        from.expect(b"\xa5LTime")?;
        let ltime = from.u64()?;
        from.expect(b"\xa4Name")?;
        let name = from.raw()?;
        from.expect(b"\xa7Payload")?;
        let payload = from.opt_raw()?;
        from.expect(b"\xa4Port")?;
        let port = from.u16()?;
        from.expect(b"\xabRelayFactor")?;
        let relay_factor = from.general(Reader::u8)?;
        from.expect(b"\xaaSourceNode")?;
        let source_node = from.raw()?;
        from.expect(b"\xa7Timeout")?;
        let timeout_ns = from.general(Reader::i64)?;
        Some(Self {
            ltime,
            id,
            addr,
            port,
            source_node,
            filters,
            flags,
            relay_factor,
            timeout_ns,
            name,
            payload,
        })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.ltime = from.u64()?,
            1 => self.id = from.u32()?,
            2 => self.addr = from.bytes()?,
            3 => self.port = from.u16()?,
            4 => self.source_node = from.text()?,
            5 => self.filters = List::read(from)?,
            6 => self.flags = from.u32()?,
            7 => self.relay_factor = from.u8()?,
            8 => self.timeout_ns = from.i64()?,
            9 => self.name = from.text()?,
            10 => self.payload = from.bytes()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}
