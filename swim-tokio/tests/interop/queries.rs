//! Queries between ours and theirs.

use std::time::Duration;

use swim_tokio::serf::Answer;
use swim_tokio::swim_core::serf::{Event, QueryParams};

use crate::events::{join, wait_event};
use crate::serf::{self, Net, SOON, Serf};

#[tokio::test]
async fn theirs_acknowledges_and_answers_ours() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs =
        Serf::start("theirs", net.addr(1), &["-tag=role=db", "-event-handler=query:load=echo 42"]);
    let (ours, _events) = join("ours", &net, 2, &theirs).await;
    theirs.wait_status("ours", "alive", SOON).await;
    for relay_factor in [0, 1] {
        let params = QueryParams::new().ack(true).tag("role", "^d").relay_factor(relay_factor);
        let mut answers = ours.query("load", "5", params).await.unwrap();
        let mut told = Vec::new();
        while let Some(answer) = answers.recv().await {
            told.push(match answer {
                Answer::Ack { from } => format!("ack {from}"),
                Answer::Response { from, payload } => {
                    format!("{from} {}", String::from_utf8_lossy(&payload).trim_end())
                }
                _ => unreachable!(),
            });
        }
        told.sort_unstable();
        assert_eq!(told, ["ack theirs", "theirs 42"], "{}", theirs.log());
    }
}

#[tokio::test]
async fn ours_acknowledges_and_answers_theirs() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let (ours, mut events) = join("ours", &net, 2, &theirs).await;
    theirs.wait_status("ours", "alive", SOON).await;
    let asked = tokio::task::spawn_blocking(move || {
        let out = theirs.output(&["query", "-tag", "role=eb", "-timeout=3s", "load", "5"]);
        (out, theirs)
    });
    let query = wait_event(&mut events, |event| matches!(event, Event::Query(_))).await;
    let Event::Query(query) = query else { unreachable!() };
    assert_eq!((&query.name[..], &query.payload[..]), ("load", &b"5"[..]));
    assert_eq!(query.source, "theirs");
    ours.respond(query.id, "0.42").await.unwrap();
    let (out, theirs) = asked.await.unwrap();
    assert!(out.contains("Ack from 'ours'"), "{out}");
    assert!(out.contains("Response from 'ours': 0.42"), "{out}");
    assert!(out.contains("Total Acks: 1") && out.contains("Total Responses: 1"), "{out}");
    let reached = tokio::task::spawn_blocking(move || theirs.output(&["reachability"]));
    let reached = reached.await.unwrap();
    assert!(reached.contains("Successfully contacted all live nodes"), "{reached}");
}

#[tokio::test]
async fn theirs_estimates_the_round_trip_to_ours_and_ours_to_theirs() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let (ours, _events) = join("ours", &net, 2, &theirs).await;
    theirs.wait_status("ours", "alive", SOON).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let out = theirs.output(&["rtt", "theirs", "ours"]);
    assert!(out.contains("Estimated theirs <-> ours rtt:"), "{out}");
    let (a, b) = (ours.coordinate("ours").await, ours.coordinate("theirs").await);
    let apart = a.unwrap().unwrap().distance(&b.unwrap().unwrap());
    assert!(apart < Duration::from_millis(100), "{apart:?}");
}
