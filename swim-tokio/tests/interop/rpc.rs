//! Our client of the agent protocol against real agents.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use swim_tokio::rpc::wire::{
    Coordinate, EventRecord, MemberChange, MemberFilter, MemberStatus, Query, QueryRecord,
    UserEvent,
};
use swim_tokio::rpc::{Client, ClientError};

use crate::cli::{run, with_rpc};
use crate::ours::Swim;
use crate::serf::{self, Net, SOON, Serf};

async fn connect(to: &Serf) -> Client {
    Client::builder(to.rpc().to_string()).connect().await.unwrap()
}

/// Where a node lies; unknown until it has been probed.
async fn coordinate(client: &Client, node: &str) -> Coordinate {
    let start = Instant::now();
    loop {
        if let Some(known) = client.coordinate(node).await.unwrap() {
            return known;
        }
        assert!(start.elapsed() < SOON, "{node} has no coordinate");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn one(key: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(key.into(), value.into())])
}

#[tokio::test]
async fn members_tags_and_figures_of_an_agent_are_told() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let agent = Serf::start("one", net.addr(1), &["-tag=role=web"]);
    let other = Serf::start("two", net.addr(2), &[]);
    let client = connect(&agent).await;

    let joined = client.join(vec!["127.0.0.1:1".into(), other.addr().to_string()], true).await;
    assert_eq!(joined.unwrap(), 1);
    let refused = client.join(vec!["127.0.0.1:1".into()], false).await.unwrap_err();
    assert!(matches!(&refused, ClientError::Refused(why) if why.contains("refused")), "{refused}");
    agent.wait_status("two", "alive", Duration::from_secs(2)).await;

    client.tags(one("a", "1"), vec!["role".into()]).await.unwrap();
    let members = client.members().await.unwrap();
    let me = members.iter().find(|member| member.name == "one").unwrap();
    assert_eq!((me.addr, me.status), (agent.addr(), MemberStatus::Alive));
    assert_eq!((&me.tags, me.protocol, me.delegate), (&one("a", "1"), [1, 5, 2], [2, 5, 5]));
    let mut filter = MemberFilter::default();
    filter.name = "t.*".into();
    let filtered = client.members_filtered(filter).await.unwrap();
    assert_eq!(filtered.iter().map(|member| &*member.name).collect::<Vec<_>>(), ["two"]);

    let stats = client.stats().await.unwrap();
    assert_eq!((&*stats["agent"]["name"], &*stats["serf"]["members"]), ("one", "2"));
    let (here, there) = (coordinate(&client, "one").await, coordinate(&client, "two").await);
    assert!(here.rtt(&there).unwrap() < Duration::from_secs(1));
    assert_eq!(client.coordinate("nobody").await.unwrap(), None);

    // A node that is gone, and forgotten.
    let gone = other.addr();
    drop(other);
    agent.wait_status("two", "failed", SOON).await;
    client.force_leave("two", false).await.unwrap();
    assert_eq!(agent.status_of("two").as_deref(), Some("left"), "{gone}");
    client.force_leave("two", true).await.unwrap();
    assert_eq!(agent.status_of("two"), None);
    client.leave().await.unwrap();
}

#[tokio::test]
async fn events_queries_and_log_lines_are_streamed() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let agent = Serf::start("one", net.addr(1), &[]);
    let (asks, hears) = (connect(&agent).await, connect(&agent).await);
    let mut events = hears.stream("user:deploy,query").await.unwrap();
    let mut members = hears.stream("member-update").await.unwrap();

    asks.event(UserEvent::new("other", "x", false)).await.unwrap();
    asks.event(UserEvent::new("deploy", vec![0, 255], false)).await.unwrap();
    match events.recv().await.unwrap().unwrap() {
        EventRecord::User { name, payload, coalesce, .. } => {
            assert_eq!((&*name, &payload[..], coalesce), ("deploy", &[0, 255][..], false));
        }
        other => panic!("{other:?}"),
    }
    asks.tags(one("a", "1"), vec![]).await.unwrap();
    match members.recv().await.unwrap().unwrap() {
        EventRecord::Members { change, members } => {
            assert_eq!((change, &members[0].tags), (MemberChange::Update, &one("a", "1")));
        }
        other => panic!("{other:?}"),
    }

    let mut query = Query::new("load", "how much");
    (query.ack, query.timeout) = (true, Duration::from_secs(1));
    let mut answers = asks.query(query).await.unwrap();
    let EventRecord::Query { id, name, payload, .. } = events.recv().await.unwrap().unwrap() else {
        panic!("no query");
    };
    assert_eq!((&*name, &payload[..]), ("load", &b"how much"[..]));
    hears.respond(id, "0.5").await.unwrap();
    let refused = hears.respond(id + 1, "0.5").await.unwrap_err().to_string();
    assert_eq!(refused, "No pending queries matching ID");
    let from = || "one".to_owned();
    let acked = answers.recv().await.unwrap();
    assert_eq!(acked, Some(QueryRecord::Ack { from: from() }));
    let answered = answers.recv().await.unwrap();
    assert_eq!(answered, Some(QueryRecord::Response { from: from(), payload: "0.5".into() }));
    assert_eq!(answers.recv().await.unwrap(), None);

    let mut log = hears.monitor("debug").await.unwrap();
    let first = log.recv().await.unwrap().unwrap();
    assert!(first.0.contains("[INFO] agent: Serf agent starting"), "{first:?}");
    let refused = asks.monitor("loud").await.unwrap_err().to_string();
    assert_eq!(refused, "Unknown log level: LOUD");

    // Records that nobody takes do not hold up commands of the same connection.
    drop(events);
    asks.event(UserEvent::new("deploy", "", false)).await.unwrap();
    assert_eq!(hears.members().await.unwrap().len(), 1);
    drop(agent);
    while let Ok(Some(_)) = log.recv().await {}
    assert!(matches!(log.recv().await, Err(ClientError::Closed)));
    assert!(matches!(hears.members().await, Err(ClientError::Closed)));
}

#[tokio::test]
async fn a_client_answers_a_query_by_its_number_whichever_agent_it_is_connected_to() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let join = format!("-join={}", theirs.addr());
    let ours = Swim::start_with_rpc("ours", net.addr(2), &[&join]);
    theirs.wait_status("ours", "alive", SOON).await;
    ours.wait_event("member-join", "theirs", SOON).await;
    for (name, answers, asks) in
        [("theirs", theirs.rpc(), ours.rpc()), ("ours", ours.rpc(), theirs.rpc())]
    {
        let client = Client::builder(answers.to_string()).connect().await.unwrap();
        let mut events = client.stream("query:load").await.unwrap();
        // Gossip may miss a node, so it is asked more than once.
        let mut asked = tokio::task::spawn_blocking(move || {
            let ask = || run("serf", &with_rpc(&["query", "load", "x"], &asks.to_string()), &[]);
            let said = (0..5).map(|_| String::from_utf8(ask().stdout).unwrap());
            said.collect::<Vec<_>>().concat()
        });
        let said = loop {
            tokio::select! {
                event = events.recv() => {
                    let EventRecord::Query { id, payload, .. } = event.unwrap().unwrap() else {
                        panic!("no query");
                    };
                    assert_eq!(&payload[..], b"x");
                    client.respond(id, "0.5").await.unwrap();
                    let refused = client.respond(id + 1, "0.5").await.unwrap_err().to_string();
                    assert_eq!(refused, "No pending queries matching ID");
                }
                said = &mut asked => break said.unwrap(),
            }
        };
        assert!(said.contains(&format!("Response from '{name}': 0.5")), "{said}");
    }
}

#[tokio::test]
async fn keys_are_rotated_and_what_fails_is_told_by_node() {
    if !serf::is_there() {
        return;
    }
    let (old, new) = ("vb+0fFWl82XyjaWdhU62dbrILQmWj2TAKlmT/a6R6xc=", "QHOYjmYlxSCBhdfiolhtDQ==");
    let net = Net::new();
    let agent = Serf::start("one", net.addr(1), &["-encrypt", old]);
    let client = connect(&agent).await;
    client.install_key(new).await.unwrap();
    client.use_key(new).await.unwrap();
    client.remove_key(old).await.unwrap();
    let report = client.list_keys().await.unwrap();
    assert_eq!(report.keys, Some(BTreeMap::from([(new.to_owned(), 1)])));
    assert_eq!((report.nodes, report.responses, report.errors), (1, 1, 0));
    match client.remove_key(new).await.unwrap_err() {
        ClientError::Keys { text, report } => {
            assert_eq!(text, "1/1 nodes reported failure");
            assert_eq!(report.messages["one"], "Removing the primary key is not allowed");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_token_is_shown_to_an_agent_that_asks_for_one() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let path = std::env::temp_dir().join(format!("swim-auth-{}.json", std::process::id()));
    std::fs::write(&path, r#"{"rpc_auth": "s3cret"}"#).unwrap();
    let agent = Serf::start("one", net.addr(1), &[&format!("-config-file={}", path.display())]);
    std::fs::remove_file(&path).unwrap();
    let builder = Client::builder(agent.rpc().to_string());
    let client = builder.clone().auth("s3cret").connect().await.unwrap();
    assert_eq!(client.members().await.unwrap().len(), 1);
    let wrong = builder.clone().auth("wrong").connect().await.unwrap_err().to_string();
    assert_eq!(wrong, "Invalid authentication token");
    let without = builder.connect().await.unwrap();
    for _ in 0..2 {
        let missing = without.members().await.unwrap_err().to_string();
        assert_eq!(missing, "Authentication required");
    }
}

#[tokio::test]
async fn nobody_there_is_an_error_that_names_the_address() {
    let addr = Net::new().addr(1);
    let error = Client::builder(addr.to_string()).connect().await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot connect to {addr}: Connection refused")), "{error}");
}

#[tokio::test]
async fn an_agent_that_does_not_answer_is_waited_for_so_long_and_no_longer() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = silent.local_addr().unwrap().to_string();
    let wait = Duration::from_millis(100);
    let error = Client::builder(addr).timeout(wait).connect().await.unwrap_err();
    assert!(matches!(error, ClientError::Timeout(after) if after == wait), "{error}");
}
