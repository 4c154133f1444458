//! What the tests share.

use std::net::SocketAddr;
use std::time::Duration;

use swim_tokio::swim_core::keyring::Key;
use swim_tokio::swim_core::{ConfigBuilder, Via};
use swim_tokio::{Agent, Builder, Event, Events, Handle};
use tokio::time::{Instant, timeout};

pub(crate) const SOON: Duration = Duration::from_secs(30);

pub(crate) fn builder(config: ConfigBuilder, name: &str) -> Builder {
    Agent::builder(config.build().unwrap()).name(name).bind(loopback())
}

pub(crate) fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

pub(crate) async fn alone(config: ConfigBuilder, name: &str) -> (Handle, Events) {
    builder(config, name).spawn().await.unwrap()
}

pub(crate) async fn joined(config: ConfigBuilder, name: &str, to: &Handle) -> (Handle, Events) {
    builder(config, name).join([to.local_addr()]).spawn().await.unwrap()
}

pub(crate) async fn wait_for<T>(
    events: &mut Events,
    mut wanted: impl FnMut(&Event) -> Option<T>,
) -> T {
    let found = async {
        loop {
            let event = events.recv().await.expect("the agent runs");
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    };
    timeout(SOON, found).await.expect("the event comes")
}

pub(crate) async fn up(events: &mut Events, name: &str) {
    wait_for(events, |e| matches!(e, Event::Up(m) if m.name() == name).then_some(())).await;
}

pub(crate) async fn until_live(handle: &Handle, n: usize) {
    let deadline = Instant::now() + SOON;
    loop {
        let live = handle.members().await.unwrap().live().count();
        if live == n {
            return;
        }
        assert!(Instant::now() < deadline, "{live} live, not {n}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn message(event: &Event) -> Option<(Via, Vec<u8>)> {
    match event {
        Event::Message { via, payload, .. } => Some((*via, payload.to_vec())),
        _ => None,
    }
}

pub(crate) fn key(n: u8) -> Key {
    Key::new(&[n; 32]).unwrap()
}
