//! Several layers at once.

use bytes::BytesMut;
use serde_json::Value;
use swim_core::envelope::{Crc, Label, Outer};
use swim_core::keyring::Keyring;
use swim_core::wire::stream::Role;

use crate::cipher::{receive, ring, send, with_version};
use crate::support::{Lzw, bytes, count, hex, load, nonce_of_packet, open, seal, text};

#[test]
fn combined_vectors_hold_both_ways() {
    let records = load("wrappers/combined.jsonl");
    let (mut packets, mut frames) = (0, 0);
    for record in &records {
        let layers = record["layers_inner_to_outer"].as_array().unwrap();
        let layer = |name: &str| layers.iter().rev().find(|layer| layer["layer"] == name);
        let encrypt = layer("encrypt");
        let keyring = match encrypt {
            Some(encrypt) => ring(&[text(encrypt, "key_hex")]),
            None => Keyring::empty(),
        };
        let label = layer("label").map_or("", |layer| text(layer, "label"));
        let mut outer = Outer::new(Label::new(label.as_bytes()).unwrap(), &keyring);
        if let Some(encrypt) = encrypt {
            outer = with_version(outer, &encrypt["version"]);
        }
        if text(record, "id").starts_with("combined/packet/") {
            packets += 1;
            combined_packet(record, layers, &outer);
        } else {
            frames += 1;
            combined_frame(record, layers, &outer);
        }
    }
    count("combined datagrams", packets, 20);
    count("combined frames", frames, 8);
}

fn combined_packet(record: &Value, layers: &[Value], outer: &Outer<'_>) {
    let id = text(record, "id");
    let is_inner =
        |layer: &&Value| matches!(text(layer, "layer"), "message" | "compound" | "compress");
    let inner: Vec<_> = layers.iter().take_while(is_inner).collect();
    let message = bytes(inner[inner.len() - 1], "hex");
    let has_crc = layers.iter().any(|layer| layer["layer"] == "crc");
    let crc = if has_crc { Crc::Add } else { Crc::Omit };
    let datagram = bytes(record, "hex");

    assert_eq!(seal(outer, crc, &datagram, &message), datagram, "{id}");
    assert_eq!(open(outer, &datagram).as_ref(), Ok(&message), "{id}");

    // The compression layer, where a sender would use it: strictly smaller.
    if let [.., plain, compressed] = inner[..]
        && compressed["layer"] == "compress"
        && bytes(compressed, "hex").len() < bytes(plain, "hex").len()
    {
        let mut out = BytesMut::new();
        let mut lzw = Lzw::with_body(&bytes(compressed, "hex")[1..]);
        let nonce = nonce_of_packet(outer, &datagram);
        outer.seal_packet(crc, nonce, &bytes(plain, "hex"), Some(&mut lzw), &mut out).unwrap();
        assert_eq!(hex(&out), hex(&datagram), "{id}");
    }
}

fn combined_frame(record: &Value, layers: &[Value], outer: &Outer<'_>) {
    let message = bytes(&layers[0], "hex");
    let stream = bytes(record, "hex");
    let mut lzw = Lzw::default();
    let opened = receive(outer, Role::Acceptor, &stream, &mut lzw).unwrap().unwrap();
    assert_eq!(hex(&opened), hex(&message));
    assert_eq!(send(outer, Role::Dialer, &stream, &message, lzw), stream);
}
