//! The Serf layer of ours against theirs: members with tags, leaves, user events.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use swim_tokio::Events;
use swim_tokio::serf::{SerfAgent, SerfHandle};
use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::serf::{Event, SerfConfig, Status, Tags};

use crate::ours::Swim;
use crate::serf::{self, Net, SOON, Serf};

/// One of ours with the `local` profile, which has joined theirs.
pub(crate) async fn join(
    name: &str,
    net: &Net,
    n: u8,
    theirs: &Serf,
) -> (SerfHandle, Events<Event>) {
    let swim = Config::local().build().unwrap();
    SerfAgent::builder(SerfConfig::builder(swim).protocol(5).build().unwrap())
        .name(name)
        .tags(Tags::new([("role", "web")]).unwrap())
        .bind(net.addr(n))
        .join([theirs.addr()])
        .spawn()
        .await
        .unwrap()
}

pub(crate) async fn wait_status(ours: &SerfHandle, name: &str, status: Status) {
    let start = Instant::now();
    loop {
        let found = ours.members().await.unwrap().get(name).map(|member| member.status());
        if found == Some(status) {
            return;
        }
        assert!(start.elapsed() < 2 * SOON, "{name} is {found:?}, not {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn tags_at(theirs: &Serf, name: &str) -> serde_json::Value {
    let member = theirs.members().into_iter().find(|member| member["name"] == name);
    member.map_or(serde_json::Value::Null, |member| member["tags"].clone())
}

#[tokio::test]
async fn our_agent_has_its_tags_and_leaves_gracefully() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &["-tag=role=db"]);
    let flags = ["--tag=role=web", "--tag=x=1", "--join", &theirs.addr().to_string()];
    let mut ours = Swim::start("ours", net.addr(2), &flags);
    theirs.wait_status("ours", "alive", SOON).await;
    assert_eq!(tags_at(&theirs, "ours"), serde_json::json!({ "role": "web", "x": "1" }));
    ours.wait_line(&["\"name\":\"theirs\"", "\"role\":\"db\""], SOON).await;
    ours.signal(Signal::SIGINT);
    theirs.wait_status("ours", "left", 3 * SOON).await;
    assert_eq!(ours.exit(3 * SOON).await, Some(0));
    assert!(!theirs.log().contains("EventMemberFailed"), "{}", theirs.log());
    assert!(theirs.log().contains("EventMemberLeave: ours"), "{}", theirs.log());
}

#[tokio::test]
async fn a_change_of_tags_goes_both_ways() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let (ours, mut events) = join("ours", &net, 2, &theirs).await;
    ours.set_tags(Tags::new([("x", "1")]).unwrap()).await.unwrap();
    let start = Instant::now();
    while tags_at(&theirs, "ours") != serde_json::json!({ "x": "1" }) {
        assert!(start.elapsed() < SOON, "{}", theirs.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    theirs.command(&["tags", "-set", "y=2"]);
    wait_event(&mut events, |event| match event {
        Event::Members { members, .. } => members.iter().any(|m| m.tags().get("y") == Some("2")),
        _ => false,
    })
    .await;
}

/// Waits for an event for which `wanted` holds.
pub(crate) async fn wait_event(
    events: &mut Events<Event>,
    wanted: impl Fn(&Event) -> bool,
) -> Event {
    let found = async {
        loop {
            let event = events.recv().await.expect("the agent runs");
            if wanted(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(2 * SOON, found).await.expect("it comes soon")
}

#[tokio::test]
async fn user_events_go_both_ways_once() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let (ours, mut events) = join("ours", &net, 2, &theirs).await;
    theirs.wait_status("ours", "alive", SOON).await;
    theirs.command(&["event", "-coalesce=false", "deploy", "v1"]);
    let event = wait_event(&mut events, |event| matches!(event, Event::User(_))).await;
    let Event::User(event) = event else { unreachable!() };
    assert_eq!((&event.name[..], &event.payload[..]), ("deploy", &b"v1"[..]));
    ours.user_event("answer", "v2", false).await.unwrap();
    theirs.wait_log("Received event: user-event: answer", SOON).await;
    let clocks = ours.stats().await.unwrap().info;
    assert!(clocks.event_time > event.ltime + 1, "{clocks:?}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(theirs.log().matches("Received event: user-event: answer").count(), 1);
    let again = std::iter::from_fn(|| events.try_recv())
        .filter(|event| matches!(event, Event::User(event) if event.name == "deploy"));
    assert_eq!(again.count(), 0);
}

#[tokio::test]
async fn a_serf_that_leaves_has_left_and_one_that_is_killed_is_forced_out() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let first = Serf::start("first", net.addr(1), &[]);
    let (ours, _events) = join("ours", &net, 2, &first).await;
    let joins = format!("-join={}", first.addr());
    let leaves = Serf::start("leaves", net.addr(3), &[&joins]);
    let mut dies = Serf::start("dies", net.addr(4), &[&joins]);
    // Serf tells nobody of a forced leave when it takes itself to be the last one then.
    let _stays = Serf::start("stays", net.addr(5), &[&joins]);
    for name in ["leaves", "dies", "stays"] {
        wait_status(&ours, name, Status::Alive).await;
    }
    leaves.command(&["leave"]);
    wait_status(&ours, "leaves", Status::Left).await;
    dies.kill();
    wait_status(&ours, "dies", Status::Failed).await;
    ours.force_leave("dies", false).await.unwrap();
    first.wait_status("dies", "left", 2 * SOON).await;
    assert_eq!(ours.members().await.unwrap().get("dies").unwrap().status(), Status::Left);
    // Theirs says so of ours, which is there and says no.
    first.command(&["force-leave", "ours"]);
    // If gossip misses it, the next push/pull brings the answer.
    first.wait_status("ours", "alive", 6 * SOON).await;
    assert_eq!(ours.stats().await.unwrap().serf.leaves_refuted, 1);
    // And has it forgotten.
    first.command(&["force-leave", "-prune", "dies"]);
    let start = Instant::now();
    while ours.members().await.unwrap().get("dies").is_some() {
        assert!(start.elapsed() < 2 * SOON);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
