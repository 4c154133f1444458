//! The worked examples of the memberlist specification, section 10, that concern these layers.

use bytes::BytesMut;
use swim_core::envelope::{Crc, FrameError, FrameReader, Label, Outer};
use swim_core::keyring::Keyring;
use swim_core::wire::stream::{Limits, Reader, Role, Status};

use crate::support::{NONE, hex, open, unhex};

#[test]
fn e13_gossip_datagram_with_crc() {
    let keyring = Keyring::empty();
    let outer = Outer::new(Label::EMPTY, &keyring);
    let message = open(&outer, &unhex(E13)).unwrap();
    assert_eq!(message, unhex(E13)[5..]);
    let mut out = BytesMut::new();
    outer.seal_packet(Crc::Add, NONE, &message, None, &mut out).unwrap();
    assert_eq!(hex(&out), E13);
}

#[test]
fn e15_label_without_encryption() {
    let keyring = Keyring::empty();
    let outer = Outer::new(Label::new(b"lbl").unwrap(), &keyring);
    let mut out = BytesMut::new();
    outer.seal_packet(Crc::Omit, NONE, &unhex(NACK), None, &mut out).unwrap();
    assert_eq!(hex(&out), "f4036c626c0b81a55365714e6f01");
    assert_eq!(open(&outer, &out), Ok(unhex(NACK)));
}

#[test]
fn e17_either_codec_announces_the_same_message() {
    for header in [
        "0683a44a6f696ec2a54e6f646573ccffac5573657253746174654c656ecd0100",
        "0683a44a6f696ec2a54e6f646573d100ffac5573657253746174654c656ed10100",
    ] {
        let mut message = unhex(header);
        message.extend([0x80; 255]);
        message.extend([0; 256]);
        assert_ends(Role::Acceptor, &message);
    }
    for header in ["0881aa557365724d73674c656ecd03e8", "0881aa557365724d73674c656ed103e8"] {
        let mut message = unhex(header);
        message.extend([0; 1000]);
        assert_ends(Role::Acceptor, &message);
    }
}

#[test]
fn e18_user_message_ends_where_its_payload_ends() {
    assert_ends(Role::Acceptor, &unhex(E18_PLAIN));
    assert_ends(Role::Acceptor, &unhex(E18_COMPRESSED));
}

#[test]
fn e19_compressed_ping_and_ack_end_where_their_map_ends() {
    assert_ends(Role::Acceptor, &unhex(E19_PING));
    assert_ends(Role::Dialer, &unhex(E19_ACK));
}

#[test]
fn e21_error_reply_is_a_reply_and_not_a_request() {
    let reply = unhex(E21);
    assert_ends(Role::Dialer, &reply);
    let mut acceptor = Reader::new(Role::Acceptor, Limits::default());
    assert!(acceptor.advance(&reply).is_err());
}

/// What makes a node send the reply of E21: an encrypted frame where there is no key. The first
/// byte is enough.
#[test]
fn e21_is_due_at_the_first_byte_of_an_encrypted_request() {
    let keyring = Keyring::empty();
    let outer = Outer::new(Label::EMPTY, &keyring);
    let error = FrameReader::new(outer, Role::Acceptor, Limits::default()).advance(b"\x0a");
    assert_eq!(error, Err(FrameError::NoKeys));
    assert!(FrameError::NoKeys.reply_text().is_some());
}

/// With other bytes after it, the message ends at its own end, and no earlier.
fn assert_ends(role: Role, message: &[u8]) {
    let mut stream = message.to_vec();
    stream.extend(b"\xc1after");
    let mut reader = Reader::new(role, Limits::default());
    assert_eq!(reader.advance(&stream[..message.len() - 1]), Ok(Status::NeedMore));
    assert_eq!(reader.advance(&stream), Ok(Status::Complete(0..message.len())));
}

#[cfg(feature = "encryption")]
mod encrypted {
    use super::*;

    use swim_core::envelope::{EncryptionVersion, FrameBuffers};
    use swim_core::keyring::Key;

    use crate::support::Lzw;

    #[test]
    fn e14_encrypted_nack() {
        let keyring = keyring();
        let mut outer = Outer::new(Label::EMPTY, &keyring);
        assert_seals(&outer, E14_V1);
        outer.version = EncryptionVersion::V0;
        assert_seals(&outer, E14_V0);
        outer = Outer::new(Label::new(b"lbl").unwrap(), &keyring);
        assert_seals(&outer, &format!("f4036c626c{E14_LABEL}"));
    }

    fn assert_seals(outer: &Outer<'_>, datagram: &str) {
        let mut out = BytesMut::new();
        outer.seal_packet(Crc::Omit, NONCE, &unhex(NACK), None, &mut out).unwrap();
        assert_eq!(hex(&out), datagram);
        assert_eq!(open(outer, &out), Ok(unhex(NACK)));
    }

    #[test]
    fn e15_all_layers_of_a_datagram() {
        let keyring = keyring();
        let outer = Outer::new(Label::new(b"lbl").unwrap(), &keyring);
        let message = unhex(E15_COMPOUND);
        let mut out = BytesMut::new();
        outer.seal_packet(Crc::Add, NONCE, &message, None, &mut out).unwrap();
        assert_eq!(hex(&out), E15);
        assert_eq!(open(&outer, &out), Ok(message));
    }

    #[test]
    fn e18_encrypted_user_message() {
        let keyring = keyring();
        let mut outer = Outer::new(Label::EMPTY, &keyring);
        assert_frames(&outer, E18_V1);
        outer.version = EncryptionVersion::V0;
        assert_frames(&outer, E18_V0);
        outer = Outer::new(Label::new(b"lbl").unwrap(), &keyring);
        assert_frames(&outer, &format!("f4036c626c{E18_LABEL}"));
    }

    fn assert_frames(outer: &Outer<'_>, stream: &str) {
        let message = unhex(E18_PLAIN);
        let mut out = BytesMut::new();
        outer.seal_frame(Role::Dialer, NONCE, &message, None, &mut out).unwrap();
        assert_eq!(hex(&out), stream);
        let mut reader = FrameReader::new(*outer, Role::Acceptor, Limits::default());
        let frame = reader.advance(&out).unwrap().unwrap();
        assert_eq!(frame, outer.label.header_len()..out.len());
        let mut buffers = FrameBuffers::default();
        let (lzw, frame) = (&mut Lzw::default(), &out[frame]);
        assert_eq!(outer.open_frame(Role::Acceptor, frame, lzw, &mut buffers), Ok(&message[..]));
    }

    fn keyring() -> Keyring {
        Keyring::new(Key::new(b"0123456789abcdef").unwrap())
    }

    const NONCE: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
    const E14_V1: &str =
        "01000102030405060708090a0bf6be614e7b057559e901a07791e9ab556729884a196e52318b";
    const E14_V0: &str = "00000102030405060708090a0bf6be614e7b057559e921001dc79cb72a07dddcf4421d9e\
                          eff56df560ec95b0b4";
    const E14_LABEL: &str =
        "01000102030405060708090a0bf6be614e7b057559e9d8d5db0bc8a6205375dda3d92f85c0fa";
    const E15: &str = "f4036c626c01000102030405060708090a0bf1be333bb4733936ad26201a453ffe4264b2f194\
        68d72f6615ccb9969ee5c446f444f09b828dfd860e43d53a746d5d20c931665b461226386dcdedc2291dbb2f9d\
        2f531c64a5388dfbbacfe5ebb2078f4c68a92a6d311da7c123a5ad68f23aa28c5e2d74f8acf7abb57460515aac\
        f1c67d3128ec3fba669d5294e0d98e6f9f6afca93a5bd85a97";
    const E15_COMPOUND: &str = "0702004500270085a44e6f6465a66e6f64652d62a55365714e6f2aaa536f7572636\
        541646472a40a000001aa536f757263654e6f6465a66e6f64652d61aa536f75726365506f7274cd1f0a0383a44\
        6726f6da66e6f64652d61ab496e6361726e6174696f6e07a44e6f6465a66e6f64652d62";
    const E18_V1: &str = "0a0000003001000102030405060708090a0bf5be6e486d11497b9b414b7fae9ed8486cbb3\
        8698885d6f04936b7f60af1f7167fc044";
    const E18_LABEL: &str = "0a0000003001000102030405060708090a0bf5be6e486d11497b9b414b7fae9ed8486c\
        bb388406266a1fb65613d6f2dcafc9fcdd1b";
    const E18_V0: &str = "0a0000003d00000102030405060708090a0bf5be6e486d11497b9b414b7fae9ed8486cbb3\
        8f70abe47467a64e7fee2a6a66198a3ded89f92f59fd014c78a1514bb9b";
}

const NACK: &str = "0b81a55365714e6f01";
const E13: &str = "0cd0f6e8af0702003900390486a441646472a47f000001ab496e6361726e6174696f6e01a44d6574\
    61c0a44e6f6465a166a4506f7274cd42cea356736ea60105020000000486a441646472a47f000001ab496e6361726e\
    6174696f6e01a44d657461c0a44e6f6465a161a4506f7274cd42e0a356736ea6010502000000";
const E18_PLAIN: &str = "0881aa557365724d73674c656e0568656c6c6f";
const E18_COMPRESSED: &str = "0982a4416c676f00a3427566b80011045255654e19394de69c6152c64d013465d8b07\
    91310";
const E19_PING: &str = "0982a4416c676f00a3427566da004100011422e5e40d9932a6dc182cd3424ca92965e21454a\
    16aca9b3a72c6940942868c1c520a00000850f162c632050f265cd8224c498c1aa1bc9143a7d907050101";
const E19_ACK: &str = "0982a4416c676f00a3427566b70005083a05254c1e366fc29001566a4a99384edea80808";
const E21: &str = "0d81a54572726f72da003a72656d6f746520737461746520697320656e6372797074656420616e64\
    20656e6372797074696f6e206973206e6f7420636f6e66696775726564";
