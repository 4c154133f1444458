//! Keys.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::keyring::{Key, Keyring};
use swim_tokio::{format_key, read_keyring};

use crate::agents::serf;
use crate::diary::Scratch;
use crate::ours::{Ours, SOON, agent, layer};
use crate::serf::{self as theirs, Net, Serf};

fn key(n: u8) -> Key {
    Key::new(&[n; 32]).unwrap()
}

fn ring(keys: impl IntoIterator<Item = u8>) -> Keyring {
    let mut keys = keys.into_iter().map(key);
    Keyring::with_keys(keys.next().unwrap(), keys).unwrap()
}

/// A real agent with the first key, and one of ours with these.
async fn both(net: &Net, keys: impl IntoIterator<Item = u8>) -> (Serf, Ours) {
    let ring = ring(keys);
    let encrypt = format!("-encrypt={}", format_key(ring.primary().unwrap()));
    let theirs = Serf::start("theirs", net.addr(1), &[&encrypt]);
    let config = layer(Config::local().keyring(ring));
    let ours = Ours::spawn(agent(config, "n1", net.addr(2)).join([theirs.addr()])).await;
    theirs.wait_status("n1", "alive", SOON).await;
    (theirs, ours)
}

fn is_private(path: &Path) -> bool {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777 == 0o600
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_side_reads_the_keyring_file_of_the_other() {
    if !theirs::is_there() {
        return;
    }
    let (net, scratch) = (Net::new(), Scratch::new());
    let (own, copied) = (scratch.path("ours"), scratch.path("theirs"));
    let config = layer(Config::local().keyring(ring([1, 2])));
    let ours = Ours::spawn(agent(config, "ours", net.addr(1)).keyring_file(&own)).await;
    let text = format!("[\n  \"{}\",\n  \"{}\"\n]", format_key(&key(1)), format_key(&key(2)));
    assert_eq!(std::fs::read_to_string(&own).unwrap(), text);
    assert!(is_private(&own));
    std::fs::copy(&own, &copied).unwrap();
    let flags = [format!("-keyring-file={}", copied.display()), format!("-join={}", net.addr(1))];
    let theirs = Serf::start("theirs", net.addr(2), &[&flags[0], &flags[1]]);
    theirs.wait_status("ours", "alive", SOON).await;
    // Each change is written on both sides, in the same words.
    theirs.command(&["keys", &format!("-install={}", format_key(&key(3)))]);
    ours.handle.use_key(&key(3), 0).await.unwrap().result().unwrap();
    let found: Vec<Key> = read_keyring(&copied).unwrap().unwrap().keys().cloned().collect();
    assert_eq!(found, [key(3), key(1), key(2)]);
    let [mine, yours] = [&own, &copied].map(|path| std::fs::read_to_string(path).unwrap());
    assert_eq!(mine, yours);
    assert!(is_private(&own));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_keys_of_both_are_listed_by_either() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let (theirs, ours) = both(&net, [1]).await;
    let server = ours.serve().await;
    let of_theirs = serf(theirs.rpc(), &["keys", "-list"]).await;
    assert!(of_theirs.out.contains(&format!("{}  [2/2]", format_key(&key(1)))), "{of_theirs:?}");
    assert_eq!(serf(server.local_addr(), &["keys", "-list"]).await, of_theirs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_cannot_be_done_with_keys_is_told_by_each_node() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let (theirs, ours) = both(&net, [1]).await;
    for (verb, text, says) in [
        ("remove", format_key(&key(1)), "emoving the primary key is not allowed"),
        ("use", format_key(&key(9)), "equested key is not in the keyring"),
        ("install", "YWJj".into(), "key size must be 16, 24 or 32 bytes"),
    ] {
        let said = serf(theirs.rpc(), &["keys", &format!("-{verb}={text}")]).await;
        assert_eq!(said.code, Some(1), "{said:?}");
        let told = |node| said.out.lines().any(|l| l.contains(node) && l.contains(says));
        assert!(told("theirs") && told("n1"), "{verb} {said:?}");
    }
    for (report, says) in [
        (ours.handle.remove_key(&key(1), 0).await, "emoving the primary key is not allowed"),
        (ours.handle.use_key(&key(9), 0).await, "equested key is not in the keyring"),
    ] {
        let report = report.unwrap();
        assert_eq!(report.result().unwrap_err().to_string(), "2/2 nodes reported failure");
        assert!(report.messages().values().all(|text| text.ends_with(says)), "{report:?}");
        assert_eq!(report.messages().len(), 2);
    }
    assert_eq!(ours.handle.keyring().await.unwrap().keys().count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_sixty_keys_of_ours_theirs_shows_seventeen() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let (theirs, ours) = both(&net, 1..=60).await;
    let said = serf(theirs.rpc(), &["keys", "-list"]).await;
    let listed = said.out.lines().filter(|line| line.ends_with("/2]")).count();
    assert_eq!(listed, 17, "{said:?}");
    let report = ours.handle.list_keys(0).await.unwrap();
    let truncated = "truncated key list response, showing first 17 of 60 keys";
    assert_eq!(report.messages().get("n1").map(String::as_str), Some(truncated), "{report:?}");
}
