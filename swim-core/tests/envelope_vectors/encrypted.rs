//! The encrypted blob, in datagrams and frames.

use bytes::BytesMut;
use swim_core::envelope::{
    Crc, DecryptError, FrameBuffers, FrameError, Label, LabelCheck, Outer, PacketError,
};
use swim_core::wire::stream::{Role, StreamError};

use crate::cipher::{optional, ring, string, with_version};
use crate::support::{Lzw, bytes, count, hex, load, open, text, unhex};

#[test]
fn encryption_vectors_hold_both_ways() {
    let records = load("wrappers/encrypted.jsonl");
    let (mut packets, mut frames) = (0, 0);
    for record in &records {
        let id = text(record, "id");
        let keyring = ring(&[text(record, "key_hex")]);
        let outer = with_version(Outer::new(Label::EMPTY, &keyring), &record["version"]);
        let nonce = bytes(record, "nonce_hex").try_into().unwrap();
        let (sealed, plain) = (bytes(record, "hex"), bytes(record, "plain_hex"));
        let mut out = BytesMut::new();
        if text(record, "framing") == "packet" {
            packets += 1;
            outer.seal_packet(Crc::Omit, nonce, &plain, None, &mut out).unwrap();
            let expected = if plain.is_empty() { Err(PacketError::Empty) } else { Ok(plain) };
            assert_eq!(open(&outer, &sealed), expected, "{id}");
        } else {
            frames += 1;
            outer.seal_frame(Role::Acceptor, nonce, &plain, None, &mut out).unwrap();
            // The text is arbitrary: it decrypts, but to a type that no stream carries.
            let expected = match plain.first() {
                None => FrameError::Empty,
                Some(&kind) => FrameError::Stream(StreamError::Unsupported { kind }),
            };
            let mut buffers = FrameBuffers::default();
            let opened =
                outer.open_frame(Role::Acceptor, &sealed, &mut Lzw::default(), &mut buffers);
            assert_eq!(opened, Err(expected), "{id}");
        }
        assert_eq!(hex(&out), text(record, "hex"), "{id}");
    }
    count("encrypted datagrams", packets, 60);
    count("encrypted frames", frames, 24);
}

#[test]
fn random_nonce_vectors_open() {
    let records = load("wrappers/encrypted_random_nonce.jsonl");
    for record in &records {
        let keyring = ring(&[text(record, "key_hex")]);
        let outer = Outer::new(Label::EMPTY, &keyring);
        assert_eq!(open(&outer, &bytes(record, "hex")), Ok(bytes(record, "plain_hex")));
    }
    count("random nonces", records.len(), 8);
}

#[test]
fn any_key_of_the_ring_opens() {
    let records = load("wrappers/encrypted_ring.jsonl");
    for record in &records {
        let keys: Vec<_> = record["ring_hex"].as_array().unwrap().iter().map(string).collect();
        let keyring = ring(&keys);
        let outer = Outer::new(Label::EMPTY, &keyring);
        let datagram = bytes(record, "hex");
        let expected = match record["new"].get("plain_hex") {
            Some(plain) => Ok(unhex(string(plain))),
            // The original's inner function was asked directly; a node without keys does not ask.
            None if keys.is_empty() => Ok(datagram.clone()),
            None => Err(PacketError::Decrypt(DecryptError::NoKey { tried: keys.len() })),
        };
        assert_eq!(open(&outer, &datagram), expected, "{}", text(record, "id"));
    }
    count("rings", records.len(), 5);
}

#[test]
fn malformed_ciphertexts_end_as_expected() {
    let records = load("malformed/encrypted.jsonl");
    let (mut refused, mut accepted, mut different) = (0, 0, 0);
    for record in &records {
        let id = text(record, "id");
        let keyring = ring(&[text(record, "key_hex")]);
        let aad = optional(record, "aad_hex").unwrap_or_default();
        let mut outer = Outer::new(Label::new(&aad).unwrap(), &keyring);
        // The label is only what is authenticated here; its header is not part of the record.
        outer.label_check = LabelCheck::Stripped;
        let opened = open(&outer, &bytes(record, "hex"));
        let go = &record["new"];
        if let Some(&(_, found)) = PADDING_DIFFERENCES.iter().find(|(name, _)| *name == id) {
            assert_eq!(opened, Err(PacketError::Decrypt(DecryptError::Padding { found })), "{id}");
            different += 1;
        } else if let Some(plain) = go.get("go_plain_hex") {
            assert_eq!(opened, Ok(unhex(string(plain))), "{id}");
            accepted += 1;
        } else {
            let Err(PacketError::Decrypt(error)) = opened else { panic!("{id}: {opened:?}") };
            let class = string(&go["go_error"]);
            let same = match error {
                DecryptError::Empty => class.contains("empty payload"),
                DecryptError::TooShort { len, .. } => class.ends_with(&format!("decrypt: {len}")),
                DecryptError::Version { found } => class.ends_with(&format!("version {found}")),
                DecryptError::NoKey { .. } => class.starts_with("no installed keys"),
                _ => false,
            };
            assert!(same, "{id}: {error:?} for {class}");
            refused += 1;
        }
    }
    count("malformed, refused alike", refused, 17);
    count("malformed, accepted alike", accepted, 2);
    count("malformed, different", different, 4);
}

/// The outcomes of the original that are not ours, and why.
const PADDING_DIFFERENCES: [(&str, u8); 4] = [
    // No padding at all is not a padding that an encoder makes; the original keeps all 32 bytes.
    ("enc/v0-padding/0", 0),
    // More than a block; the original takes off 17 bytes.
    ("enc/v0-padding/17", 17),
    // More than there is; the original dies.
    ("enc/v0-padding/200", 200),
    ("enc/v0-padding/255", 255),
];
