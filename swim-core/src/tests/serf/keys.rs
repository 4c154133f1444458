//! Keys that others ask to change.

use core::time::Duration;
use std::string::String;
use std::sync::Arc;
use std::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::net::{Net, config};
use crate::keyring::{Key, Keyring};
use crate::serf::{Command, Event, QueryParams, SerfConfig};
use crate::wire::serf::{KeyRequest, KeyResponse};
use crate::{Config, OpId};

const S: fn(u64) -> Duration = Duration::from_secs;

fn encrypted(keys: usize, len: usize) -> Arc<SerfConfig> {
    let key = |n: usize| Key::new(&std::vec![n as u8 + 1; len]).unwrap();
    let ring = Keyring::with_keys(key(0), (1..keys).map(key)).unwrap();
    SerfConfig::builder(Config::lan().keyring(ring).build().unwrap()).build().unwrap()
}

fn request(key: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    KeyRequest { key: Some(key) }.encode(&mut out);
    out.freeze()
}

/// Asks, has changes stored, and gives what node 1 answers: result, message, keys.
fn ask(net: &mut Net, name: &str, payload: Bytes, saves: bool) -> (bool, String, usize) {
    net.take_events(0);
    net.take_events(1);
    let params = QueryParams::new().nodes(["n1"]).timeout(S(3));
    net.command(0, Command::Query { name: name.into(), payload, params });
    net.run_for(S(1));
    let changes = net.take_events(1).into_iter().filter_map(|event| match event {
        Event::KeyringChanged(op) => Some(op),
        _ => None,
    });
    for OpId(op) in changes.collect::<Vec<_>>() {
        net.answer_keys(1, OpId(op), saves);
    }
    net.run_for(S(3));
    let events = net.take_events(0);
    let answer = events.iter().find_map(|event| match event {
        Event::Response { payload, .. } => Some(payload.clone()),
        _ => None,
    });
    let answer = answer.expect("it answers");
    let answer = KeyResponse::decode(&answer).unwrap();
    let message = String::from_utf8(answer.message.to_vec()).unwrap();
    (answer.result, message, answer.keys.map_or(0, |keys| keys.len()))
}

#[test]
fn a_key_is_installed_used_and_removed_once_that_is_stored() {
    let mut net = Net::joined(2, &encrypted(1, 16));
    let (old, new) = ([1; 16], [9; 32]);
    let good = (true, String::new(), 0);
    assert_eq!(ask(&mut net, "_serf_install-key", request(&new), true), good);
    assert_eq!(ask(&mut net, "_serf_install-key", request(&new), true), good, "it is there");
    assert_eq!(ask(&mut net, "_serf_use-key", request(&new), true), good);
    assert_eq!(ask(&mut net, "_serf_remove-key", request(&old), true), good);
    let keys: Vec<_> = net.serf(1).node().keyring().keys().map(Key::as_bytes).collect();
    assert_eq!(keys, [&new[..]]);
    assert_eq!(ask(&mut net, "_serf_list-keys", request(b""), true), (true, String::new(), 1));
}

#[test]
fn a_change_that_cannot_be_stored_is_told_as_failed() {
    let mut net = Net::joined(2, &encrypted(1, 16));
    let (result, message, _) = ask(&mut net, "_serf_install-key", request(&[9; 16]), false);
    assert_eq!((result, &message[..]), (false, "the keyring could not be stored"));
}

#[test]
fn what_cannot_be_done_is_answered_in_serfs_words() {
    let mut net = Net::joined(2, &encrypted(1, 16));
    let mut fails = |name: &str, key: &[u8]| {
        let (result, message, _) = ask(&mut net, name, request(key), true);
        assert!(!result);
        message
    };
    assert_eq!(fails("_serf_install-key", &[1; 3]), "key size must be 16, 24 or 32 bytes");
    assert_eq!(fails("_serf_use-key", &[7; 16]), "requested key is not in the keyring");
    assert_eq!(fails("_serf_remove-key", &[1; 16]), "removing the primary key is not allowed");
    let mut net = Net::joined(2, &config());
    let (result, message, _) = ask(&mut net, "_serf_install-key", request(&[1; 16]), true);
    assert_eq!((result, &message[..]), (false, "No keyring to modify (encryption not enabled)"));
    let (result, message, _) = ask(&mut net, "_serf_list-keys", request(b""), true);
    assert_eq!((result, &message[..]), (false, "Keyring is empty (encryption not enabled)"));
}

#[test]
fn a_list_that_is_too_long_says_how_many_it_leaves_out() {
    for (len, shown) in [(16, 34), (24, 24), (32, 17)] {
        let mut net = Net::joined(2, &encrypted(60, len));
        let (result, message, keys) = ask(&mut net, "_serf_list-keys", request(b""), true);
        let text = std::format!("truncated key list response, showing first {shown} of 60 keys");
        assert_eq!((result, message, keys), (true, text, shown));
    }
    let mut net = Net::joined(2, &encrypted(19, 32));
    assert_eq!(ask(&mut net, "_serf_list-keys", request(b""), true), (true, String::new(), 19));
}
