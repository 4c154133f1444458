//! What the fuzz targets do, one function each. Not part of the API: `fuzz/` calls it, and a test
//! replays the corpus on the stable toolchain.
//!
//! A function returns or panics. Beyond "no input panics" each asserts what must hold of every
//! input; the comments say what.

mod draw;
mod generate;
mod hash;
mod node;
mod serf;
mod serf_node;
mod snapshot;

use core::ops::Range;

use bytes::BytesMut;

pub use self::node::{node, node_seed};
pub use self::serf::serf;
pub use self::serf_node::{serf_node, serf_node_seed};
pub use self::snapshot::snapshot;
use crate::envelope::{
    Crc, EncryptionVersion, FrameBuffers, FrameReader, Label, LabelCheck, Lzw, Outer, Verify,
};
use crate::journal::{self, JournalError, Recorded, Replay};
use crate::keyring::{Key, Keyring};
use crate::wire::stream::{Limits as StreamLimits, Reader, Role, Status, StreamError};
use crate::wire::{
    Compound, Kind, Limits, Message, NodeState, Parts, PushPull, PushPullHeader, Scratch, agree,
    lzw,
};

/// A datagram without its outer layers: the walk ends, hands out messages only, and does not depend
/// on what its buffers held before.
pub fn packet(data: &[u8]) {
    let mut scratch = Scratch::default();
    let first = walk(data, &mut scratch);
    assert_eq!(first, walk(data, &mut scratch), "used buffers change nothing");
}

/// Parts that decoded, messages that did not, parts that could not be opened.
fn walk(data: &[u8], scratch: &mut Scratch) -> [usize; 3] {
    let limits = Limits::default();
    let mut found = [0; 3];
    let mut parts = Parts::new(data, scratch, limits);
    while let Some(part) = parts.next_part() {
        let Ok(message) = part else {
            found[2] += 1;
            continue;
        };
        let kind = message.first().copied().expect("a message has a type");
        assert!(kind != Kind::Compound.byte() && kind != Kind::Compressed.byte());
        found[usize::from(Message::decode(message).is_err())] += 1;
    }
    // Each part that counts can hold one compound that is cut short besides.
    assert!(found.iter().sum::<usize>() <= 2 * (limits.parts_max + 1) + 1, "{found:?}");
    found
}

/// A message: what decodes is encoded to something that decodes to the same, and the two ways of
/// decoding agree. Any bytes survive compression and a compound.
pub fn roundtrip(data: &[u8]) {
    agree::all_paths_agree(data);
    if let Some((_, body)) = data.split_first() {
        agree::all_paths_agree(body);
    }
    if let Ok(message) = Message::decode(data) {
        let encoded = encode(&message);
        assert_eq!(Message::decode(&encoded), Ok(message));
        assert_eq!(encode(&message), encoded);
    }
    if let Ok(state) = PushPull::decode(data, &Limits::default()) {
        let encoded = encode_state(&state);
        let again = PushPull::decode(&encoded, &Limits::default()).expect("just encoded");
        assert!(again.nodes().eq(state.nodes()));
        assert_eq!((again.join, again.len()), (state.join, state.len()));
        assert_eq!(again.user_state(), state.user_state());
    }
    compress(data);
    split(data);
}

fn encode(message: &Message<'_>) -> BytesMut {
    let mut out = BytesMut::new();
    let encoded_len = match message {
        Message::Ping(ping) => {
            ping.encode(&mut out);
            ping.encoded_len()
        }
        Message::IndirectPing(ping) => {
            ping.encode(&mut out);
            ping.encoded_len()
        }
        Message::Ack(ack) => {
            ack.encode(&mut out);
            ack.encoded_len()
        }
        Message::Nack(nack) => {
            nack.encode(&mut out);
            nack.encoded_len()
        }
        Message::Suspect(claim) => {
            claim.encode(Kind::Suspect, &mut out);
            claim.encoded_len()
        }
        Message::Dead(claim) => {
            claim.encode(Kind::Dead, &mut out);
            claim.encoded_len()
        }
        Message::Alive(alive) => {
            alive.encode(&mut out);
            alive.encoded_len()
        }
        Message::User(payload) => {
            out.extend_from_slice(&[Kind::User.byte()]);
            out.extend_from_slice(payload);
            1 + payload.len()
        }
        Message::Error(error) => {
            error.encode(&mut out);
            error.encoded_len()
        }
    };
    assert_eq!(out.len(), encoded_len);
    out
}

fn encode_state(state: &PushPull<'_>) -> BytesMut {
    let mut out = BytesMut::new();
    let nodes = u32::try_from(state.len()).expect("a bounded number");
    let user_state_len = u32::try_from(state.user_state().len()).expect("a bounded number");
    PushPullHeader { join: state.join, nodes, user_state_len }.encode(&mut out);
    state.nodes().for_each(|node| NodeState::encode(&node, &mut out));
    out.extend_from_slice(state.user_state());
    out
}

fn compress(data: &[u8]) {
    let mut out = BytesMut::new();
    lzw::compress(data, &mut lzw::Compressor::default(), &mut out);
    let mut scratch = Scratch::default();
    assert_eq!(lzw::decompress(&out[1..], &mut scratch, data.len()), Ok(data));
    // Whatever expands, expands within the budget.
    if let Ok(plain) = lzw::decompress(data, &mut scratch, 4096) {
        assert!(plain.len() <= 4096);
    }
}

/// Cuts the bytes into parts at each zero and puts them into a compound.
fn split(data: &[u8]) {
    let is_part = |part: &&[u8]| {
        !matches!(part.first(), None | Some(7 | 9)) && part.len() <= Compound::PART_BYTES_MAX
    };
    let parts = || data.split(|byte| *byte == 0).filter(is_part).take(Compound::PARTS_MAX);
    let mut out = BytesMut::new();
    let mut compound = Compound::begin(&mut out);
    for part in parts() {
        compound.part(|out| out.extend_from_slice(part)).expect("few and short");
    }
    if compound.finish() == 0 {
        return;
    }
    let mut scratch = Scratch::default();
    let mut walk = Parts::new(&out, &mut scratch, Limits::default());
    for part in parts() {
        assert_eq!(walk.next_part(), Some(Ok(part)));
    }
    assert_eq!(walk.next_part(), None);
}

/// The outer layers, in the setting that the first byte chooses: hostile bytes are opened or
/// refused, and what is sealed is opened to what it was.
pub fn envelope(data: &[u8]) {
    let Some((&setting, data)) = data.split_first() else { return };
    let keyring = ring(setting);
    let outer = outer(setting, &keyring);
    let mut buffer = BytesMut::new();
    if let Ok(message) = outer.open_packet(data, &mut buffer) {
        assert!(!message.is_empty());
    }
    for role in [Role::Acceptor, Role::Dialer] {
        if let Some((_, message)) = read_frame(&outer, role, data, usize::MAX) {
            assert!(message.is_none_or(|message| role.reads_message(message[0])));
        }
    }
    seal_packet(&outer, setting, data);
    seal_frame(&outer, setting, data);
}

fn ring(setting: u8) -> Keyring {
    let key = |byte| Key::new(&[byte; 32]).expect("32 bytes");
    match setting & 3 {
        0 => Keyring::empty(),
        1 => Keyring::new(Key::new(&core::array::from_fn::<u8, 32, _>(|n| n as u8)).expect("32")),
        _ => Keyring::with_keys(key(1), [key(2), key(3)]).expect("three keys"),
    }
}

fn outer(setting: u8, keyring: &Keyring) -> Outer<'_> {
    let label = if setting & 4 == 0 { &b""[..] } else { b"dc1" };
    let mut outer = Outer::new(Label::new(label).expect("three bytes"), keyring);
    if setting & 8 != 0 {
        outer.version = EncryptionVersion::V0;
    }
    if setting & 16 != 0 {
        (outer.incoming, outer.outgoing) = (Verify::Tolerant, Verify::Tolerant);
    }
    if setting & 32 != 0 {
        outer.label_check = LabelCheck::Stripped;
    }
    outer
}

fn seal_packet(outer: &Outer<'_>, setting: u8, data: &[u8]) {
    let crc = if setting & 64 == 0 { Crc::Omit } else { Crc::Add };
    let mut lzw = Lzw::default();
    let compressor =
        (setting & 128 != 0).then_some(&mut lzw as &mut dyn crate::envelope::Compression);
    let compressed = compressor.is_some();
    let mut sealed = BytesMut::new();
    if outer.seal_packet(crc, [7; 12], data, compressor, &mut sealed).is_err() {
        assert!(sealed.is_empty() && data.len() > usize::from(u16::MAX));
        return;
    }
    // These are no messages: a header may only come first.
    let header = matches!(data.first(), None | Some(12 | 244));
    let labelled = outer.label_check == LabelCheck::Stripped && !outer.label.as_bytes().is_empty();
    let ambiguous = outer.incoming == Verify::Tolerant && !outer.keyring.is_empty();
    if header || labelled || ambiguous {
        return;
    }
    let mut buffer = BytesMut::new();
    let opened = outer.open_packet(&sealed, &mut buffer).expect("just sealed");
    match opened.split_first() {
        Some((9, body)) if compressed && opened != data => {
            let mut scratch = Scratch::default();
            assert_eq!(lzw::decompress(body, &mut scratch, data.len()), Ok(data));
        }
        _ => assert_eq!(opened, data),
    }
}

fn seal_frame(outer: &Outer<'_>, setting: u8, data: &[u8]) {
    let whole = |role| {
        let status = Reader::new(role, StreamLimits::default()).advance(data);
        status == Ok(Status::Complete(0..data.len())) && role.reads_message(data[0])
    };
    let mut lzw = Lzw::default();
    for (sender, receiver) in [(Role::Dialer, Role::Acceptor), (Role::Acceptor, Role::Dialer)] {
        let compressor =
            (setting & 128 != 0).then_some(&mut lzw as &mut dyn crate::envelope::Compression);
        let mut sealed = BytesMut::new();
        outer.seal_frame(sender, [7; 12], data, compressor, &mut sealed).expect("short enough");
        let labelled = receiver == Role::Acceptor
            && outer.label_check == LabelCheck::Stripped
            && !outer.label.as_bytes().is_empty();
        if !whole(receiver) || labelled {
            continue;
        }
        let (frame, message) = read_frame(outer, receiver, &sealed, 5).expect("just sealed");
        assert_eq!(frame.end, sealed.len());
        assert_eq!(message.as_deref(), Some(data));
    }
}

/// What a driver does with a stream that comes in pieces of `step` bytes: where the frame is, and
/// the message if it opens.
fn read_frame(
    outer: &Outer<'_>,
    role: Role,
    data: &[u8],
    step: usize,
) -> Option<(Range<usize>, Option<BytesMut>)> {
    let mut reader = FrameReader::new(*outer, role, StreamLimits::default());
    let mut end = 0;
    let frame = loop {
        match reader.advance(&data[..end]) {
            Ok(Some(frame)) => break frame,
            Ok(None) if end < data.len() => end = end.saturating_add(step).min(data.len()),
            _ => return None,
        }
    };
    let (mut lzw, mut buffers) = (Lzw::default(), FrameBuffers::default());
    let message = outer.open_frame(role, &data[frame.clone()], &mut lzw, &mut buffers);
    Some((frame, message.ok().map(BytesMut::from)))
}

/// A stream that arrives in pieces: where its message ends does not depend on the pieces, and
/// whatever decodes is found to be complete.
pub fn stream(data: &[u8]) {
    let Some((&step, data)) = data.split_first() else { return };
    for role in [Role::Acceptor, Role::Dialer] {
        let whole = Reader::new(role, StreamLimits::default()).advance(data);
        assert_eq!(in_pieces(role, data, usize::from(step).max(1)), whole, "{role:?}");
        if let Ok(Status::Complete(frame)) = &whole {
            assert!(frame.end <= data.len());
        }
    }
    let acceptor = Reader::new(Role::Acceptor, StreamLimits::default()).advance(data);
    if let Ok(state) = PushPull::decode(data, &Limits::default()) {
        let entries = state.nodes();
        let end = entries.offset() + entries.rest().len() + state.user_state().len();
        assert_eq!(acceptor, Ok(Status::Complete(0..end)));
    }
    if let Ok(Message::Ping(_)) = Message::decode(data) {
        assert!(matches!(acceptor, Ok(Status::Complete(_))), "{acceptor:?}");
    }
}

fn in_pieces(role: Role, data: &[u8], step: usize) -> Result<Status, StreamError> {
    let mut reader = Reader::new(role, StreamLimits::default());
    let mut status = Ok(Status::NeedMore);
    let mut end = 0;
    while status == Ok(Status::NeedMore) && end < data.len() {
        end = (end + step).min(data.len());
        status = reader.advance(&data[..end]);
    }
    status
}

/// A journal: whatever the bytes, its replay ends, and is the same each time.
pub fn journal(data: &[u8]) {
    assert_eq!(replayed(data), replayed(data));
}

/// Records, digest of all that the node gave out, and why it ended before the end of the bytes.
fn replayed(data: &[u8]) -> Option<(u64, u64, Option<JournalError>)> {
    match journal::kind(data).ok()? {
        journal::Kind::Bare => to_the_end(Replay::open(data).ok()?, data),
        journal::Kind::Serf => to_the_end(Replay::open_serf(data).ok()?, data),
    }
}

fn to_the_end<M: Recorded>(
    mut replay: Replay<'_, M>,
    data: &[u8],
) -> Option<(u64, u64, Option<JournalError>)> {
    let end = loop {
        match replay.step(|_| ()) {
            // A changed input changes what is given out; what follows is replayed all the same.
            Ok(true) | Err(JournalError::Differs { .. }) => {}
            Ok(false) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(replay.records() <= data.len() as u64, "a record has bytes");
    Some((replay.records(), replay.digest(), end))
}
