//! Queries.

use std::time::{Duration, Instant};

use swim_tokio::CommandError;
use swim_tokio::swim_core::serf::{Event, QueryParams, Tags};

use crate::agents::serf;
use crate::ours::{Ours, SOON, gather, local};
use crate::serf::{self as theirs, Net, Serf};

const S: fn(u64) -> Duration = Duration::from_secs;

/// A real agent with the role `db` that says that it is idle, and one of ours with the role `web`
/// that does.
async fn both(net: &Net) -> (Serf, Ours) {
    let flags = ["-tag=role=db", "-event-handler=query:load=echo theirs is idle"];
    let theirs = Serf::start("theirs", net.addr(1), &flags);
    let tags = Tags::new([("role", "web")]).unwrap();
    let ours = Ours::spawn(local("ours", net.addr(2)).tags(tags).join([theirs.addr()])).await;
    theirs.wait_status("ours", "alive", SOON).await;
    (theirs, ours)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_asks_gets_an_ack_and_an_answer_of_both() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let (theirs, ours) = both(&net).await;
    let asked = serf(theirs.rpc(), &["query", "load", "5"]).await;
    for line in [
        "Ack from 'theirs'",
        "Ack from 'ours'",
        "Response from 'theirs': theirs is idle",
        "Response from 'ours': ours is idle",
        "Total Acks: 2",
        "Total Responses: 2",
    ] {
        assert_eq!(asked.out.lines().filter(|found| *found == line).count(), 1, "{asked:?}");
    }
    let asked = ours.handle.query("load", "5", QueryParams::new().ack(true)).await.unwrap();
    let (acks, responses) = gather(asked).await;
    assert_eq!(acks, ["ours", "theirs"]);
    assert_eq!(responses, ["ours: ours is idle", "theirs: theirs is idle"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_nodes_that_match_acknowledge() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let (theirs, ours) = both(&net).await;
    for (filter, acks) in [
        (&["-node=ours"][..], &["ours"][..]),
        (&["-node=theirs", "-node=ours"], &["ours", "theirs"]),
        (&["-tag", "role=^we"], &["ours"]),
        (&["-tag", "role=eb"], &["ours"]),
        (&["-tag", "role=^eb"], &[]),
    ] {
        let args = [&["query", "-timeout=500ms"], filter, &["quiet"]].concat();
        let asked = serf(theirs.rpc(), &args).await;
        let mut found: Vec<_> = asked
            .out
            .lines()
            .filter_map(|line| line.strip_prefix("Ack from '")?.strip_suffix('\''))
            .collect();
        found.sort_unstable();
        assert_eq!(found, acks, "{filter:?}");
    }
    for (params, acks) in [
        (QueryParams::new().nodes(["theirs"]), &["theirs"][..]),
        (QueryParams::new().tag("role", "^d"), &["theirs"]),
        (QueryParams::new().tag("role", "b"), &["ours", "theirs"]),
        (QueryParams::new().tag("role", "^b"), &[]),
    ] {
        let params = params.ack(true).timeout(Duration::from_millis(500));
        let text = format!("{params:?}");
        let asked = ours.handle.query("quiet", "", params).await.unwrap();
        assert_eq!(gather(asked).await.0, acks, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_query_of_two_nodes_takes_1600_ms_on_both_sides() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let (theirs, ours) = both(&net).await;
    let start = Instant::now();
    serf(theirs.rpc(), &["query", "quiet"]).await;
    let of_theirs = start.elapsed();
    let start = Instant::now();
    gather(ours.handle.query("quiet", "", QueryParams::new()).await.unwrap()).await;
    let of_ours = start.elapsed();
    for took in [of_theirs, of_ours] {
        assert!(took.abs_diff(Duration::from_millis(1600)).as_millis() <= 200, "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_answer_after_four_seconds_counts_in_a_query_of_five() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &["-event-handler=query=sleep 4; echo late"]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    theirs.wait_status("ours", "alive", SOON).await;
    let asks = async {
        let start = Instant::now();
        let params = QueryParams::new().nodes(["theirs"]).timeout(S(5));
        let answers = gather(ours.handle.query("slow", "", params).await.unwrap()).await;
        (answers.1, start.elapsed())
    };
    let answers = async {
        let asked = serf(theirs.rpc(), &["query", "-node=ours", "-timeout=5s", "patience"]);
        let late = async {
            let named = |event: &Event| matches!(event, Event::Query(q) if q.name == "patience");
            let Event::Query(query) = ours.wait_event(named).await else { unreachable!() };
            tokio::time::sleep(S(4)).await;
            ours.handle.respond(query.id, "late").await
        };
        tokio::join!(asked, late)
    };
    let ((told, took), (asked, late)) = tokio::join!(asks, answers);
    assert_eq!(told, ["theirs: late"]);
    assert!(took.abs_diff(S(5)).as_millis() <= 300, "{took:?}");
    assert_eq!(late, Ok(()));
    assert!(asked.out.contains("Response from 'ours': late"), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_answer_that_relays_bring_again_counts_once() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let (theirs, ours) = both(&net).await;
    let third = Ours::join("third", net.addr(3), theirs.addr()).await;
    for name in ["ours", "third"] {
        theirs.wait_status(name, "alive", SOON).await;
    }
    // Which member relays is drawn, and it may be the one that asks.
    let start = Instant::now();
    loop {
        let asked =
            serf(theirs.rpc(), &["query", "-relay-factor=1", "-timeout=300ms", "load"]).await;
        for name in ["theirs", "ours", "third"] {
            let ack = format!("Ack from '{name}'");
            assert!(asked.out.matches(&ack).count() <= 1, "{asked:?}");
        }
        let params = QueryParams::new().ack(true).relay_factor(1);
        let params = params.timeout(Duration::from_millis(300));
        let (acks, responses) = gather(ours.handle.query("load", "", params).await.unwrap()).await;
        let mut once = acks.clone();
        once.dedup();
        assert_eq!(once, acks);
        assert!(responses.len() <= 3, "{responses:?}");
        let (ours, third) = (ours.handle.stats().await, third.handle.stats().await);
        let (ours, third) = (ours.unwrap().serf, third.unwrap().serf);
        if ours.relayed > 0 && third.relayed > 0 && ours.responses_again > 0 {
            break;
        }
        assert!(start.elapsed() < 2 * SOON, "{ours:?} {third:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn queries_and_answers_that_are_too_long_are_not_sent() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let flags = ["-event-handler=query:long=head -c 2000 /dev/zero | tr '\\0' x"];
    let theirs = Serf::start("theirs", net.addr(1), &flags);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    theirs.wait_status("ours", "alive", SOON).await;
    let payload = "x".repeat(1000);
    let said = serf(theirs.rpc(), &["query", "q", &payload]).await;
    let refused = ours.handle.query("q", payload.clone(), QueryParams::new()).await.unwrap_err();
    assert_eq!(refused.to_string(), "query exceeds limit of 1024 bytes");
    assert!(said.out.contains(&refused.to_string()), "{said:?}");
    let params = QueryParams::new().ack(true).timeout(S(1));
    let (acks, responses) = gather(ours.handle.query("long", "", params).await.unwrap()).await;
    assert_eq!((acks.len(), responses.len()), (2, 0));
    let asked = serf(theirs.rpc(), &["query", "-timeout=500ms", "other"]);
    let answers = async {
        let named = |event: &Event| matches!(event, Event::Query(q) if q.name == "other");
        let Event::Query(query) = ours.wait_event(named).await else { unreachable!() };
        ours.handle.respond(query.id, payload.clone()).await
    };
    let (asked, refused) = tokio::join!(asked, answers);
    let Err(CommandError::Serf(refused)) = refused else { panic!("{refused:?}") };
    assert_eq!(refused.to_string(), "response exceeds limit of 1024 bytes");
    assert!(asked.out.contains("Total Responses: 0"), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_the_wish_nobody_acknowledges() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let (theirs, ours) = both(&net).await;
    let asked = serf(theirs.rpc(), &["query", "-no-ack", "load"]).await;
    assert!(!asked.out.contains("Ack from"), "{asked:?}");
    assert!(asked.out.contains("Total Responses: 2"), "{asked:?}");
    let asked = ours.handle.query("load", "", QueryParams::new()).await.unwrap();
    let (acks, responses) = gather(asked).await;
    assert_eq!((acks.len(), responses.len()), (0, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_names_of_serfs_own_queries_are_refused_alike() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let (theirs, ours) = both(&net).await;
    let server = ours.serve().await;
    for args in [&["query", "_serf_foo"][..], &["query", "_serf_ping", "payload"]] {
        let of_theirs = serf(theirs.rpc(), args).await;
        assert!(
            of_theirs.out.contains("Queries cannot contain the '_serf_' prefix"),
            "{of_theirs:?}"
        );
        assert_eq!(serf(server.local_addr(), args).await, of_theirs);
    }
    let all = serf(server.local_addr(), &["reachability"]).await;
    assert!(all.out.contains("Successfully contacted all live nodes"), "{all:?}");
    assert_eq!(all.code, Some(0));
}
