//! Journals that are checked in replay bit for bit: what a node does has not changed.
//!
//! After an intended change of behaviour write them afresh with
//! `SWIM_BLESS=1 cargo test -p swim-core --test replay` and say so in the commit.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use swim_core::journal::{JournalError, replay};
use swim_core::testkit::{Net, Rule};
use swim_core::{Admission, Candidate, Command, Config, Lane, Member, Policy};

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
