//! What the example shows, as tests.

use swim_tokio::swim_core::{NodeName, Seat};
use swim_tokio::{Agent, Delivery, Handle, JoinError};

use super::*;
use crate::site::Site;

async fn four(gateway: &Gateway) -> Vec<(SerfHandle, Events<Event>)> {
    let (east, west) = (gateway.site("east", 1), gateway.site("west", 2));
    let mut nodes = Vec::new();
    for (site, node) in [(&east, "a"), (&east, "b"), (&west, "c"), (&west, "d")] {
        nodes.push(start(site.port(node)).await.unwrap());
    }
    for (node, _) in &nodes[1..] {
        node.join([seat(&nodes[0].0)], false).await.unwrap();
    }
    wait_for_all(&nodes).await.unwrap();
    nodes
}

#[tokio::test]
async fn nodes_of_two_datacenters_meet_through_a_gateway_that_knows_names() {
    let gateway = Gateway::new();
    let mut nodes = four(&gateway).await;
    assert!(gateway.passed().streams >= 2, "joins are push/pulls");
    nodes[0].0.user_event("deploy", "v2", false).await.unwrap();
    let heard = deployed(&mut nodes[3].1).await.unwrap();
    assert_eq!(heard, ("deploy".into(), "v2".into()));
    assert_eq!(ask(&nodes).await.unwrap(), ["a.east", "b.east", "c.west", "d.west"]);
    // Long enough for each to be probed by several.
    tokio::time::sleep(Duration::from_secs(5)).await;
    wait_for_all(&nodes).await.unwrap();
    for (node, _) in &nodes {
        let stats = node.stats().await.unwrap();
        let (probes, failed) = (stats.node.probes, stats.node.probes_failed);
        // On a busy machine one or another may be late; without a way back none would succeed.
        assert!(probes > 2 * failed, "{failed} of {probes}");
        // Who answers somebody who passed an accusation on has no name for it.
        let unnamed = (stats.driver.streams_unnamed, stats.driver.datagrams_unnamed);
        assert!(unnamed.0 == 0 && unnamed.1 <= stats.node.refutations, "{unnamed:?}");
    }
    assert!(gateway.passed().datagrams > 20);
    assert_eq!(gateway.passed().unknown, 0);
}

#[tokio::test]
async fn the_answer_to_a_query_goes_back_through_the_gateway() {
    let gateway = Gateway::new();
    let mut nodes = four(&gateway).await;
    let params = QueryParams::new().nodes(["c.west"]);
    let mut answers = nodes[0].0.query("load", "", params).await.unwrap();
    let id = loop {
        if let Some(Event::Query(query)) = nodes[2].1.recv().await {
            break query.id;
        }
    };
    nodes[2].0.respond(id, "0.42").await.unwrap();
    let Some(Answer::Response { from, payload }) = answers.recv().await else {
        panic!("there is an answer")
    };
    assert_eq!((from.as_str(), &payload[..]), ("c.west", &b"0.42"[..]));
}

async fn bare(site: &Site, node: &str) -> (Handle, Events) {
    let port = site.port(node);
    let config = Config::local().build().unwrap();
    let agent = Agent::builder(config).name(port.name()).transport(port).require_node_names();
    agent.spawn().await.unwrap()
}

async fn message(events: &mut Events) -> Vec<u8> {
    loop {
        let event = events.recv().await.unwrap();
        if let swim_tokio::Event::Message { payload, .. } = event {
            return payload.to_vec();
        }
    }
}

#[tokio::test]
async fn bare_nodes_route_by_name_and_refuse_what_has_none() {
    let gateway = Gateway::new();
    let (east, west) = (gateway.site("east", 1), gateway.site("west", 2));
    let (a, _events) = bare(&east, "a").await;
    let (c, mut heard) = bare(&west, "c").await;
    let JoinError::Failed(failures) = a.join([c.local_addr()]).await.unwrap_err() else {
        panic!("the seed is refused")
    };
    assert_eq!(failures[0].seed, c.local_addr().to_string());
    assert_eq!(failures[0].why, "node names are required and none is given: NAME/ADDRESS");
    assert_eq!(a.stats().await.unwrap().driver.streams_unnamed, 1);
    assert_eq!(gateway.passed().streams + gateway.passed().unknown, 0, "nothing was tried");

    a.join([format!("c.west/{}", c.local_addr())]).await.unwrap();
    assert_eq!(c.members().await.unwrap().live().count(), 2);
    let seat = Seat { addr: c.local_addr(), name: NodeName::new("c.west").ok() };
    for by in [Delivery::Stream, Delivery::Datagram] {
        a.send(seat.clone(), "to a name", by).await.unwrap();
        assert_eq!(message(&mut heard).await, b"to a name");
        // The one by datagram is refused later than the command ends.
        let _ = a.send(c.local_addr(), "to an address", by).await;
    }
    let start = Instant::now();
    loop {
        let counted = a.stats().await.unwrap().driver;
        if (counted.streams_unnamed, counted.datagrams_unnamed) == (2, 1) {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{counted:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    a.ping(NodeName::new("c.west").unwrap(), c.local_addr()).await.unwrap();
    a.shutdown().await;
    c.shutdown().await;
}

#[tokio::test]
async fn a_name_that_the_gateway_does_not_know_leads_nowhere() {
    let gateway = Gateway::new();
    let (a, _events) = bare(&gateway.site("east", 1), "a").await;
    let JoinError::Failed(failures) = a.join(["x.west/10.2.0.9:8302"]).await.unwrap_err() else {
        panic!("nobody is there")
    };
    assert_eq!(failures[0].why, "no way from east to x.west at 10.2.0.9:8302");
    assert_eq!(gateway.passed().unknown, 1);
}
