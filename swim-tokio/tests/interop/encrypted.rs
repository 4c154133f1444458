//! Encryption.

use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::keyring::{Key, Keyring};
use swim_tokio::{JoinError, StartError, format_key};

use crate::ours::{self, Swim};
use crate::serf::{self, Net, SOON, Serf};

fn key(n: u8, len: usize) -> Key {
    Key::new(&[n; 32][..len]).unwrap()
}

async fn join_both_ways_with_a_key_of(len: usize) {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let text = format_key(&key(1, len));
    let encrypt = format!("-encrypt={text}");
    let first = Serf::start("first", net.addr(1), &[&encrypt]);
    let ours = ["--encrypt", &text, "--join", &first.addr().to_string()];
    let ours = Swim::start("ours", net.addr(2), &ours);
    ours.wait_event("member-join", "first", SOON).await;
    let second = Serf::start("second", net.addr(3), &[&encrypt, &format!("-join={}", net.addr(2))]);
    for theirs in [&first, &second] {
        theirs.wait_status("ours", "alive", SOON).await;
    }
    ours.wait_event("member-join", "second", SOON).await;
    assert!(ours.lines().contains("encrypted: true"), "{}", ours.lines());
    ours.wait_broadcast(&first, &"x".repeat(300)).await;
    for log in [first.log(), second.log(), ours.lines()] {
        assert!(!log.contains("decrypt") && !log.contains("[ERR]"), "{log}");
    }
}

#[tokio::test]
async fn encrypted_join_with_a_key_of_16_bytes() {
    join_both_ways_with_a_key_of(16).await;
}

#[tokio::test]
async fn encrypted_join_with_a_key_of_24_bytes() {
    join_both_ways_with_a_key_of(24).await;
}

#[tokio::test]
async fn encrypted_join_with_a_key_of_32_bytes() {
    join_both_ways_with_a_key_of(32).await;
}

#[tokio::test]
async fn with_a_wrong_key_ours_cannot_join_theirs() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs =
        Serf::start("theirs", net.addr(1), &[&format!("-encrypt={}", format_key(&key(1, 32)))]);
    let seed = theirs.addr().to_string();
    for (flags, says) in [
        (&["--encrypt", &format_key(&key(2, 32))][..], "none of 1 keys decrypts it"),
        (&[], "encrypted"),
    ] {
        let mut ours = Swim::start("ours", net.addr(2), &[flags, &["--join", &seed]].concat());
        assert_eq!(ours.exit(SOON).await, Some(1));
        let last = ours.lines().lines().last().unwrap_or_default().to_owned();
        let start = format!("swim: cannot join {seed}: ");
        assert!(last.starts_with(&start) && last.contains(says), "{}", ours.lines());
    }
    assert_eq!(theirs.status_of("ours"), None);
}

#[tokio::test]
async fn with_a_wrong_key_theirs_cannot_join_ours() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let ours = Swim::start("ours", net.addr(1), &["--encrypt", &format_key(&key(1, 32))]);
    ours.wait_line(&["swim agent running!"], SOON).await;
    let join = format!("-join={}", net.addr(1));
    for (n, flags, says) in [
        (2, vec![format!("-encrypt={}", format_key(&key(2, 32)))], "none of 1 keys decrypts it"),
        (3, vec![], "not encrypted, but encryption is enforced"),
    ] {
        let mut flags: Vec<_> = flags.iter().map(String::as_str).collect();
        flags.push(&join);
        let mut theirs = Serf::launch("theirs", net.addr(n), &flags);
        assert_eq!(theirs.exit(SOON).await, Some(1), "{}", theirs.log());
        // Serf dials from the address that the system chooses, so the lines may be throttled: the
        // second one names the same peer as the first.
        if n == 2 {
            ours.wait_line(&["[WARN]", "stream from", says], SOON).await;
        }
        let told = "No installed keys could decrypt|encryption is not configured";
        assert!(told.split('|').any(|text| theirs.log().contains(text)), "{}", theirs.log());
    }
    let warnings = ours.lines().lines().filter(|line| line.contains("[WARN]")).count();
    assert_eq!(warnings, 1, "{}", ours.lines());
}

#[tokio::test]
async fn a_key_that_theirs_does_not_have_is_told_by_the_library_too() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let config = Config::local().keyring(Keyring::new(key(1, 16)));
    let result = ours::builder(config, "ours", net.addr(2)).join([theirs.addr()]).spawn().await;
    let Err(StartError::Join(JoinError::Failed(failures))) = result else {
        panic!("joined: {result:?}")
    };
    assert!(failures[0].why.contains("not encrypted, but encryption is enforced"), "{failures:?}");
}
