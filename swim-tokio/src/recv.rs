//! Receiving datagrams with the time at which the transport had them.

use std::io;
use std::net::SocketAddr;

use swim_core::Instant;

use crate::clock::Clock;
use crate::transport::{Effort, Received, Transport};

/// A datagram that stands at the front of [`Receiver::bytes`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    pub(crate) from: SocketAddr,
    pub(crate) len: usize,
}

/// Buffers to receive with.
pub(crate) struct Receiver {
    bytes: Vec<u8>,
    /// Whatever is received now arrived after this: there was nothing then.
    empty_at: Instant,
    /// The last look found a datagram, so that the next is sure to ask the system.
    found: bool,
}

impl Receiver {
    pub(crate) fn new(now: Instant) -> Self {
        Self { bytes: vec![0; BUFFER_BYTES], empty_at: now, found: false }
    }

    /// The bytes of the last arrival, and whatever is left of earlier ones behind it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The next datagram; `None` if there is none.
    pub(crate) fn next(
        &mut self,
        transport: &impl Transport,
        clock: Clock,
        now: Instant,
        effort: Effort,
    ) -> io::Result<Option<Arrival>> {
        let asked = effort == Effort::Ask || self.found;
        let received = transport.recv_datagram(&mut self.bytes, effort);
        self.found = received.is_ok();
        match received {
            Ok(Received { len, from, waited }) => {
                let at = if waited.is_zero() { now } else { clock.now() - waited };
                let at = at.clamp(self.empty_at.min(now), now);
                let len = len.min(self.bytes.len());
                Ok(Some(Arrival { at, from: canonical(from), len }))
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                if asked {
                    self.empty_at = now;
                }
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }
}

/// An IPv4 peer of an IPv6 socket is an IPv4 peer.
pub(crate) fn canonical(addr: SocketAddr) -> SocketAddr {
    match addr {
        SocketAddr::V6(v6) if v6.ip().to_ipv4_mapped().is_some() => {
            SocketAddr::new(addr.ip().to_canonical(), addr.port())
        }
        _ => addr,
    }
}

/// No datagram is longer than half of this. What is larger than a heap's usual pieces comes from
/// the system as it is, and takes memory only where a datagram was written to it.
const BUFFER_BYTES: usize = 2 * 65_536;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bind::Sockets;

    #[tokio::test]
    async fn a_datagram_that_waited_is_stamped_with_its_arrival() {
        let sockets = Sockets::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let clock = Clock::new();
        let mut receiver = Receiver::new(clock.now());
        // Linux takes a moment to start stamping.
        std::thread::sleep(Duration::from_millis(50));
        let before = clock.now();
        sender.send_to(b"early", sockets.local_addr()).unwrap();
        let sent = clock.now();
        std::thread::sleep(Duration::from_millis(60));
        let now = clock.now();
        let nothing = receiver.next(&sockets, clock, now, Effort::Ready).unwrap();
        assert!(nothing.is_none(), "tokio has not looked yet");
        let arrival = receiver.next(&sockets, clock, now, Effort::Ask).unwrap().unwrap();
        assert_eq!(&receiver.bytes()[..arrival.len], b"early");
        assert_eq!(arrival.from, sender.local_addr().unwrap());
        if cfg!(target_os = "linux") {
            // The kernel's clock and ours differ by a little.
            let error = before.since(arrival.at).max(arrival.at.since(sent));
            assert!(error < Duration::from_millis(20), "{error:?}");
        }
        assert!(receiver.next(&sockets, clock, now, Effort::Ask).unwrap().is_none());
        assert!(receiver.next(&sockets, clock, now, Effort::Ready).unwrap().is_none());
        sender.send_to(b"more", sockets.local_addr()).unwrap();
        sockets.readable().await;
        let arrival = receiver.next(&sockets, clock, clock.now(), Effort::Ready).unwrap().unwrap();
        assert!(arrival.at >= now, "it was not there when the socket was empty");
    }

    #[test]
    fn a_mapped_source_is_ipv4() {
        let mapped = "[::ffff:10.0.0.1]:7".parse().unwrap();
        assert_eq!(canonical(mapped), "10.0.0.1:7".parse().unwrap());
        let v6 = "[fe80::1%3]:7".parse().unwrap();
        assert_eq!(canonical(v6), v6);
    }
}
