//! Rows 6 to 8: messages, whole states and encryption to bytes and back. The peer is memberlist in
//! Go, whose figures were taken elsewhere: they are constants here, and are called so.

use std::hint::black_box;

use bytes::BytesMut;
use swim_benches::clock::{Summary, alternate, cpu_ns_of};
use swim_benches::counting;
use swim_benches::ours::{self, Ours, VERSIONS};
use swim_benches::table::{Row, Unit};
use swim_benches::workload::{self, META, Receiver as _, UPDATES};
use swim_core::envelope::{Crc, Label, Outer};
use swim_core::keyring::{Key, Keyring};
use swim_core::wire::{Alive, Compound, Limits, Message, Parts, Ping, PushPull, Scratch, Source};

use crate::Plan;
use crate::child::Counted;

const PUBLISHED: &str = "Go (published)";

/// Something that is done over and over.
struct Task {
    row: &'static str,
    what: &'static str,
    /// What Go takes, in nanoseconds, and how many times faster ours must be.
    published: Option<(f64, f64)>,
    allocations_max: Option<f64>,
    /// How often it is done in one run.
    times: usize,
    once: Box<dyn FnMut()>,
}

fn tasks() -> Vec<Task> {
    let mut tasks = messages();
    tasks.extend(states());
    tasks.push(sealing(SEAL, 16));
    tasks
}

/// Prints the rows.
pub(crate) fn rows(plan: &Plan) {
    if !["6", "7", "8"].iter().any(|row| plan.wants(row)) {
        return;
    }
    let counted = Counted::of("wire");
    for mut task in tasks().into_iter().filter(|task| plan.wants(task.row)) {
        (task.once)();
        let mut run =
            || cpu_ns_of(|| (0..task.times).for_each(|_| (task.once)())) / task.times as f64;
        run();
        let [figure] = alternate(plan.runs(), [&mut run]);
        let mut row = Row::new(task.row, task.what, Unit::Time, figure)
            .allocations(counted.get(task.what), None);
        if let Some((published_ns, ratio_min)) = task.published {
            row = row.beside(PUBLISHED, Summary::once(published_ns)).at_least(ratio_min);
        }
        if let Some(max) = task.allocations_max {
            row = row.allocations_at_most(max);
        }
        plan.row(row);
    }
}

/// Counts allocations, in a process of its own.
pub(crate) fn count(tell: &mut dyn FnMut(String, f64)) {
    for mut task in tasks() {
        (task.once)();
        tell(task.what.into(), counting::allocations_of(|| (task.once)()) as f64);
    }
}

/// Row 6. To encode is to append to a buffer that is there, to decode is to read every field.
fn messages() -> Vec<Task> {
    let members: Vec<(String, [u8; 4])> = (1..=UPDATES as u32)
        .map(|i| (workload::name(i), workload::addr(i).ip().octets()))
        .collect();
    let (name, ip) = members[0].clone();
    let (mut ping_bytes, mut alive_bytes, mut all_bytes) =
        <(BytesMut, BytesMut, BytesMut)>::default();
    ping(&name, &ip).encode(&mut ping_bytes);
    alive(&name, &ip).encode(&mut alive_bytes);
    compound(&members, &mut all_bytes);
    let mut scratch = Scratch::default();
    let task = |what, published_us: f64, once: Box<dyn FnMut()>| Task {
        row: "6",
        what,
        published: Some((published_us * 1e3, 10.0)),
        allocations_max: Some(0.0),
        times: 20_000,
        once,
    };
    let own = (name.clone(), ip);
    vec![
        task("encode alive", 1.8, encode(move |out| alive(&name, &ip).encode(out))),
        task("encode ping", 1.7, encode(move |out| ping(&own.0, &own.1).encode(out))),
        task("encode compound of 10", 24.0, encode(move |out| compound(&members, out))),
        task("decode alive", 2.6, decode(alive_bytes)),
        task("decode ping", 2.0, decode(ping_bytes)),
        task(
            "decode compound of 10",
            19.0,
            Box::new(move || {
                let mut parts = Parts::new(black_box(&all_bytes), &mut scratch, Limits::default());
                while let Some(part) = parts.next_part() {
                    let message = part.map(Message::decode).expect("it is well-formed");
                    black_box(&message.expect("it is well-formed"));
                }
            }),
        ),
    ]
}

fn encode(mut write: impl FnMut(&mut BytesMut) + 'static) -> Box<dyn FnMut()> {
    let mut out = BytesMut::with_capacity(4096);
    Box::new(move || {
        out.clear();
        write(&mut out);
        black_box(&out[..]);
    })
}

fn decode(message: BytesMut) -> Box<dyn FnMut()> {
    Box::new(move || {
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

fn compound(members: &[(String, [u8; 4])], out: &mut BytesMut) {
    let mut compound = Compound::begin(out);
    for (name, ip) in members {
        compound.part(|out| alive(name, ip).encode(out)).expect("few short parts");
    }
    compound.finish();
}

/// Row 7. Encoding reads the member table of a node, decoding reads every field; merging is what a
/// node does about a state that tells it nothing.
fn states() -> Vec<Task> {
    let bytes = ours::state(0..STATE_NODES);
    let merged = bytes.clone();
    let (mut encoder, mut merger) = (Ours::knowing(STATE_NODES), Ours::knowing(STATE_NODES));
    let task = |what, published, once: Box<dyn FnMut()>| Task {
        row: "7",
        what,
        published,
        allocations_max: None,
        times: 5,
        once,
    };
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
        task("encode push/pull of 10,000", Some((12.2e6, 10.0)), Box::new(encode)),
        task("decode push/pull of 10,000", Some((11.4e6, 7.6)), Box::new(decode)),
        task("merge a known push/pull of 10,000", None, Box::new(move || merger.merge(&merged))),
    ]
}

/// Row 8: what a driver does to a datagram before it sends it.
fn sealing(what: &'static str, key_bytes: usize) -> Task {
    let keyring = Keyring::new(Key::new(&[7; 32][..key_bytes]).expect("it is a key's length"));
    let message = vec![0x5a; SEALED_BYTES];
    let mut out = BytesMut::with_capacity(2048);
    let once = move || {
        out.clear();
        Outer::new(Label::EMPTY, &keyring)
            .seal_packet(Crc::Omit, [9; 12], black_box(&message), None, &mut out)
            .expect("it can be sealed");
        black_box(&out[..]);
    };
    Task {
        row: "8",
        what,
        published: Some((1_557.0, 4.4)),
        allocations_max: Some(0.0),
        times: 5_000,
        once: Box::new(once),
    }
}

#[cfg(feature = "ring")]
const SEAL: &str = "seal 1,400 B, AES-128, ring";
#[cfg(not(feature = "ring"))]
const SEAL: &str = "seal 1,400 B, AES-128, RustCrypto";

const STATE_NODES: u32 = 10_000;
const SEALED_BYTES: usize = 1_400;
