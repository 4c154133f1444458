//! The layers that need no cipher.

use swim_core::envelope::{Crc, Label, LabelError, Outer, PacketError, split_label};
use swim_core::keyring::{Key, KeyError, Keyring};

use crate::support::{bytes, count, load, open, seal, text};

#[test]
fn crc_vectors_hold_both_ways() {
    let records = load("wrappers/crc.jsonl");
    let keyring = Keyring::empty();
    let outer = Outer::new(Label::EMPTY, &keyring);
    for record in &records {
        let (datagram, inner) = (bytes(record, "hex"), bytes(record, "inner_hex"));
        assert_eq!(seal(&outer, Crc::Add, &datagram, &inner), datagram, "{}", text(record, "id"));
        let expected = if inner.is_empty() { Err(PacketError::Empty) } else { Ok(inner) };
        assert_eq!(open(&outer, &datagram), expected, "{}", text(record, "id"));
    }
    count("crc", records.len(), 9);
}

#[test]
fn key_length_vectors_hold() {
    let records = load("wrappers/key_lengths.jsonl");
    for record in &records {
        let found = record["len"].as_u64().unwrap() as usize;
        let key = Key::new(&vec![1; found]);
        if record["accepted"] == true {
            assert_eq!(key.unwrap().as_bytes().len(), found);
        } else {
            assert_eq!(key, Err(KeyError::Length { found }));
        }
    }
    count("key lengths", records.len(), 10);
}

#[test]
fn label_vectors_hold() {
    let records = load("wrappers/label.jsonl");
    let keyring = Keyring::empty();
    let mut added = 0;
    for record in &records {
        let id = text(record, "id");
        let refused = record.get("go_error").is_some();
        if id.starts_with("label/add/") {
            added += 1;
            let label = Label::new(text(record, "label").as_bytes());
            if refused {
                let error = LabelError::TooLong { len: 256, bytes_max: 255 };
                assert_eq!(label, Err(error), "{id}");
                continue;
            }
            let outer = Outer::new(label.unwrap(), &keyring);
            let (datagram, inner) = (bytes(record, "hex"), bytes(record, "inner_hex"));
            assert_eq!(seal(&outer, Crc::Omit, &datagram, &inner), datagram, "{id}");
            assert_eq!(open(&outer, &datagram), Ok(inner), "{id}");
        } else {
            let datagram = bytes(record, "hex");
            let split = split_label(&datagram);
            if refused {
                assert!(split.is_err(), "{id}");
            } else {
                let (label, rest) = (bytes(record, "label_hex"), bytes(record, "rest_hex"));
                assert_eq!(split, Ok((&label[..], &rest[..])), "{id}");
            }
        }
    }
    count("labels added", added, 4);
    count("labels", records.len(), 16);
}
