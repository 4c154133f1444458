//! Joining, leaving, failing.

use std::time::Duration;

use swim_tokio::swim_core::{Cause, Config, State};
use swim_tokio::{CommandError, Event, JoinError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::support::{SOON, alone, builder, joined, loopback, until_live, up, wait_for};

#[tokio::test]
async fn three_agents_find_each_other() {
    let (a, mut a_events) = alone(Config::local(), "a").await;
    let (b, _b_events) = joined(Config::local(), "b", &a).await;
    let (c, _c_events) = joined(Config::local(), "c", &b).await;
    up(&mut a_events, "b").await;
    up(&mut a_events, "c").await;
    for handle in [&a, &b, &c] {
        until_live(handle, 3).await;
    }
    let snapshot = a.members().await.unwrap();
    assert_eq!(snapshot.me().name(), "a");
    assert_eq!(snapshot.get("c").unwrap().addr().canonical(), c.local_addr());
    assert_eq!(snapshot.all().len(), 3);
    let stats = a.stats().await.unwrap();
    assert!(stats.driver.datagrams_received > 0 && stats.node.merges > 0);
}

#[tokio::test]
async fn one_who_leaves_is_seen_to_leave_and_not_to_fail() {
    let (a, mut a_events) = alone(Config::local(), "a").await;
    let (b, _b_events) = joined(Config::local(), "b", &a).await;
    up(&mut a_events, "b").await;
    timeout(SOON, b.leave()).await.unwrap().unwrap();
    b.shutdown().await;
    let cause = wait_for(&mut a_events, |e| match e {
        Event::Down { member, cause, .. } if member.name() == "b" => Some(*cause),
        _ => None,
    });
    assert_eq!(cause.await, Cause::Left);
    assert_eq!(a.members().await.unwrap().state("b"), Some(State::Left));
}

#[tokio::test]
async fn one_who_vanishes_is_seen_to_fail() {
    let (a, mut a_events) = alone(Config::local(), "a").await;
    let (b, _b_events) = joined(Config::local(), "b", &a).await;
    up(&mut a_events, "b").await;
    b.shutdown().await;
    let failed = async {
        loop {
            if let Some(Event::Down { cause, .. }) = a_events.recv().await {
                return cause;
            }
        }
    };
    // Probe round, probe and an unconfirmed suspicion of two nodes: a second, one more, three.
    assert_eq!(timeout(Duration::from_secs(10), failed).await.unwrap(), Cause::Failed);
}

#[tokio::test]
async fn two_pools_in_one_process_do_not_meet() {
    let pool = |label: &'static str| Config::local().label(label.as_bytes());
    let (lan, _lan_events) = alone(pool("lan"), "a").await;
    let (wan, _wan_events) = alone(pool("wan"), "a").await;
    let (_lan_b, _lan_b_events) = joined(pool("lan"), "b", &lan).await;
    until_live(&lan, 2).await;
    assert_eq!(wan.members().await.unwrap().all().len(), 1);
}

#[tokio::test]
async fn a_join_tells_which_seeds_failed_and_why() {
    let (a, _a_events) = alone(Config::local(), "a").await;
    let (b, _b_events) = alone(Config::local(), "b").await;
    let free = std::net::TcpListener::bind(loopback()).unwrap().local_addr().unwrap();
    let seeds = [free.to_string(), "no address".into(), a.local_addr().to_string()];
    let joined = b.join(seeds).await.unwrap();
    assert_eq!(joined.reached, 1);
    let failed: Vec<_> = joined.failures.iter().map(|f| f.seed.as_str()).collect();
    assert_eq!(failed, ["no address", &free.to_string()]);
    let Err(JoinError::Failed(failures)) = b.join([free]).await else { panic!("joined nobody") };
    assert!(failures[0].why.contains("refused"), "{failures:?}");
}

#[tokio::test]
async fn a_seed_that_speaks_nonsense_is_named_beside_one_that_is_not_there() {
    let (a, _events) = alone(Config::local(), "a").await;
    let free = std::net::TcpListener::bind(loopback()).unwrap().local_addr().unwrap();
    let fake = tokio::net::TcpListener::bind(loopback()).await.unwrap();
    let addr = fake.local_addr().unwrap();
    let speak = tokio::spawn(async move {
        let (mut stream, _) = fake.accept().await.unwrap();
        stream.write_all(b"\x06\x83nonsense").await.unwrap();
        stream.shutdown().await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    });
    let Err(JoinError::Failed(mut failures)) = a.join([addr, free]).await else { panic!() };
    failures.sort_by_key(|f| f.seed != addr.to_string());
    assert_eq!(failures[0].seed, addr.to_string());
    assert!(failures[0].why.contains("malformed"), "{failures:?}");
    assert_eq!(failures[1].seed, free.to_string());
    speak.await.unwrap();
    let none: [std::net::SocketAddr; 0] = [];
    assert_eq!(a.join(none).await, Err(JoinError::NoSeeds));
}

#[tokio::test]
async fn a_configuration_is_reloaded_unless_it_changes_what_is_fixed() {
    let (a, _events) = alone(Config::local(), "a").await;
    a.reload(Config::local().gossip_nodes(5).build().unwrap()).await.unwrap();
    let fixed = a.reload(Config::local().label(b"other").build().unwrap()).await;
    assert!(matches!(fixed, Err(CommandError::Rejected(_))), "{fixed:?}");
}

#[tokio::test]
async fn a_node_that_hears_no_datagrams_stays_a_member_by_streams() {
    let config = Config::local().probe_interval(Duration::from_millis(200));
    let config = config.probe_timeout(Duration::from_millis(50));
    let (a, mut a_events) = alone(config.clone(), "a").await;
    let (b, _b_events) = builder(config, "b")
        .ignore_datagrams_from(|_| true)
        .join([a.local_addr()])
        .spawn()
        .await
        .unwrap();
    until_live(&a, 2).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    while let Some(event) = a_events.try_recv() {
        assert!(!matches!(event, Event::Down { .. }), "{event:?}");
    }
    let stats = a.stats().await.unwrap();
    assert!(stats.node.probes_stream > 0, "{stats:?}");
    drop(b);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_forms_on_a_runtime_of_several_threads() {
    // Two transmits of each rumour may miss somebody; push/pulls make good for that.
    let config = || Config::local().push_pull_interval(Duration::from_secs(1));
    let (a, _a_events) = alone(config(), "a").await;
    let mut others = Vec::new();
    for n in 0..8 {
        others.push(joined(config(), &format!("n{n}"), &a).await);
    }
    until_live(&a, 9).await;
    for (handle, _) in &others {
        until_live(handle, 9).await;
    }
}
