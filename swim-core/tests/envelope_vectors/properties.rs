//! Claims about all inputs.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use swim_core::envelope::{
    FrameBuffers, FrameReader, Label, LabelCheck, Outer, Verify, split_label,
};
use swim_core::keyring::{Key, Keyring};
use swim_core::wire::stream::{Limits, Reader, Role, Status, StreamError};

use crate::support::Lzw;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A reader sees the same end, or the same error, however a stream is chopped.
    #[test]
    fn chopping_does_not_matter(
        stream in stream(), cuts in vec(1usize..40, 1..20), role in role()
    ) {
        let limits = small_limits();
        let whole = first_answer(&mut Reader::new(role, limits), &stream, &[usize::MAX]);
        let chopped = first_answer(&mut Reader::new(role, limits), &stream, &cuts);
        let bytewise = first_answer(&mut Reader::new(role, limits), &stream, &[1]);
        prop_assert_eq!(&whole, &chopped);
        prop_assert_eq!(&whole, &bytewise);
    }

    /// Nothing that arrives makes anything panic, whatever the settings, and a datagram that is
    /// accepted is never empty.
    #[test]
    fn arbitrary_bytes_do_no_harm(
        bytes in prop_oneof![vec(any::<u8>(), 0..200), stream()],
        role in role(),
        keyring in prop_oneof![Just(Keyring::empty()), Just(key_ring(16)), Just(key_ring(32))],
        tolerant: bool,
        stripped: bool,
    ) {
        let mut outer = Outer::new(Label::new(b"dc1").unwrap(), &keyring);
        outer.incoming = if tolerant { Verify::Tolerant } else { Verify::Enforced };
        outer.label_check = if stripped { LabelCheck::Stripped } else { LabelCheck::Match };
        let _ = split_label(&bytes);
        if let Ok(message) = outer.open_packet(&bytes, &mut BytesMut::new()) {
            prop_assert!(!message.is_empty());
        }
        let (mut buffers, mut lzw) = (FrameBuffers::default(), Lzw::default());
        let _ = outer.open_frame(role, &bytes, &mut lzw, &mut buffers);
        if let Ok(Some(frame)) = FrameReader::new(outer, role, small_limits()).advance(&bytes) {
            prop_assert!(frame.end <= bytes.len());
            let _ = outer.open_frame(role, &bytes[frame], &mut lzw, &mut buffers);
        }
    }

    /// A complete message stays complete and at the same place when more bytes follow.
    #[test]
    fn what_follows_a_message_does_not_matter(stream in stream(), after: Vec<u8>, role in role()) {
        let status = Reader::new(role, small_limits()).advance(&stream);
        if let Ok(Status::Complete(_)) = status {
            let longer = [&stream[..], &after].concat();
            prop_assert_eq!(Reader::new(role, small_limits()).advance(&longer), status);
        }
    }
}

/// Bytes that look like a stream for a while: a message of every type, then damage.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let label =
        prop_oneof![Just(vec![]), Just(b"\xf4\x03dc1".to_vec()), Just(b"\xf4\x00".to_vec())];
    let message = prop_oneof![
        (0i64..6, 0i64..30).prop_map(|(nodes, state)| push_pull(nodes, state)),
        (-3i64..50).prop_map(user),
        vec(any::<u8>(), 0..60).prop_map(|blob| encrypted(&blob)),
        Just(b"\x00\x82\xa4Node\xa1a\xa5SeqNo\x2a".to_vec()),
        Just(b"\x02\x82\xa7Payload\xc0\xa5SeqNo\x2a".to_vec()),
        Just(b"\x0d\x81\xa5Error\xa4boom".to_vec()),
        Just(b"\x09\x82\xa4Algo\x00\xa3Buf\xa3\x00\x03\x02".to_vec()),
        vec(any::<u8>(), 0..40),
    ];
    let damage = proptest::option::of((any::<prop::sample::Index>(), any::<u8>()));
    (label, message, damage, vec(any::<u8>(), 0..8)).prop_map(|(label, message, damage, after)| {
        let mut stream = [label, message, after].concat();
        if let (Some((at, byte)), false) = (damage, stream.is_empty()) {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        stream
    })
}

fn push_pull(nodes: i64, state: i64) -> Vec<u8> {
    let mut message = b"\x06\x83\xa4Join\xc2\xa5Nodes".to_vec();
    message.push(nodes as u8);
    message.extend(b"\xacUserStateLen\xd1");
    message.extend((state as i16).to_be_bytes());
    for _ in 0..nodes {
        message.extend(b"\x83\xa4Name\xa1a\xa4Meta\x92\x01\x80\xa1x\xc7\x02\x01ab");
    }
    message.extend((0..state).map(|n| n as u8));
    message
}

fn user(len: i64) -> Vec<u8> {
    let mut message = b"\x08\x81\xaaUserMsgLen\xd3".to_vec();
    message.extend(len.to_be_bytes());
    message.extend((0..len).map(|n| n as u8));
    message
}

fn encrypted(blob: &[u8]) -> Vec<u8> {
    [&[10], &(blob.len() as u32).to_be_bytes()[..], blob].concat()
}

/// What a reader says first when bytes come in pieces of these sizes, again and again; the same
/// answer must come on asking again.
fn first_answer(
    reader: &mut Reader,
    stream: &[u8],
    pieces: &[usize],
) -> Result<Status, StreamError> {
    let mut end = 0usize;
    for piece in pieces.iter().cycle() {
        end = end.saturating_add(*piece).min(stream.len());
        let answer = reader.advance(&stream[..end]);
        assert_eq!(reader.advance(&stream[..end]), answer);
        if end == stream.len() || answer != Ok(Status::NeedMore) {
            return answer;
        }
    }
    Ok(Status::NeedMore)
}

/// A push/pull of 100,000 members arrives byte by byte; looking at old bytes again would take
/// hours.
#[test]
fn a_large_message_costs_no_more_byte_by_byte() {
    let mut message =
        b"\x06\x82\xa5Nodes\xce\x00\x01\x86\xa0\xacUserStateLen\xce\x00\x10\x00\x00".to_vec();
    for _ in 0..100_000 {
        message.extend(b"\x82\xa4Name\xa6node-a\xa4Addr\xa4\x0a\x00\x00\x01");
    }
    message.extend(vec![0; 1 << 20]);
    let mut reader = Reader::new(Role::Acceptor, Limits::default());
    for end in 0..message.len() {
        assert_eq!(reader.advance(&message[..end]), Ok(Status::NeedMore));
    }
    assert_eq!(reader.advance(&message), Ok(Status::Complete(0..message.len())));
}

/// Nesting costs the reader nothing, so it needs no bound on depth.
#[test]
fn deep_nesting_ends_where_it_ends() {
    let mut message = b"\x00".to_vec();
    message.extend(vec![0x91; 1 << 20]);
    message.push(0xc0);
    let status = Reader::new(Role::Acceptor, Limits::default()).advance(&message);
    assert_eq!(status, Ok(Status::Complete(0..message.len())));
}

#[test]
fn announced_sizes_are_bounded_before_anything_is_read() {
    let limits = Limits::default();
    let read = |bytes: &[u8]| Reader::new(Role::Acceptor, limits).advance(bytes).unwrap_err();
    let bytes_max = 20 << 20;
    assert_eq!(
        read(b"\x0a\x01\x40\x00\x01"),
        StreamError::Encrypted { len: (20 << 20) + 1, bytes_max }
    );
    assert_eq!(
        read(b"\x06\x81\xa5Nodes\xce\x00\x10\x00\x01"),
        StreamError::Nodes { found: 1_048_577, max: 1_048_576 }
    );
    assert_eq!(read(b"\x06\x81\xa5Nodes\xff"), StreamError::Nodes { found: -1, max: 1_048_576 });
    assert_eq!(
        read(b"\x06\x81\xacUserStateLen\xfb"),
        StreamError::UserBytes { found: -5, max: bytes_max }
    );
    assert_eq!(
        read(b"\x08\x81\xaaUserMsgLen\xce\x01\x40\x00\x01"),
        StreamError::UserBytes { found: (20 << 20) + 1, max: bytes_max }
    );
    assert_eq!(
        read(b"\x09\x82\xa4Algo\x00\xa3Buf\xdb\x03\x00\x00\x00"),
        StreamError::TooLong { kind: 9, bytes_max: 40 << 20 }
    );
    // At the bound, all is well.
    for announced in [&b"\x0a\x01\x40\x00\x00"[..], b"\x08\x81\xaaUserMsgLen\xce\x01\x40\x00\x00"] {
        let status = Reader::new(Role::Acceptor, limits).advance(announced);
        assert_eq!(status, Ok(Status::NeedMore));
    }
}

#[test]
fn types_have_their_direction() {
    for kind in 0..=255 {
        let read = |role| Reader::new(role, Limits::default()).advance(&[kind]);
        let expected = |known: bool| {
            if known { Ok(Status::NeedMore) } else { Err(StreamError::Unsupported { kind }) }
        };
        let label = kind == 0xf4;
        assert_eq!(read(Role::Acceptor), expected(label || matches!(kind, 0 | 6 | 8 | 9 | 10)));
        assert_eq!(read(Role::Dialer), expected(matches!(kind, 2 | 6 | 9 | 10 | 13)));
    }
}

fn small_limits() -> Limits {
    let mut limits = Limits::default();
    limits.frame_bytes_max = 300;
    limits.encrypted_bytes_max = 50;
    limits.nodes_max = 4;
    limits.user_bytes_max = 40;
    limits
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Acceptor), Just(Role::Dialer)]
}

fn key_ring(len: usize) -> Keyring {
    Keyring::new(Key::new(&[7; 32][..len]).unwrap())
}

#[cfg(not(feature = "encryption"))]
#[test]
fn sealing_without_a_cipher_is_an_error_and_writes_nothing() {
    use swim_core::envelope::{Crc, SealError};

    let keyring = key_ring(16);
    let outer = Outer::new(Label::new(b"dc1").unwrap(), &keyring);
    let mut out = BytesMut::from("before");
    let sealed = outer.seal_packet(Crc::Add, [0; 12], b"message", None, &mut out);
    assert_eq!(sealed, Err(SealError::Unsupported));
    let sealed = outer.seal_frame(Role::Dialer, [0; 12], b"message", None, &mut out);
    assert_eq!(sealed, Err(SealError::Unsupported));
    assert_eq!(&out[..], b"before");
}

#[cfg(feature = "encryption")]
mod encrypted {
    use super::*;

    use swim_core::envelope::{Crc, DecryptError, EncryptionVersion, FrameError, PacketError};

    proptest! {
        /// Whatever is sealed opens again, and within the announced overhead.
        #[test]
        fn datagrams_come_back(
            message in message(), settings in settings(), crc in crc(), nonce: [u8; 12]
        ) {
            let keyring = settings.keyring();
            let outer = settings.outer(&keyring);
            let mut out = BytesMut::from("before");
            outer.seal_packet(crc, nonce, &message, None, &mut out).unwrap();
            let crc_len = if crc == Crc::Add { 5 } else { 0 };
            let datagram = &out["before".len()..];
            prop_assert!(datagram.len() <= message.len() + crc_len + outer.overhead());
            let mut buffer = BytesMut::new();
            prop_assert_eq!(outer.open_packet(datagram, &mut buffer), Ok(&message[..]));
        }

        /// One flipped bit anywhere, label included, and the datagram is refused. Only the lowest
        /// bit of the version is not authenticated: with the other version padding is cut off, or
        /// not, and trailing bytes matter to no message (1.5).
        #[test]
        fn damaged_datagrams_are_refused(
            message in message(), settings in settings(), crc in crc(), nonce: [u8; 12],
            at in any::<prop::sample::Index>(),
        ) {
            prop_assume!(settings.key_len > 0);
            let keyring = settings.keyring();
            let outer = settings.outer(&keyring);
            let mut out = BytesMut::new();
            outer.seal_packet(crc, nonce, &message, None, &mut out).unwrap();
            let bit = at.index(out.len() * 8);
            prop_assume!(bit != 8 * outer.label.header_len());
            out[bit / 8] ^= 1 << (bit % 8);
            let mut buffer = BytesMut::new();
            prop_assert!(outer.open_packet(&out, &mut buffer).is_err());
        }

        #[test]
        fn frames_come_back(
            text in message(), settings in settings(), nonce: [u8; 12], role in role()
        ) {
            let keyring = settings.keyring();
            let outer = settings.outer(&keyring);
            let (message, other) = frame_message(&text, role);
            let mut out = BytesMut::from("before");
            outer.seal_frame(role, nonce, &message, None, &mut out).unwrap();
            let stream = &out["before".len()..];
            let mut reader = FrameReader::new(outer, other, Limits::default());
            prop_assert_eq!(reader.advance(&stream[..stream.len() - 1]), Ok(None));
            let frame = reader.advance(stream).unwrap().unwrap();
            prop_assert_eq!(frame.end, stream.len());
            let (mut lzw, mut buffers) = (Lzw::default(), FrameBuffers::default());
            let opened = outer.open_frame(other, &stream[frame], &mut lzw, &mut buffers);
            prop_assert_eq!(opened, Ok(&message[..]));
        }

        #[test]
        fn damaged_frames_are_refused(
            text in message(), settings in settings(), nonce: [u8; 12], role in role(),
            at in any::<prop::sample::Index>(),
        ) {
            prop_assume!(settings.key_len > 0);
            let keyring = settings.keyring();
            let outer = settings.outer(&keyring);
            let (message, other) = frame_message(&text, role);
            let mut out = BytesMut::new();
            outer.seal_frame(role, nonce, &message, None, &mut out).unwrap();
            let bit = at.index(out.len() * 8);
            let label_len = if role == Role::Dialer { outer.label.header_len() } else { 0 };
            prop_assume!(bit != 8 * (label_len + 5));
            out[bit / 8] ^= 1 << (bit % 8);
            let mut reader = FrameReader::new(outer, other, Limits::default());
            let Ok(Some(frame)) = reader.advance(&out) else { return Ok(()) };
            let (mut lzw, mut buffers) = (Lzw::default(), FrameBuffers::default());
            let opened = outer.open_frame(other, &out[frame], &mut lzw, &mut buffers);
            prop_assert!(opened.is_err());
        }

        /// What one key sealed opens with a ring that has it anywhere, and with no other.
        #[test]
        fn any_key_of_a_ring_opens(message in message(), at in 0u8..5, version in version()) {
            let keys = |skip: Option<u8>| {
                let mut ring = Keyring::empty();
                for n in (0..5).filter(|n| Some(*n) != skip) {
                    let len = [16, 24, 32][usize::from(n) % 3];
                    ring.add(Key::new(&[n; 32][..len]).unwrap()).unwrap();
                }
                ring
            };
            let (all, without) = (keys(None), keys(Some(at)));
            let mut sender = all.clone();
            let key = all.keys().nth(usize::from(at)).unwrap().clone();
            sender.use_key(&key).unwrap();
            let mut outer = Outer::new(Label::EMPTY, &sender);
            outer.version = version;
            let mut out = BytesMut::new();
            outer.seal_packet(Crc::Omit, [1; 12], &message, None, &mut out).unwrap();
            let mut buffer = BytesMut::new();
            let receiver = Outer::new(Label::EMPTY, &all);
            prop_assert_eq!(receiver.open_packet(&out, &mut buffer), Ok(&message[..]));
            let stranger = Outer::new(Label::EMPTY, &without);
            let refused = PacketError::Decrypt(DecryptError::NoKey { tried: 4 });
            prop_assert_eq!(stranger.open_packet(&out, &mut buffer), Err(refused));
        }
    }

    /// Hazard 1 of the memberlist specification: the original dies.
    #[test]
    fn an_authentic_frame_without_a_message_is_an_error() {
        let keyring = key_ring(16);
        let outer = Outer::new(Label::EMPTY, &keyring);
        let mut out = BytesMut::new();
        outer.seal_frame(Role::Dialer, [0; 12], b"", None, &mut out).unwrap();
        let (mut lzw, mut buffers) = (Lzw::default(), FrameBuffers::default());
        let opened = outer.open_frame(Role::Acceptor, &out, &mut lzw, &mut buffers);
        assert_eq!(opened, Err(FrameError::Empty));
    }

    #[test]
    fn a_frame_of_more_than_20_mib_is_not_sent() {
        let keyring = key_ring(16);
        let outer = Outer::new(Label::new(b"dc1").unwrap(), &keyring);
        let mut out = BytesMut::from("before");
        let largest = vec![6; (20 << 20) - 29];
        outer.seal_frame(Role::Dialer, [0; 12], &largest, None, &mut out).unwrap();
        out.truncate(6);
        let sealed =
            outer.seal_frame(Role::Dialer, [0; 12], &[&largest[..], &[0]].concat(), None, &mut out);
        let too_long =
            swim_core::envelope::SealError::TooLong { len: (20 << 20) + 1, bytes_max: 20 << 20 };
        assert_eq!(sealed, Err(too_long));
        assert_eq!(&out[..], b"before");
    }

    /// The table of the memberlist specification, 1.5, for datagrams.
    #[test]
    fn a_tolerant_node_takes_plaintext_and_its_own_keys() {
        let keyring = key_ring(16);
        let strict = Outer::new(Label::EMPTY, &keyring);
        let mut tolerant = strict;
        tolerant.incoming = Verify::Tolerant;
        tolerant.outgoing = Verify::Tolerant;
        let (mut clear, mut sealed) = (BytesMut::new(), BytesMut::new());
        tolerant.seal_packet(Crc::Omit, [0; 12], b"\x0bnack", None, &mut clear).unwrap();
        strict.seal_packet(Crc::Omit, [0; 12], b"\x0bnack", None, &mut sealed).unwrap();
        assert_eq!(&clear[..], b"\x0bnack");
        let mut buffer = BytesMut::new();
        for datagram in [&clear, &sealed] {
            assert_eq!(tolerant.open_packet(datagram, &mut buffer), Ok(&b"\x0bnack"[..]));
        }
        let error = strict.open_packet(&clear, &mut buffer).unwrap_err();
        assert_eq!(error, PacketError::Decrypt(DecryptError::Version { found: 11 }));
        // For streams, what looks encrypted has to decrypt, tolerant or not.
        let mut reader = FrameReader::new(tolerant, Role::Acceptor, Limits::default());
        assert_eq!(reader.advance(b"\x08\x81"), Ok(None));
        let bad = [&[10, 0, 0, 0, 29][..], &[1; 29]].concat();
        let (mut lzw, mut buffers) = (Lzw::default(), FrameBuffers::default());
        let opened = tolerant.open_frame(Role::Acceptor, &bad, &mut lzw, &mut buffers);
        assert_eq!(opened, Err(FrameError::Decrypt(DecryptError::NoKey { tried: 1 })));
    }

    #[derive(Clone, Debug)]
    struct Settings {
        label: Vec<u8>,
        /// 0 for no key.
        key_len: usize,
        version: EncryptionVersion,
    }

    impl Settings {
        fn keyring(&self) -> Keyring {
            if self.key_len == 0 { Keyring::empty() } else { key_ring(self.key_len) }
        }

        fn outer<'a>(&'a self, keyring: &'a Keyring) -> Outer<'a> {
            let mut outer = Outer::new(Label::new(&self.label).unwrap(), keyring);
            outer.version = self.version;
            outer
        }
    }

    fn settings() -> impl Strategy<Value = Settings> {
        let label = prop_oneof![Just(vec![]), vec(any::<u8>(), 1..=255)];
        let key_len = prop_oneof![Just(0usize), Just(16), Just(24), Just(32)];
        (label, key_len, version()).prop_map(|(label, key_len, version)| Settings {
            label,
            key_len,
            version,
        })
    }

    fn version() -> impl Strategy<Value = EncryptionVersion> {
        prop_oneof![Just(EncryptionVersion::V0), Just(EncryptionVersion::V1)]
    }

    fn crc() -> impl Strategy<Value = Crc> {
        prop_oneof![Just(Crc::Add), Just(Crc::Omit)]
    }

    /// Starts with a byte that is no outer layer.
    fn message() -> impl Strategy<Value = Vec<u8>> {
        vec(any::<u8>(), 0..600).prop_map(|rest| [&[3], &rest[..]].concat())
    }

    /// A message that a node in `role` sends, and the role of its peer.
    fn frame_message(text: &[u8], role: Role) -> (Vec<u8>, Role) {
        let mut message = match role {
            Role::Dialer => b"\x08\x81\xaaUserMsgLen\xcd".to_vec(),
            _ => b"\x06\x81\xacUserStateLen\xcd".to_vec(),
        };
        message.extend((text.len() as u16).to_be_bytes());
        message.extend(text);
        (message, if role == Role::Dialer { Role::Acceptor } else { Role::Dialer })
    }
}
