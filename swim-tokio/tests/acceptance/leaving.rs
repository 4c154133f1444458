//! Leaving, being forced out, being forgotten.

use std::sync::Arc;
use std::time::{Duration, Instant};

use swim_tokio::swim_core::serf::{Change, Status, Tags};
use swim_tokio::swim_core::{Config, Member, Policy};

use crate::diary::Diary;
use crate::ours::{Ours, SOON, agent, layer, wait_until};
use crate::serf::{self as theirs, Net, Serf};

const S: fn(u64) -> Duration = Duration::from_secs;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn when_ours_leaves_theirs_hears_of_a_leave_and_of_no_failure() {
    if !theirs::is_there() {
        return;
    }
    let (net, diary) = (Net::new(), Diary::new());
    let theirs = Serf::start("theirs", net.addr(1), &[&diary.flag()]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    theirs.wait_status("ours", "alive", SOON).await;
    ours.handle.leave().await.unwrap();
    ours.handle.shutdown().await;
    theirs.wait_status("ours", "left", SOON).await;
    wait_until("the handler is told", || !diary.entries("member-leave").is_empty()).await;
    let line = &diary.entries("member-leave")[0];
    assert!(line.contains(&format!("ours,{}", net.addr(2).ip())), "{line}");
    assert!(diary.entries("member-failed").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_serf_that_leaves_has_left_and_is_remembered() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let mut theirs = Serf::start("theirs", net.addr(1), &[]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    theirs.wait_status("ours", "alive", SOON).await;
    theirs.command(&["leave"]);
    assert_eq!(theirs.exit(SOON).await, Some(0));
    ours.wait_status("theirs", Status::Left).await;
    ours.wait_changes("theirs", &[Change::Join, Change::Leave]).await;
}

/// A real agent, one of ours that knows it, and a third that was killed and has failed for both.
async fn with_a_failed_one(net: &Net) -> (Serf, Ours) {
    let stays = Serf::start("stays", net.addr(1), &[]);
    let mut dies = Serf::start("dies", net.addr(2), &[&format!("-join={}", stays.addr())]);
    let ours = Ours::join("ours", net.addr(3), stays.addr()).await;
    ours.wait_status("dies", Status::Alive).await;
    dies.kill();
    ours.wait_status("dies", Status::Failed).await;
    stays.wait_status("dies", "failed", SOON).await;
    (stays, ours)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_failed_has_left_once_theirs_forces_it_out() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let (theirs, ours) = with_a_failed_one(&net).await;
    theirs.command(&["force-leave", "dies"]);
    ours.wait_status("dies", Status::Left).await;
    ours.wait_changes("dies", &[Change::Join, Change::Failed, Change::Leave]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_failed_vanishes_from_both_once_theirs_prunes_it() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let (theirs, ours) = with_a_failed_one(&net).await;
    theirs.command(&["force-leave", "-prune", "dies"]);
    assert_eq!(theirs.status_of("dies"), None);
    assert!(ours.wait_gone("dies").await < S(2));
    ours.wait_changes("dies", &[Change::Join, Change::Failed, Change::Leave, Change::Reap]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn ours_refutes_that_it_leaves() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    // If nobody else were alive, theirs would not say it to anybody.
    let _third = Ours::join("third", net.addr(3), theirs.addr()).await;
    for name in ["ours", "third"] {
        theirs.wait_status(name, "alive", SOON).await;
    }
    theirs.command(&["force-leave", "ours"]);
    tokio::time::sleep(S(5)).await;
    assert_eq!(theirs.status_of("ours").unwrap(), "alive", "{}", theirs.log());
    assert!(ours.handle.stats().await.unwrap().serf.leaves_refuted >= 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_failed_is_reaped_after_its_time() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let mut dies = Serf::start("dies", net.addr(1), &[]);
    let swim = Config::local().reconnect_timeout(S(5)).reap_interval(S(1));
    let ours = Ours::spawn(agent(layer(swim), "ours", net.addr(2)).join([dies.addr()])).await;
    let killed = Instant::now();
    dies.kill();
    ours.wait_status("dies", Status::Failed).await;
    ours.wait_gone("dies").await;
    assert!(killed.elapsed() > S(5), "{:?}", killed.elapsed());
    ours.wait_changes("dies", &[Change::Join, Change::Failed, Change::Reap]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_left_is_reaped_after_its_time() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let leaves = Serf::start("leaves", net.addr(1), &[]);
    let swim = Config::local().tombstone_timeout(S(5)).reap_interval(S(1));
    let ours = Ours::spawn(agent(layer(swim), "ours", net.addr(2)).join([leaves.addr()])).await;
    leaves.wait_status("ours", "alive", SOON).await;
    let told = Instant::now();
    leaves.command(&["leave"]);
    ours.wait_status("leaves", Status::Left).await;
    ours.wait_gone("leaves").await;
    assert!(told.elapsed() > S(5), "{:?}", told.elapsed());
    ours.wait_changes("leaves", &[Change::Join, Change::Leave, Change::Reap]).await;
}

/// Consul's: a member says in a tag how long it is to be remembered.
struct Tagged;

impl Policy for Tagged {
    fn reap_after(&self, member: &Member) -> Option<Duration> {
        let tags = Tags::decode(member.meta());
        tags.get("rc_tm")?.strip_suffix('s')?.parse().ok().map(S)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_member_may_say_how_long_it_is_remembered() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let mut tagged = Serf::start("tagged", net.addr(1), &["-tag=rc_tm=2s"]);
    let mut plain = Serf::start("plain", net.addr(2), &[]);
    let swim = Config::local().reap_interval(S(1)).policy(Arc::new(Tagged));
    let seeds = [tagged.addr(), plain.addr()];
    let ours = Ours::spawn(agent(layer(swim), "ours", net.addr(3)).join(seeds)).await;
    tagged.kill();
    plain.kill();
    ours.wait_status("tagged", Status::Failed).await;
    ours.wait_status("plain", Status::Failed).await;
    let kept = ours.wait_gone("tagged").await;
    assert!(kept < S(5), "{kept:?}");
    assert_eq!(ours.status_of("plain").await, Some(Status::Failed));
}
