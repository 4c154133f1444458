//! Replays the fuzzing corpus of this crate on the stable toolchain, and seeds it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use swim_tokio::fuzzing;

type Target = (&'static str, fn(&[u8]));

#[cfg(feature = "agent")]
const TARGETS: [Target; 2] = [("rpc", fuzzing::rpc), ("config", fuzzing::config)];
#[cfg(not(feature = "agent"))]
const TARGETS: [Target; 1] = [("rpc", fuzzing::rpc)];

#[test]
fn the_corpus_holds() {
    let Some(corpus) = corpus() else {
        println!("nothing to replay: the published crate has no corpus");
        return;
    };
    for (name, target) in TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(corpus.join(name)).unwrap() {
            let path = entry.unwrap().path();
            let input = fs::read(&path).unwrap();
            // A failure names the input that it takes.
            let outcome = std::panic::catch_unwind(|| target(&input));
            assert!(outcome.is_ok(), "{}", path.display());
            count += 1;
        }
        println!("{name}: {count} inputs");
        assert!(count > 0, "{name}");
    }
}

/// Not a test: writes what was recorded as inputs of each target. See `fuzz/README.md`.
#[test]
#[ignore = "writes to the corpus"]
fn seed_the_corpus() {
    let corpus = corpus().unwrap();
    for (name, _) in TARGETS {
        fs::create_dir_all(corpus.join(name)).unwrap();
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
        fs::write(corpus.join(target).join(format!("seed-{hash:016x}")), input).unwrap();
    };
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/rpc_old.jsonl");
    for line in fs::read_to_string(recorded).unwrap().lines() {
        let conversation: Value = serde_json::from_str(line).unwrap();
        for connection in conversation["connections"].as_array().into_iter().flatten() {
            for side in ["c2s", "s2c"] {
                let chunks = connection["chunks"].as_array().into_iter().flatten();
                let said: Vec<u8> = chunks
                    .filter(|chunk| chunk["dir"] == side)
                    .flat_map(|chunk| hex(chunk["hex"].as_str().unwrap_or_default()))
                    .collect();
                if !said.is_empty() {
                    add("rpc", &[&[7], &said[..]].concat());
                }
            }
        }
    }
    for text in [
        "{}",
        r#"{"node_name": "n1", "tags": {"role": "web"}, "event_handlers": ["a", "user=b"]}"#,
        r#"{"retry_interval": "30s", "broadcast_timeout": "1m", "protocol": 5, "mdns": {}}"#,
        r#"{"bogus": 1}"#,
        r#"{"retry_max_attempts": -1}"#,
        "[",
    ] {
        add("config", text.as_bytes());
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().map(|d| (d as char).to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    path.is_dir().then_some(path)
}
