//! Replays the fuzzing corpus on the stable toolchain, and seeds it from the golden vectors.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use swim_core::fuzzing;
use swim_core::wire::serf::{Coordinate, List};

use support::{hex, records};

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 9] = [
    ("packet", fuzzing::packet),
    ("roundtrip", fuzzing::roundtrip),
    ("envelope", fuzzing::envelope),
    ("stream", fuzzing::stream),
    ("node", fuzzing::node),
    ("serf", fuzzing::serf),
    ("journal", fuzzing::journal),
    ("serf_node", fuzzing::serf_node),
    ("snapshot", fuzzing::snapshot),
];

#[test]
fn the_corpus_holds() {
    let Some(corpus) = corpus() else {
        println!("nothing to replay: the published crate has no corpus");
        return;
    };
    for (name, target) in TARGETS {
        let (mut count, mut bytes) = (0, 0);
        for entry in fs::read_dir(corpus.join(name)).expect("a corpus for each target") {
            let path = entry.expect("a readable directory").path();
            let input = fs::read(&path).expect("a readable file");
            // A failure names the input that it takes.
            let outcome = std::panic::catch_unwind(|| target(&input));
            assert!(outcome.is_ok(), "{}", path.display());
            count += 1;
            bytes += input.len();
        }
        println!("{name}: {count} inputs, {bytes} bytes");
        assert!(count > 0, "{name}");
    }
}

/// Not a test: writes what the vectors hold as inputs of each target. See `fuzz/README.md`.
#[test]
#[ignore = "writes to the corpus"]
fn seed_the_corpus() {
    let corpus = corpus().expect("run from a checkout");
    for (name, _) in TARGETS {
        fs::create_dir_all(corpus.join(name)).expect("a writable checkout");
    }
    let add = |target: &str, input: &[u8]| {
        // Longer inputs slow the fuzzer down and teach it nothing.
        if input.len() > 4096 {
            return;
        }
        // The name is that of the content, so that seeding twice changes nothing.
        let hash = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let path = corpus.join(target).join(format!("seed-{hash:016x}"));
        fs::write(path, input).expect("a writable checkout");
    };
    for record in records("memberlist/messages.jsonl") {
        let message = hex(&record["hex"]);
        add("roundtrip", &message);
        add("packet", &message);
    }
    for file in ["malformed/compound.jsonl", "malformed/compress.jsonl"] {
        let kind = if file.contains("compound") { 7 } else { 9 };
        for record in records(file) {
            let body = hex(&record["body_hex"]);
            add("packet", &[&[kind], &body[..]].concat());
            add("roundtrip", &body);
        }
    }
    for record in records("malformed/msgpack.jsonl") {
        let kind = match record["decode_as"].as_str() {
            Some("ping") => 0,
            Some("ack") => 2,
            Some("suspect") => 3,
            Some("alive") => 4,
            _ => 11,
        };
        add("roundtrip", &[&[kind], &hex(&record["body_hex"])[..]].concat());
    }
    for file in ["wrappers/compound.jsonl", "wrappers/compressed.jsonl", "wrappers/crc.jsonl"] {
        for record in records(file) {
            add("packet", &hex(&record["hex"]));
            add("envelope", &[&[0], &hex(&record["hex"])[..]].concat());
        }
    }
    for record in records("streams/memberlist_streams.jsonl") {
        let chunks = record["chunks"].as_array().expect("chunks");
        let stream: Vec<u8> = chunks
            .iter()
            .filter(|chunk| chunk["dir"] == "c2s")
            .flat_map(|chunk| hex(&chunk["hex"]))
            .collect();
        add("stream", &[&[7], &stream[..]].concat());
        add("envelope", &[&[0], &stream[..]].concat());
    }
    let mut of_type = BTreeMap::new();
    let mut messages = Vec::new();
    for record in ["serf/messages.jsonl", "serf/tags_decode.jsonl"].into_iter().flat_map(records) {
        // The others of a type are the same with other numbers and lengths.
        let seen = of_type.entry(record["type"].to_string()).or_insert(0);
        *seen += 1;
        if *seen <= 4 {
            add("serf", &hex(&record["hex"]));
            messages.push(hex(&record["hex"]));
        }
    }
    for few in messages.chunks(6) {
        add("serf_node", &fuzzing::serf_node_seed(few));
    }
    // Drawn members, messages, states, commands and waits.
    for settings in [0, 16, 40, 64, 128, 255] {
        let mut input = vec![settings, settings, 15, 0, 1, 1];
        let mut draw = u32::from(settings) + 1;
        for _ in 0..400 {
            draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            input.push((draw >> 24) as u8);
        }
        add("serf_node", &input);
    }
    let file = b"alive: n1 127.0.0.1:7946\nalive: n 2 [fd00::1]:7946\nclock: 5\nnot-alive: n1\n\
        event-clock: 7\nquery-clock: 9\ncoordinate: {}\n# comment\nleave\nclock: 6\nclock: 1";
    for end in [25, 60, 120, file.len()] {
        add("snapshot", &[&[0], &file[..end]].concat());
        add("snapshot", &[&[1], &file[..end]].concat());
    }
    let mut coordinate = BytesMut::new();
    let vec = Some(List::from(&[0.25; 8][..]));
    Coordinate { vec, error: 1.5, adjustment: 0.0, height: 1e-5 }.encode(&mut coordinate);
    add("serf", &coordinate);
    let mut datagrams = Vec::new();
    for record in records("malformed/live_node.jsonl") {
        let bytes = hex(&record["hex"]);
        let setting = match record["config"].as_str() {
            Some("enc") => 1,
            Some("enc-lenient") => 1 | 16,
            Some("label") => 4,
            Some("label-enc") => 1 | 4,
            _ => 0,
        };
        add("envelope", &[&[setting], &bytes[..]].concat());
        if record["net"] == "tcp" {
            add("stream", &[&[3], &bytes[..]].concat());
        } else if setting == 0 {
            add("packet", &bytes);
            datagrams.push(bytes);
        }
    }
    for few in datagrams.chunks(8) {
        add("node", &fuzzing::node_seed(few));
    }
    let journals = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journals");
    for entry in fs::read_dir(journals).expect("the journals are checked in") {
        let journal = fs::read(entry.expect("a readable directory").path()).expect("a file");
        // What is cut off would slow the fuzzer down.
        add("journal", &journal[..journal.len().min(4096)]);
    }
}

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    path.is_dir().then_some(path)
}
