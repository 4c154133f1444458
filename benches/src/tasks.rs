//! What rows 6 to 8 measure, each a thing that is done over and over: bytes to messages and back,
//! whole states, and the outer layers. The criterion suites run the same, and a few more.

use std::hint::black_box;

use bytes::BytesMut;
use swim_core::envelope::{Compression as _, Crc, Label, Lzw, Outer};
use swim_core::keyring::{Key, Keyring};
use swim_core::wire::{
    Ack, Alive, Claim, Compound, Kind, Limits, Message, Parts, Ping, PushPull, Scratch, Source,
};

use crate::ours::{self, Ours, VERSIONS};
use crate::workload::{self, META, Receiver as _, UPDATES};

/// Something that is done over and over.
pub struct Task {
    /// Its name.
    pub what: String,
    /// Does it once.
    pub once: Box<dyn FnMut()>,
}

impl Task {
    fn new(what: impl Into<String>, once: impl FnMut() + 'static) -> Self {
        Self { what: what.into(), once: Box::new(once) }
    }
}

impl core::fmt::Debug for Task {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Task {:?}", self.what)
    }
}

/// Messages. To encode is to append to a buffer that is there, to decode is to read every field.
pub fn messages() -> Vec<Task> {
    let members: Vec<(String, [u8; 4])> = (1..=UPDATES as u32)
        .map(|i| (workload::name(i), workload::addr(i).ip().octets()))
        .collect();
    let (name, ip) = members[0].clone();
    let mut tasks = Vec::new();
    let mut both = |what, write: Box<dyn Fn(&mut BytesMut)>| {
        let mut bytes = BytesMut::new();
        write(&mut bytes);
        tasks.push(encode(what, write));
        tasks.push(decode(what, bytes));
    };
    let own = name.clone();
    both("ping", Box::new(move |out| ping(&own, &ip).encode(out)));
    both("ack", Box::new(|out| Ack { seq: black_box(123_456_789), payload: None }.encode(out)));
    let own = name.clone();
    both("alive", Box::new(move |out| alive(&own, &ip).encode(out)));
    let (own, from) = (name, members[1].0.clone());
    both("suspect", Box::new(move |out| suspect(&own, &from).encode(Kind::Suspect, out)));
    let mut bytes = BytesMut::new();
    compound(&members, &mut bytes);
    let mut scratch = Scratch::default();
    tasks.push(encode("compound of 10", move |out| compound(&members, out)));
    tasks.push(Task::new("decode compound of 10", move || {
        let mut parts = Parts::new(black_box(&bytes), &mut scratch, Limits::default());
        while let Some(part) = parts.next_part() {
            let message = part.map(Message::decode).expect("it is well-formed");
            black_box(&message.expect("it is well-formed"));
        }
    }));
    tasks
}

fn encode(what: &str, write: impl Fn(&mut BytesMut) + 'static) -> Task {
    let mut out = BytesMut::with_capacity(4096);
    Task::new(format!("encode {what}"), move || {
        out.clear();
        write(&mut out);
        black_box(&out[..]);
    })
}

fn decode(what: &str, message: BytesMut) -> Task {
    Task::new(format!("decode {what}"), move || {
        let decoded = Message::decode(black_box(&message));
        black_box(&decoded.expect("it is well-formed"));
    })
}

fn ping<'a>(name: &'a str, ip: &'a [u8]) -> Ping<'a> {
    let source = Source { addr: ip, port: 7946, node: name.as_bytes() };
    Ping { seq: black_box(123_456_789), node: name.as_bytes(), source }
}

fn alive<'a>(name: &'a str, ip: &'a [u8]) -> Alive<'a> {
    Alive {
        incarnation: black_box(7),
        node: name.as_bytes(),
        addr: Some(ip),
        port: 7946,
        meta: Some(&META),
        vsn: Some(&VERSIONS),
    }
}

fn suspect<'a>(name: &'a str, from: &'a str) -> Claim<'a> {
    Claim { incarnation: black_box(7), node: name.as_bytes(), from: from.as_bytes() }
}

fn compound(members: &[(String, [u8; 4])], out: &mut BytesMut) {
    let mut compound = Compound::begin(out);
    for (name, ip) in members {
        compound.part(|out| alive(name, ip).encode(out)).expect("few short parts");
    }
    compound.finish();
}

/// A push/pull of 10,000 members. Encoding reads the member table of a node, decoding reads every
/// field; merging is what a node does about a state that tells it nothing.
pub fn states() -> Vec<Task> {
    let bytes = ours::state(0..STATE_NODES);
    let merged = bytes.clone();
    let (mut encoder, mut merger) = (Ours::knowing(STATE_NODES), Ours::knowing(STATE_NODES));
    let encode = move || {
        black_box(encoder.state());
    };
    let decode = move || {
        let state = PushPull::decode(black_box(&bytes), &Limits::default());
        for node in state.expect("it is well-formed").nodes() {
            black_box(&node);
        }
    };
    vec![
        Task::new("encode push/pull of 10,000", encode),
        Task::new("decode push/pull of 10,000", decode),
        Task::new("merge a known push/pull of 10,000", move || merger.merge(&merged)),
    ]
}

/// What a driver does to a datagram of 1,400 bytes before it sends it, and the other way round.
pub fn outer_layers() -> Vec<Task> {
    let mut tasks = Vec::new();
    for bits in [128, 192, 256] {
        let backend = if bits == 192 { "RustCrypto" } else { BACKEND };
        let layers = || Layers { label: b"", key_bytes: bits / 8, crc: Crc::Omit };
        let what = format!("1,400 B, AES-{bits}, {backend}");
        tasks.extend([seal(&what, layers()), open(&what, layers())]);
    }
    let labelled = || Layers { label: b"datacenter-1", key_bytes: 0, crc: Crc::Omit };
    tasks.extend([seal("1,400 B, label", labelled()), open("1,400 B, label", labelled())]);
    let checked = || Layers { label: b"", key_bytes: 0, crc: Crc::Add };
    tasks.extend([seal("1,400 B, checksum", checked()), open("1,400 B, checksum", checked())]);
    tasks.extend(compression());
    tasks
}

struct Layers {
    label: &'static [u8],
    /// 0 for no key.
    key_bytes: usize,
    crc: Crc,
}

impl Layers {
    fn keyring(&self) -> Keyring {
        match self.key_bytes {
            0 => Keyring::empty(),
            len => Keyring::new(Key::new(&[7; 32][..len]).expect("it is a key's length")),
        }
    }

    fn put(&self, keyring: &Keyring, message: &[u8], out: &mut BytesMut) {
        Outer::new(Label::new(self.label).expect("it is short"), keyring)
            .seal_packet(self.crc, [9; 12], message, None, out)
            .expect("it can be sealed");
    }
}

fn seal(what: &str, layers: Layers) -> Task {
    let (keyring, message) = (layers.keyring(), vec![0x5a; SEALED_BYTES]);
    let mut out = BytesMut::with_capacity(2048);
    Task::new(format!("seal {what}"), move || {
        out.clear();
        layers.put(&keyring, black_box(&message), &mut out);
        black_box(&out[..]);
    })
}

fn open(what: &str, layers: Layers) -> Task {
    let keyring = layers.keyring();
    let (mut sealed, mut scratch) = (BytesMut::new(), BytesMut::with_capacity(2048));
    layers.put(&keyring, &[0x5a; SEALED_BYTES], &mut sealed);
    Task::new(format!("open {what}"), move || {
        let outer = Outer::new(Label::new(layers.label).expect("it is short"), &keyring);
        let message = outer.open_packet(black_box(&sealed), &mut scratch);
        black_box(message.expect("it was sealed so"));
    })
}

/// LZW on a full datagram of claims.
fn compression() -> [Task; 2] {
    let members: Vec<(String, [u8; 4])> =
        (1..=14).map(|i| (workload::name(i), workload::addr(i).ip().octets())).collect();
    let (mut plain, mut packed) = (BytesMut::new(), BytesMut::new());
    compound(&members, &mut plain);
    let (mut compressor, mut expander) = (Lzw::default(), Lzw::default());
    compressor.compress(&plain, &mut packed);
    let what = format!("{} B of claims, LZW", plain.len());
    let mut out = BytesMut::with_capacity(4096);
    let compress = move || {
        out.clear();
        compressor.compress(black_box(&plain), &mut out);
        black_box(&out[..]);
    };
    let mut out = BytesMut::with_capacity(4096);
    let expand = move || {
        out.clear();
        // Its body begins behind the type.
        expander.expand(black_box(&packed[1..]), &mut out).expect("it was compressed so");
        black_box(&out[..]);
    };
    [Task::new(format!("compress {what}"), compress), Task::new(format!("expand {what}"), expand)]
}

/// What seals with keys of 16 and 32 bytes.
#[cfg(feature = "ring")]
pub const BACKEND: &str = "ring";
/// What seals with keys of 16 and 32 bytes.
#[cfg(not(feature = "ring"))]
pub const BACKEND: &str = "RustCrypto";

const STATE_NODES: u32 = 10_000;
const SEALED_BYTES: usize = 1_400;
