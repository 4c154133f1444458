//! Bounds and rules of our server, seen by our client.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use swim_tokio::rpc::wire::{Answer, EventRecord, Member, MemberStatus, Request};
use swim_tokio::rpc::{Client, ClientError, LogLevel, LogTap, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::script::Script;
use crate::scripted::{Reply, Scripted};

/// An agent that tells its members so often.
fn members(times: usize) -> Script {
    let addr = "127.0.0.1:7946".parse().unwrap();
    let members = vec![Member::new("one", addr, MemberStatus::Alive)];
    let answer = Some(Answer::Members(members));
    let reply = Reply { error: String::new(), answer, records: Vec::new() };
    let replies: VecDeque<Reply> = std::iter::repeat_n(reply, times).collect();
    Script { answers: BTreeMap::from([("members".into(), replies)]), ..Script::default() }
}

async fn connect(to: &Scripted) -> Client {
    Client::builder(to.server.local_addr().to_string()).connect().await.unwrap()
}

fn user(n: u64) -> EventRecord {
    let payload = Bytes::from(vec![7; 512]);
    EventRecord::User { ltime: n, name: "e".into(), payload, coalesce: false }
}

#[tokio::test]
async fn more_clients_than_allowed_are_closed_and_counted() {
    let config = ServerConfig::new().clients_max(1);
    let scripted = Scripted::start_with(&members(2), config, LogTap::new()).await;
    let first = connect(&scripted).await;
    first.members().await.unwrap();
    let second = Client::builder(scripted.server.local_addr().to_string()).connect().await;
    assert!(matches!(second, Err(ClientError::Closed)));
    first.members().await.unwrap();
    let stats = scripted.server.stats();
    assert_eq!((stats.accepted, stats.refused, stats.commands), (1, 1, 3));
}

#[tokio::test]
async fn who_does_not_open_the_session_is_closed() {
    let config = ServerConfig::new().handshake_timeout(Duration::from_millis(50));
    let scripted = Scripted::start_with(&members(1), config, LogTap::new()).await;
    let mut silent = TcpStream::connect(scripted.server.local_addr()).await.unwrap();
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap(), 0);
    // A session that was opened may be silent for as long as it likes.
    let client = connect(&scripted).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    client.members().await.unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_records_and_nobody_else_does() {
    let scripted = Scripted::start(&members(1)).await;
    let mut deaf = TcpStream::connect(scripted.server.local_addr()).await.unwrap();
    let mut request = BytesMut::new();
    Request::Handshake(1).encode(1, &mut request);
    Request::Stream("user".into()).encode(2, &mut request);
    deaf.write_all(&request).await.unwrap();
    // Both answers have come, so the stream runs.
    deaf.read_exact(&mut [0; 26]).await.unwrap();

    let hears = connect(&scripted).await;
    let mut stream = hears.stream("*").await.unwrap();
    // Sockets hold some megabytes.
    for n in 0..60_000 {
        scripted.publish(user(n));
        if n % 64 == 63 {
            for wanted in n - 63..=n {
                let told = stream.recv().await.unwrap();
                assert!(matches!(told, Some(EventRecord::User { ltime, .. }) if ltime == wanted));
            }
        }
    }
    assert_eq!(stream.dropped(), 0);
    // What it has lost is counted when it goes on.
    let mut buffer = vec![0; 1 << 20];
    while scripted.server.stats().records_dropped == 0 {
        assert!(deaf.read(&mut buffer).await.unwrap() > 0);
    }
    assert_eq!(hears.members().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_stopped() {
    let scripted = Scripted::start(&members(1)).await;
    let client = connect(&scripted).await;
    let stream = client.stream("user").await.unwrap();
    let mut other = client.stream("user").await.unwrap();
    drop(stream);
    scripted.publish(user(1));
    other.recv().await.unwrap().unwrap();
    // Handshake, two streams, and the stop.
    let start = Instant::now();
    while scripted.server.stats().commands < 4 {
        assert!(start.elapsed() < Duration::from_secs(30), "it was not stopped");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    client.members().await.unwrap();
}

#[tokio::test]
async fn a_monitor_gets_the_lines_of_its_level_old_ones_first() {
    let log = LogTap::new();
    for n in 0..600 {
        log.push(if n % 2 == 0 { LogLevel::Debug } else { LogLevel::Info }, n.to_string());
    }
    let scripted = Scripted::start_with(&members(1), ServerConfig::new(), log.clone()).await;
    let client = connect(&scripted).await;
    let mut lines = client.monitor("info").await.unwrap();
    log.push(LogLevel::Debug, "not this one");
    log.push(LogLevel::Err, "live");
    // The last 512 lines are kept.
    for n in (88..600).filter(|n| n % 2 == 1) {
        assert_eq!(lines.recv().await.unwrap().unwrap().0, n.to_string());
    }
    assert_eq!(lines.recv().await.unwrap().unwrap().0, "live");
}

#[tokio::test]
async fn a_server_that_shuts_down_closes_its_connections() {
    let scripted = Scripted::start(&members(1)).await;
    let addr = scripted.server.local_addr();
    let client = connect(&scripted).await;
    scripted.server.shutdown().await;
    assert!(matches!(client.members().await, Err(ClientError::Closed)));
    assert!(TcpStream::connect(addr).await.is_err());
}
