//! One entry of a push/pull (section 2.6).

use bytes::BytesMut;

use crate::wire::DecodeError;
use crate::wire::body::{Body, decoders};
use crate::wire::msgpack::{Fast, Reader, int_len, opt_raw_len, raw_len, uint_len, write};

/// One node as a push/pull describes it (memberlist spec 2.6); it has no type byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeState<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// As in [`Alive`](crate::wire::Alive).
    pub addr: Option<&'a [u8]>,
    /// As in [`Alive`](crate::wire::Alive).
    pub port: u16,
    /// As in [`Alive`](crate::wire::Alive).
    pub meta: Option<&'a [u8]>,
    /// As in [`Alive`](crate::wire::Alive).
    pub incarnation: u32,
    /// 0 alive, 1 suspect, 2 dead, 3 left; memberlist ignores entries with any other number.
    pub state: i64,
    /// As in [`Alive`](crate::wire::Alive).
    pub vsn: Option<&'a [u8]>,
}

decoders!(NodeState<'a>);

impl NodeState<'_> {
    /// Appends the entry.
    #[inline]
    pub fn encode(&self, out: &mut BytesMut) {
        match self.ends() {
            Some((head, tail)) => write(out, self.encoded_len(), |to| {
                to.put(&head);
                to.put(b"\xa4Meta");
                to.opt_raw(self.meta);
                to.put(b"\xa4Name");
                to.raw(self.name);
                to.put(&tail);
            }),
            None => self.encode_any(out),
        }
    }

    /// All that stands before and behind metadata and name, in most entries: IPv4, a port and an
    /// incarnation of the usual size, a state that exists. Putting these at once takes a third of
    /// the time.
    #[inline]
    fn ends(&self) -> Option<([u8; HEAD], [u8; TAIL])> {
        let (&[a, b, c, d], &[e, f, g, h, i, j]) = (self.addr?, self.vsn?) else { return None };
        let incarnation = u8::try_from(self.incarnation).ok().filter(|&n| n <= FIXINT_MAX)?;
        let state = u8::try_from(self.state).ok().filter(|&n| n <= FIXINT_MAX)?;
        let [high, low] = self.port.to_be_bytes();
        if high == 0 {
            return None;
        }
        let (mut head, mut tail) = (*HEAD_FORM, *TAIL_FORM);
        head[ADDR..ADDR + 4].copy_from_slice(&[a, b, c, d]);
        head[INCARNATION] = incarnation;
        tail[PORT..PORT + 2].copy_from_slice(&[high, low]);
        tail[STATE] = state;
        tail[VSN..].copy_from_slice(&[e, f, g, h, i, j]);
        Some((head, tail))
    }

    fn encode_any(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(b"\x87\xa4Addr");
            to.opt_raw(self.addr);
            to.put(b"\xabIncarnation");
            to.uint(self.incarnation);
            to.put(b"\xa4Meta");
            to.opt_raw(self.meta);
            to.put(b"\xa4Name");
            to.raw(self.name);
            to.put(b"\xa4Port");
            to.uint(u32::from(self.port));
            to.put(b"\xa5State");
            to.int(self.state);
            to.put(b"\xa3Vsn");
            to.opt_raw(self.vsn);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    #[inline]
    pub const fn encoded_len(&self) -> usize {
        let addr = 5 + opt_raw_len(self.addr);
        let incarnation = 12 + uint_len(self.incarnation);
        let meta = 5 + opt_raw_len(self.meta);
        let name = 5 + raw_len(self.name);
        let port = 5 + uint_len(self.port as u32);
        let state = 6 + int_len(self.state);
        let vsn = 4 + opt_raw_len(self.vsn);
        1 + addr + incarnation + meta + name + port + state + vsn
    }
}

impl<'a> Body<'a> for NodeState<'a> {
    const FIELDS: &'static [&'static [u8]] =
        &[b"Name", b"Addr", b"Port", b"Meta", b"Incarnation", b"State", b"Vsn"];

    #[inline]
    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        let start = *from;
        if let Some(usual) = usual(from) {
            return Some(usual);
        }
        *from = start;
        canonical(from)
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.name = from.text()?,
            1 => self.addr = from.bytes()?,
            2 => self.port = from.u16()?,
            3 => self.meta = from.bytes()?,
            4 => self.incarnation = from.u32()?,
            5 => self.state = from.i64()?,
            6 => self.vsn = from.bytes()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

/// Reads what [`NodeState::ends`] describes.
#[inline]
fn usual<'a>(from: &mut Fast<'a>) -> Option<NodeState<'a>> {
    let head = from.chunk::<HEAD>()?;
    let incarnation = head[INCARNATION];
    let fits = head[..ADDR] == HEAD_FORM[..ADDR]
        && head[ADDR + 4..INCARNATION] == HEAD_FORM[ADDR + 4..INCARNATION];
    if !fits || incarnation > FIXINT_MAX {
        return None;
    }
    from.expect(b"\xa4Meta")?;
    let meta = from.opt_raw()?;
    from.expect(b"\xa4Name")?;
    let name = from.raw()?;
    let tail = from.chunk::<TAIL>()?;
    let state = tail[STATE];
    let fits = tail[..PORT] == TAIL_FORM[..PORT]
        && tail[PORT + 2..STATE] == TAIL_FORM[PORT + 2..STATE]
        && tail[STATE + 1..VSN] == TAIL_FORM[STATE + 1..VSN];
    if !fits || state > FIXINT_MAX {
        return None;
    }
    Some(NodeState {
        name,
        addr: Some(&head[ADDR..ADDR + 4]),
        port: u16::from_be_bytes([tail[PORT], tail[PORT + 1]]),
        meta,
        incarnation: incarnation.into(),
        state: state.into(),
        vsn: Some(&tail[VSN..]),
    })
}

/// Reads every entry that is as memberlist writes it.
fn canonical<'a>(from: &mut Fast<'a>) -> Option<NodeState<'a>> {
    from.expect(b"\x87\xa4Addr")?;
    let addr = from.opt_raw()?;
    from.expect(b"\xabIncarnation")?;
    let incarnation = from.u32()?;
    from.expect(b"\xa4Meta")?;
    let meta = from.opt_raw()?;
    from.expect(b"\xa4Name")?;
    let name = from.raw()?;
    from.expect(b"\xa4Port")?;
    let port = from.u16()?;
    from.expect(b"\xa5State")?;
    let state = i64::from(from.u32()?);
    from.expect(b"\xa3Vsn")?;
    let vsn = from.opt_raw()?;
    Some(NodeState { name, addr, port, meta, incarnation, state, vsn })
}

/// The start of a usual entry, its values left open.
const HEAD_FORM: &[u8; HEAD] = b"\x87\xa4Addr\xa4....\xabIncarnation.";
const HEAD: usize = 24;
const ADDR: usize = 7;
const INCARNATION: usize = 23;

/// The end of a usual entry.
const TAIL_FORM: &[u8; TAIL] = b"\xa4Port\xcd..\xa5State.\xa3Vsn\xa6......";
const TAIL: usize = 26;
const PORT: usize = 6;
const STATE: usize = 14;
const VSN: usize = 20;

/// The largest number that is its own encoding.
const FIXINT_MAX: u8 = 0x7f;
