//! Properties of the whole module.

use core::fmt::Debug;

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::wire::agree::all_paths_agree;
use crate::wire::body::{Body, decode_general};
use crate::wire::msgpack::Fast;
use crate::wire::{
    Ack, Alive, Claim, Compound, ErrorReply, IndirectPing, Kind, Limits, Message, Nack, NodeState,
    Nodes, PartError, Parts, Ping, PushPull, PushPullHeader, Scratch, Source, UserHeader, lzw,
};

/// `body` must decode to `value` on both paths, and the fast one must take it.
fn decodes_alike<'a, B: Body<'a> + PartialEq + Debug>(body: &'a [u8], value: &B) {
    assert_eq!(B::fast(&mut Fast::new(body)).as_ref(), Some(value));
    assert_eq!(
        decode_general::<B>(body).as_ref(),
        Ok(&(B::fast(&mut Fast::new(body)).unwrap(), body.len()))
    );
}

/// Byte strings around the borders of the length formats.
fn raw() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => vec(any::<u8>(), 0..40),
        1 => vec(any::<u8>(), 250..260),
        1 => (65530..65540usize).prop_map(|len| vec![b'x'; len]),
    ]
}

/// Integers around the borders of the formats.
fn int() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), any::<u16>().prop_map(u32::from), any::<u8>().prop_map(u32::from)]
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![Just(0), any::<u16>(), any::<u8>().prop_map(u16::from)]
}

proptest! {
    #[test]
    fn probes_survive_a_round_trip(
        (seq, node, addr, port, source_node) in (int(), raw(), raw(), port(), raw()),
        target in proptest::option::of(raw()),
        nack in any::<bool>(),
    ) {
        let source = Source { addr: &addr, port, node: &source_node };
        let mut out = BytesMut::new();
        let ping = Ping { seq, node: &node, source };
        ping.encode(&mut out);
        prop_assert_eq!(out.len(), ping.encoded_len());
        decodes_alike(&out[1..], &ping);
        prop_assert_eq!(Message::decode(&out), Ok(Message::Ping(ping)));

        out.clear();
        let target = target.as_deref();
        let ping = IndirectPing { seq, target, port, node: &node, nack, source };
        ping.encode(&mut out);
        prop_assert_eq!(out.len(), ping.encoded_len());
        decodes_alike(&out[1..], &ping);
        prop_assert_eq!(Message::decode(&out), Ok(Message::IndirectPing(ping)));
    }

    #[test]
    fn answers_and_claims_survive_a_round_trip(
        (seq, payload, node, from) in (int(), proptest::option::of(raw()), raw(), raw()),
    ) {
        let mut out = BytesMut::new();
        let ack = Ack { seq, payload: payload.as_deref() };
        ack.encode(&mut out);
        prop_assert_eq!(out.len(), ack.encoded_len());
        decodes_alike(&out[1..], &ack);

        out.clear();
        let nack = Nack { seq };
        nack.encode(&mut out);
        prop_assert_eq!(out.len(), nack.encoded_len());
        decodes_alike(&out[1..], &nack);

        out.clear();
        let error = ErrorReply { text: &node };
        error.encode(&mut out);
        prop_assert_eq!(out.len(), error.encoded_len());
        decodes_alike(&out[1..], &error);

        out.clear();
        let header = UserHeader { len: seq };
        header.encode(&mut out);
        prop_assert_eq!(out.len(), header.encoded_len());
        decodes_alike(&out[1..], &header);

        let claim = Claim { incarnation: seq, node: &node, from: &from };
        for (kind, message) in
            [(Kind::Suspect, Message::Suspect(claim)), (Kind::Dead, Message::Dead(claim))]
        {
            out.clear();
            claim.encode(kind, &mut out);
            prop_assert_eq!(out.len(), claim.encoded_len());
            decodes_alike(&out[1..], &claim);
            prop_assert_eq!(Message::decode(&out), Ok(message));
        }
    }

    #[test]
    fn states_survive_a_round_trip(
        (incarnation, node, port, user_state) in (int(), raw(), port(), raw()),
        addr in proptest::option::of(raw()),
        meta in proptest::option::of(raw()),
        vsn in proptest::option::of(raw()),
        state in prop_oneof![0..4i64, any::<i64>(), any::<i32>().prop_map(i64::from)],
        join in any::<bool>(),
    ) {
        let (addr, meta, vsn) = (addr.as_deref(), meta.as_deref(), vsn.as_deref());
        let mut out = BytesMut::new();
        let alive = Alive { incarnation, node: &node, addr, port, meta, vsn };
        alive.encode(&mut out);
        prop_assert_eq!(out.len(), alive.encoded_len());
        decodes_alike(&out[1..], &alive);

        out.clear();
        let header = PushPullHeader { join, nodes: 2, user_state_len: user_state.len() as u32 };
        header.encode(&mut out);
        prop_assert_eq!(out.len(), header.encoded_len());
        decodes_alike(&out[1..], &header);
        let entry = NodeState { name: &node, addr, port, meta, incarnation, state, vsn };
        for _ in 0..2 {
            let before = out.len();
            entry.encode(&mut out);
            prop_assert_eq!(out.len() - before, entry.encoded_len());
            prop_assert_eq!(NodeState::decode(&out[before..]), Ok(entry));
        }
        out.extend_from_slice(&user_state);
        let message = PushPull::decode(&out, &Limits::default()).unwrap();
        prop_assert_eq!((message.join, message.len()), (join, 2));
        prop_assert_eq!(message.user_state(), &user_state[..]);
        prop_assert!(message.nodes().eq([entry; 2]));
    }

    #[test]
    fn any_legal_form_of_a_body_decodes_to_the_same_value(
        (incarnation, node, port) in (int(), vec(any::<u8>(), 0..40), port()),
        order in Just(vec![0, 1, 2, 3, 4, 5, 6]).prop_shuffle(),
        (key_form, value_form, int_form) in (0..4u8, 0..4u8, 0..8u8),
        junk in junk(),
    ) {
        let mut out = vec![0xde, 0, 7];
        for field in order {
            let key = Alive::FIELDS.get(field).copied().unwrap_or(b"Unknown");
            put_string(&mut out, key, key_form);
            match field {
                0 => put_int(&mut out, incarnation, int_form),
                1 => put_string(&mut out, &node, value_form),
                2 => put_string(&mut out, b"\x0a\x00\x00\x01", value_form),
                3 => put_int(&mut out, u32::from(port), int_form),
                4 => out.push(0xc0),
                5 => out.extend_from_slice(b"\x96\x01\x05\x02\x00\x00\x00"),
                _ => out.extend_from_slice(&junk),
            }
        }
        let alive = Alive {
            incarnation,
            node: &node,
            addr: Some(b"\x0a\x00\x00\x01"),
            port,
            meta: None,
            vsn: Some(b"\x01\x05\x02\x00\x00\x00"),
        };
        prop_assert_eq!(Alive::decode_prefix(&out), Ok((alive, out.len())));
    }

    #[test]
    fn both_paths_agree_on_any_bytes(bytes in vec(any::<u8>(), 0..100)) {
        all_paths_agree(&bytes);
    }

    #[test]
    fn both_paths_agree_on_damaged_messages(
        (message, at, byte, cut) in
            (message(), any::<prop::sample::Index>(), any::<u8>(), 0..4usize),
    ) {
        let mut bytes = message;
        let at = at.index(bytes.len());
        match cut {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, byte),
            2 => drop(bytes.remove(at)),
            _ => bytes[at] = byte,
        }
        all_paths_agree(&bytes);
        all_paths_agree(bytes.get(1..).unwrap_or_default());
        let _ = PushPull::decode(&bytes, &Limits::default());
        prop_assert!(Nodes::resume(&bytes, at, 1000).count() <= 1000);
    }

    #[test]
    fn compounds_give_back_their_parts(
        parts in vec(vec(prop_oneof![0..7u8, 10..=255u8], 1..50), 0..=127),
    ) {
        let mut out = BytesMut::new();
        let mut compound = Compound::begin(&mut out);
        for part in &parts {
            compound.part(|out| out.extend_from_slice(part)).unwrap();
        }
        compound.finish();
        if parts.is_empty() {
            return Ok(());
        }
        let mut scratch = Scratch::default();
        let mut walk = Parts::new(&out, &mut scratch, Limits::default());
        for part in &parts {
            prop_assert_eq!(walk.next_part(), Some(Ok(&part[..])));
        }
        prop_assert_eq!(walk.next_part(), None);
    }

    #[test]
    fn any_nesting_stays_within_the_limits(
        (bytes, damage) in
            (nested(), proptest::option::of((any::<prop::sample::Index>(), any::<u8>()))),
        (depth_max, parts_max, decompressed_bytes_max) in (0..6u32, 0..40usize, 0..4000usize),
    ) {
        let mut bytes = bytes;
        if let Some((at, byte)) = damage && !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let limits =
            Limits { depth_max, parts_max, decompressed_bytes_max, ..Limits::default() };
        let mut scratch = Scratch::default();
        let mut walk = Parts::new(&bytes, &mut scratch, limits);
        let mut calls = 0;
        while let Some(part) = walk.next_part() {
            calls += 1;
            // Each part counted can hold one compound that is truncated besides.
            prop_assert!(calls <= 2 * (parts_max + 1) + 1);
            if let Ok(part) = part {
                prop_assert!(!matches!(part[0], 7 | 9));
            }
        }
    }

    #[test]
    fn compression_survives_a_round_trip(
        (bytes, repeat) in (vec(0..4u8, 0..300), 1..40usize),
        noise in vec(any::<u8>(), 0..6000),
    ) {
        let mut plain = bytes.repeat(repeat);
        plain.extend_from_slice(&noise);
        let (mut compressor, mut scratch) = Default::default();
        for _ in 0..2 {
            let mut out = BytesMut::new();
            lzw::compress(&plain, &mut compressor, &mut out);
            let back = lzw::decompress(&out[1..], &mut scratch, plain.len());
            prop_assert_eq!(back, Ok(&plain[..]));
            if let Some(less) = plain.len().checked_sub(1) {
                let error = lzw::InflateError::TooLarge { max: less };
                prop_assert_eq!(lzw::decompress(&out[1..], &mut scratch, less), Err(error));
            }
        }
    }

    #[test]
    fn expanding_any_bytes_stays_within_the_budget(
        (bytes, budget) in (vec(any::<u8>(), 0..2000), 0..5000usize),
    ) {
        let mut out = b"\x82\xa4Algo\x00\xa3Buf\xda".to_vec();
        out.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
        out.extend_from_slice(&bytes);
        let mut scratch = Scratch::default();
        if let Ok(plain) = lzw::decompress(&out, &mut scratch, budget) {
            prop_assert!(plain.len() <= budget);
        }
    }
}

#[test]
fn siblings_of_a_bad_part_still_come() {
    let mut scratch = Scratch::default();
    let bytes = b"\x07\x05\x00\x00\x00\x01\x00\x02\x00\x03\x00\x09\x08\x07\x09\x09\xc0\x08hi";
    let mut walk = Parts::new(bytes, &mut scratch, Limits::default());
    assert_eq!(walk.next_part(), Some(Err(PartError::Empty)));
    assert_eq!(walk.next_part(), Some(Ok(&b"\x08"[..])));
    let error = walk.next_part().unwrap().unwrap_err();
    assert!(matches!(error, PartError::Compressed(_) | PartError::Header { .. }), "{error}");
}

#[test]
fn a_layer_too_many_is_refused_and_what_is_beside_it_comes() {
    // compound [ user, compound [ compound [ user ] ] ]
    let bytes = b"\x07\x02\x00\x01\x00\x09\x08\x07\x01\x00\x05\x07\x01\x00\x01\x08";
    let walk = |depth_max| {
        let mut scratch = Scratch::default();
        let limits = Limits { depth_max, ..Limits::default() };
        let mut walk = Parts::new(bytes, &mut scratch, limits);
        let mut results = Vec::new();
        while let Some(part) = walk.next_part() {
            results.push(part.map(<[u8]>::to_vec));
        }
        results
    };
    assert_eq!(walk(3), [Ok(b"\x08".to_vec()), Ok(b"\x08".to_vec())]);
    assert_eq!(walk(2), [Ok(b"\x08".to_vec()), Err(PartError::TooDeep { max: 2 })]);
    assert_eq!(walk(0), [Err(PartError::TooDeep { max: 0 })]);
}

#[test]
fn one_budget_holds_for_all_compressed_parts_of_a_datagram() {
    let (mut compressor, mut packed) = (lzw::Compressor::default(), BytesMut::new());
    lzw::compress(&[8; 1000], &mut compressor, &mut packed);
    let mut bytes = BytesMut::new();
    let mut compound = Compound::begin(&mut bytes);
    for _ in 0..3 {
        compound.part(|out| out.extend_from_slice(&packed)).unwrap();
    }
    compound.finish();
    let mut scratch = Scratch::default();
    let limits = Limits { decompressed_bytes_max: 2500, ..Limits::default() };
    let mut walk = Parts::new(&bytes, &mut scratch, limits);
    assert!(walk.next_part().is_some_and(|part| part.is_ok()));
    assert!(walk.next_part().is_some_and(|part| part.is_ok()));
    let error = PartError::Compressed(lzw::InflateError::TooLarge { max: 500 });
    assert_eq!(walk.next_part(), Some(Err(error)));
    assert_eq!(walk.next_part(), None);
}

fn put_string(out: &mut Vec<u8>, bytes: &[u8], form: u8) {
    let len = bytes.len() as u8;
    match form {
        0 if len < 32 => out.push(0xa0 | len),
        1 => out.extend_from_slice(&[0xc4, len]),
        2 => out.extend_from_slice(&[0xdb, 0, 0, 0, len]),
        _ => out.extend_from_slice(&[0xd9, len]),
    }
    out.extend_from_slice(bytes);
}

fn put_int(out: &mut Vec<u8>, n: u32, form: u8) {
    match form {
        0 if n < 128 => out.push(n as u8),
        1 if n < 128 => out.extend_from_slice(&[0xd0, n as u8]),
        2 if n < 256 => out.extend_from_slice(&[0xcc, n as u8]),
        3 if n < 65536 => {
            out.push(0xcd);
            out.extend_from_slice(&(n as u16).to_be_bytes());
        }
        4 => {
            out.push(0xce);
            out.extend_from_slice(&n.to_be_bytes());
        }
        5 => {
            out.push(0xcf);
            out.extend_from_slice(&u64::from(n).to_be_bytes());
        }
        _ => {
            out.push(0xd3);
            out.extend_from_slice(&u64::from(n).to_be_bytes());
        }
    }
}

/// Any one msgpack value.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        (0..0x80u8).prop_map(|b| vec![b]),
        Just(vec![0xc0]),
        Just(b"\xcb\0\0\0\0\0\0\0\0".to_vec()),
        Just(b"\xc7\x02\x05ab".to_vec()),
        Just(b"\xd6\x05abcd".to_vec()),
        Just(b"\xa3abc".to_vec()),
    ];
    leaf.prop_recursive(6, 40, 8, |inner| {
        vec((inner.clone(), inner), 0..4).prop_map(|pairs| {
            let mut out = vec![0x80 | pairs.len() as u8];
            for (key, value) in pairs {
                out.extend_from_slice(&key);
                out.extend_from_slice(&[0x91]);
                out.extend_from_slice(&value);
            }
            out
        })
    })
}

/// A small message of any kind.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || vec(any::<u8>(), 0..12);
    (0..9u8, int(), bytes(), bytes(), port()).prop_map(|(kind, n, a, b, port)| {
        let mut out = BytesMut::new();
        let source = Source { addr: &a, port, node: &b };
        let claim = Claim { incarnation: n, node: &a, from: &b };
        match kind {
            0 => Ping { seq: n, node: &a, source }.encode(&mut out),
            1 => IndirectPing { seq: n, node: &a, source, ..IndirectPing::default() }
                .encode(&mut out),
            2 => Ack { seq: n, payload: Some(&a) }.encode(&mut out),
            3 => claim.encode(Kind::Suspect, &mut out),
            4 => Alive { incarnation: n, node: &a, addr: Some(&b), ..Alive::default() }
                .encode(&mut out),
            5 => Nack { seq: n }.encode(&mut out),
            6 => ErrorReply { text: &a }.encode(&mut out),
            7 => UserHeader { len: n }.encode(&mut out),
            _ => {
                PushPullHeader { join: true, nodes: 1, user_state_len: b.len() as u32 }
                    .encode(&mut out);
                NodeState { name: &a, port, incarnation: n, ..NodeState::default() }
                    .encode(&mut out);
                out.extend_from_slice(&b);
            }
        }
        out.to_vec()
    })
}

/// Messages in compounds and compression, in any nesting.
fn nested() -> impl Strategy<Value = Vec<u8>> {
    message().prop_recursive(8, 30, 6, |inner| {
        prop_oneof![
            inner.clone().prop_map(|plain| {
                let mut out = BytesMut::new();
                lzw::compress(&plain, &mut lzw::Compressor::default(), &mut out);
                out.to_vec()
            }),
            vec(inner, 0..6).prop_map(|parts| {
                let mut out = vec![7, parts.len() as u8];
                for part in &parts {
                    out.extend_from_slice(&(part.len() as u16).to_be_bytes());
                }
                out.extend(parts.concat());
                out
            }),
        ]
    })
}
