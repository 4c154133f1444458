//! The stream plane as a peer sees it, byte for byte.

use std::net::SocketAddr;
use std::time::Duration;

use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::keyring::Keyring;
use swim_tokio::swim_core::wire::{Ack, ErrorReply, Message, Ping, Source};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{SOON, alone, key};

/// What comes back for these bytes until the other side closes.
async fn answer(to: SocketAddr, pieces: &[&[u8]]) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).await.unwrap();
    for piece in pieces {
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
    }
    let mut reply = Vec::new();
    timeout(SOON, stream.read_to_end(&mut reply)).await.expect("it closes").unwrap();
    reply
}

fn error_text(reply: &[u8]) -> String {
    match Message::decode(reply) {
        Ok(Message::Error(ErrorReply { text, .. })) => String::from_utf8(text.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn ping(node: &[u8]) -> Vec<u8> {
    let mut bytes = bytes::BytesMut::new();
    Ping { seq: 42, node, source: Source::default() }.encode(&mut bytes);
    bytes.to_vec()
}

/// A push/pull of nobody.
const EMPTY_PUSH_PULL: &[u8] = b"\x06\x83\xa4Join\xc2\xa5Nodes\x00\xacUserStateLen\x00";

#[tokio::test]
async fn a_stream_ping_is_answered_if_it_is_for_this_node() {
    let (a, _events) = alone(Config::local().compression(false), "a").await;
    for name in [&b"a"[..], b""] {
        let reply = answer(a.local_addr(), &[&ping(name)]).await;
        let decoded = Message::decode(&reply).unwrap();
        assert!(matches!(decoded, Message::Ack(Ack { seq: 42, .. })), "{decoded:?}");
    }
    assert_eq!(answer(a.local_addr(), &[&ping(b"b")]).await, b"");
}

#[tokio::test]
async fn a_push_pull_in_single_bytes_and_with_bytes_behind_it_is_answered() {
    let (a, _events) = alone(Config::local().compression(false), "a").await;
    let whole = [EMPTY_PUSH_PULL, &[0xff; 100]].concat();
    let mut pieces: Vec<_> = EMPTY_PUSH_PULL.chunks(1).collect();
    for pieces in [std::mem::take(&mut pieces), vec![&whole[..]]] {
        let reply = answer(a.local_addr(), &pieces).await;
        assert!(reply.starts_with(b"\x06\x83\xa4Join\xc2\xa5Nodes\x01"), "{reply:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_answered_with_the_reason() {
    let open = Config::local().compression(false);
    let (a, _events) = alone(open.clone(), "a").await;
    let sealed = open.clone().keyring(Keyring::new(key(1))).verify_outgoing(false);
    let (b, _events) = alone(sealed, "b").await;
    let damaged = [&b"\x0a\x00\x00\x00\x30\x01"[..], &[7; 47]].concat();
    let not_compressed = b"\x09\x82\xa4Algo\x00\xa3Buf\xa3\xff\xff\xff";
    for (to, bytes, says) in [
        (&a, &damaged[..], "encrypted and this node has no keys"),
        (&b, &damaged, "cannot be decrypted"),
        (&b, EMPTY_PUSH_PULL, "requires encryption"),
        (&a, not_compressed, "cannot be decompressed"),
        (&a, b"\x0a\xff\xff\xff\xff", "encrypted and this node has no keys"),
        (&b, b"\x0a\xff\xff\xff\xff", "too long"),
    ] {
        let text = error_text(&answer(to.local_addr(), &[bytes]).await);
        assert!(text.contains(says), "{text}");
    }
    let stats = a.stats().await.unwrap();
    assert_eq!(stats.driver.streams_unopened, 3, "{stats:?}");
}

#[tokio::test]
async fn a_request_cut_short_is_answered_and_an_empty_stream_is_not() {
    let (a, _events) = alone(Config::local().compression(false), "a").await;
    for (bytes, says) in [(&EMPTY_PUSH_PULL[..10], "cut short"), (b"", "")] {
        let mut stream = TcpStream::connect(a.local_addr()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut reply = Vec::new();
        timeout(SOON, stream.read_to_end(&mut reply)).await.expect("it closes").unwrap();
        match says {
            "" => assert_eq!(reply, b""),
            _ => assert!(error_text(&reply).contains(says)),
        }
    }
}

#[tokio::test]
async fn another_label_or_an_unknown_type_is_closed_without_a_word() {
    let (a, _events) = alone(Config::local().label(b"one"), "a").await;
    let labelled = |label: &[u8], rest: &[u8]| [&[244, label.len() as u8], label, rest].concat();
    for bytes in [
        labelled(b"two", EMPTY_PUSH_PULL),
        EMPTY_PUSH_PULL.to_vec(),
        labelled(b"one", b"\x07\x00"),
        labelled(b"one", b"\xee"),
        vec![244, 0],
    ] {
        assert_eq!(answer(a.local_addr(), &[&bytes]).await, b"", "{bytes:?}");
    }
    let reply = answer(a.local_addr(), &[&labelled(b"one", EMPTY_PUSH_PULL)]).await;
    assert_eq!(reply[0], 9, "replies have no label; this one is compressed");
}

#[tokio::test]
async fn who_says_nothing_is_closed_when_the_time_is_up() {
    let (a, _events) = alone(Config::local().stream_timeout(Duration::from_millis(300)), "a").await;
    let start = Instant::now();
    let mut stream = TcpStream::connect(a.local_addr()).await.unwrap();
    stream.write_all(&EMPTY_PUSH_PULL[..10]).await.unwrap();
    assert_eq!(timeout(SOON, stream.read(&mut [0; 8])).await.unwrap().unwrap(), 0);
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(a.stats().await.unwrap().driver.streams_broken, 1);
}

#[tokio::test]
async fn one_source_cannot_hold_every_stream() {
    let (a, _events) = alone(Config::local(), "a").await;
    let mut held = Vec::new();
    for _ in 0..150 {
        held.push(TcpStream::connect(a.local_addr()).await.unwrap());
    }
    let start = Instant::now();
    while a.stats().await.unwrap().driver.streams_crowded < 22 {
        assert!(start.elapsed() < SOON);
        sleep(Duration::from_millis(10)).await;
    }
    let mut last = held.pop().unwrap();
    assert_eq!(timeout(SOON, last.read(&mut [0; 8])).await.unwrap().unwrap_or(0), 0);
    drop(held);
    sleep(Duration::from_millis(100)).await;
    assert!(!answer(a.local_addr(), &[EMPTY_PUSH_PULL]).await.is_empty());
}

#[tokio::test]
async fn announced_sizes_take_no_memory() {
    let (a, _events) = alone(Config::local().keyring(Keyring::new(key(1))), "a").await;
    let mut held = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(a.local_addr()).await.unwrap();
        // Nearly 20 MiB, of which a few bytes come.
        stream.write_all(b"\x0a\x01\x3f\xff\xff\x01abc").await.unwrap();
        held.push(stream);
    }
    sleep(Duration::from_millis(200)).await;
    assert_eq!(a.stats().await.unwrap().driver.streams_bytes_limited, 0);
}
