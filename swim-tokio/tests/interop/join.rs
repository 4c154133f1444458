//! Joining and leaving.

use std::time::Duration;

use swim_tokio::swim_core::{Config, State};

use crate::ours::{self, Swim};
use crate::serf::{self, Net, Serf};

const TWO_SECONDS: Duration = Duration::from_secs(2);

#[tokio::test]
async fn ours_joins_theirs() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let ours = Swim::start("ours", net.addr(2), &["--join", &theirs.addr().to_string()]);
    ours.wait_event("member-join", "theirs", TWO_SECONDS).await;
    theirs.wait_status("ours", "alive", TWO_SECONDS).await;
    let member = theirs.members().into_iter().find(|m| m["name"] == "ours").unwrap();
    assert_eq!(member["addr"], net.addr(2).to_string());
    assert_eq!(member["tags"], serde_json::json!({}), "our metadata is tags to Serf");
    assert_eq!(member["protocol"], serde_json::json!({ "min": 2, "max": 5, "version": 5 }));
}

#[tokio::test]
async fn theirs_joins_ours() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let ours = Swim::start("ours", net.addr(1), &[]);
    ours.wait_line(&["swim agent running!"], TWO_SECONDS).await;
    let theirs = Serf::start("theirs", net.addr(2), &[&format!("-join={}", net.addr(1))]);
    ours.wait_event("member-join", "theirs", TWO_SECONDS).await;
    theirs.wait_status("ours", "alive", TWO_SECONDS).await;
    assert!(theirs.log().contains("Synced with 1 initial agents"));
}

#[tokio::test]
async fn a_serf_that_leaves_is_seen_to_leave() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let (ours, _events) = ours::builder(Config::local(), "ours", net.addr(2))
        .join([theirs.addr()])
        .spawn()
        .await
        .unwrap();
    theirs.wait_status("ours", "alive", TWO_SECONDS).await;
    theirs.command(&["leave"]);
    ours::wait_state(&ours, "theirs", State::Left, TWO_SECONDS).await;
}
