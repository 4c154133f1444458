//! Addresses, ports and the end of an agent.

use swim_tokio::swim_core::Config;
use swim_tokio::{Agent, CommandError, Delivery, Event, StartError};
use tokio::time::timeout;

use crate::support::{SOON, alone, builder, loopback, message, until_live, wait_for};

#[tokio::test]
async fn ipv6_agents_form_a_pool() {
    let v6 = || "[::1]:0".parse().unwrap();
    let config = || Config::local().build().unwrap();
    let (a, _a_events) = Agent::builder(config()).name("a").bind(v6()).spawn().await.unwrap();
    let seed = a.local_addr().to_string();
    let (b, mut b_events) =
        Agent::builder(config()).name("b").bind(v6()).join([seed]).spawn().await.unwrap();
    until_live(&a, 2).await;
    a.send(b.local_addr(), &b"six"[..], Delivery::Datagram).await.unwrap();
    assert_eq!(wait_for(&mut b_events, message).await.1, b"six");
    assert_eq!(b.members().await.unwrap().me().addr().wire_ip().len(), 16);
}

#[tokio::test]
async fn one_bound_to_every_ipv6_address_serves_ipv4_too() {
    let config = || Config::local().build().unwrap();
    let any = "[::]:0".parse().unwrap();
    let advertised = "127.0.0.1:0".parse().unwrap();
    let (a, _a_events) =
        Agent::builder(config()).name("a").bind(any).advertise(advertised).spawn().await.unwrap();
    assert_eq!(a.advertised_addr().port(), a.local_addr().port());
    let (b, mut b_events) =
        builder(Config::local(), "b").join([a.advertised_addr()]).spawn().await.unwrap();
    until_live(&a, 2).await;
    assert_eq!(b.members().await.unwrap().get("a").unwrap().addr().wire_ip().len(), 4);
    a.send(b.local_addr(), &b"four"[..], Delivery::Datagram).await.unwrap();
    let from = wait_for(&mut b_events, |e| match e {
        Event::Message { from, .. } => Some(*from),
        _ => None,
    });
    assert_eq!(from.await, a.advertised_addr());
}

#[tokio::test]
async fn a_port_in_use_is_an_error_and_shutdown_frees_it() {
    let (a, mut a_events) = alone(Config::local(), "a").await;
    let again = || Agent::builder(Config::local().build().unwrap()).name("b").bind(a.local_addr());
    let error = again().spawn().await.unwrap_err();
    assert!(
        error.to_string().starts_with(&format!("cannot listen on {}: ", a.local_addr())),
        "{error}"
    );
    a.shutdown().await;
    a.shutdown().await;
    let (b, _b_events) = again().spawn().await.unwrap();
    assert_eq!(b.local_addr(), a.local_addr());
    assert_eq!(a.leave().await, Err(CommandError::Stopped));
    while a_events.recv().await.is_some() {}
}

#[tokio::test]
async fn an_agent_stops_when_the_last_handle_goes() {
    let (a, mut events) = alone(Config::local(), "a").await;
    let addr = a.local_addr();
    drop(a.clone());
    assert!(a.members().await.is_ok());
    drop(a);
    timeout(SOON, async { while events.recv().await.is_some() {} }).await.unwrap();
    drop(std::net::UdpSocket::bind(addr).unwrap());
}

#[tokio::test]
async fn names_that_are_not_allowed_and_addresses_that_nobody_reaches_are_refused() {
    let config = || Config::local().build().unwrap();
    let empty = Agent::builder(config()).name("").bind(loopback()).spawn().await;
    assert!(matches!(empty, Err(StartError::Identity(_))), "{empty:?}");
    let nowhere = Agent::builder(config()).name("a").bind(loopback());
    let nowhere = nowhere.advertise("0.0.0.0:1".parse().unwrap()).spawn().await;
    assert!(matches!(nowhere, Err(StartError::Identity(_))), "{nowhere:?}");
    let not_here = Agent::builder(config()).name("a").bind("198.51.100.1:0".parse().unwrap());
    assert!(matches!(not_here.spawn().await, Err(StartError::Bind { .. })));
}
