//! Conversations between two nodes of the original software.

use serde_json::Value;
use swim_core::envelope::{EncryptionVersion, FrameError, Label, Outer};
use swim_core::keyring::Keyring;
use swim_core::wire::stream::{Limits, Reader, Role, Status};

use crate::cipher::{optional, receive, ring, send};
use crate::support::{Lzw, bytes, count, hex, load, text};

#[test]
fn recorded_conversations_are_read_and_written_alike() {
    let records = load("streams/memberlist_streams.jsonl");
    let (mut requests, mut replies, mut refused) = (0, 0, 0);
    for record in &records {
        let id = text(record, "id");
        for (direction, reader, writer, role) in
            [("c2s", "server", "client", Role::Acceptor), ("s2c", "client", "server", Role::Dialer)]
        {
            let stream: Vec<u8> = record["chunks"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|chunk| chunk["dir"] == direction)
                .flat_map(|chunk| bytes(chunk, "hex"))
                .collect();
            if stream.is_empty() {
                continue;
            }
            let keyring = node_ring(&record[reader]);
            let outer = node_outer(&record[reader], &keyring);
            let mut lzw = Lzw::default();
            let opened = receive(&outer, role, &stream, &mut lzw);
            if id.starts_with("stream/error/") {
                let error = opened.expect_err(id);
                assert_eq!(class(&error), expected_class(id, role), "{id}: {error:?}");
                assert_eq!(
                    role == Role::Acceptor && error.reply_text().is_some(),
                    role == Role::Acceptor && record["chunks"].as_array().unwrap().len() == 2,
                    "{id}"
                );
                refused += 1;
                continue;
            }
            let message = opened.expect(id).expect(id);
            whole_message(id, role, &message);
            if let Some(payload) = optional(record, "payload_hex") {
                assert!(message.ends_with(&payload), "{id}");
            }
            match role {
                Role::Acceptor => requests += 1,
                _ => replies += 1,
            }
            let keyring = node_ring(&record[writer]);
            let sender = node_outer(&record[writer], &keyring);
            assert_eq!(lzw.used(), record[writer]["compression"] == true, "{id}");
            let other = if role == Role::Acceptor { Role::Dialer } else { Role::Acceptor };
            assert_eq!(hex(&send(&sender, other, &stream, &message, lzw)), hex(&stream), "{id}");
        }
    }
    count("conversations", records.len(), 136);
    count("requests", requests, 126);
    count("replies", replies, 56);
    count("refused directions", refused, 18);
}

/// The message inside all layers must itself be complete, to the byte.
fn whole_message(id: &str, role: Role, message: &[u8]) {
    let status = Reader::new(role, Limits::default()).advance(message);
    assert_eq!(status, Ok(Status::Complete(0..message.len())), "{id}");
}

fn class(error: &FrameError) -> &'static str {
    match error {
        FrameError::Unacceptable { .. } => "label",
        FrameError::NotEncrypted => "not encrypted",
        FrameError::NoKeys => "no keys",
        FrameError::Decrypt(_) => "decrypt",
        _ => "other",
    }
}

/// What goes wrong at either end of the recorded failures.
fn expected_class(id: &str, role: Role) -> &'static str {
    let at_acceptor = role == Role::Acceptor;
    let (_, scenario) = id.split_once("error/").unwrap();
    match scenario.split('/').next().unwrap() {
        "plain-client-encrypted-server" if at_acceptor => "not encrypted",
        "plain-client-encrypted-server" => "no keys",
        "encrypted-client-plain-server" if at_acceptor => "no keys",
        "encrypted-client-plain-server" => "not encrypted",
        "wrong-key" | "wrong-key-compressed" => "decrypt",
        "label-mismatch" | "label-missing" => "label",
        other => panic!("unknown scenario {other}"),
    }
}

fn node_ring(node: &Value) -> Keyring {
    node["key_hex"].as_str().map_or_else(Keyring::empty, |key| ring(&[key]))
}

fn node_outer<'a>(node: &'a Value, keyring: &'a Keyring) -> Outer<'a> {
    let mut outer = Outer::new(Label::new(text(node, "label").as_bytes()).unwrap(), keyring);
    if node["protocol"].as_u64().unwrap() < 2 {
        outer.version = EncryptionVersion::V0;
    }
    outer
}
