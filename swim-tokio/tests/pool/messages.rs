//! Broadcasts, messages, pings, metadata.

use std::time::Duration;

use swim_tokio::swim_core::{Config, Lane, NodeName, Via};
use swim_tokio::{Builder, CommandError, Delivery, Event, Spread};
use tokio::time::timeout;

use crate::support::{SOON, alone, builder, joined, loopback, message, until_live, wait_for};

#[tokio::test]
async fn a_broadcast_reaches_everybody() {
    // Sent twice, as this profile has it, a broadcast may reach one member twice and none other.
    let config = || Config::local().retransmit_mult(16);
    let (a, _a_events) = alone(config(), "a").await;
    let (b, mut b_events) = joined(config(), "b", &a).await;
    let (c, mut c_events) = joined(config(), "c", &a).await;
    until_live(&b, 3).await;
    until_live(&c, 3).await;
    let spread = a.broadcast(Lane::Normal, None, &b"news"[..]);
    assert_eq!(timeout(SOON, spread).await.unwrap(), Ok(Spread::Sent));
    for events in [&mut b_events, &mut c_events] {
        let got = wait_for(events, message).await;
        assert_eq!(got, (Via::Datagram, b"news".to_vec()));
    }
    let too_long = a.broadcast(Lane::Normal, None, vec![0; 2000]).await;
    assert!(matches!(too_long, Err(CommandError::Rejected(_))), "{too_long:?}");
}

#[tokio::test]
async fn a_message_of_a_megabyte_arrives_by_stream() {
    for compression in [true, false] {
        let config = Config::local().compression(compression);
        let (a, _a_events) = alone(config.clone(), "a").await;
        let (b, mut b_events) = joined(config, "b", &a).await;
        let payload: Vec<u8> = (0..1_000_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        a.send(b.local_addr(), payload.clone(), Delivery::Stream).await.unwrap();
        assert!(wait_for(&mut b_events, message).await == (Via::Stream, payload));
        a.send(b.local_addr(), &b"short"[..], Delivery::Datagram).await.unwrap();
        assert_eq!(wait_for(&mut b_events, message).await, (Via::Datagram, b"short".to_vec()));
        b.shutdown().await;
        let refused = a.send(b.local_addr(), &b"gone"[..], Delivery::Stream).await;
        assert!(matches!(refused, Err(CommandError::Exchange(_))), "{refused:?}");
    }
}

/// Hazard 32.
#[tokio::test]
async fn a_peer_that_never_reads_ends_the_message_and_nothing_else() {
    let config = Config::local().compression(false).stream_timeout(Duration::from_millis(300));
    let (a, _a_events) = alone(config, "a").await;
    let (b, _b_events) = alone(Config::local(), "b").await;
    let deaf = tokio::net::TcpListener::bind(loopback()).await.unwrap();
    let to = deaf.local_addr().unwrap();
    // More than the buffers of both ends hold.
    let unread = a.send(to, vec![0; 16 << 20], Delivery::Stream);
    let meanwhile = async {
        let accepted = deaf.accept().await.unwrap();
        a.send(b.local_addr(), &b"other"[..], Delivery::Stream).await.unwrap();
        accepted
    };
    let (failed, _accepted) =
        timeout(SOON, async { tokio::join!(unread, meanwhile) }).await.expect("both end");
    assert!(matches!(failed, Err(CommandError::Exchange(_))), "{failed:?}");
}

#[tokio::test]
async fn a_ping_is_answered_by_the_node_of_that_name_only() {
    let (a, _a_events) = alone(Config::local(), "a").await;
    let (b, _b_events) = alone(Config::local(), "b").await;
    let ping = |name| a.ping(NodeName::new(name).unwrap(), b.local_addr());
    let rtt = ping("b").await.unwrap();
    assert!(rtt < Duration::from_millis(100), "{rtt:?}");
    assert_eq!(ping("c").await, Err(CommandError::NoAnswer));
}

#[tokio::test]
async fn metadata_and_application_state_travel() {
    let versions = |builder: Builder| builder.app_versions(2, 5, 4);
    let (a, mut a_events) = versions(builder(Config::local(), "a")).spawn().await.unwrap();
    let (b, _b_events) = versions(builder(Config::local(), "b"))
        .meta(&b"one"[..])
        .join([a.local_addr()])
        .spawn()
        .await
        .unwrap();
    let member = wait_for(&mut a_events, |e| match e {
        Event::Up(m) if m.name() == "b" => Some(m.clone()),
        _ => None,
    });
    let member = member.await;
    assert_eq!((member.meta(), member.versions().app()), (&b"one"[..], (2, 5, 4)));
    timeout(SOON, b.set_meta(&b"two"[..])).await.unwrap().unwrap();
    let changed = wait_for(&mut a_events, |e| match e {
        Event::Changed(m) => Some(m.meta().to_vec()),
        _ => None,
    });
    assert_eq!(changed.await, b"two");
    b.set_app_state(&b"state"[..]).await.unwrap();
    a.join([b.local_addr()]).await.unwrap();
    let state = wait_for(&mut a_events, |e| match e {
        Event::RemoteState { payload, .. } => Some(payload.to_vec()),
        _ => None,
    });
    assert_eq!(state.await, b"state");
}
