//! Making datagrams, when they go and not before, so that they carry the freshest rumours.

use core::net::SocketAddr;

use bytes::BytesMut;

use super::ctx::Ctx;
use super::members::SlotId;
use super::outbox::Packet;
use super::queue::Room;
use super::rumours::{self, Ended};
use crate::ids::{Peer, Token};
use crate::input::Transmit;
use crate::member::State;
use crate::wire::{self, Compound, Kind, Source};

/// Smallest largest protocol version of a member that understands a checksum (memberlist spec 2.8).
const CRC_VERSION: u8 = 5;

/// Bytes of a checksum header, and of a compound header.
const CRC_BYTES: usize = 5;
const COMPOUND_BYTES: usize = 2;
/// Bytes that each part of a compound costs beyond its own.
const PART_BYTES: usize = 2;

/// Space made at once for each claim that waits; most are shorter.
const CLAIM_BYTES: usize = 128;

/// Marks the token of a probe's ping; the sequence number stands below.
const PROBE_TOKEN: u64 = 1 << 32;

/// The probe whose ping this token names.
pub(crate) fn probe_of(token: Token) -> Option<u32> {
    (token.0 & PROBE_TOKEN != 0).then_some(token.0 as u32)
}

/// Makes one datagram at the end of `buf`; `None` if it has no use any more.
pub(crate) fn make(cx: &mut Ctx, packet: Packet, buf: &mut BytesMut) -> Option<Transmit> {
    if packet.expires().is_some_and(|expires| cx.now > expires) {
        cx.stats.rare().replies_expired += 1;
        return None;
    }
    let start = buf.len();
    let (packet, name) = if cx.names { packet.split_name() } else { (packet, None) };
    let mut sent = match packet {
        Packet::Ack { to, seq, .. } => {
            ack(cx, buf, seq);
            to_address(to.canonical())
        }
        Packet::RelayedAck { to, seq, .. } => {
            with_rumours(cx, buf, |buf| wire::Ack { seq, payload: None }.encode(buf));
            to_address(to.canonical())
        }
        Packet::Nack { to, seq, .. } => {
            with_rumours(cx, buf, |buf| wire::Nack { seq }.encode(buf));
            to_address(to.canonical())
        }
        Packet::Relay { to, seq, .. } | Packet::Ping { to, seq } => {
            carry_ping(cx, buf, seq, to.1.as_str().as_bytes());
            to_address(to.0.canonical())
        }
        Packet::Refutation { to } => {
            rumours::alive(&cx.members, cx.me).encode(buf);
            to_address(to.canonical())
        }
        Packet::Direct(direct) => {
            buf.extend_from_slice(&[Kind::User.byte()]);
            buf.extend_from_slice(&direct.payload);
            to_address(direct.to.addr)
        }
        Packet::Challenge { suspect } => challenge(cx, buf, suspect)?,
        Packet::Probe { target, seq } => probe(cx, buf, target, seq),
        Packet::AskHelper { helper, target, seq, nack } => {
            // The helper may have been forgotten since; the target ends its probe when it is.
            cx.members.get(helper)?;
            ask(cx, buf, target, seq, nack);
            Transmit { crc: false, ..to_member(cx, helper) }
        }
        Packet::Gossip { to } => gossip(cx, buf, to)?,
        Packet::Named(_) => {
            unreachable!("only a node that wants names queues any, and splits them")
        }
    };
    sent.named = name.is_some();
    if sent.named {
        cx.app().addressee = name;
    }
    sent.len = buf.len() - start;
    (sent.len > 0).then_some(sent)
}

fn to_address(to: SocketAddr) -> Transmit {
    Transmit { to, peer: None, len: 0, crc: false, token: Token(0), named: false }
}

fn to_member(cx: &Ctx, slot: SlotId) -> Transmit {
    let record = cx.members.slot(slot).record();
    let to = record.addr().canonical();
    let crc = record.protocol_max() >= CRC_VERSION;
    Transmit { to, peer: Some(Peer(slot)), len: 0, crc, token: Token(0), named: false }
}

/// Writes this node's own ack.
fn ack(cx: &mut Ctx, buf: &mut BytesMut, seq: u32) {
    // Taken, and not cloned, which would allocate.
    let kept = cx.app.as_mut().map(|app| core::mem::take(&mut app.ack_payload)).unwrap_or_default();
    let payload = Some(&kept[..]).filter(|payload| !payload.is_empty());
    with_rumours(cx, buf, |buf| wire::Ack { seq, payload }.encode(buf));
    if let Some(app) = &mut cx.app {
        app.ack_payload = kept;
    }
}

/// Tells a suspect that it is one, unless it is none any more.
fn challenge(cx: &Ctx, buf: &mut BytesMut, suspect: SlotId) -> Option<Transmit> {
    let slot = cx.members.get(suspect).filter(|slot| slot.state() == State::Suspect)?;
    let me = cx.my_record().name_bytes();
    rumours::claim(&cx.members, suspect, slot.incarnation(), me).encode(Kind::Suspect, buf);
    Some(to_member(cx, suspect))
}

/// Writes a probe's ping; a suspect is told first that it is one (Lifeguard's buddy system). Go
/// puts a checksum on the pair only (memberlist spec 1.6).
fn probe(cx: &mut Ctx, buf: &mut BytesMut, target: SlotId, seq: u32) -> Transmit {
    let mut sent = to_member(cx, target);
    sent.token = Token(PROBE_TOKEN | u64::from(seq));
    let told = cx.members.slot(target).state() == State::Suspect && cx.config.ablation.buddy;
    if told && pair(cx, buf, target, seq) {
        return sent;
    }
    if told {
        cx.reply(Packet::Challenge { suspect: target });
    }
    let record = cx.members.slot(target).record().clone();
    carry_ping(cx, buf, seq, record.name_bytes());
    sent.crc = false;
    sent
}

/// Writes a ping and the suspicion behind it; false, with nothing written, if a datagram has no
/// room for both.
fn pair(cx: &Ctx, buf: &mut BytesMut, suspect: SlotId, seq: u32) -> bool {
    let start = buf.len();
    let slot = cx.members.slot(suspect);
    let me = cx.my_record().name_bytes();
    let claim = rumours::claim(&cx.members, suspect, slot.incarnation(), me);
    let mut compound = Compound::begin(buf);
    compound
        .part(|buf| cx.ping(seq, slot.record().name_bytes()).encode(buf))
        .and_then(|()| compound.part(|buf| claim.encode(Kind::Suspect, buf)))
        .expect("two short parts fit");
    compound.finish();
    let len = buf.len() - start + CRC_BYTES + cx.outer_bytes();
    let fits = len <= cx.config.knobs.datagram_bytes_max as usize;
    if !fits {
        buf.truncate(start);
    }
    fits
}

/// Writes one datagram of a gossip round.
fn gossip(cx: &mut Ctx, buf: &mut BytesMut, to: SlotId) -> Option<Transmit> {
    cx.members.get(to)?;
    let mut compound = Compound::begin(buf);
    fill(cx, &mut compound, CRC_BYTES);
    compound.finish();
    Some(to_member(cx, to))
}

/// Writes a request to ping `target` for this node.
fn ask(cx: &mut Ctx, buf: &mut BytesMut, target: SlotId, seq: u32, nack: bool) {
    let record = cx.members.slot(target).record().clone();
    let own = cx.my_record().clone();
    let source = Source { addr: own.wire_ip(), port: own.port(), node: own.name_bytes() };
    let request = wire::IndirectPing {
        seq,
        target: Some(record.wire_ip()),
        port: record.port(),
        node: record.name_bytes(),
        nack,
        source,
    };
    with_rumours(cx, buf, |buf| request.encode(buf));
}

fn carry_ping(cx: &mut Ctx, buf: &mut BytesMut, seq: u32, node: &[u8]) {
    if cx.rumours.is_empty() {
        cx.ping(seq, node).encode(buf);
        return;
    }
    let mut compound = Compound::begin(buf);
    compound.part(|buf| cx.ping(seq, node).encode(buf)).expect("the first part fits");
    fill(cx, &mut compound, 0);
    compound.finish();
}

/// Writes a message and whatever rumours fit behind it.
fn with_rumours(cx: &mut Ctx, buf: &mut BytesMut, write: impl FnOnce(&mut BytesMut)) {
    if cx.rumours.is_empty() {
        write(buf);
        return;
    }
    let mut compound = Compound::begin(buf);
    compound.part(write).expect("the first part fits");
    fill(cx, &mut compound, 0);
    compound.finish();
}

/// Fills what is left of a datagram, all headers counted.
fn fill(cx: &mut Ctx, compound: &mut Compound<'_>, outer: usize) {
    let used = match compound.count() {
        0 => COMPOUND_BYTES,
        _ => compound.len() + COMPOUND_BYTES + PART_BYTES,
    };
    let max = cx.config.knobs.datagram_bytes_max as usize;
    let dedicated = compound.is_empty() || !cx.has_rounds();
    let bytes = max.saturating_sub(used + outer + cx.outer_bytes());
    let mut room = Room {
        // What is made for rumours carries one, whatever its other layers leave.
        bytes: if dedicated { bytes.max(PART_BYTES + 1) } else { bytes },
        parts: Compound::PARTS_MAX - compound.count(),
        overhead: PART_BYTES,
        dedicated,
    };
    compound.reserve(room.bytes.min(CLAIM_BYTES * cx.rumours.membership_len()));
    let limit = cx.transmit_limit();
    let mut ended = Ended::new();
    let Ctx { rumours, members, me, .. } = cx;
    let filled = rumours.fill(&mut room, limit, members, *me, compound, &mut ended);
    if let Some(figures) = cx.figures() {
        figures.broadcasts_out += u64::from(filled.broadcasts);
        figures.broadcast_bytes_out += filled.broadcast_bytes as u64;
    }
    if filled.own_finished {
        cx.own_claim_sent();
    }
    if !ended.is_empty() {
        cx.end_broadcasts(ended);
    }
}
