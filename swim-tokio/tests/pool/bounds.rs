//! Rate limits and slow consumers.

use std::time::Duration;

use swim_tokio::swim_core::Config;
use swim_tokio::{Delivery, Event, Overflow, RateLimit};
use tokio::time::{Instant, timeout};

use crate::support::{SOON, alone, builder};

#[tokio::test]
async fn a_flood_from_one_source_is_limited_and_counted() {
    let mut limit = RateLimit::default();
    (limit.datagrams_per_second, limit.datagrams_burst) = (10, 20);
    let (a, _a_events) = builder(Config::local(), "a").rate_limit(limit).spawn().await.unwrap();
    let start = Instant::now();
    let socket = std::net::UdpSocket::bind("127.0.0.2:0").unwrap();
    for _ in 0..200 {
        socket.send_to(b"\x08flood", a.local_addr()).unwrap();
        tokio::task::yield_now().await;
    }
    loop {
        let driver = a.stats().await.unwrap().driver;
        if driver.datagrams_received == 200 {
            let refilled = start.elapsed().as_secs() + 1;
            let let_through = 200 - driver.datagrams_limited;
            assert!(let_through <= 20 + 10 * refilled, "{driver:?} in {:?}", start.elapsed());
            break;
        }
        assert!(start.elapsed() < SOON, "{driver:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_slow_consumer_learns_what_it_missed_and_holds_nobody_up() {
    let (a, mut a_events) = builder(Config::local(), "a").events_max(2).spawn().await.unwrap();
    let (b, _b_events) = alone(Config::local(), "b").await;
    for n in 0..10 {
        b.send(a.local_addr(), vec![n; 8], Delivery::Stream).await.unwrap();
    }
    let (mut seen, mut missed) = (0, 0);
    while seen + missed < 11 {
        match timeout(SOON, a_events.recv()).await.unwrap().unwrap() {
            Event::Lagged(n) => missed += n,
            _ => seen += 1,
        }
    }
    assert!(missed > 0 && seen + missed == 11, "{seen} {missed}");
    assert_eq!(a.stats().await.unwrap().driver.events_lagged, missed);
}

#[tokio::test]
async fn a_consumer_that_must_not_miss_anything_makes_senders_wait() {
    let held_back = builder(Config::local(), "a").events_max(2).overflow(Overflow::HoldBack);
    let (a, mut a_events) = held_back.spawn().await.unwrap();
    let (b, _b_events) = alone(Config::local(), "b").await;
    let to = a.local_addr();
    let sender = tokio::spawn(async move {
        for n in 0..10u8 {
            b.send(to, vec![n; 8], Delivery::Stream).await.unwrap();
        }
        b
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut payloads = Vec::new();
    while payloads.len() < 10 {
        match timeout(SOON, a_events.recv()).await.unwrap().unwrap() {
            Event::Message { payload, .. } => payloads.push(payload[0]),
            Event::Lagged(n) => panic!("{n} events lost"),
            _ => {}
        }
    }
    payloads.sort_unstable();
    assert_eq!(payloads, (0..10).collect::<Vec<_>>());
    sender.await.unwrap();
}

#[test]
fn an_agent_that_was_held_up_accuses_nobody() {
    // Each on a thread of its own, so that one can be held up without the other.
    let (tell, seed) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let peer = std::thread::spawn(move || {
        runtime().block_on(async {
            let (handle, _events) = alone(Config::local(), "peer").await;
            tell.send(handle.local_addr()).unwrap();
            let _ = stopped.await;
        });
    });
    runtime().block_on(async {
        let config = Config::local().evidence_events(true);
        let seed = seed.recv().unwrap();
        let (held, mut events) = builder(config, "held").join([seed]).spawn().await.unwrap();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        // Twice as long as a probe lasts; no task of this runtime runs meanwhile.
        std::thread::sleep(Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let stats = held.stats().await.unwrap();
        assert!(stats.node.late_timeouts > 0, "{stats:?}");
        let events: Vec<_> = std::iter::from_fn(|| events.try_recv()).collect();
        let bad = |e: &Event| matches!(e, Event::Suspected { .. } | Event::Down { .. });
        assert!(!events.iter().any(bad), "{events:?}");
        assert_eq!(stats.node.probes_failed, 0, "{stats:?}");
    });
    drop(stop);
    peer.join().unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
