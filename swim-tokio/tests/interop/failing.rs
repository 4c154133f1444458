//! Failures, real and forged.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use swim_tokio::swim_core::wire::{Claim, Kind};
use swim_tokio::swim_core::{Config, State};
use swim_tokio::{Event, Handle};

use crate::ours::{self, Swim, failures};
use crate::serf::{self, Net, SOON, Serf};
use crate::statsd::Statsd;

/// In a pool of two with the `local` profile a suspicion lasts three seconds, since nobody could
/// confirm it. Before it come at most a probe interval and a probe, of a second each.
const SUSPICION: Duration = Duration::from_secs(3);
const DETECTION_MAX: Duration = Duration::from_secs(3 + 1 + 1 + 2);

/// Whether a detection was in time; a busy machine may need another attempt.
fn in_time(took: Duration, attempt: u32) -> bool {
    assert!(took >= SUSPICION, "{took:?}: nobody had time to refute");
    assert!(took <= DETECTION_MAX || attempt < 3, "{took:?}, for the third time");
    took <= DETECTION_MAX
}

#[tokio::test]
async fn a_killed_serf_is_seen_as_failed_by_ours() {
    if !serf::is_there() {
        return;
    }
    for attempt in 1.. {
        let net = Net::new();
        let mut theirs = Serf::start("theirs", net.addr(1), &[]);
        let builder = ours::builder(Config::local(), "ours", net.addr(2)).join([theirs.addr()]);
        let (ours, _events) = builder.spawn().await.unwrap();
        theirs.wait_status("ours", "alive", SOON).await;
        theirs.kill();
        let took = ours::wait_state(&ours, "theirs", State::Dead, SOON).await;
        if in_time(took, attempt) {
            return;
        }
    }
}

#[tokio::test]
async fn our_killed_agent_is_seen_as_failed_by_serf() {
    if !serf::is_there() {
        return;
    }
    for attempt in 1.. {
        let net = Net::new();
        let theirs = Serf::start("theirs", net.addr(1), &[]);
        let mut ours = Swim::start("ours", net.addr(2), &["--join", &theirs.addr().to_string()]);
        theirs.wait_status("ours", "alive", SOON).await;
        ours.kill();
        let took = theirs.wait_status("ours", "failed", SOON).await;
        if in_time(took, attempt) {
            return;
        }
    }
}

#[tokio::test]
async fn a_forged_suspicion_of_ours_is_refuted() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let builder = ours::builder(Config::local(), "ours", net.addr(2)).join([theirs.addr()]);
    let (ours, mut events) = builder.spawn().await.unwrap();
    theirs.wait_status("ours", "alive", SOON).await;
    forge(theirs.addr(), "ours", 1);
    let incarnation = wait_incarnation(&ours, "ours", 2).await;
    assert_eq!(incarnation, 2, "one more than the accusation");
    // Longer than the suspicion lasts.
    tokio::time::sleep(SUSPICION + Duration::from_secs(1)).await;
    assert_eq!(theirs.status_of("ours").unwrap(), "alive");
    assert!(!theirs.log().contains("EventMemberFailed"), "{}", theirs.log());
    assert!(failures(&mut events).is_empty());
}

#[tokio::test]
async fn a_forged_suspicion_of_theirs_is_refuted() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let config = Config::local().evidence_events(true);
    let builder = ours::builder(config, "ours", net.addr(2)).join([theirs.addr()]);
    let (ours, mut events) = builder.spawn().await.unwrap();
    theirs.wait_status("ours", "alive", SOON).await;
    let incarnation = ours.members().await.unwrap().get("theirs").unwrap().incarnation().0;
    forge(ours.local_addr(), "theirs", incarnation);
    wait_incarnation(&ours, "theirs", incarnation + 1).await;
    ours::wait_state(&ours, "theirs", State::Alive, SOON).await;
    tokio::time::sleep(SUSPICION + Duration::from_secs(1)).await;
    let all: Vec<_> = std::iter::from_fn(|| events.try_recv()).collect();
    let suspected = all.iter().position(|e| matches!(e, Event::Suspected { .. })).unwrap();
    assert!(matches!(all[suspected + 1..], [Event::Trusted(_), ..]), "{all:?}");
    assert!(!all.iter().any(|e| matches!(e, Event::Down { .. })), "{all:?}");
}

/// Tells the agent at `to` that `name` does not answer.
fn forge(to: SocketAddr, name: &str, incarnation: u32) {
    let mut datagram = BytesMut::new();
    Claim { incarnation, node: name.as_bytes(), from: b"nobody" }
        .encode(Kind::Suspect, &mut datagram);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(&datagram, to).unwrap();
}

async fn wait_incarnation(handle: &Handle, name: &str, at_least: u32) -> u32 {
    let start = Instant::now();
    loop {
        let found = handle.members().await.unwrap().get(name).unwrap().incarnation().0;
        if found >= at_least {
            return found;
        }
        assert!(start.elapsed() < SOON, "{name} is at incarnation {found}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn who_fails_and_returns_is_counted_as_flapping_by_either_under_the_same_name() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let path = std::env::temp_dir().join(format!("swim-flaps-{}.json", std::process::id()));
    let config = format!("-config-file={}", path.display());
    let statsd = [(); 2].map(|()| Statsd::start());
    let sends_to = |n: usize| {
        let addr = statsd[n].addr();
        std::fs::write(&path, format!("{{\"statsd_addr\": \"{addr}\"}}")).unwrap();
    };
    sends_to(0);
    let theirs = Serf::start("theirs", net.addr(1), &[&config]);
    sends_to(1);
    let join = format!("-join={}", theirs.addr());
    let ours = Swim::start_with_rpc("ours", net.addr(2), &[&config, &join]);
    std::fs::remove_file(&path).unwrap();
    let mut flaps = Serf::start("flaps", net.addr(3), &[&join]);
    ours.wait_event("member-join", "flaps", SOON).await;
    flaps.kill();
    ours.wait_event("member-failed", "flaps", 2 * SOON).await;
    theirs.wait_status("flaps", "failed", SOON).await;
    let _back = Serf::start("flaps", net.addr(3), &[&join]);
    for statsd in &statsd {
        let start = Instant::now();
        while !statsd.lines().contains("serf-agent.serf.member.flap:1.000000|c") {
            assert!(start.elapsed() < SOON, "no flap is counted");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
