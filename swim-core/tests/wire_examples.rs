//! The worked examples of the memberlist spec (section 10), by their numbers.

use bytes::BytesMut;
use swim_core::wire::lzw::{self, Compressor};
use swim_core::wire::{
    Ack, Alive, Claim, Compound, ErrorReply, IndirectPing, Kind, Limits, Message, Nack, NodeState,
    Parts, Ping, PushPull, PushPullHeader, Scratch, Source, UserHeader,
};

const NODE_A: Source<'_> = Source { addr: b"\x0a\x00\x00\x01", port: 7946, node: b"node-a" };
const VSN: Option<&[u8]> = Some(b"\x01\x05\x02\x00\x00\x00");

/// `message` is what `example` decodes to, and what `encode` writes is `example`.
fn check(example: &str, message: Message<'_>, encode: impl FnOnce(&mut BytesMut)) {
    let example = hex(example);
    assert_eq!(Message::decode(&example), Ok(message));
    let mut out = BytesMut::new();
    encode(&mut out);
    assert_eq!(out, example);
}

#[test]
fn e1_ping_with_all_fields() {
    let ping = Ping { seq: 42, node: b"node-b", source: NODE_A };
    let example = "0085a44e6f6465a66e6f64652d62a55365714e6f2aaa536f7572636541646472a40a000001aa536f75\
                   7263654e6f6465a66e6f64652d61aa536f75726365506f7274cd1f0a";
    check(example, Message::Ping(ping), |out| ping.encode(out));
    assert_eq!(ping.encoded_len(), 69);
}

#[test]
fn e2_ping_without_source() {
    let ping = Ping { seq: 42, node: b"node-b", source: Source::default() };
    let example = "0082a44e6f6465a66e6f64652d62a55365714e6f2a";
    check(example, Message::Ping(ping), |out| ping.encode(out));
}

#[test]
fn e3_ping_with_mapped_source_and_no_name() {
    let addr = b"\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x01";
    let source = Source { addr, port: 80, node: b"a" };
    let ping = Ping { seq: 70000, node: b"", source };
    let example = "0085a44e6f6465a0a55365714e6fce00011170aa536f7572636541646472b0000000000000000000\
                   00ffff0a000001aa536f757263654e6f6465a161aa536f75726365506f727450";
    check(example, Message::Ping(ping), |out| ping.encode(out));
}

#[test]
fn e4_indirect_ping_with_nack() {
    let target = Some(&b"\x0a\x00\x00\x02"[..]);
    let ping =
        IndirectPing { seq: 300, target, port: 7946, node: b"node-c", nack: true, source: NODE_A };
    let example = "0188a44e61636bc3a44e6f6465a66e6f64652d63a4506f7274cd1f0aa55365714e6fcd012caa536f\
                   7572636541646472a40a000001aa536f757263654e6f6465a66e6f64652d61aa536f75726365506f\
                   7274cd1f0aa6546172676574a40a000002";
    check(example, Message::IndirectPing(ping), |out| ping.encode(out));
    assert_eq!(ping.encoded_len(), 97);
}

#[test]
fn e5_ack() {
    for (payload, example) in [
        (None, "0282a75061796c6f6164c0a55365714e6f2a"),
        (Some(&b"\x01\x02\x03"[..]), "0282a75061796c6f6164a3010203a55365714e6f2a"),
        (Some(&b""[..]), "0282a75061796c6f6164a0a55365714e6f2a"),
    ] {
        let ack = Ack { seq: 42, payload };
        check(example, Message::Ack(ack), |out| ack.encode(out));
    }
}

#[test]
fn e6_nack() {
    let nack = Nack { seq: 42 };
    check("0b81a55365714e6f2a", Message::Nack(nack), |out| nack.encode(out));
}

#[test]
fn e7_error() {
    let error = ErrorReply { text: b"boom" };
    check("0d81a54572726f72a4626f6f6d", Message::Error(error), |out| error.encode(out));
}

#[test]
fn e8_suspect() {
    let claim = Claim { incarnation: 7, node: b"node-b", from: b"node-a" };
    let example = "0383a446726f6da66e6f64652d61ab496e6361726e6174696f6e07a44e6f6465a66e6f64652d62";
    check(example, Message::Suspect(claim), |out| claim.encode(Kind::Suspect, out));
}

#[test]
fn e9_dead_by_leaving() {
    let claim = Claim { incarnation: 7, node: b"node-b", from: b"node-b" };
    let example = "0583a446726f6da66e6f64652d62ab496e6361726e6174696f6e07a44e6f6465a66e6f64652d62";
    check(example, Message::Dead(claim), |out| claim.encode(Kind::Dead, out));
}

#[test]
fn e10_alive() {
    let plain = Alive {
        incarnation: 1,
        node: b"node-a",
        addr: Some(NODE_A.addr),
        port: 7946,
        meta: None,
        vsn: VSN,
    };
    let hello = Alive { meta: Some(b"hello"), ..plain };
    let far = Alive { incarnation: 0xdead_beef, port: 200, ..hello };
    let mapped = Alive { addr: Some(b"\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x01"), ..hello };
    let long = Alive { meta: Some(&[0xaa; 40]), node: &[b'n'; 31], vsn: None, ..plain };
    for (alive, example) in [
        (
            plain,
            "0486a441646472a40a000001ab496e6361726e6174696f6e01a44d657461c0a44e6f6465a66e6f64652d\
             61a4506f7274cd1f0aa356736ea6010502000000",
        ),
        (
            far,
            "0486a441646472a40a000001ab496e6361726e6174696f6ecedeadbeefa44d657461a568656c6c6fa44e\
             6f6465a66e6f64652d61a4506f7274ccc8a356736ea6010502000000",
        ),
        (
            mapped,
            "0486a441646472b000000000000000000000ffff0a000001ab496e6361726e6174696f6e01a44d657461\
             a568656c6c6fa44e6f6465a66e6f64652d61a4506f7274cd1f0aa356736ea6010502000000",
        ),
        (
            long,
            "0486a441646472a40a000001ab496e6361726e6174696f6e01a44d657461da0028aaaaaaaaaaaaaaaaaa\
             aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa44e6f6465bf6e6e6e6e6e\
             6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6ea4506f7274cd1f0aa356736ec0",
        ),
    ] {
        check(example, Message::Alive(alive), |out| alive.encode(out));
    }
}

#[test]
fn e11_compound() {
    let claim = Claim { incarnation: 7, node: b"b", from: b"a" };
    let mut out = BytesMut::new();
    let mut compound = Compound::begin(&mut out);
    compound.part(|out| claim.encode(Kind::Suspect, out)).unwrap();
    compound.part(|out| Nack { seq: 1 }.encode(out)).unwrap();
    compound.finish();
    let example = "0702001d00090383a446726f6da161ab496e6361726e6174696f6e07a44e6f6465a1620b81a553\
                   65714e6f01";
    assert_eq!(out, hex(example));
    let mut scratch = Scratch::default();
    let mut parts = Parts::new(&out, &mut scratch, Limits::default());
    let message = parts.next_part().unwrap().map(Message::decode);
    assert_eq!(message, Ok(Ok(Message::Suspect(claim))));
    let message = parts.next_part().unwrap().map(Message::decode);
    assert_eq!(message, Ok(Ok(Message::Nack(Nack { seq: 1 }))));
    assert!(parts.next_part().is_none());
}

#[test]
fn e12_compression() {
    for (plain, example) in [
        (&[b'A'; 40][..], "0982a4416c676f00a3427566ad0083081c48b0a0c18308090604"),
        (b"abcabcabcabc", "0982a4416c676f00a3427566ab00c388192390e0c0820101"),
        (b"", "0982a4416c676f00a3427566a3000302"),
    ] {
        assert_eq!(compressed(plain), hex(example));
        let mut scratch = Scratch::default();
        assert_eq!(lzw::decompress(&hex(example)[1..], &mut scratch, 40), Ok(plain));
    }
}

#[test]
fn e12_compression_of_noise_across_the_clear_code() {
    for (len, lzw_len, crc) in [(600, 715, 0x77a5_a8aa), (20000, 27301, 0x855d_1260)] {
        let plain = noise(len);
        let message = compressed(&plain);
        let lzw = &message[message.len() - lzw_len..];
        assert_eq!(message.len(), 12 + 3 + lzw_len);
        assert_eq!(crc32fast::hash(lzw), crc, "{len}");
        let mut scratch = Scratch::default();
        assert_eq!(lzw::decompress(&message[1..], &mut scratch, len), Ok(&plain[..]));
    }
}

#[test]
fn e16_push_pull() {
    let example = "0683a44a6f696ec3a54e6f64657302ac5573657253746174654c656e0387a441646472a40a000001ab\
                   496e6361726e6174696f6e03a44d657461a26d31a44e616d65a66e6f64652d61a4506f7274cd1f0aa5\
                   537461746500a356736ea601050202050487a441646472a40a000002ab496e6361726e6174696f6ecd\
                   012ca44d657461c0a44e616d65a66e6f64652d62a4506f7274cd1f0aa5537461746503a356736ea601\
                   050202050478797a";
    let vsn = Some(&b"\x01\x05\x02\x02\x05\x04"[..]);
    let a = NodeState {
        name: b"node-a",
        addr: Some(b"\x0a\0\0\x01"),
        port: 7946,
        meta: Some(b"m1"),
        incarnation: 3,
        state: 0,
        vsn,
    };
    let b = NodeState {
        name: b"node-b",
        addr: Some(b"\x0a\0\0\x02"),
        meta: None,
        incarnation: 300,
        state: 3,
        ..a
    };
    let mut out = BytesMut::new();
    PushPullHeader { join: true, nodes: 2, user_state_len: 3 }.encode(&mut out);
    a.encode(&mut out);
    b.encode(&mut out);
    out.extend_from_slice(b"xyz");
    assert_eq!(out, hex(example));
    let message = PushPull::decode(&out, &Limits::default()).unwrap();
    assert!(message.join && message.nodes().eq([a, b]) && message.user_state() == b"xyz");
}

#[test]
fn e16_push_pull_reply_of_a_live_node() {
    let example = "0683a44a6f696ec2a54e6f64657301ac5573657253746174654c656e0387a441646472a47f000001ab\
                   496e6361726e6174696f6e01a44d657461a16da44e616d65a161a4506f7274cd4272a5537461746500\
                   a356736ea601050200000078797a";
    let bytes = hex(example);
    let message = PushPull::decode(&bytes, &Limits::default()).unwrap();
    assert!(!message.join);
    let names: Vec<_> = message.nodes().map(|node| node.name).collect();
    assert_eq!((names, message.user_state()), (vec![&b"a"[..]], &b"xyz"[..]));
}

#[test]
fn e17_both_codecs_of_signed_fields() {
    let header = PushPullHeader { join: false, nodes: 255, user_state_len: 256 };
    let old = hex("0683a44a6f696ec2a54e6f646573ccffac5573657253746174654c656ecd0100");
    let new = hex("0683a44a6f696ec2a54e6f646573d100ffac5573657253746174654c656ed10100");
    assert_eq!(PushPullHeader::decode(&old[1..]), Ok(header));
    assert_eq!(PushPullHeader::decode(&new[1..]), Ok(header));
    let mut out = BytesMut::new();
    header.encode(&mut out);
    assert_eq!(out, old);

    let header = UserHeader { len: 1000 };
    let old = hex("0881aa557365724d73674c656ecd03e8");
    let new = hex("0881aa557365724d73674c656ed103e8");
    assert_eq!(UserHeader::decode(&old[1..]), Ok(header));
    assert_eq!(UserHeader::decode(&new[1..]), Ok(header));
    out.clear();
    header.encode(&mut out);
    assert_eq!(out, old);
}

#[test]
fn e18_user_message_of_a_stream() {
    let plain = hex("0881aa557365724d73674c656e0568656c6c6f");
    let packed = hex("0982a4416c676f00a3427566b80011045255654e19394de69c6152c64d013465d8b0791310");
    let mut out = BytesMut::new();
    UserHeader { len: 5 }.encode(&mut out);
    out.extend_from_slice(b"hello");
    assert_eq!(out, plain);
    assert_eq!(compressed(&plain), packed);
    let Ok(Message::User(body)) = Message::decode(&plain) else { panic!("no user message") };
    let (header, len) = UserHeader::decode_prefix(body).unwrap();
    assert_eq!((header.len, &body[len..]), (5, &b"hello"[..]));
}

fn compressed(plain: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    lzw::compress(plain, &mut Compressor::default(), &mut out);
    out
}

/// The top bytes of a linear congruential generator.
fn noise(len: usize) -> Vec<u8> {
    let mut x = 1u32;
    let mut next = || {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (x >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

fn hex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex digits");
    (0..text.len()).step_by(2).map(byte).collect()
}
