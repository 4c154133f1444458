//! The formulas against values that memberlist computed.

use core::net::SocketAddr;
use core::time::Duration;
use std::path::Path;
use std::vec::Vec;
use std::{format, println};

use serde_json::Value;

use crate::envelope::EncryptionVersion;
use crate::member::{Record, Versions};
use crate::swim::tests_only::{Base, Members, push_pull_interval, timeout, timeout_min};

#[test]
fn formulas_give_what_memberlist_computes() {
    let mut counts = [0; 6];
    for record in records() {
        let (given, expected) = (&record["in"], &record["out"]);
        let number = |field: &str| given[field].as_u64().expect(field);
        let small = |field: &str| u32::try_from(number(field)).expect(field);
        let time = |field: &str| Duration::from_nanos(number(field));
        let version = || match number("version") {
            0 => EncryptionVersion::V0,
            _ => EncryptionVersion::V1,
        };
        let ns = |d: Duration| i128::try_from(d.as_nanos()).unwrap();
        let (kind, computed) = match record["function"].as_str().unwrap() {
            "suspicion_timeout_ns" => {
                let (mult, n) = (small("suspicion_mult"), small("n"));
                (0, ns(timeout_min(mult, n, time("interval_ns"))))
            }
            "remaining_suspicion_ns" => {
                let (min, max) = (time("min_ns"), time("max_ns"));
                let all = timeout(min, max, small("n"), small("k"));
                (1, ns(all) - ns(time("elapsed_ns")))
            }
            // A node knows itself, so its table is never empty.
            "retransmit_limit" if number("n") == 0 => (2, 0),
            "retransmit_limit" => {
                let limit = small("retransmit_mult") * log10_ceil(small("n"));
                (2, i128::from(limit))
            }
            "push_pull_scale_ns" => (3, ns(push_pull_interval(time("interval_ns"), small("n")))),
            "encrypt_overhead_max" => (4, version().overhead() as i128),
            "encrypted_length" => {
                let plain_len = usize::try_from(number("plain_len")).unwrap();
                (5, version().blob_len(plain_len) as i128)
            }
            other => panic!("unknown function {other}"),
        };
        counts[kind] += 1;
        assert_eq!(computed, i128::from(expected.as_i64().unwrap()), "{record}");
    }
    println!("formulas: {counts:?}");
    assert_eq!(counts.iter().sum::<i32>(), 182);
}

/// As a table of so many members counts it.
fn log10_ceil(n: u32) -> u32 {
    let addr = SocketAddr::from(([10, 0, 0, 1], 7946)).into();
    let versions = Versions([1, 5, 2, 0, 0, 0]);
    let record = |i: u32| Record::new(format!("m{i}").as_bytes(), addr, b"", versions);
    Members::shared(Base::at_rest(0, (0..n).map(record)).into()).log10_ceil()
}

fn records() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/math/formulas.jsonl");
    let lines = std::fs::read_to_string(path).expect("run from a checkout");
    lines.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}
