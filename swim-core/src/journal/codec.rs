//! The bytes of a journal: little-endian numbers, lengths and times as base-128 varints.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use bytes::Bytes;

use super::Tag;
use crate::config::{Ablation, Config, Knobs, Network};
use crate::event::ExchangeError;
use crate::ids::{Addr, InboundId, Lane, NodeName, OpId, OutboundId, Token};
use crate::input::{Command, Input, KeyCommand, Seat, SendError};
use crate::keyring::{Key, Keyring};
use crate::member::Identity;
use crate::swim::Verdict;
use crate::time::{Instant, nanos};

pub(super) fn put_uint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub(super) fn put_option<T>(
    out: &mut Vec<u8>,
    value: Option<T>,
    put: impl FnOnce(&mut Vec<u8>, T),
) {
    out.push(value.is_some().into());
    if let Some(value) = value {
        put(out, value);
    }
}

fn put_addr(out: &mut Vec<u8>, addr: &Addr) {
    put_bytes(out, addr.wire_ip());
    put_uint(out, addr.port().into());
}

fn put_socket(out: &mut Vec<u8>, addr: SocketAddr) {
    put_addr(out, &Addr::from(addr));
}

fn put_key(out: &mut Vec<u8>, key: &Key) {
    put_bytes(out, key.as_bytes());
}

/// Reads from the front of a journal; `None` means that it is cut short or makes no sense there.
#[derive(Clone, Debug)]
#[expect(unnameable_types, reason = "only machines of this crate have journals")]
pub struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    pub(super) fn uint(&mut self) -> Option<u64> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(n);
            }
        }
        None
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.uint()?).ok()?;
        self.take(len)
    }

    pub(super) fn owned(&mut self) -> Option<Bytes> {
        self.bytes().map(Bytes::copy_from_slice)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        self.bytes().and_then(|text| core::str::from_utf8(text).ok()).map(String::from)
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(super) fn option<T>(
        &mut self,
        get: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.flag()? { get(self).map(Some) } else { Some(None) }
    }

    pub(super) fn list<T>(
        &mut self,
        mut get: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut list = Vec::new();
        for _ in 0..self.uint()? {
            list.push(get(self)?);
        }
        Some(list)
    }

    fn addr(&mut self) -> Option<Addr> {
        let ip = self.bytes()?;
        Addr::from_wire(ip, u16::try_from(self.uint()?).ok()?).ok()
    }

    fn socket(&mut self) -> Option<SocketAddr> {
        let addr = self.addr()?;
        // Not canonical: a driver on a dual socket hands in mapped addresses.
        let ip = match <[u8; 4]>::try_from(addr.wire_ip()) {
            Ok(v4) => IpAddr::from(v4),
            Err(_) => IpAddr::from(<[u8; 16]>::try_from(addr.wire_ip()).ok()?),
        };
        Some(SocketAddr::new(ip, addr.port()))
    }

    fn name(&mut self) -> Option<NodeName> {
        NodeName::from_wire(self.bytes()?).ok()
    }

    fn key(&mut self) -> Option<Key> {
        Key::new(self.bytes()?).ok()
    }
}

pub(super) fn put_config(out: &mut Vec<u8>, config: &Config) {
    config.knobs.put(out);
    put_bytes(out, &config.label);
    put_uint(out, config.allowed.len() as u64);
    for network in &config.allowed {
        put_socket(out, SocketAddr::new(network.ip(), 0));
        out.push(network.prefix_bits());
    }
    put_uint(out, config.keyring.len() as u64);
    for key in config.keyring.keys() {
        put_key(out, key);
    }
    out.extend(config.ablation.to_bytes());
}

pub(super) fn get_config(from: &mut Reader<'_>) -> Option<Arc<Config>> {
    let knobs = Knobs::get(&mut from.0)?;
    let label = from.bytes()?;
    let allowed = from.list(|from| {
        let ip = from.socket()?.ip();
        Network::new(ip, from.byte()?).ok()
    })?;
    let mut keyring = Keyring::empty();
    for key in from.list(Reader::key)? {
        keyring.add(key).ok()?;
    }
    let mut switches = [0; Ablation::BYTES];
    for switch in &mut switches {
        *switch = from.byte()?;
    }
    let builder = Config::from_knobs(knobs).label(label).allowed(&allowed).keyring(keyring);
    builder.ablation(Ablation::from_bytes(switches)?).build().ok()
}

pub(super) fn put_identity(out: &mut Vec<u8>, me: &Identity) {
    put_bytes(out, me.name.as_str().as_bytes());
    put_addr(out, &me.addr);
    put_bytes(out, &me.meta);
    out.extend_from_slice(&me.app_versions);
}

pub(super) fn get_identity(from: &mut Reader<'_>) -> Option<Identity> {
    let name = from.name()?;
    let me = Identity::new(name.as_str(), from.addr()?).ok()?.meta(from.bytes()?).ok()?;
    let &[min, max, current] = from.take(3)? else { return None };
    me.app_versions(min, max, current).ok()
}

/// Writes an input without its time.
pub(super) fn put_input<C>(
    out: &mut Vec<u8>,
    now: Instant,
    input: &Input<'_, C>,
    put_command: impl FnOnce(&mut Vec<u8>, &C),
) {
    match input {
        Input::Timeout => out.push(Tag::Timeout as u8),
        Input::Datagram { at, from, bytes } => {
            out.push(Tag::Datagram as u8);
            put_uint(out, nanos(now.since(*at)));
            put_socket(out, *from);
            put_bytes(out, bytes);
        }
        Input::Unsent { token, why } => {
            out.push(Tag::Unsent as u8);
            put_uint(out, token.0);
            out.push(matches!(why, SendError::Local).into());
        }
        Input::Request { id, from, bytes } => {
            out.push(Tag::Request as u8);
            put_uint(out, id.0);
            put_socket(out, *from);
            put_bytes(out, bytes);
        }
        Input::Reply { id, result } => {
            out.push(Tag::Reply as u8);
            put_uint(out, id.0);
            match result {
                Ok(bytes) => {
                    out.push(0);
                    put_bytes(out, bytes);
                }
                Err(error) => {
                    let at = EXCHANGE_ERRORS.iter().position(|e| e == error);
                    out.push(1 + at.expect("the list is complete") as u8);
                }
            }
        }
        Input::Command { op, command } => {
            out.push(Tag::Command as u8);
            put_uint(out, op.0);
            put_command(out, command);
        }
    }
}

pub(super) const EXCHANGE_ERRORS: [ExchangeError; 8] = [
    ExchangeError::Refused,
    ExchangeError::TimedOut,
    ExchangeError::Closed,
    ExchangeError::Malformed,
    ExchangeError::Remote,
    ExchangeError::Vetoed,
    ExchangeError::Incompatible,
    ExchangeError::Busy,
];

/// Reads an input of this tag, which is none of the other records.
pub(super) fn get_input<'a, C>(
    tag: Tag,
    now: Instant,
    from: &mut Reader<'a>,
    get_command: impl FnOnce(&mut Reader<'_>) -> Option<C>,
) -> Option<Input<'a, C>> {
    Some(match tag {
        Tag::Timeout => Input::Timeout,
        Tag::Datagram => {
            let at = now - Duration::from_nanos(from.uint()?);
            Input::Datagram { at, from: from.socket()?, bytes: from.bytes()? }
        }
        Tag::Unsent => {
            let token = Token(from.uint()?);
            let why = if from.flag()? { SendError::Local } else { SendError::Remote };
            Input::Unsent { token, why }
        }
        Tag::Request => {
            let id = InboundId(from.uint()?);
            Input::Request { id, from: from.socket()?, bytes: from.bytes()? }
        }
        Tag::Reply => {
            let id = OutboundId(from.uint()?);
            let result = match from.byte()? {
                0 => Ok(from.bytes()?),
                n => Err(*EXCHANGE_ERRORS.get(usize::from(n) - 1)?),
            };
            Input::Reply { id, result }
        }
        Tag::Command => Input::Command { op: OpId(from.uint()?), command: get_command(from)? },
        Tag::Polled | Tag::Verdicts | Tag::Digest | Tag::Resume => return None,
    })
}

pub(super) fn put_seats(out: &mut Vec<u8>, seats: &[Seat]) {
    put_uint(out, seats.len() as u64);
    for seat in seats {
        put_socket(out, seat.addr);
        put_option(out, seat.name.as_ref(), |out, name| {
            put_bytes(out, name.as_str().as_bytes());
        });
    }
}

pub(super) fn get_seats(from: &mut Reader<'_>) -> Option<Vec<Seat>> {
    from.list(|from| Some(Seat { addr: from.socket()?, name: from.option(Reader::name)? }))
}

pub(super) fn put_command(out: &mut Vec<u8>, command: &Command) {
    match command {
        Command::Join(seats) => {
            out.push(0);
            put_seats(out, seats);
        }
        Command::Leave => out.push(1),
        Command::SetMeta(meta) => {
            out.push(2);
            put_bytes(out, meta);
        }
        Command::SetAddress(addr) => {
            out.push(3);
            put_addr(out, addr);
        }
        Command::Broadcast { lane, key, payload } => {
            out.extend_from_slice(&[4, *lane as u8]);
            put_option(out, key.as_ref(), |out, key| put_bytes(out, key));
            put_bytes(out, payload);
        }
        Command::SetAckPayload(payload) => {
            out.push(5);
            put_bytes(out, payload);
        }
        Command::SetAppState(state) => {
            out.push(6);
            put_bytes(out, state);
        }
        Command::Ping { name, to } => {
            out.push(7);
            put_bytes(out, name.as_str().as_bytes());
            put_socket(out, *to);
        }
        Command::Send { to, reliable, payload } => {
            let named = to.name.as_ref();
            let flags = u8::from(*reliable) | u8::from(named.is_some()) << 1;
            out.extend_from_slice(&[8, flags]);
            put_socket(out, to.addr);
            if let Some(name) = named {
                put_bytes(out, name.as_str().as_bytes());
            }
            put_bytes(out, payload);
        }
        Command::Key(change) => {
            let (kind, key) = match change {
                KeyCommand::Install(key) => (0, key),
                KeyCommand::Use(key) => (1, key),
                KeyCommand::Remove(key) => (2, key),
            };
            out.extend_from_slice(&[9, kind]);
            put_key(out, key);
        }
        Command::KeyringSaved(saved) => out.extend_from_slice(&[10, (*saved).into()]),
        Command::Reload(config) => {
            out.push(11);
            put_config(out, config);
        }
    }
}

pub(super) fn get_command(from: &mut Reader<'_>) -> Option<Command> {
    Some(match from.byte()? {
        0 => Command::Join(get_seats(from)?),
        1 => Command::Leave,
        2 => Command::SetMeta(from.owned()?),
        3 => Command::SetAddress(from.addr()?),
        4 => {
            let lane = *Lane::ALL.get(usize::from(from.byte()?))?;
            Command::Broadcast { lane, key: from.option(Reader::owned)?, payload: from.owned()? }
        }
        5 => Command::SetAckPayload(from.owned()?),
        6 => Command::SetAppState(from.owned()?),
        7 => Command::Ping { name: from.name()?, to: from.socket()? },
        8 => {
            let flags = from.byte().filter(|flags| *flags < 4)?;
            let addr = from.socket()?;
            let name = if flags & 2 == 0 { None } else { Some(from.name()?) };
            let to = Seat { addr, name };
            Command::Send { to, reliable: flags & 1 == 1, payload: from.owned()? }
        }
        9 => Command::Key(match from.byte()? {
            0 => KeyCommand::Install(from.key()?),
            1 => KeyCommand::Use(from.key()?),
            2 => KeyCommand::Remove(from.key()?),
            _ => return None,
        }),
        10 => Command::KeyringSaved(from.flag()?),
        11 => Command::Reload(get_config(from)?),
        _ => return None,
    })
}

pub(super) fn put_verdict(out: &mut Vec<u8>, verdict: &Verdict) {
    match verdict {
        Verdict::Admit(admitted) => {
            out.push(0);
            put_option(out, admitted.as_ref().err(), |out, why| put_bytes(out, why.as_bytes()));
        }
        Verdict::StreamPing(allowed) => out.extend_from_slice(&[1, (*allowed).into()]),
        Verdict::ReapAfter(after) => {
            out.push(2);
            put_option(out, *after, |out, after| put_uint(out, nanos(after)));
        }
    }
}

pub(super) fn get_verdict(from: &mut Reader<'_>) -> Option<Verdict> {
    Some(match from.byte()? {
        0 => {
            let why = from.option(Reader::text)?;
            Verdict::Admit(why.map_or(Ok(()), Err))
        }
        1 => Verdict::StreamPing(from.flag()?),
        2 => Verdict::ReapAfter(from.option(|from| from.uint().map(Duration::from_nanos))?),
        _ => return None,
    })
}
