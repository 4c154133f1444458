//! What a Serf node was given, once more.

use core::time::Duration;
use std::path::Path;
use std::vec::Vec;
use std::{env, fs};

use bytes::Bytes;

use super::net::{Net, config, tags};
use crate::journal::{JournalError, Kind, kind, replay, replay_serf};
use crate::keyring::{Key, Keyring};
use crate::serf::{Command, Event, QueryParams, SerfConfig};
use crate::{Config, KeyCommand};

const S: fn(u64) -> Duration = Duration::from_secs;

/// The journal of a node that is told everything there is, and has a part in all that happens.
fn day_of_a_node() -> Bytes {
    let key = |byte: u8| Key::new(&[byte; 16]).unwrap();
    let swim = Config::lan().keyring(Keyring::new(key(1))).build().unwrap();
    let config = SerfConfig::builder(swim).build().unwrap();
    let mut net = Net::new(4, &config);
    net.resume(1, 20, 30, 40);
    for i in 1..4 {
        net.join_with(i, 0, i == 1);
    }
    net.run_for(S(5));
    net.user_event(1, "deploy", b"v1");
    net.user_event(2, "deploy", b"v2");
    let params = QueryParams::new().ack(true).relay_factor(2).tag("role", "^web$").nodes(["n0"]);
    let query = |name: &str, params| {
        let (name, payload) = (name.into(), Bytes::from_static(b"now"));
        Command::Query { name, payload, params }
    };
    net.command(1, query("uptime", params));
    net.command(0, query("uptime", QueryParams::new().timeout(S(2))));
    net.run_for(S(1));
    let asked = net.take_events(1).into_iter().find_map(|event| match event {
        Event::Query(query) => Some(query.id),
        _ => None,
    });
    let query = asked.expect("somebody asked");
    net.command(1, Command::Respond { query, payload: Bytes::from_static(b"3 days") });
    net.command(1, Command::SetTags(tags("db")));
    net.command(1, Command::Swim(crate::Command::Key(KeyCommand::Install(key(2)))));
    for event in net.take_events(1) {
        if let Event::KeyringChanged(op) = event {
            net.answer_keys(1, op, true);
        }
    }
    let reloaded = config.to_builder().queries_max(7).build().unwrap();
    net.command(1, Command::Reload(reloaded));
    net.crash(3);
    net.run_for(S(40));
    net.command(1, Command::ForceLeave { name: "n3".into(), prune: true });
    net.run_for(S(10));
    assert_eq!(net.serf(0).member("n3"), None, "it was pruned");
    net.command(1, Command::Leave);
    net.run_for(S(5));
    net.journal(1)
}

/// After an intended change of behaviour write it afresh with
/// `SWIM_BLESS=1 cargo test -p swim-core journal` and say so in the commit.
#[test]
fn a_day_of_a_serf_node_replays() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journals/serf.journal");
    if env::var_os("SWIM_BLESS").is_some() {
        fs::write(&path, day_of_a_node()).unwrap();
    }
    let journal = fs::read(&path).unwrap();
    let replayed = replay_serf(&journal).unwrap();
    assert!(replayed.digests_checked() > 3, "{} digests", replayed.digests_checked());
    assert!(replayed.machine().has_left());
    assert_eq!(day_of_a_node(), day_of_a_node(), "recording is deterministic");
}

#[test]
fn every_node_of_a_cluster_can_be_replayed() {
    let mut net = Net::joined(5, &config());
    for i in 0..5 {
        net.user_event(i, "deploy", b"v1");
    }
    net.crash(4);
    net.run_for(S(60));
    net.restart(4, config());
    net.join(4, 0);
    net.run_for(S(60));
    for i in 0..5 {
        let journal = net.journal(i);
        let replayed = replay_serf(&journal).unwrap();
        let (there, here) = (net.serf(i), replayed.machine());
        assert_eq!(here.info(), there.info());
        let members = |serf: &crate::serf::Serf| serf.members().collect::<Vec<_>>();
        assert_eq!(members(here), members(there));
    }
}

#[test]
fn a_journal_says_whose_it_is() {
    let serf = day_of_a_node();
    assert_eq!(kind(&serf), Ok(Kind::Serf));
    assert_eq!(replay(&serf).unwrap_err(), JournalError::OtherKind(Kind::Serf));
    let mut changed = serf.to_vec();
    let at = changed.windows(6).position(|bytes| bytes == b"deploy").unwrap();
    changed[at] = b'D';
    assert!(matches!(replay_serf(&changed).unwrap_err(), JournalError::Differs { .. }));
    assert!(matches!(replay_serf(&serf[..200]).unwrap_err(), JournalError::Malformed { .. }));
}
