//! Links that do more than delay and lose.

use swim_core::Instant;
use swim_sim::{Driver, Links, World};

use crate::script::{Do, Log, MS, Scripted, lines, ms, on_links};

/// A world in which the first follows a script.
fn world(links: Links, script: Vec<(Instant, Do)>) -> (World<Scripted>, Log) {
    on_links(links, Driver::MailFirst, [script, Vec::new(), Vec::new()], false)
}

fn fixed() -> Links {
    Links::fixed(MS(1)).unwrap()
}

fn of_len(bytes: usize) -> &'static str {
    Box::leak("x".repeat(bytes).into_boxed_str())
}

/// When node 1 heard something, in milliseconds.
fn times(log: &Log) -> Vec<u64> {
    let log = log.lock().unwrap();
    log.iter().filter(|(_, node, _)| *node == 1).map(|(at, ..)| at / 1000).collect()
}

#[test]
fn an_interface_sends_one_packet_after_the_other() {
    let links = fixed().with_bandwidth(1_000_000).unwrap();
    // With its headers, a datagram of 97 bytes keeps the interface busy for a millisecond.
    let script = (0..3).map(|_| (ms(5), Do::Send(1, of_len(97)))).collect();
    let (mut few, log) = world(links.clone(), script);
    few.run_until(ms(100));
    assert_eq!(times(&log), [7, 8, 9]);

    let script = (0..1000).map(|_| (ms(5), Do::Send(1, of_len(97)))).collect();
    let (mut many, log) = world(links, script);
    many.run_until(ms(2000));
    assert_eq!((times(&log).len(), many.fault_counts().congested), (201, 799));
}

#[test]
fn a_stream_waits_for_the_interface_and_is_not_dropped() {
    let links = fixed().with_bandwidth(1_000_000).unwrap();
    let script = vec![(ms(5), Do::Open(1, of_len(12_472), ms(500)))];
    let (mut world, log) = world(links, script);
    world.run_until(ms(500));
    assert_eq!(times(&log), [108]);
    // The echo takes the other interface as long.
    assert!(lines(&log, 0)[1].starts_with("209000 answer Ok("));
}

#[test]
fn datagrams_come_twice_and_each_copy_by_itself() {
    let links = Links::uniform(MS(1), MS(5)).unwrap().with_duplicates(1.0).unwrap();
    let (mut world, log) = world(links, vec![(ms(5), Do::Send(1, "x"))]);
    world.run_until(ms(100));
    let times = log.lock().unwrap().iter().filter(|l| l.1 == 1).map(|l| l.0).collect::<Vec<_>>();
    assert_eq!((times.len(), world.fault_counts().duplicated), (2, 1));
    assert_ne!(times[0], times[1]);
    assert_eq!(world.traffic().datagrams, 1);
}

#[test]
fn what_is_too_large_is_dropped_and_streams_are_not() {
    let links = fixed().with_mtu(1500).unwrap();
    let sends = [1472, 1473].map(|bytes| (ms(5), Do::Send(1, of_len(bytes))));
    let open = (ms(9), Do::Open(1, of_len(5000), ms(500)));
    let (mut world, log) = world(links, sends.into_iter().chain([open]).collect());
    world.run_until(ms(500));
    assert_eq!(times(&log), [6, 12]);
    assert_eq!(world.fault_counts().oversized, 1);
}

#[test]
fn broken_streams_are_closed_before_or_after_their_request_arrives() {
    let links = fixed().with_resets(1.0).unwrap();
    let script = (0..40).map(|i| (ms(5 + i), Do::Open(1, "hi", ms(500)))).collect();
    let (mut world, log) = world(links, script);
    world.run_until(ms(600));
    let asked = times(&log).len();
    assert!((10..30).contains(&asked), "{asked}");
    let closed = lines(&log, 0).iter().filter(|l| l.contains("answer Err(Closed)")).count();
    assert_eq!((closed, world.fault_counts().resets), (40, 40));
}
