//! What befalls single hosts: lost power, slow processors, clocks, new addresses.

use core::time::Duration;

use swim_core::Instant;
use swim_sim::{Course, DRIFT_MAX_PPM, Driver, Fault, Who};

use crate::script::{Do, MS, lines, ms, scripted};

fn open() -> [Vec<(Instant, Do)>; 3] {
    [vec![(ms(5), Do::Open(1, "hi", ms(100)))], Vec::new(), Vec::new()]
}

#[test]
fn nothing_answers_where_a_machine_has_no_power() {
    let (mut world, log) = scripted(Driver::MailFirst, open(), false);
    world.strike(Fault::Vanish(Who::Node(1)));
    world.run_until(ms(200));
    assert_eq!(lines(&log, 0), ["5000 time", "100000 answer Err(TimedOut)"]);
}

#[test]
fn a_stream_to_a_machine_that_loses_its_power_is_half_open() {
    let (mut world, log) = scripted(Driver::MailFirst, open(), true);
    world.run_until(ms(20));
    world.strike(Fault::Vanish(Who::Node(1)));
    world.schedule(ms(30), Fault::Restart(Who::Node(1)));
    world.run_until(ms(200));
    assert_eq!(lines(&log, 1), ["8000 asked hi"]);
    assert_eq!(lines(&log, 0), ["5000 time", "100000 answer Err(TimedOut)"]);
}

#[test]
fn a_stream_that_breaks_is_closed_where_it_was_opened() {
    for (at, asked) in [(ms(20), 1), (ms(7), 0)] {
        let (mut world, log) = scripted(Driver::MailFirst, open(), true);
        world.schedule(at, Fault::Reset(Who::Node(1)));
        world.run_until(ms(200));
        assert_eq!(lines(&log, 1).len(), asked);
        let answer = format!("{} answer Err(Closed)", (at + MS(1)).as_nanos() / 1000);
        assert_eq!(lines(&log, 0), ["5000 time".to_owned(), answer]);
        assert_eq!(world.fault_counts().resets, 1);
    }
}

#[test]
fn a_reply_that_is_under_way_when_its_stream_breaks_is_lost() {
    let (mut world, log) = scripted(Driver::MailFirst, open(), false);
    world.schedule(Instant::from_nanos(8_500_000), Fault::Reset(Who::Node(0)));
    world.run_until(ms(200));
    assert_eq!(lines(&log, 1), ["8000 asked hi"]);
    assert_eq!(lines(&log, 0), ["5000 time", "9500 answer Err(Closed)"]);
}

#[test]
fn a_slow_node_takes_its_time_for_each_input() {
    let sends = (20..23).map(|at| (ms(at), Do::Send(1, "x"))).collect();
    let timer = vec![(ms(25), Do::Nothing)];
    let (mut world, log) = scripted(Driver::MailFirst, [sends, timer, Vec::new()], false);
    let (who, cost, course) = (Who::Node(1), MS(10), Course::Steady);
    world.strike(Fault::Slow { who, cost, course, time: MS(500) });
    world.run_until(ms(200));
    let expected = [
        "31000 x from 0 at 21000",
        "31000 time",
        "41000 x from 0 at 22000",
        "51000 x from 0 at 23000",
    ];
    assert_eq!(lines(&log, 1), expected);
}

#[test]
fn a_node_that_is_fast_again_does_what_waits() {
    let sends = (20..23).map(|at| (ms(at), Do::Send(1, "x"))).collect();
    let (mut world, log) = scripted(Driver::MailFirst, [sends, Vec::new(), Vec::new()], false);
    let (who, cost, course) = (Who::Node(1), MS(10), Course::Steady);
    world.strike(Fault::Slow { who, cost, course, time: MS(35) });
    world.run_until(ms(200));
    let handled = lines(&log, 1);
    assert_eq!(handled[0], "31000 x from 0 at 21000");
    assert_eq!(handled[1..], ["35000 x from 0 at 22000", "35000 x from 0 at 23000"]);
}

#[test]
fn a_fast_clock_reaches_its_deadlines_early() {
    let script = vec![(ms(110), Do::Send(1, "x")), (ms(131), Do::Send(1, "x"))];
    let (mut world, log) = scripted(Driver::MailFirst, [script, Vec::new(), Vec::new()], false);
    let drift = Fault::Drift { who: Who::Node(0), ppm: DRIFT_MAX_PPM, time: MS(110) };
    world.strike(drift);
    world.run_until(ms(200));
    // Its clock shows 110 ms at 100 ms, and stays 11 ms ahead from 110 ms on.
    assert_eq!(lines(&log, 0), ["110000 time", "131000 time"]);
    assert_eq!(lines(&log, 1), ["101000 x from 0 at 101000", "121000 x from 0 at 121000"]);
}

#[test]
fn deadlines_of_streams_go_by_the_clock_of_who_asks() {
    let script = vec![(ms(11), Do::Open(1, "hi", ms(110)))];
    let (mut world, log) = scripted(Driver::MailFirst, [script, Vec::new(), Vec::new()], true);
    let ppm = DRIFT_MAX_PPM;
    world.strike(Fault::Drift { who: Who::Node(0), ppm, time: Duration::MAX });
    world.run_until(ms(99));
    assert_eq!(lines(&log, 0).len(), 1);
    world.run_until(ms(100));
    assert_eq!(lines(&log, 0)[1], "110000 answer Err(TimedOut)");
}

#[test]
fn a_node_that_has_moved_is_reached_at_its_new_address_only() {
    let scripts = || {
        let later = |to| vec![(ms(50), Do::Send(to, "x"))];
        [later(1), later(0), Vec::new()]
    };
    let (mut world, log) = scripted(Driver::MailFirst, scripts(), false);
    world.crash(0);
    world.strike(Fault::Move(Who::Node(0)));
    world.run_until(ms(100));
    assert_eq!(lines(&log, 1)[0], "50000 time");
    assert_eq!(lines(&log, 1)[1], "51000 x from 11.0.0.1:7946 at 51000");
    // What went to the old address reached nobody.
    assert_eq!(lines(&log, 0), ["50000 time"]);
    assert_eq!((world.fault_counts().moves, world.fault_counts().restarts), (1, 1));
}
