//! Messages about members of a small world, so that many of them mean something.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};

use bytes::BytesMut;

use super::draw::Draw;
use crate::wire::{
    Ack, Alive, Claim, Compound, ErrorReply, IndirectPing, Kind, Nack, NodeState, Ping,
    PushPullHeader, Source, UserHeader, lzw,
};

/// This node's name, and the number of others.
pub(super) const ME: &str = "m0";
pub(super) const NAMES: u8 = 80;

/// `m0`, `m1`, ...; the lowest most often.
pub(super) fn name(n: u8) -> String {
    format!("m{n}")
}

/// Where a member of this name is at home.
pub(super) fn home(n: u8) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(10, 0, 0, n).into(), 7946)
}

pub(super) fn subject(draw: &mut Draw<'_>) -> u8 {
    let n = draw.u8();
    if n < 192 { n % 6 } else { n % NAMES }
}

fn any_name(draw: &mut Draw<'_>) -> Vec<u8> {
    match draw.u8() {
        250 => Vec::new(),
        251 => b"\xff\xfe".to_vec(),
        252 => alloc::vec![b'x'; 255],
        253 => alloc::vec![b'x'; 256],
        254 => draw.bytes().to_vec(),
        n => name(if n < 192 { n % 6 } else { n % NAMES }).into_bytes(),
    }
}

/// Near the beginning, near the end, anywhere.
fn incarnation(draw: &mut Draw<'_>) -> u32 {
    match draw.u8() {
        n @ 0..240 => u32::from(n % 8),
        n @ 240..248 => u32::MAX - u32::from(n % 4),
        _ => draw.u32(),
    }
}

/// A 4-byte or 16-byte address, mostly that of the member.
fn ip(draw: &mut Draw<'_>, of: u8) -> Vec<u8> {
    let SocketAddr::V4(v4) = home(of) else { return Vec::new() };
    match draw.u8() {
        250 => Vec::new(),
        251 => alloc::vec![10, 0, 0],
        252 => alloc::vec![0; 4],
        253 => draw.bytes().to_vec(),
        n if n & 7 == 5 => v4.ip().to_ipv6_mapped().octets().to_vec(),
        n if n & 7 == 6 => alloc::vec![10, 9, 9, n],
        n if n & 7 == 7 => alloc::vec![192, 168, 0, n],
        _ => v4.ip().octets().to_vec(),
    }
}

fn port(draw: &mut Draw<'_>) -> u16 {
    match draw.u8() {
        254 => 0,
        255 => draw.u16(),
        _ => 7946,
    }
}

fn versions(draw: &mut Draw<'_>) -> Vec<u8> {
    match draw.u8() {
        250 => Vec::new(),
        251 => alloc::vec![1, 5, 2],
        252 => alloc::vec![0; 6],
        253 => alloc::vec![1, 5, 9, 0, 0, 0],
        254 => alloc::vec![1, 5, 2, 2, 5, 4],
        255 => draw.bytes().to_vec(),
        n if n & 7 == 7 => alloc::vec![1, 3, 2, 0, 0, 0],
        _ => alloc::vec![1, 5, 2, 0, 0, 0],
    }
}

fn meta(draw: &mut Draw<'_>) -> Vec<u8> {
    match draw.u8() {
        253 => alloc::vec![b'x'; 512],
        254 => alloc::vec![b'x'; 513],
        n => alloc::vec![n; usize::from(n) % 3],
    }
}

/// Appends one message of a packet, whose fields are drawn; acks and nacks answer `seqs`.
pub(super) fn message(draw: &mut Draw<'_>, seqs: &[u32], out: &mut BytesMut) {
    let number = |draw: &mut Draw<'_>| match seqs {
        [] => draw.u32(),
        _ if draw.seldom() => draw.u32(),
        _ => draw.one_of(seqs),
    };
    match draw.below(9) {
        0 => {
            let (node, of) = (any_name(draw), subject(draw));
            let (addr, source_node) = (ip(draw, of), any_name(draw));
            let source = Source { addr: &addr, port: port(draw), node: &source_node };
            let source = if draw.u8() & 3 == 0 { source } else { Source::default() };
            Ping { seq: draw.u32(), node: &node, source }.encode(out);
        }
        1 => {
            let of = subject(draw);
            let (target, node) = (ip(draw, of), name(of));
            let nack = draw.u8() & 1 == 0;
            let (seq, port, source) = (draw.u32(), port(draw), Source::default());
            IndirectPing { seq, target: Some(&target), port, node: node.as_bytes(), nack, source }
                .encode(out);
        }
        2 => {
            let seq = number(draw);
            let payload = meta(draw);
            Ack { seq, payload: Some(&payload).filter(|p| !p.is_empty()).map(Vec::as_slice) }
                .encode(out);
        }
        3 => Nack { seq: number(draw) }.encode(out),
        kind @ 4..=5 => {
            let (incarnation, node, from) = (incarnation(draw), any_name(draw), any_name(draw));
            let from = if draw.seldom() { &node } else { &from };
            let kind = if kind == 4 { Kind::Suspect } else { Kind::Dead };
            Claim { incarnation, node: &node, from }.encode(kind, out);
        }
        6 => {
            out.extend_from_slice(&[Kind::User.byte()]);
            out.extend_from_slice(&meta(draw));
        }
        7 => out.extend_from_slice(draw.bytes()),
        _ => alive(draw).encode(out),
    }
}

/// An alive message that owns its fields.
struct OwnedAlive {
    incarnation: u32,
    node: Vec<u8>,
    addr: Vec<u8>,
    port: u16,
    meta: Vec<u8>,
    vsn: Vec<u8>,
}

fn alive(draw: &mut Draw<'_>) -> OwnedAlive {
    let of = subject(draw);
    let node = if draw.seldom() { any_name(draw) } else { name(of).into_bytes() };
    let (incarnation, addr, port) = (incarnation(draw), ip(draw, of), port(draw));
    OwnedAlive { incarnation, node, addr, port, meta: meta(draw), vsn: versions(draw) }
}

impl OwnedAlive {
    fn encode(&self, out: &mut BytesMut) {
        Alive {
            incarnation: self.incarnation,
            node: &self.node,
            addr: Some(&self.addr),
            port: self.port,
            meta: Some(&self.meta),
            vsn: Some(&self.vsn),
        }
        .encode(out);
    }
}

/// A datagram of a few messages, compressed now and then.
pub(super) fn datagram(draw: &mut Draw<'_>, seqs: &[u32]) -> BytesMut {
    let mut out = BytesMut::new();
    let mut compound = Compound::begin(&mut out);
    for _ in 0..1 + draw.u8() % 4 {
        compound.part(|out| message(draw, seqs, out)).expect("few and short");
    }
    compound.finish();
    if !draw.seldom() {
        return out;
    }
    let mut packed = BytesMut::new();
    lzw::compress(&out, &mut lzw::Compressor::default(), &mut packed);
    packed
}

/// One claim of a kind about each of many members.
pub(super) fn about_many(draw: &mut Draw<'_>) -> BytesMut {
    let (kind, incarnation) = (draw.u8() % 3, u32::from(draw.u8() % 8));
    let mut out = BytesMut::new();
    let mut compound = Compound::begin(&mut out);
    for n in 1..NAMES {
        let (node, home) = (name(n), crate::Addr::from(home(n)));
        let node = node.as_bytes();
        let claim = Claim { incarnation, node, from: b"m1" };
        let alive = Alive {
            incarnation,
            node,
            addr: Some(home.wire_ip()),
            port: home.port(),
            meta: None,
            vsn: Some(&[1, 5, 2, 0, 0, 0]),
        };
        compound
            .part(|out| match kind {
                0 => alive.encode(out),
                1 => claim.encode(Kind::Suspect, out),
                _ => claim.encode(Kind::Dead, out),
            })
            .expect("few and short");
    }
    compound.finish();
    out
}

/// A push/pull of a few drawn entries, or of more than one slice of them.
pub(super) fn state(draw: &mut Draw<'_>) -> BytesMut {
    let mut out = BytesMut::new();
    let many = draw.u8() == 255;
    let nodes = if many { 1025 + u32::from(draw.u8()) } else { u32::from(draw.u8() % 6) };
    let user_state = meta(draw);
    let user_state_len = u32::try_from(user_state.len()).unwrap_or(0);
    let join = draw.u8() & 1 == 0;
    PushPullHeader { join, nodes, user_state_len }.encode(&mut out);
    for n in 0..nodes {
        let mut alive = alive(draw);
        if many {
            alive.node = format!("many{n}").into_bytes();
        }
        let state = match draw.u8() {
            255 => -1,
            n => i64::from(n % 5),
        };
        NodeState {
            name: &alive.node,
            addr: Some(&alive.addr),
            port: alive.port,
            meta: Some(&alive.meta),
            incarnation: alive.incarnation,
            state,
            vsn: Some(&alive.vsn),
        }
        .encode(&mut out);
    }
    out.extend_from_slice(&user_state);
    out
}

/// What a peer may send on a stream.
pub(super) fn request(draw: &mut Draw<'_>) -> BytesMut {
    let mut out = BytesMut::new();
    match draw.below(5) {
        0 => {
            let node = any_name(draw);
            Ping { seq: draw.u32(), node: &node, source: Source::default() }.encode(&mut out);
        }
        1 => {
            let payload = meta(draw);
            let len = u32::try_from(payload.len()).unwrap_or(0) + u32::from(draw.seldom());
            UserHeader { len }.encode(&mut out);
            out.extend_from_slice(&payload);
        }
        2 => out.extend_from_slice(draw.bytes()),
        _ => out = state(draw),
    }
    out
}

/// What a peer may answer on a stream.
pub(super) fn reply(draw: &mut Draw<'_>, seqs: &[u32]) -> BytesMut {
    let mut out = BytesMut::new();
    match draw.below(6) {
        0 => out.extend_from_slice(draw.bytes()),
        1 => ErrorReply { text: b"no" }.encode(&mut out),
        2 => {}
        3 if !seqs.is_empty() => Ack { seq: draw.one_of(seqs), payload: None }.encode(&mut out),
        _ => out = state(draw),
    }
    out
}
