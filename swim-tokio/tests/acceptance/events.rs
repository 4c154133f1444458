//! User events.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::serf::Event;
use swim_tokio::swim_core::wire::serf::UserEvent;

use crate::agents::serf;
use crate::diary::Diary;
use crate::hostile::{Raw, encode};
use crate::ours::{Ours, SOON, agent, layer, local, wait_until};
use crate::serf::{self as theirs, Net, Serf};

const S: fn(u64) -> Duration = Duration::from_secs;

fn is_event(name: &str) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::User(event) if event.name == name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_event_has_the_same_name_payload_and_time_on_both_sides() {
    if !theirs::is_there() {
        return;
    }
    let (net, diary) = (Net::new(), Diary::new());
    let theirs = Serf::start("theirs", net.addr(1), &[&diary.flag()]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    theirs.wait_status("ours", "alive", SOON).await;
    theirs.command(&["event", "-coalesce=false", "deploy", "v1"]);
    ours.wait_event(is_event("deploy")).await;
    ours.handle.user_event("answer", "v2", false).await.unwrap();
    wait_until("the handler is told", || !diary.entries("user|answer").is_empty()).await;
    for (name, payload) in [("deploy", "v1"), ("answer", "v2")] {
        let [event] = &ours.user_events(name)[..] else { panic!("{:?}", ours.told()) };
        assert_eq!(event.payload, payload);
        let entry = format!("user|{name}|{}|{payload};", event.ltime);
        assert_eq!(diary.entries(&format!("user|{name}")), [entry]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_datagram_that_comes_a_hundred_times_is_delivered_once_by_both() {
    if !theirs::is_there() {
        return;
    }
    let (net, diary) = (Net::new(), Diary::new());
    let theirs = Serf::start("theirs", net.addr(1), &[&diary.flag()]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    theirs.wait_status("ours", "alive", SOON).await;
    let raw = Raw::bind(&net, 9);
    let (name, payload) = (&b"load"[..], Some(&b"5"[..]));
    let event = UserEvent { ltime: 7, name, payload, coalesce: false };
    for _ in 0..100 {
        for to in [ours.handle.local_addr(), theirs.addr()] {
            raw.send(to, &encode(|out| event.encode(out)));
        }
    }
    ours.wait_event(is_event("load")).await;
    wait_until("the handler is told", || !diary.entries("user|load").is_empty()).await;
    tokio::time::sleep(S(1)).await;
    assert_eq!(ours.user_events("load").len(), 1);
    assert_eq!(diary.entries("user|load"), ["user|load|7|5;"]);
    assert!(ours.handle.stats().await.unwrap().serf.user_events_again >= 99);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn events_that_are_too_long_are_refused_in_the_words_of_theirs() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    for (name, len) in [("deploy", 600), ("big", 509)] {
        let payload = "x".repeat(len);
        let said = serf(theirs.rpc(), &["event", "-coalesce=false", name, &payload]).await;
        let refused = ours.handle.user_event(name, payload, false).await.unwrap_err();
        assert_eq!(said.code, Some(1));
        assert!(said.out.trim_end().ends_with(&format!(": {refused}")), "{said:?}, {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn events_from_before_a_join_are_delivered_only_if_that_is_asked_for() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let first = Serf::start("first", net.addr(1), &[]);
    let witness = Serf::start("witness", net.addr(6), &[&format!("-join={}", first.addr())]);
    first.wait_status("witness", "alive", SOON).await;
    first.command(&["event", "-coalesce=false", "before", "v1"]);
    // Gossip that overtakes the answer to a join would bring it to anybody.
    for theirs in [&witness, &first] {
        wait_until("it is told and not gossiped any more", || {
            let info = theirs.output(&["info"]);
            info.contains("event_time = 2\n") && info.contains("event_queue = 0\n")
        })
        .await;
    }
    let replays = local("replays", net.addr(2)).replay(true).join([first.addr()]);
    let replays = Ours::spawn(replays).await;
    let ignores = Ours::join("ignores", net.addr(3), first.addr()).await;
    let join = format!("-join={}", net.addr(2));
    let (told, spared) = (Diary::new(), Diary::new());
    let _second = Serf::start("second", net.addr(4), &["-replay", &join, &told.flag()]);
    let third = Serf::start("third", net.addr(5), &[&join, &spared.flag()]);
    // What is sent before it has joined is old for it, too.
    third.wait_status("replays", "alive", SOON).await;
    replays.wait_event(is_event("before")).await;
    wait_until("the handler is told", || !told.entries("user|before").is_empty()).await;
    first.command(&["event", "-coalesce=false", "after", ""]);
    for ours in [&replays, &ignores] {
        ours.wait_event(is_event("after")).await;
    }
    for diary in [&told, &spared] {
        wait_until("the handler is told", || !diary.entries("user|after").is_empty()).await;
    }
    assert_eq!((replays.user_events("before").len(), ignores.user_events("before").len()), (1, 0));
    assert_eq!((told.entries("user|before").len(), spared.entries("user|before").len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_event_that_gossip_cannot_carry_comes_by_push_pull() {
    if !theirs::is_there() {
        return;
    }
    let (net, diary) = (Net::new(), Diary::new());
    let theirs = Serf::start("theirs", net.addr(1), &[&diary.flag()]);
    let every_second = layer(Config::local().push_pull_interval(S(1))).user_event_bytes_max(9216);
    let ours = Ours::spawn(agent(every_second, "ours", net.addr(2)).join([theirs.addr()])).await;
    theirs.wait_status("ours", "alive", SOON).await;
    ours.handle.user_event("large", vec![b'x'; 5000], false).await.unwrap();
    wait_until("the handler is told", || !diary.entries("user|large").is_empty()).await;
    assert_eq!(ours.handle.stats().await.unwrap().serf.broadcasts_too_long, 1);
    tokio::time::sleep(S(2)).await;
    assert_eq!(diary.entries("user|large").len(), 1, "and once only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_events_that_may_be_coalesced_the_last_is_delivered() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let gathers = layer(Config::local()).user_coalesce_period(S(15)).user_quiescent_period(S(3));
    let ours = Ours::spawn(agent(gathers, "ours", net.addr(2)).join([theirs.addr()])).await;
    theirs.wait_status("ours", "alive", SOON).await;
    for n in 1..=5 {
        theirs.command(&["event", "-coalesce=true", "together", &n.to_string()]);
        theirs.command(&["event", "-coalesce=false", "each", &n.to_string()]);
    }
    ours.wait_event(is_event("together")).await;
    wait_until("all of the others come", || ours.user_events("each").len() == 5).await;
    tokio::time::sleep(S(4)).await;
    // A push/pull does not say that an event may be coalesced: what comes by one waits for nothing.
    let (gathered, alone): (Vec<_>, Vec<_>) =
        ours.user_events("together").into_iter().partition(|event| event.coalesce);
    let latest = (1..=5).map(|n| n.to_string()).rfind(|n| alone.iter().all(|e| e.payload != *n));
    let gathered: Vec<_> = gathered.iter().map(|event| event.payload.clone()).collect();
    assert_eq!(gathered, latest.into_iter().collect::<Vec<_>>(), "{:?}", ours.told());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_join_amid_events_delivers_none_from_before() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Arc::new(Serf::start("theirs", net.addr(1), &[]));
    let ends = Arc::new(AtomicBool::new(false));
    let flow = {
        let (theirs, ends) = (theirs.clone(), ends.clone());
        tokio::task::spawn_blocking(move || {
            while !ends.load(Ordering::Relaxed) {
                theirs.command(&["event", "-coalesce=false", "flow", ""]);
            }
        })
    };
    let event_time = || {
        let info = theirs.output(&["info"]);
        let line = info.lines().find_map(|line| line.trim().strip_prefix("event_time = "));
        line.unwrap().parse::<u64>().unwrap()
    };
    wait_until("some events are sent", || event_time() > 20).await;
    let before = event_time();
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    wait_until("events flow to ours", || ours.user_events("flow").len() >= 10).await;
    ends.store(true, Ordering::Relaxed);
    flow.await.unwrap();
    let first = ours.user_events("flow").iter().map(|event| event.ltime).min().unwrap();
    assert!(first >= before, "{first} is from before {before}");
}
