//! The file in which a Serf node keeps who is there.

use std::time::{Duration, Instant};

use swim_tokio::StartError;
use swim_tokio::serf::SerfAgent;
use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::serf::SerfConfig;

fn builder(path: &std::path::Path) -> swim_tokio::serf::SerfBuilder {
    let config = SerfConfig::builder(Config::local().build().unwrap()).build().unwrap();
    let bind = "127.0.0.1:0".parse().unwrap();
    SerfAgent::builder(config).name("a").bind(bind).snapshot(path)
}

#[tokio::test]
async fn a_long_snapshot_is_replaced_by_a_short_one() {
    let path = std::env::temp_dir().join(format!("swim-long-{}", std::process::id()));
    let mut text = "event-clock: 7\n".to_owned();
    for n in 1.. {
        text += &format!("clock: {n}\n");
        if text.len() > 130 * 1024 {
            break;
        }
    }
    std::fs::write(&path, &text).unwrap();
    let clock = text.lines().last().unwrap();
    let (agent, _events) = builder(&path).spawn().await.unwrap();
    agent.shutdown().await;
    let short = std::fs::read_to_string(&path).unwrap();
    assert!(short.len() < 200, "{} bytes", short.len());
    for line in [clock, "event-clock: 7", "query-clock: 0"] {
        assert!(short.lines().any(|found| found == line), "no {line} in {short}");
    }
    let me = format!("alive: a {}", agent.local_addr());
    assert!(short.lines().any(|found| found == me), "{short}");
    assert!(!path.with_extension("compact").exists());

    // What comes after goes into the new file.
    let (agent, _events) = builder(&path).spawn().await.unwrap();
    agent.user_event("deploy", "", false).await.unwrap();
    let start = Instant::now();
    while !std::fs::read_to_string(&path).unwrap().contains("event-clock: 8\n") {
        assert!(start.elapsed() < Duration::from_secs(10), "the event is not in the file");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    agent.leave().await.unwrap();
    agent.shutdown().await;
    assert!(std::fs::read_to_string(&path).unwrap().contains("leave\n"));
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_written_is_an_error_that_names_it() {
    let error = builder("/nonexistent/snapshot".as_ref()).spawn().await.unwrap_err();
    assert!(matches!(error, StartError::Snapshot { .. }), "{error}");
    assert!(error.to_string().starts_with("snapshot /nonexistent/snapshot: "), "{error}");
}
