//! The stream plane against theirs.

use std::time::Duration;

use swim_tokio::swim_core::{Config, State};

use crate::ours::{self, failures};
use crate::serf::{self, Net, SOON, Serf};

#[tokio::test]
async fn push_pulls_go_both_ways() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let first = Serf::start("first", net.addr(1), &[]);
    // Ours opens one with theirs, and merges what it answers, once a second.
    let config = Config::local().push_pull_interval(Duration::from_secs(1)).fast_join_rounds(0);
    let (ours, _events) = ours::builder(config, "ours", net.addr(2)).spawn().await.unwrap();
    ours.join([first.addr()]).await.unwrap();
    let merges = ours.stats().await.unwrap().node.merges;
    assert!(merges >= 1);
    first.wait_log(&format!("Stream connection from={}", net.addr(2).ip()), SOON).await;
    // Theirs opens one with ours, and merges what it answers: it learns of the first one.
    let second = Serf::start("second", net.addr(3), &[&format!("-join={}", net.addr(2))]);
    let initiated = format!("Initiating push/pull sync with:  {}", net.addr(2));
    second.wait_log(&initiated, SOON).await;
    second.wait_status("first", "alive", SOON).await;
    ours::wait_state(&ours, "second", State::Alive, SOON).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let stats = ours.stats().await.unwrap();
    assert!(stats.node.merges >= merges + 3, "{stats:?}");
    assert_eq!(stats.driver.streams_failed, 0, "{stats:?}");
    for theirs in [&first, &second] {
        assert!(!theirs.log().contains("[ERR]"), "{}", theirs.log());
    }
}

#[tokio::test]
async fn stream_pings_keep_members_when_our_datagrams_are_lost() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let (ours, mut events) = ours::builder(Config::local(), "ours", net.addr(2))
        .ignore_datagrams_from(|_| true)
        .join([theirs.addr()])
        .spawn()
        .await
        .unwrap();
    theirs.wait_status("ours", "alive", SOON).await;
    // Longer than it takes to find a member failed.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(theirs.status_of("ours").unwrap(), "alive", "{}", theirs.log());
    assert!(
        theirs.log().contains("Was able to connect to ours but other probes failed"),
        "{}",
        theirs.log()
    );
    let stats = ours.stats().await.unwrap();
    assert!(stats.node.probes_stream >= 3, "{stats:?}");
    assert!(stats.node.streams_in >= 3, "{stats:?}");
    assert!(failures(&mut events).is_empty());
}
