//! Whatever a node can be given survives the journal.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::Tag;
use super::codec::{
    EXCHANGE_ERRORS, Reader, get_command, get_config, get_identity, get_input, get_verdict,
    put_command, put_config, put_identity, put_input, put_verdict,
};
use crate::config::{Ablation, Config, Network};
use crate::event::ExchangeError;
use crate::ids::{Addr, InboundId, Lane, NodeName, OpId, OutboundId, Token};
use crate::input::{Command, Input, KeyCommand, Seat, SendError};
use crate::keyring::{Key, Keyring};
use crate::member::Identity;
use crate::swim::Verdict;
use crate::time::Instant;

fn ip() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
}

fn socket() -> impl Strategy<Value = SocketAddr> {
    (ip(), any::<u16>()).prop_map(SocketAddr::from)
}

fn addr() -> impl Strategy<Value = Addr> {
    socket().prop_map(Addr::from)
}

fn bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..300).prop_map(Bytes::from)
}

fn name() -> impl Strategy<Value = NodeName> {
    "[a-zé-]{1,40}".prop_map(|name| NodeName::new(&name).expect("a short name"))
}

fn key() -> impl Strategy<Value = Key> {
    let of =
        |len| vec(any::<u8>(), len).prop_map(|bytes| Key::new(&bytes).expect("a key's length"));
    prop_oneof![of(16), of(24), of(32)]
}

fn config() -> impl Strategy<Value = Arc<Config>> {
    let network = (ip(), any::<u8>()).prop_map(|(ip, bits)| {
        let bits_max = if ip.is_ipv4() { 32 } else { 128 };
        Network::new(ip, bits % (bits_max + 1)).expect("within the address")
    });
    let ring = vec(key(), 0..4).prop_map(|keys| {
        let mut ring = Keyring::empty();
        keys.into_iter().for_each(|key| {
            ring.add(key).expect("few keys");
        });
        ring
    });
    let label = vec(any::<u8>(), 0..256);
    let parts = (label, vec(network, 0..4), ring, any::<[bool; 3]>(), 0..64u32, 1..10_000u64);
    parts.prop_map(|(label, networks, ring, [a, b, c], nodes, ms)| {
        let ablation = Ablation { buddy: a, natural_log: b, ..Ablation::default() };
        let config = if c { Config::wan() } else { Config::lan() }
            .label(&label)
            .allowed(&networks)
            .keyring(ring)
            .ablation(ablation)
            .gossip_nodes(nodes)
            .compression(a)
            .reap_interval(Duration::from_millis(ms.max(10)));
        config.build().expect("all is in its range")
    })
}

fn seat() -> impl Strategy<Value = Seat> {
    let seat = (socket(), proptest::option::of(name()));
    seat.prop_map(|(addr, name)| Seat { addr, name })
}

fn command() -> impl Strategy<Value = Command> {
    let lane = (0..Lane::ALL.len()).prop_map(|i| Lane::ALL[i]);
    prop_oneof![
        vec(seat(), 0..5).prop_map(Command::Join),
        Just(Command::Leave),
        bytes().prop_map(Command::SetMeta),
        addr().prop_map(Command::SetAddress),
        (lane, proptest::option::of(bytes()), bytes())
            .prop_map(|(lane, key, payload)| Command::Broadcast { lane, key, payload }),
        bytes().prop_map(Command::SetAckPayload),
        bytes().prop_map(Command::SetAppState),
        (name(), socket()).prop_map(|(name, to)| Command::Ping { name, to }),
        (seat(), any::<bool>(), bytes()).prop_map(|(to, reliable, payload)| Command::Send {
            to,
            reliable,
            payload
        }),
        key().prop_map(|key| Command::Key(KeyCommand::Install(key))),
        key().prop_map(|key| Command::Key(KeyCommand::Use(key))),
        key().prop_map(|key| Command::Key(KeyCommand::Remove(key))),
        any::<bool>().prop_map(Command::KeyringSaved),
        config().prop_map(Command::Reload),
    ]
}

/// An input whose bytes are the caller's, and whose datagrams came this long before.
type Draw = (u8, u64, SocketAddr, u32, usize, Command);

fn input<'a>(now: Instant, bytes: &'a [u8], draw: Draw) -> Input<'a> {
    let (kind, number, from, before_ns, error, command) = draw;
    match kind {
        0 => Input::Timeout,
        1 => Input::Datagram { at: now - Duration::from_nanos(before_ns.into()), from, bytes },
        2 => Input::Unsent {
            token: Token(number),
            why: if number % 2 == 0 { SendError::Local } else { SendError::Remote },
        },
        3 => Input::Request { id: InboundId(number), from, bytes },
        4 => Input::Reply { id: OutboundId(number), result: Ok(bytes) },
        5 => Input::Reply { id: OutboundId(number), result: Err(EXCHANGE_ERRORS[error]) },
        _ => Input::Command { op: OpId(number), command },
    }
}

fn written(now: Instant, input: &Input<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    put_input(&mut out, now, input, put_command);
    out
}

/// An input as text, every byte of it: a configuration and a key do not print all of theirs.
fn told(input: &Input<'_>) -> String {
    let more = match input {
        Input::Command { command: Command::Reload(config), .. } => {
            let keys: Vec<&[u8]> = config.keyring.keys().map(Key::as_bytes).collect();
            let Config { label, allowed, ablation, .. } = &**config;
            format!("{:?} {label:?} {allowed:?} {keys:?} {ablation:?}", config.knobs())
        }
        Input::Command { command: Command::Key(change), .. } => match change {
            KeyCommand::Install(key) | KeyCommand::Use(key) | KeyCommand::Remove(key) => {
                format!("{:?}", key.as_bytes())
            }
        },
        _ => String::new(),
    };
    format!("{input:?} {more}")
}

proptest! {
    #[test]
    fn every_input_survives_the_journal(
        bytes in bytes(),
        draw in (
            0..12u8,
            any::<u64>(),
            socket(),
            any::<u32>(),
            0..EXCHANGE_ERRORS.len(),
            command(),
        ),
    ) {
        let now = Instant::from_secs(100);
        let input = input(now, &bytes, draw);
        let out = written(now, &input);
        let mut from = Reader(&out);
        let tag = Tag::of(from.byte().expect("a tag")).expect("one of them");
        let back = get_input(tag, now, &mut from, get_command).expect("it was just written");
        prop_assert!(from.0.is_empty(), "{} bytes left", from.0.len());
        prop_assert_eq!(told(&back), told(&input));
        prop_assert_eq!(written(now, &back), out);
    }

    #[test]
    fn headers_survive_the_journal(
        config in config(),
        name in name(),
        addr in addr().prop_filter("others must reach it", |addr| {
            addr.port() != 0 && !addr.canonical().ip().is_unspecified()
        }),
        meta in vec(any::<u8>(), 0..512),
        versions in any::<[u8; 3]>(),
    ) {
        let mut versions = versions;
        versions.sort_unstable();
        let [min, current, max] = versions;
        let me = Identity::new(name.as_str(), addr).expect("a name and a place");
        let me = me.meta(&meta).expect("short").app_versions(min, max, current).expect("sorted");
        let mut out = Vec::new();
        put_config(&mut out, &config);
        put_identity(&mut out, &me);
        let mut from = Reader(&out);
        let config_back = get_config(&mut from).expect("it was just written");
        prop_assert!(get_identity(&mut from) == Some(me));
        prop_assert!(from.0.is_empty());
        let op = OpId(0);
        let input = |config| Input::Command { op, command: Command::Reload(config) };
        prop_assert_eq!(told(&input(config_back)), told(&input(config)));
    }

    #[test]
    fn verdicts_survive_the_journal(
        text in proptest::option::of(".{0,40}"),
        allowed in any::<bool>(),
        after_ns in proptest::option::of(any::<u64>()),
    ) {
        let verdicts = [
            Verdict::Admit(text.map_or(Ok(()), Err)),
            Verdict::StreamPing(allowed),
            Verdict::ReapAfter(after_ns.map(Duration::from_nanos)),
        ];
        for verdict in verdicts {
            let mut out = Vec::new();
            put_verdict(&mut out, &verdict);
            let mut from = Reader(&out);
            let back = get_verdict(&mut from).expect("it was just written");
            prop_assert!(from.0.is_empty());
            prop_assert_eq!(format!("{back:?}"), format!("{verdict:?}"));
        }
    }

    #[test]
    fn bytes_that_are_no_record_are_refused_and_do_no_harm(
        tag in 0..10u8,
        bytes in vec(any::<u8>(), 0..200),
    ) {
        let tag = Tag::of(tag).expect("one of them");
        let now = Instant::from_secs(100);
        if let Some(input) = get_input(tag, now, &mut Reader(&bytes), get_command) {
            let out = written(now, &input);
            let again = get_input(tag, now, &mut Reader(&out[1..]), get_command);
            let again = again.expect("it was just written");
            prop_assert_eq!(written(now, &again), out);
        }
        let _ = get_config(&mut Reader(&bytes));
        let _ = get_verdict(&mut Reader(&bytes));
    }
}

/// Another variant must be added to the list.
#[test]
fn the_list_of_exchange_errors_is_complete() {
    let listed = |error: ExchangeError| match error {
        ExchangeError::Refused
        | ExchangeError::TimedOut
        | ExchangeError::Closed
        | ExchangeError::Malformed
        | ExchangeError::Remote
        | ExchangeError::Vetoed
        | ExchangeError::Incompatible
        | ExchangeError::Busy => EXCHANGE_ERRORS.contains(&error),
    };
    assert!(EXCHANGE_ERRORS.into_iter().all(listed));
}
