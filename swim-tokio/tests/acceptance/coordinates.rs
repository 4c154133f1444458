//! Network coordinates.

use std::time::{Duration, Instant};

use swim_tokio::swim_core::Config;

use crate::agents::serf;
use crate::ours::{Ours, SOON, agent, layer};
use crate::serf::{self as theirs, Net, Serf};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn both_estimate_the_round_trip_within_ten_probes() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    let start = Instant::now();
    while !serf(theirs.rpc(), &["rtt", "theirs", "ours"]).await.out.starts_with("Estimated") {
        assert!(start.elapsed() < SOON, "{}", theirs.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let other = loop {
        if let Some(other) = ours.handle.coordinate("theirs").await.unwrap() {
            break other;
        }
        assert!(start.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let own = ours.handle.coordinate("ours").await.unwrap().unwrap();
    assert!(own.distance(&other) < Duration::from_secs(1), "{own:?} {other:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn ours_without_coordinates_tells_none_and_theirs_goes_on() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let first = Serf::start("first", net.addr(1), &[]);
    let second = Serf::start("second", net.addr(2), &[&format!("-join={}", first.addr())]);
    let off = layer(Config::local()).coordinates(false);
    let ours = Ours::spawn(agent(off, "ours", net.addr(3)).join([first.addr()])).await;
    first.wait_status("ours", "alive", SOON).await;
    let start = Instant::now();
    while !serf(first.rpc(), &["rtt", "first", "second"]).await.out.starts_with("Estimated") {
        assert!(start.elapsed() < SOON, "{}", first.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // By now each has probed each.
    tokio::time::sleep(Duration::from_secs(3)).await;
    for theirs in [&first, &second] {
        let said = serf(theirs.rpc(), &["rtt", "first", "ours"]).await;
        let unknown = "Could not find a coordinate for node \"ours\"";
        assert!(said.out.contains(unknown) && said.code == Some(1), "{said:?}");
        assert!(!theirs.log().contains("[ERR]"), "{}", theirs.log());
    }
    for name in ["ours", "first"] {
        assert_eq!(ours.handle.coordinate(name).await, Ok(None));
    }
}
