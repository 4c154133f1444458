//! Reading the recorded conversations.

use std::path::Path;

use bytes::Bytes;
use serde_json::Value;
use swim_tokio::rpc::wire::Frames;

/// A conversation of one connection.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) id: String,
    /// In the order of time; without bytes: that side closed.
    pub(crate) chunks: Vec<(Side, Option<Vec<u8>>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Conversation {
    /// The msgpack values that a side sent, up to the first that is none.
    pub(crate) fn values(&self, side: Side) -> Vec<Bytes> {
        let mut frames = Frames::new(1 << 20);
        for (_, bytes) in self.chunks.iter().filter(|(from, _)| *from == side) {
            frames.buffer().extend_from_slice(bytes.as_deref().unwrap_or_default());
        }
        std::iter::from_fn(|| frames.take().ok().flatten()).collect()
    }

    /// Whether the client is the real one, which writes as Serf writes.
    pub(crate) fn is_of_cli(&self) -> bool {
        self.id.starts_with("cli/")
    }
}

/// The conversations in a file of the vectors.
pub(crate) fn conversations(file: &str) -> Vec<Conversation> {
    records(file).iter().flat_map(conversations_of).collect()
}

/// The records in a file of the vectors.
pub(crate) fn records(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    let lines = std::fs::read_to_string(path).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Those of a record, one for each connection.
pub(crate) fn conversations_of(record: &Value) -> Vec<Conversation> {
    let id = record["id"].as_str().unwrap();
    let connections = record["connections"].as_array().unwrap().iter();
    connections
        .map(|connection| {
            // What has no direction is how the recorder's own read ended.
            let chunks = connection["chunks"].as_array().unwrap().iter();
            let chunks = chunks.filter(|chunk| chunk["dir"].is_string()).map(|chunk| {
                let side = if chunk["dir"] == "c2s" { Side::Client } else { Side::Server };
                (side, chunk["hex"].as_str().map(unhex))
            });
            Conversation { id: id.into(), chunks: chunks.collect() }
        })
        .collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().map(|c| c.to_digit(16).unwrap()).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}
