//! What a real node answered to good and bad streams: where it sent an error message, so do we.

use swim_core::envelope::{FrameBuffers, FrameReader, Label, Outer, Verify};
use swim_core::keyring::{Key, Keyring};
use swim_core::wire::stream::{Limits, Role};

use crate::cipher::{optional, string};
use crate::support::{Lzw, bytes, count, load, text};

#[test]
fn error_replies_go_where_the_original_sends_them() {
    let records = load("malformed/live_node.jsonl");
    let (mut streams, mut replies, mut crashes) = (0, 0, 0);
    for record in records.iter().filter(|record| record["net"] == "tcp") {
        streams += 1;
        let keyring = keyring(text(record, "config"));
        let outer = outer(text(record, "config"), &keyring);
        let stream = optional(record, "hex_new").unwrap_or_else(|| bytes(record, "hex"));
        let reply = reply_to(&outer, &stream);
        if record["new"]["crashed"] == true {
            // An authentic frame without a message. Here it is refused like a damaged one.
            crashes += 1;
            assert!(reply.is_some());
            continue;
        }
        let expected = record["new"].get("reply_error_text").map(string);
        assert_eq!(reply.is_some(), expected.is_some(), "{}: {expected:?}", text(record, "id"));
        replies += usize::from(reply.is_some());
    }
    count("live streams", streams, 47);
    count("error replies", replies, 9);
    count("survived crashes", crashes, 1);
}

/// The error reply to a stream that ends after these bytes.
fn reply_to(outer: &Outer<'_>, stream: &[u8]) -> Option<&'static str> {
    let mut reader = FrameReader::new(*outer, Role::Acceptor, Limits::default());
    let frame = match reader.advance(stream) {
        Ok(frame) => frame?,
        Err(error) => return error.reply_text(),
    };
    let (mut lzw, mut buffers) = (Lzw::default(), FrameBuffers::default());
    let opened = outer.open_frame(Role::Acceptor, &stream[frame], &mut lzw, &mut buffers);
    opened.err()?.reply_text()
}

fn keyring(config: &str) -> Keyring {
    let key: [u8; 32] = core::array::from_fn(|n| n as u8);
    if config.contains("enc") { Keyring::new(Key::new(&key).unwrap()) } else { Keyring::empty() }
}

fn outer<'a>(config: &str, keyring: &'a Keyring) -> Outer<'a> {
    let label = if config.contains("label") { &b"dc1"[..] } else { b"" };
    let mut outer = Outer::new(Label::new(label).unwrap(), keyring);
    if config == "enc-lenient" {
        (outer.incoming, outer.outgoing) = (Verify::Tolerant, Verify::Tolerant);
    }
    outer
}
