//! The world itself, with machines that follow a script.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

mod blocks;
mod hosts;
mod links;
mod script;

use swim_sim::{Driver, Stall};

use self::script::{Do, MS, lines, ms, scripted, world};

#[test]
fn datagrams_arrive_after_the_delay_of_the_link() {
    let (mut world, log) = world(Driver::MailFirst, vec![(ms(5), Do::Send(1, "a"))]);
    world.run_until(ms(10));
    assert_eq!(lines(&log, 0), ["5000 time"]);
    assert_eq!(lines(&log, 1), ["6000 a from 0 at 6000"]);
    assert_eq!(world.now(), ms(10));
    assert_eq!(world.traffic().datagram_bytes, 1);
}

#[test]
fn the_dead_get_no_mail_and_no_time() {
    let script = vec![(ms(5), Do::Send(1, "a")), (ms(7), Do::Nothing)];
    let (mut world, log) = world(Driver::MailFirst, script);
    world.run_until(ms(5));
    world.crash(0);
    world.crash(1);
    world.run_until(ms(10));
    assert_eq!(lines(&log, 0), ["5000 time"]);
    assert_eq!(lines(&log, 1), [""; 0]);
    assert_eq!(world.fault_counts().to_the_dead, 1);
}

#[test]
fn a_partition_cuts_both_ways_until_healed() {
    let script = |to| (1..4).map(|i| (ms(10 * i), Do::Send(to, "x"))).collect::<Vec<_>>();
    let (mut world, log) = scripted(Driver::MailFirst, [script(1), script(0), script(0)], false);
    world.run_until(ms(15));
    world.partition(vec![vec![0, 2]]);
    world.run_until(ms(25));
    world.heal();
    world.run_until(ms(50));
    let mail = |node| lines(&log, node).iter().filter(|l| l.contains("from")).cloned().collect();
    let (zero, one): (Vec<String>, Vec<String>) = (mail(0), mail(1));
    assert_eq!(one, ["11000 x from 0 at 11000", "31000 x from 0 at 31000"]);
    assert_eq!(zero.iter().filter(|l| l.contains("from 1")).count(), 2);
    assert_eq!(zero.iter().filter(|l| l.contains("from 2")).count(), 3);
    assert_eq!(world.fault_counts().cut, 2);
}

#[test]
fn a_frozen_driver_reads_its_mail_before_its_timers_run() {
    let scripts = || [vec![(ms(20), Do::Send(1, "a"))], vec![(ms(30), Do::Nothing)], Vec::new()];
    let (mut world, log) = scripted(Driver::MailFirst, scripts(), false);
    world.run_until(ms(10));
    world.stall(1, Stall::Loop, MS(90));
    world.run_until(ms(200));
    assert_eq!(lines(&log, 1), ["100000 a from 0 at 21000", "100000 time"]);

    let (mut world, log) = scripted(Driver::TimersFirst, scripts(), false);
    world.run_until(ms(10));
    world.stall(1, Stall::Loop, MS(90));
    world.run_until(ms(200));
    assert_eq!(lines(&log, 1), ["100000 time", "100000 a from 0 at 21000"]);
}

#[test]
fn blocked_input_and_output_lets_timers_run() {
    let script = vec![(ms(20), Do::Send(1, "b"))];
    let (mut world, log) = world(Driver::MailFirst, script);
    world.run_until(ms(10));
    world.stall(0, Stall::Io, MS(90));
    world.run_until(ms(200));
    assert_eq!(lines(&log, 0), ["20000 time"]);
    // It left its host when the block ended.
    assert_eq!(lines(&log, 1), ["101000 b from 0 at 101000"]);
}

#[test]
fn mail_that_a_frozen_node_cannot_hold_is_dropped() {
    let script = (0..20_000).map(|_| (ms(20), Do::Send(1, "a"))).collect();
    let (mut world, _) = world(Driver::MailFirst, script);
    world.stall(1, Stall::Loop, MS(90));
    world.run_until(ms(200));
    let dropped = world.fault_counts().overflowed;
    assert!((1..20_000).contains(&dropped), "{dropped}");
}

#[test]
fn a_stream_takes_three_legs_and_one_back() {
    let (mut world, log) = world(Driver::MailFirst, vec![(ms(5), Do::Open(1, "hi", ms(100)))]);
    world.run_until(ms(200));
    assert_eq!(lines(&log, 1), ["8000 asked hi"]);
    assert_eq!(lines(&log, 0), ["5000 time", "9000 answer Ok(\"hi\")"]);
    assert_eq!((world.traffic().streams, world.traffic().stream_bytes), (2, 4));
}

#[test]
fn a_stream_to_the_dead_is_refused() {
    let (mut world, log) = world(Driver::MailFirst, vec![(ms(5), Do::Open(1, "hi", ms(100)))]);
    world.crash(1);
    world.run_until(ms(200));
    assert_eq!(lines(&log, 0), ["5000 time", "7000 answer Err(Refused)"]);
}

#[test]
fn a_stream_across_a_partition_times_out() {
    let (mut world, log) = world(Driver::MailFirst, vec![(ms(5), Do::Open(1, "hi", ms(100)))]);
    world.partition(vec![vec![0]]);
    world.run_until(ms(200));
    assert_eq!(lines(&log, 0), ["5000 time", "100000 answer Err(TimedOut)"]);
    assert_eq!(lines(&log, 1), [""; 0]);
}

#[test]
fn a_stream_whose_other_end_dies_is_closed() {
    let script = vec![(ms(5), Do::Open(1, "hi", ms(100)))];
    let (mut world, log) = scripted(Driver::MailFirst, [script, Vec::new(), Vec::new()], true);
    world.run_until(ms(20));
    world.crash(1);
    world.run_until(ms(200));
    assert_eq!(lines(&log, 0), ["5000 time", "21000 answer Err(Closed)"]);
}

#[test]
fn a_frozen_node_answers_when_it_wakes_or_too_late() {
    let open = |deadline| vec![(ms(5), Do::Open(1, "hi", deadline))];
    for (deadline, answer) in
        [(ms(300), "101000 answer Ok(\"hi\")"), (ms(60), "60000 answer Err(TimedOut)")]
    {
        let (mut world, log) = world(Driver::MailFirst, open(deadline));
        world.stall(1, Stall::Loop, MS(100));
        world.run_until(ms(500));
        assert_eq!(lines(&log, 1), ["100000 asked hi"]);
        assert_eq!(lines(&log, 0), ["5000 time", answer]);
    }
}
