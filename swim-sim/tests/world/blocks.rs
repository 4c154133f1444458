//! Blocks, and faults that come and go.

use core::time::Duration;

use swim_core::Instant;
use swim_sim::{Course, Driver, Ends, Fault, Plane, Stall, Who};

use crate::script::{Do, MS, lines, ms, scripted, told, world};

/// What node `node` heard from `from`, by the millisecond in which it arrived.
fn heard(log: &crate::script::Log, node: u32, from: u32) -> Vec<u64> {
    let what = format!("x from {from} ");
    let mail = told(log, node).into_iter().filter(|(_, text)| text.starts_with(&what));
    mail.map(|(at, _)| at / 1000).collect()
}

/// Each of the three sends to both others every ten milliseconds, five times.
fn chatter() -> [Vec<(Instant, Do)>; 3] {
    let script = |others: [u32; 2]| {
        let times = (1..=5).flat_map(|i| others.map(|to| (ms(10 * i), Do::Send(to, "x"))));
        times.collect()
    };
    [script([1, 2]), script([0, 2]), script([0, 1])]
}

const ALL: [u64; 5] = [11, 21, 31, 41, 51];
const NONE: [u64; 0] = [];

fn block(ends: Ends, plane: Plane) -> Fault {
    Fault::Block { ends, plane, share: 1.0, course: Course::Steady, time: Duration::MAX }
}

#[test]
fn a_node_whose_ingress_is_blocked_is_heard_and_hears_nothing() {
    let (mut world, log) = scripted(Driver::MailFirst, chatter(), false);
    world.strike(block(Ends::Into(Who::Node(1)), Plane::Both));
    world.run_until(ms(100));
    assert_eq!(heard(&log, 1, 0), NONE);
    assert_eq!(heard(&log, 1, 2), NONE);
    assert_eq!(heard(&log, 0, 1), ALL);
    assert_eq!(world.fault_counts().blocked, 10);
}

#[test]
fn a_node_whose_egress_is_blocked_hears_and_is_not_heard() {
    let (mut world, log) = scripted(Driver::MailFirst, chatter(), false);
    world.strike(block(Ends::OutOf(Who::Node(1)), Plane::Both));
    world.run_until(ms(100));
    assert_eq!(heard(&log, 1, 0), ALL);
    assert_eq!(heard(&log, 0, 1), NONE);
    assert_eq!(heard(&log, 0, 2), ALL);
}

#[test]
fn partitions_can_be_one_way_or_partial() {
    let (mut world, log) = scripted(Driver::MailFirst, chatter(), false);
    world.strike(block(Ends::OneWay(Who::Node(0), Who::Nodes(vec![1])), Plane::Both));
    world.run_until(ms(100));
    assert_eq!((heard(&log, 1, 0), heard(&log, 0, 1)), (NONE.to_vec(), ALL.to_vec()));

    let (mut world, log) = scripted(Driver::MailFirst, chatter(), false);
    world.strike(block(Ends::Between(Who::Node(0), Who::Node(1)), Plane::Both));
    world.run_until(ms(100));
    assert_eq!((heard(&log, 1, 0), heard(&log, 0, 1)), (NONE.to_vec(), NONE.to_vec()));
    assert_eq!((heard(&log, 2, 0), heard(&log, 2, 1)), (ALL.to_vec(), ALL.to_vec()));
}

#[test]
fn blocks_come_in_turns_and_end_with_their_time_or_by_healing() {
    let course = Course::Turns { on: MS(15), off: MS(10) };
    let fault = |time| {
        let ends = Ends::Into(Who::Node(1));
        Fault::Block { ends, plane: Plane::Datagrams, share: 1.0, course, time }
    };
    // On from 5 to 20 ms and from 30 to 45 ms.
    let (mut world, log) = scripted(Driver::MailFirst, chatter(), false);
    world.schedule(ms(5), fault(MS(45)));
    world.run_until(ms(100));
    assert_eq!(heard(&log, 1, 0), [21, 51]);

    let (mut world, log) = scripted(Driver::MailFirst, chatter(), false);
    world.schedule(ms(5), fault(MS(12)));
    world.run_until(ms(100));
    assert_eq!(heard(&log, 1, 0), [21, 31, 41, 51]);

    let (mut world, log) = scripted(Driver::MailFirst, chatter(), false);
    world.schedule(ms(5), fault(MS(100)));
    world.schedule(ms(35), Fault::Heal);
    world.run_until(ms(100));
    assert_eq!(heard(&log, 1, 0), [21, 41, 51]);
    assert!(!world.is_impaired(1));
}

#[test]
fn streams_and_datagrams_are_blocked_apart() {
    let script = || vec![(ms(5), Do::Send(1, "x")), (ms(6), Do::Open(1, "hi", ms(100)))];
    let (mut udp, log) = world(Driver::MailFirst, script());
    udp.strike(block(Ends::Between(Who::All, Who::All), Plane::Datagrams));
    udp.run_until(ms(200));
    assert_eq!(lines(&log, 1), ["9000 asked hi"]);

    let (mut tcp, log) = world(Driver::MailFirst, script());
    tcp.strike(block(Ends::Between(Who::All, Who::All), Plane::Streams));
    tcp.run_until(ms(200));
    assert_eq!(lines(&log, 1), ["6000 x from 0 at 6000"]);
    assert_eq!(lines(&log, 0), ["5000 time", "6000 time", "100000 answer Err(TimedOut)"]);
}

#[test]
fn a_stream_needs_both_ways() {
    for ends in [Ends::Into(Who::Node(0)), Ends::OutOf(Who::Node(0))] {
        let (mut world, log) = world(Driver::MailFirst, vec![(ms(6), Do::Open(1, "hi", ms(100)))]);
        world.strike(block(ends, Plane::Both));
        world.run_until(ms(200));
        assert_eq!(lines(&log, 1), [""; 0]);
        assert_eq!(lines(&log, 0), ["6000 time", "100000 answer Err(TimedOut)"]);
    }
    // The way back closes while the request is under way.
    let (mut world, log) = world(Driver::MailFirst, vec![(ms(6), Do::Open(1, "hi", ms(100)))]);
    world.schedule(ms(8), block(Ends::Into(Who::Node(0)), Plane::Both));
    world.run_until(ms(200));
    assert_eq!(lines(&log, 1), ["9000 asked hi"]);
    assert_eq!(lines(&log, 0), ["6000 time", "100000 answer Err(TimedOut)"]);
}

#[test]
fn nodes_freeze_in_turns() {
    let (mut world, log) = scripted(Driver::MailFirst, chatter(), false);
    let course = Course::Turns { on: MS(12), off: MS(13) };
    let (who, part, time) = (Who::Node(1), Stall::Io, MS(40));
    world.schedule(ms(5), Fault::Stalls { who, part, course, time });
    world.run_until(ms(100));
    // Frozen from 5 to 17 ms and from 30 to 42 ms.
    assert_eq!(heard(&log, 1, 0), [17, 21, 42, 42, 51]);
    assert_eq!(heard(&log, 0, 1), [18, 21, 43, 43, 51]);
    assert_eq!(world.fault_counts().io_stalls, 2);
}

#[test]
fn bursts_have_lengths_of_their_own_for_each_node() {
    let (mut world, _) = scripted(Driver::MailFirst, chatter(), false);
    let course = Course::Bursts { on: MS(10), off: MS(90) };
    let (who, part, time) = (Who::All, Stall::Loop, Duration::from_secs(100));
    world.strike(Fault::Stalls { who, part, course, time });
    world.run_until(Instant::from_secs(200));
    let stalls = world.fault_counts().loop_stalls;
    assert!((2_600..3_400).contains(&stalls), "{stalls}");
}
