//! Joining, failing, coming back, and what both sides know of each other.

use std::time::Duration;

use swim_tokio::JoinError;
use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::serf::{Change, Event, Status};

use crate::agents::serf;
use crate::diary::Diary;
use crate::ours::{Ours, SOON, agent, layer, local, wait_until};
use crate::serf::{self as theirs, Net, Serf};

const S: fn(u64) -> Duration = Duration::from_secs;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_side_joins_the_other_within_two_seconds() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let first = Serf::start("first", net.addr(1), &[]);
    let ours = Ours::join("ours", net.addr(2), first.addr()).await;
    let second = Serf::start("second", net.addr(3), &[&format!("-join={}", net.addr(2))]);
    for theirs in [&first, &second] {
        for name in ["first", "ours", "second"] {
            theirs.wait_status(name, "alive", S(2)).await;
        }
    }
    for name in ["first", "ours", "second"] {
        assert!(ours.wait_status(name, Status::Alive).await < S(2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_address_to_join_by_may_have_the_name_of_its_node() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let ours = Ours::spawn(local("ours", net.addr(2))).await;
    let said = serf(theirs.rpc(), &["join", &format!("ours/{}", net.addr(2))]).await;
    assert_eq!(said.out, "Successfully joined cluster by contacting 1 nodes.\n", "{said:?}");
    let joined = ours.handle.join([format!("theirs/{}", theirs.addr())], false).await.unwrap();
    assert_eq!(joined.reached, 1);
    let wrong = ours.handle.join([format!("other/{}", net.addr(9))], false).await;
    assert!(matches!(wrong, Err(JoinError::Failed(_))), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_join_by_several_succeeds_if_one_is_there() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let ours = Ours::spawn(local("ours", net.addr(2))).await;
    let (dead, live) = (net.addr(9).to_string(), net.addr(2).to_string());
    let alone = serf(theirs.rpc(), &["join", &dead]).await;
    assert_eq!(alone.code, Some(1), "{alone:?}");
    let both = serf(theirs.rpc(), &["join", &dead, &live]).await;
    let counted = "Successfully joined cluster by contacting 1 nodes.\n";
    assert_eq!((&both.out[..], both.code), (counted, Some(0)), "{both:?}");
    let joined = ours.handle.join([net.addr(9), theirs.addr()], false).await.unwrap();
    assert_eq!((joined.reached, joined.failures.len()), (1, 1));
    let Err(JoinError::Failed(failures)) = ours.handle.join([net.addr(9)], false).await else {
        panic!("nobody is there")
    };
    assert_eq!(failures[0].seed, dead);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn after_a_join_both_have_the_same_member_time() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    let member_time = || {
        let info = theirs.output(&["info"]);
        let line = info.lines().find_map(|line| line.trim().strip_prefix("member_time = "));
        line.unwrap().parse::<u64>().unwrap()
    };
    let own = ours.handle.stats().await.unwrap().info.member_time;
    assert!(own >= 2, "{own}");
    wait_until("the join intent comes", || member_time() == own).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_side_sees_the_versions_of_the_other() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    theirs.wait_status("ours", "alive", SOON).await;
    let seen = ours.handle.members().await.unwrap().get("theirs").unwrap().versions();
    assert_eq!((seen.protocol(), seen.app()), ((1, 5, 2), (2, 5, 5)));
    let text = theirs.output(&["members", "-detailed", "-name=ours"]);
    let versions = "Protocol Version: 5  Available Protocol Range: [2, 5]";
    assert!(text.trim_end().ends_with(versions), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_is_killed_has_failed_for_the_other_side() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let stays = Serf::start("stays", net.addr(1), &[]);
    let mut dies = Serf::start("dies", net.addr(2), &[&format!("-join={}", stays.addr())]);
    let ours = Ours::join("ours", net.addr(3), stays.addr()).await;
    ours.wait_status("dies", Status::Alive).await;
    stays.wait_status("ours", "alive", SOON).await;
    dies.kill();
    ours.wait_status("dies", Status::Failed).await;
    ours.wait_changes("dies", &[Change::Join, Change::Failed]).await;
    ours.handle.shutdown().await;
    stays.wait_status("ours", "failed", 2 * SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_serf_that_starts_again_is_found_without_a_join() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let mut dies = Serf::start("dies", net.addr(1), &[]);
    let swim = Config::local().reconnect_interval(S(2));
    let ours = Ours::spawn(agent(layer(swim), "ours", net.addr(2)).join([dies.addr()])).await;
    dies.kill();
    ours.wait_status("dies", Status::Failed).await;
    let again = Serf::start("dies", net.addr(1), &[]);
    ours.wait_status("dies", Status::Alive).await;
    again.wait_status("ours", "alive", SOON).await;
    ours.wait_changes("dies", &[Change::Join, Change::Failed, Change::Join]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_fails_and_returns_within_a_minute_counts_as_flapping() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let mut dies = Serf::start("dies", net.addr(1), &[]);
    let ours = Ours::join("ours", net.addr(2), dies.addr()).await;
    assert_eq!(ours.handle.stats().await.unwrap().serf.flaps, 0);
    dies.kill();
    ours.wait_status("dies", Status::Failed).await;
    let _again = Serf::start("dies", net.addr(1), &[&format!("-join={}", net.addr(2))]);
    ours.wait_status("dies", Status::Alive).await;
    assert_eq!(ours.handle.stats().await.unwrap().serf.flaps, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn five_joins_within_a_second_are_one_event_for_both() {
    if !theirs::is_there() {
        return;
    }
    let (net, diary) = (Net::new(), Diary::new());
    let theirs = Serf::start("theirs", net.addr(1), &[&diary.flag()]);
    let gathers = layer(Config::local()).coalesce_period(S(3)).quiescent_period(S(1));
    let ours = Ours::spawn(agent(gathers, "ours", net.addr(2)).join([theirs.addr()])).await;
    ours.wait_event(|event| matches!(event, Event::Members { .. })).await;
    wait_until("theirs is told of ours", || !diary.entries("member-join").is_empty()).await;
    // Both are asked: gossip may miss one of seven, and a push/pull comes too late.
    let seeds = [net.addr(1), net.addr(2)];
    let joiners = [0, 1, 2, 3, 4].map(|n| {
        let late = local(&format!("late-{n}"), net.addr(3 + n)).join(seeds);
        tokio::spawn(Ours::spawn(late))
    });
    let of_late = |event: &Event| match event {
        Event::Members { change: Change::Join, members } => {
            members.iter().filter(|member| member.name().starts_with("late-")).count()
        }
        _ => 0,
    };
    ours.wait_event(|event| of_late(event) == 5).await;
    wait_until("theirs is told of all in one event", || {
        diary.entries("member-join").iter().any(|line| line.matches("late-").count() == 5)
    })
    .await;
    for joiner in joiners {
        drop(joiner.await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn theirs_sees_the_address_that_ours_advertises() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let mut advertised = net.addr(2);
    advertised.set_port(0);
    let builder = local("ours", "0.0.0.0:0".parse().unwrap()).advertise(advertised);
    let ours = Ours::spawn(builder.join([theirs.addr()])).await;
    advertised.set_port(ours.handle.local_addr().port());
    assert_eq!(ours.handle.advertised_addr(), advertised);
    theirs.wait_status("ours", "alive", SOON).await;
    let members = theirs.members();
    let seen = members.iter().find(|member| member["name"] == "ours").unwrap();
    assert_eq!(seen["addr"], advertised.to_string());
    // And finds it there.
    tokio::time::sleep(S(3)).await;
    assert_eq!(theirs.status_of("ours").unwrap(), "alive", "{}", theirs.log());
}
