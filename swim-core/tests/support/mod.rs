//! Reading the golden vectors.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The records of a file of JSON lines in `tests/vectors`.
pub(crate) fn records(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    let lines = fs::read_to_string(path).expect(file);
    lines.lines().map(|line| serde_json::from_str(line).expect(file)).collect()
}

/// The bytes that a field holds in hex.
pub(crate) fn hex(value: &Value) -> Vec<u8> {
    unhex(value.as_str().expect("hex"))
}

/// The bytes of an even number of hex digits.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().map(|c| c.to_digit(16).expect("a hex digit")).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}
