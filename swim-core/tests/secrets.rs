//! A journal whose secrets are hidden tells none of them, and replays.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use swim_core::journal::{Recorder, Replay, Secrets};
use swim_core::keyring::{Key, Keyring};
use swim_core::wire::{
    Ack, Alive, Compound, ErrorReply, Kind, NodeState, PushPullHeader, UserHeader, lzw,
};
use swim_core::{
    Admission, Candidate, Command, Config, Event, Exchange, Identity, InboundId, Input, Instant,
    KeyCommand, Lane, Member, OpId, Policy, Seed,
};

const VERSIONS: [u8; 6] = [1, 5, 2, 0, 0, 0];
/// Every secret contains this, and nothing else does.
const MARK: &[u8] = b"hush";

fn home(i: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, i], 7946))
}

fn secret(what: &str) -> Bytes {
    Bytes::from([what.as_bytes(), MARK, b"-0123456789"].concat())
}

fn key(first: u8) -> Key {
    Key::new(&[&[first; 12][..], MARK].concat()).unwrap()
}

struct Talkative;

impl Policy for Talkative {
    fn admit(&self, _: &Member, them: &[Candidate<'_>], _: Admission) -> Result<(), String> {
        match them.iter().find(|them| them.name == "mallory") {
            Some(them) => Err(format!("no, {}", String::from_utf8_lossy(them.meta))),
            None => Ok(()),
        }
    }
}

fn alive(name: &str, i: u8, incarnation: u32, meta: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    let (node, addr) = (name.as_bytes(), [10, 0, 0, i]);
    let (addr, meta, vsn) = (Some(&addr[..]), Some(meta), Some(&VERSIONS[..]));
    Alive { incarnation, node, addr, port: 7946, meta, vsn }.encode(&mut out);
    out
}

/// A node that is told a secret in every way there is; its journal, and what its embedder saw.
fn told(hide: [u8; 32]) -> (Bytes, Vec<Event>) {
    let me = Identity::new("a", home(1)).unwrap().meta(&secret("identity")).unwrap();
    let config =
        Config::lan().keyring(Keyring::new(key(1))).policy(Arc::new(Talkative)).build().unwrap();
    let secrets = Secrets::Hidden { key: hide };
    let now = Instant::from_secs(1);
    let mut node = Recorder::new(Arc::clone(&config), me, Seed::from(1), now, secrets);
    let (mut events, mut buf) = (Vec::new(), BytesMut::new());
    let mut give = |input: Input<'_>| {
        // Some of it is refused.
        let _ = node.handle(now, input);
        let mut opened = Vec::new();
        while node.poll_transmit(&mut buf).is_some() {}
        while let Some(exchange) = node.poll_exchange(&mut buf) {
            if let Exchange::Open { id, .. } = exchange {
                opened.push(id);
            }
        }
        events.extend(std::iter::from_fn(|| node.poll_event()));
        opened
    };
    let reload = config.to_builder().gossip_nodes(2).build().unwrap();
    let broadcast =
        |payload| Command::Broadcast { lane: Lane::High, key: Some(secret("name")), payload };
    let commands = [
        Command::SetMeta(secret("set")),
        broadcast(secret("first")),
        broadcast(secret("second")),
        Command::SetAckPayload(secret("ack")),
        Command::SetAppState(secret("state")),
        Command::Send { to: home(2).into(), reliable: true, payload: secret("reliable") },
        Command::Send { to: home(2).into(), reliable: false, payload: secret("direct") },
        Command::Reload(reload),
        Command::Key(KeyCommand::Install(key(2))),
        Command::Key(KeyCommand::Use(key(2))),
        Command::Key(KeyCommand::Remove(key(1))),
    ];
    for (op, command) in commands.into_iter().enumerate() {
        give(Input::Command { op: OpId(op as u64), command });
    }
    for bytes in datagrams() {
        give(Input::Datagram { at: now, from: home(2), bytes: &bytes });
    }
    for (id, bytes) in requests().into_iter().enumerate() {
        give(Input::Request { id: InboundId(id as u64), from: home(2), bytes: &bytes });
    }
    for reply in replies() {
        let join = Command::Join(vec![home(3).into()]);
        for id in give(Input::Command { op: OpId(99), command: join }) {
            give(Input::Reply { id, result: Ok(&reply) });
        }
    }
    (node.finish(), events)
}

fn datagrams() -> Vec<BytesMut> {
    let mut ack = BytesMut::new();
    Ack { seq: 7, payload: Some(&secret("in-ack")) }.encode(&mut ack);
    let user = [&[Kind::User.byte()], &secret("user")[..]].concat();
    let mut both = BytesMut::new();
    let mut compound = Compound::begin(&mut both);
    compound.part(|out| out.extend_from_slice(&alive("d", 4, 1, &secret("inner")))).unwrap();
    compound.part(|out| out.extend_from_slice(&user)).unwrap();
    compound.finish();
    let mut compressed = BytesMut::new();
    lzw::compress(&both, &mut lzw::Compressor::default(), &mut compressed);
    let mut error = BytesMut::new();
    ErrorReply { text: &secret("error") }.encode(&mut error);
    let broken = |kind: u8| BytesMut::from(&[&[kind], &secret("broken")[..]].concat()[..]);
    let mut trailing = alive("e", 5, 1, b"");
    trailing.extend_from_slice(&secret("trailing"));
    let mut all = vec![ack, alive("c", 3, 1, &secret("meta")), both, compressed, error, trailing];
    all.push(alive("c", 3, 2, &secret("other")));
    all.push(alive("mallory", 6, 1, &secret("vetoed")));
    all.push(BytesMut::from(&user[..]));
    all.extend((0..16).map(broken));
    all
}

fn push_pull(name: &str) -> BytesMut {
    let (state, meta) = (secret("remote"), secret("entry"));
    let mut out = BytesMut::new();
    let user_state_len = u32::try_from(state.len()).unwrap();
    PushPullHeader { join: true, nodes: 1, user_state_len }.encode(&mut out);
    NodeState {
        name: name.as_bytes(),
        addr: Some(&[10, 0, 0, 7]),
        port: 7946,
        meta: Some(&meta),
        incarnation: 1,
        state: 0,
        vsn: Some(&VERSIONS),
    }
    .encode(&mut out);
    out.extend_from_slice(&state);
    out
}

fn requests() -> Vec<BytesMut> {
    let payload = secret("stream");
    let mut user = BytesMut::new();
    UserHeader { len: u32::try_from(payload.len()).unwrap() }.encode(&mut user);
    user.extend_from_slice(&payload);
    let mut cut = push_pull("g");
    cut.truncate(cut.len() - 3);
    let broken = |kind: u8| BytesMut::from(&[&[kind], &secret("broken")[..]].concat()[..]);
    let mut all = vec![user, push_pull("f"), push_pull("mallory"), cut];
    all.extend((0..16).map(broken));
    all
}

fn replies() -> Vec<BytesMut> {
    let mut error = BytesMut::new();
    ErrorReply { text: &secret("refused") }.encode(&mut error);
    vec![push_pull("h"), error, BytesMut::from(&[&[6], &secret("broken")[..]].concat()[..])]
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

#[test]
fn hidden_secrets_are_not_in_the_journal() {
    let (journal, events) = told([9; 32]);
    assert!(!contains(&journal, MARK));
    assert!(!contains(&journal, &[1; 12]), "a key");
    // The embedder has seen them.
    let seen = |event: &Event| match event {
        Event::Message { payload, .. } | Event::RemoteState { payload, .. } => {
            contains(payload, MARK)
        }
        Event::Up(member) | Event::Changed(member) => contains(member.meta(), MARK),
        _ => false,
    };
    assert!(events.iter().filter(|event| seen(event)).count() > 8);
}

/// The replayed node does what the recorded one did, with other bytes.
#[test]
fn a_journal_with_hidden_secrets_replays() {
    let (journal, events) = told([9; 32]);
    let mut replayed = Vec::new();
    let mut replay = Replay::open(&journal).unwrap();
    while replay.step(|event| replayed.push(event)).unwrap() {}
    let shape = |event: &Event| match event {
        Event::Message { from, via, payload } => format!("{from} {via:?} {}", payload.len()),
        Event::RemoteState { join, payload } => format!("state {join} {}", payload.len()),
        other => format!("{other:?}"),
    };
    let shapes = |events: &[Event]| events.iter().map(shape).collect::<Vec<_>>();
    assert_eq!(shapes(&replayed), shapes(&events));
    assert!(!replayed.is_empty() && replay.digests_checked() == 0);
    // It is the same each time.
    let digest = replay.digest();
    assert_eq!(swim_core::journal::replay(&journal).unwrap().digest(), digest);
}

#[test]
fn another_key_hides_otherwise() {
    let (one, other) = (told([9; 32]).0, told([10; 32]).0);
    assert_eq!(one.len(), other.len());
    let header = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    assert!(header < one.len() / 4, "they differ from the first secret on");
    assert_eq!(format!("{:?}", Secrets::Hidden { key: [9; 32] }), "Hidden");
}

/// A compressed message can be longer than any part of a datagram, and there can be more parts than
/// one compound has.
#[test]
fn no_datagram_is_too_large_to_be_hidden() {
    let mut large = BytesMut::new();
    let message = [&[Kind::User.byte()], &vec![b'x'; 200_000][..]].concat();
    lzw::compress(&message, &mut lzw::Compressor::default(), &mut large);
    let mut many = BytesMut::new();
    let mut outer = Compound::begin(&mut many);
    for _ in 0..4 {
        let mut inner = BytesMut::new();
        let mut compound = Compound::begin(&mut inner);
        for _ in 0..100 {
            compound.part(|out| out.extend_from_slice(b"\x08hush")).unwrap();
        }
        compound.finish();
        outer.part(|out| out.extend_from_slice(&inner)).unwrap();
    }
    outer.finish();
    for (bytes, messages) in [(large, 1), (many, 400), (BytesMut::new(), 0)] {
        let me = Identity::new("a", home(1)).unwrap();
        let (config, at) = (Config::lan().build().unwrap(), Instant::from_secs(1));
        let secrets = Secrets::Hidden { key: [9; 32] };
        let mut node = Recorder::new(config, me, Seed::from(1), at, secrets);
        let _ = node.handle(at, Input::Datagram { at, from: home(2), bytes: &bytes });
        while node.poll_event().is_some() {}
        node.handle(at + Duration::from_secs(1), Input::Timeout).unwrap();
        let journal = node.finish();
        let (mut count, mut replay) = (0, Replay::open(&journal).unwrap());
        let tally = |event| count += usize::from(matches!(event, Event::Message { .. }));
        let mut tally = tally;
        while replay.step(&mut tally).unwrap() {}
        assert_eq!(count, messages);
    }
}
