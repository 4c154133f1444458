//! What an agent was given, once more.

use std::path::PathBuf;
use std::{env, fs, process};

use swim_tokio::StartError;
use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::journal::replay;

use crate::support::{alone, builder, up};

/// A file of this test, which does not exist yet.
fn scratch() -> PathBuf {
    env::temp_dir().join(format!("swim-pool-journal-{}", process::id()))
}

#[tokio::test]
async fn the_journal_of_a_bare_agent_replays_bit_for_bit() {
    let path = scratch();
    let (other, _events) = alone(Config::local(), "other").await;
    let ours = builder(Config::local(), "ours").journal(&path).join([other.local_addr()]);
    let (ours, mut events) = ours.spawn().await.unwrap();
    up(&mut events, "other").await;
    ours.set_meta("role=db").await.unwrap();
    ours.leave().await.unwrap();
    ours.shutdown().await;
    let journal = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let replayed = replay(&journal).unwrap();
    assert!(replayed.digests_checked() > 0);
    assert_eq!(replayed.node().me().meta(), b"role=db");
    assert_eq!(replayed.node().known_len(), 2);
}

#[tokio::test]
async fn a_journal_that_cannot_be_made_keeps_the_agent_from_starting() {
    let path = PathBuf::from("/nowhere/journal");
    let refused = builder(Config::local(), "ours").journal(&path).spawn().await;
    let Err(error @ StartError::Journal { .. }) = refused else { panic!("it started") };
    assert!(error.to_string().starts_with("journal /nowhere/journal: No such file"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_left_alone() {
    let path = scratch().with_extension("json");
    fs::write(&path, "{}").unwrap();
    let refused = builder(Config::local(), "ours").journal(&path).spawn().await;
    let Err(error) = refused else { panic!("it started") };
    assert!(error.to_string().ends_with(": it exists, and is no journal"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
    fs::remove_file(&path).unwrap();
    let dir = env::temp_dir();
    let refused = builder(Config::local(), "ours").journal(&dir).spawn().await;
    assert!(matches!(refused, Err(StartError::Journal { .. })));
    assert!(dir.is_dir());
}
