//! Broadcasts that wait, and what the logs say of them.

use std::net::UdpSocket;
use std::time::Duration;

use swim_tokio::swim_core::wire::serf::Join;

use crate::ours::Swim;
use crate::serf::{self, Net, Serf};

/// Queues are looked at every 30 s.
const LOOK: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_queues_that_are_deep_or_too_deep_both_warn_in_the_same_words() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    // Each is alone, so that what it is to pass on waits.
    let theirs = [1, 2].map(|n| Serf::start("theirs", net.addr(n), &[]));
    let ours = [3, 4].map(|n| Swim::start_with_rpc("ours", net.addr(n), &[]));
    let deep = [theirs[0].addr(), ours[0].addr()];
    let too_deep = [theirs[1].addr(), ours[1].addr()];
    let socket = UdpSocket::bind(net.addr(5)).unwrap();
    // Whatever a full socket has lost is sent again; what has arrived is no news.
    for ltime in (1..=5000_u64).chain(1..=5000) {
        let mut join = bytes::BytesMut::from(&b"\x08"[..]);
        Join { ltime, node: format!("unknown-{ltime}").as_bytes() }.encode(&mut join);
        for to in deep.iter().filter(|_| ltime <= 200).chain(&too_deep) {
            socket.send_to(&join, to).unwrap();
        }
        if ltime % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let lines = [
        "[WARN] serf: Intent queue depth: 200",
        "[WARN] serf: Intent queue depth (5000) exceeds limit (4096), dropping messages!",
    ];
    for (n, line) in lines.into_iter().enumerate() {
        theirs[n].wait_log(line, LOOK).await;
        ours[n].wait_line(&[line], LOOK).await;
    }
}
