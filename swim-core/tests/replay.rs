//! Journals that are checked in replay bit for bit: what a node does has not changed.
//!
//! After an intended change of behaviour write them afresh with
//! `SWIM_BLESS=1 cargo test -p swim-core --test replay` and say so in the commit.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use swim_core::fuzzing;
use swim_core::journal::{JournalError, Recorder, Secrets, replay};
use swim_core::keyring::{Key, Keyring};
use swim_core::testkit::{Net, Rule};
use swim_core::wire::Alive;
use swim_core::{
    Admission, Candidate, Command, Config, Event, Exchange, ExchangeError, Identity, Input,
    Instant, KeyCommand, Lane, Member, NodeName, OpId, Policy, Seat, Seed, SendError,
};

const SECOND: Duration = Duration::from_secs(1);

/// Three nodes: joins, a broadcast, new metadata, a leave.
fn day_of_a_node() -> Bytes {
    let mut net = Net::new(3, &Config::lan().build().unwrap(), 11);
    net.join(1, 0);
    net.join(2, 0);
    net.run_for(5 * SECOND);
    let payload = Bytes::from_static(b"hello");
    net.command(1, Command::Broadcast { lane: Lane::Normal, key: None, payload });
    net.command(0, Command::SetMeta(Bytes::from_static(b"role=db")));
    net.run_for(40 * SECOND);
    net.command(2, Command::Leave);
    net.run_for(5 * SECOND);
    net.journal(0).0
}

/// Six nodes, split in half for longer than any suspicion lasts, then healed.
fn partition() -> Bytes {
    let mut net = Net::new(6, &Config::lan().build().unwrap(), 12);
    for i in 1..6 {
        net.join(i, 0);
    }
    net.run_for(5 * SECOND);
    let split: Rule = |from, to, _| (from < 3) != (to < 3);
    (net.lose_datagram, net.lose_stream) = (split, split);
    net.run_for(60 * SECOND);
    let none: Rule = |_, _, _| false;
    (net.lose_datagram, net.lose_stream) = (none, none);
    net.run_for(120 * SECOND);
    net.journal(0).0
}

struct NoThirds;

impl Policy for NoThirds {
    fn admit(&self, _: &Member, who: &[Candidate<'_>], _: Admission) -> Result<(), String> {
        if who.iter().any(|c| c.name == "n3") { Err("no thirds".into()) } else { Ok(()) }
    }

    fn stream_ping(&self, name: &str) -> bool {
        name != "n1"
    }

    fn reap_after(&self, _: &Member) -> Option<Duration> {
        Some(20 * SECOND)
    }
}

/// Four nodes under a policy that refuses one of them and forgets the dead soon.
fn policy() -> Bytes {
    let config = Config::lan().policy(Arc::new(NoThirds)).build().unwrap();
    let mut net = Net::new(4, &config, 13);
    for i in 1..4 {
        net.join(i, 0);
    }
    net.run_for(5 * SECOND);
    net.crash(2);
    net.run_for(90 * SECOND);
    assert!(net.node(0).stats().vetoed > 0, "the policy was asked");
    assert_eq!(net.node(0).known_len(), 2, "the dead one is forgotten");
    net.journal(0).0
}

/// One node that is given what the others are not, and whose outputs are fetched piece by piece.
fn commands() -> Bytes {
    let home = |i: u8| SocketAddr::from(([10, 0, 0, i], 7946));
    let key = |byte: u8| Key::new(&[byte; 32]).unwrap();
    let name = |name: &str| NodeName::new(name).unwrap();
    let config = Config::lan().keyring(Keyring::new(key(1))).build().unwrap();
    let me = Identity::new("a", home(1)).unwrap().meta(b"role=db").unwrap();
    let mut now = Instant::from_secs(1);
    let mut node = Recorder::new(config.clone(), me, Seed::from(14), now, Secrets::Kept);
    let mut told = BytesMut::new();
    for i in 2..6u8 {
        let (of, addr, vsn) = (format!("n{i}"), [10, 0, 0, i], [1, 5, 2, 0, 0, 0]);
        let claim = Alive {
            incarnation: 1,
            node: of.as_bytes(),
            addr: Some(&addr),
            port: 7946,
            meta: None,
            vsn: Some(&vsn),
        };
        told.clear();
        claim.encode(&mut told);
        let at = now;
        node.handle(now, Input::Datagram { at, from: home(i), bytes: &told }).unwrap();
    }
    let payload = |text: &'static str| Bytes::from_static(text.as_bytes());
    let smaller = config.to_builder().datagram_bytes_max(600).gossip_nodes(1);
    let smaller = smaller.gossip_interval(SECOND / 20).build().unwrap();
    let fixed = config.to_builder().label(b"other").build().unwrap();
    let long = Bytes::from(vec![b'x'; 1000]);
    let broadcast = |key, payload| Command::Broadcast { lane: Lane::Low, key, payload };
    let commands = [
        Command::SetAckPayload(payload("ack")),
        Command::SetAppState(payload("state")),
        Command::Ping { name: name("n2"), to: home(2) },
        Command::Send { to: home(3).into(), reliable: false, payload: payload("direct") },
        Command::Send { to: home(3).into(), reliable: true, payload: payload("by stream") },
        broadcast(Some(payload("key")), long.clone()),
        broadcast(Some(payload("key")), long),
        Command::Reload(fixed),
        Command::Reload(smaller),
        Command::Key(KeyCommand::Install(key(2))),
        Command::KeyringSaved(true),
        Command::Key(KeyCommand::Use(key(2))),
        Command::KeyringSaved(false),
        Command::Key(KeyCommand::Remove(key(2))),
        Command::Key(KeyCommand::Remove(key(1))),
        Command::SetAddress(home(9).into()),
        Command::Join(vec![Seat { addr: home(7), name: Some(name("n7")) }]),
        Command::Leave,
        Command::SetMeta(payload("too late")),
    ];
    let (mut buf, mut opened) = (BytesMut::new(), Vec::new());
    let (mut ends, mut partial) = (0, 0);
    for (i, command) in commands.into_iter().enumerate() {
        // Some are refused.
        let _ = node.handle(now, Input::Command { op: OpId(i as u64), command });
        for step in 0..40 {
            // A driver whose socket is full fetches a datagram now and then.
            if step % 3 == 0
                && let Some(sent) = node.poll_transmit(&mut buf)
            {
                let why = if i % 2 == 0 { SendError::Local } else { SendError::Remote };
                if step % 2 == 0 {
                    node.handle(now, Input::Unsent { token: sent.token, why }).unwrap();
                }
            }
            if step % 4 == 1
                && let Some(Exchange::Open { id, .. }) = node.poll_exchange(&mut buf)
            {
                opened.push(id);
            }
            if step % 5 == 2 {
                ends += usize::from(matches!(node.poll_event(), Some(Event::Done { .. })));
            }
            if step % 7 == 3
                && let Some(id) = opened.pop()
            {
                let _ = node.handle(now, Input::Reply { id, result: Err(ExchangeError::Refused) });
            }
            buf.clear();
            partial += usize::from(!node.node().is_drained());
            now = now + SECOND / 10;
            if node.poll_timeout().is_some_and(|at| at <= now) {
                node.handle(now, Input::Timeout).unwrap();
            }
        }
    }
    assert!(ends > 10 && partial > 100, "{ends} ends, {partial} times something waited");
    node.finish()
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/journals").join(name)
}

fn check(name: &str, scenario: fn() -> Bytes) {
    let path = path(name);
    if std::env::var_os("SWIM_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, scenario()).unwrap();
    }
    let journal = fs::read(&path).unwrap();
    let replayed = replay(&journal).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(replayed.digests_checked() > 1);
    println!("{name}: {} records, digest {:016x}", replayed.records(), replayed.digest());
}

#[test]
fn a_day_of_a_node_replays() {
    check("day.journal", day_of_a_node);
}

#[test]
fn a_partition_replays() {
    check("partition.journal", partition);
}

#[test]
fn a_policy_replays_without_being_asked() {
    check("policy.journal", policy);
}

#[test]
fn every_command_replays() {
    check("commands.journal", commands);
}

/// What the fuzzer would do, a little of it each time.
#[test]
fn a_changed_byte_does_no_harm() {
    for name in ["day.journal", "policy.journal", "commands.journal", "serf.journal"] {
        let journal = fs::read(path(name)).unwrap();
        for i in 0..150 {
            // All over the file, the header more than the rest.
            let at = (i * i * 37) % if i % 3 == 0 { 300 } else { journal.len() };
            let mut changed = journal.clone();
            changed[at] ^= 1 << (i % 8);
            fuzzing::journal(&changed);
        }
    }
}

#[test]
fn recording_is_deterministic() {
    assert_eq!(day_of_a_node(), day_of_a_node());
}

#[test]
fn a_changed_input_is_found() {
    let mut journal = day_of_a_node().to_vec();
    let at = journal.windows(7).rposition(|w| w == b"role=db").unwrap();
    journal[at] = b'R';
    assert!(matches!(replay(&journal).unwrap_err(), JournalError::Differs { .. }));
}

#[test]
fn a_cut_journal_says_where() {
    let journal = day_of_a_node();
    assert_eq!(replay(b"no journal").unwrap_err(), JournalError::NoJournal);
    for len in (0..journal.len()).step_by(97) {
        match replay(&journal[..len]) {
            Ok(_) => {}
            Err(JournalError::NoJournal) => assert!(len < 8),
            Err(JournalError::Malformed { at }) => assert!(at <= len),
            Err(other) => panic!("{other}"),
        }
    }
}
