//! User broadcasts go by rank, and none waits for ever.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use swim_core::testkit::Net;
use swim_core::wire::Alive;
use swim_core::{Command, Config, Event, Lane, OpId, Outcome};

const ROUND: Duration = Duration::from_millis(200);
const VERSIONS: [u8; 6] = [1, 5, 2, 0, 0, 0];

fn pair() -> Net {
    let mut net = Net::new(2, &Config::lan().build().unwrap(), 5);
    net.join(1, 0);
    net.run_for(Duration::from_secs(10));
    net.take_events(0);
    net
}

fn broadcast(net: &mut Net, lane: Lane, bytes: usize) -> OpId {
    let payload = Bytes::from(vec![b'x'; bytes]);
    net.command(0, Command::Broadcast { lane, key: None, payload })
}

fn ends(net: &mut Net) -> Vec<OpId> {
    let sent = |event| match event {
        Event::Done { op, outcome: Outcome::Sent } => Some(op),
        _ => None,
    };
    net.take_events(0).into_iter().filter_map(sent).collect()
}

#[test]
fn lanes_are_served_by_rank() {
    let mut net = pair();
    let ops = [Lane::Low, Lane::Normal, Lane::High].map(|lane| broadcast(&mut net, lane, 1000));
    net.run_for(Duration::from_secs(30));
    let [low, normal, high] = ops;
    assert_eq!(ends(&mut net), [high, normal, low]);
}

/// The higher lanes always have more than a round takes.
#[test]
fn a_busy_lane_does_not_starve_those_behind_it() {
    let mut net = pair();
    let low = broadcast(&mut net, Lane::Low, 1000);
    let normal = broadcast(&mut net, Lane::Normal, 1000);
    let mut ended = Vec::new();
    for _ in 0..600 {
        for _ in 0..4 {
            broadcast(&mut net, Lane::High, 1200);
        }
        net.run_for(ROUND);
        ended.extend(ends(&mut net));
    }
    assert!(net.node(0).queue_len(Lane::High) > 100, "the lane was busy all the time");
    assert!(ended.contains(&normal) && ended.contains(&low));
}

/// News about members fill every datagram.
#[test]
fn churn_does_not_starve_the_lanes() {
    let mut net = pair();
    let ops = Lane::ALL.map(|lane| broadcast(&mut net, lane, 1000));
    let mut ended = Vec::new();
    for incarnation in 1..400 {
        for i in 0..40u8 {
            let (name, addr, meta) = (format!("m{i}"), [10, 0, 1, i], [b'm'; 300]);
            let mut bytes = BytesMut::new();
            let claim = Alive {
                incarnation,
                node: name.as_bytes(),
                addr: Some(&addr),
                port: 7946,
                meta: Some(&meta),
                vsn: Some(&VERSIONS),
            };
            claim.encode(&mut bytes);
            net.inject(net.addr(1), 0, &bytes);
        }
        net.run_for(ROUND);
        ended.extend(ends(&mut net));
    }
    assert!(ops.iter().all(|op| ended.contains(op)), "{ended:?}");
}
