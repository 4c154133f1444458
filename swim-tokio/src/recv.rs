//! Receiving datagrams with the time at which the socket had them.

use std::io;
use std::net::SocketAddr;

use swim_core::Instant;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::clock::Clock;

/// A datagram that stands at the front of [`Receiver::bytes`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    pub(crate) from: SocketAddr,
    pub(crate) len: usize,
}

/// How far to go for a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Trust tokio's word on whether there is one; clears it if there is none.
    Ready,
    /// Ask the system, because tokio may not have looked since this task was last held up.
    Ask,
}

/// Buffers to receive with.
pub(crate) struct Receiver {
    bytes: Vec<u8>,
    stamps: Stamps,
    /// Whatever is received now arrived after this: the socket was seen empty then.
    empty_at: Instant,
}

impl Receiver {
    pub(crate) fn new(socket: &UdpSocket, now: Instant) -> Self {
        Self { bytes: vec![0; BUFFER_BYTES], stamps: Stamps::new(socket), empty_at: now }
    }

    /// The bytes of the last arrival, and whatever is left of earlier ones behind it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The next datagram; `None` if there is none.
    pub(crate) fn next(
        &mut self,
        socket: &UdpSocket,
        clock: Clock,
        now: Instant,
        effort: Effort,
    ) -> io::Result<Option<Arrival>> {
        let Self { bytes, stamps, .. } = self;
        let mut asked = false;
        let mut receive = || {
            asked = true;
            stamps.receive(socket, clock, bytes)
        };
        let received = match effort {
            Effort::Ready => socket.try_io(Interest::READABLE, receive),
            Effort::Ask => receive(),
        };
        match received {
            Ok((len, from, stamp)) => {
                let at = stamp.unwrap_or(now).clamp(self.empty_at.min(now), now);
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

type Received = (usize, SocketAddr, Option<Instant>);

/// Time stamps by the kernel, which tell how long a datagram has waited for a stalled node.
///
/// They are wall-clock time, so a step of that clock gives nonsense; [`Receiver`] keeps them
/// between the last time that the socket was empty and now.
#[cfg(any(target_os = "linux", target_os = "android"))]
struct Stamps {
    control: Vec<u8>,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Stamps {
    fn new(socket: &UdpSocket) -> Self {
        use nix::sys::socket::{setsockopt, sockopt::ReceiveTimestampns};

        // Without stamps a datagram counts as having arrived when it was read.
        let _ = setsockopt(socket, ReceiveTimestampns, &true);
        Self { control: nix::cmsg_space!(nix::sys::time::TimeSpec) }
    }

    fn receive(
        &mut self,
        socket: &UdpSocket,
        clock: Clock,
        bytes: &mut [u8],
    ) -> io::Result<Received> {
        use std::os::fd::AsRawFd as _;

        use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};

        let mut iov = [io::IoSliceMut::new(bytes)];
        let control = Some(&mut self.control[..]);
        let flags = MsgFlags::empty();
        let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut iov, control, flags)?;
        let from = message.address.as_ref().and_then(socket_addr);
        let from = from.ok_or_else(|| io::Error::other("datagram without a source address"))?;
        let stamp = message.cmsgs().ok().and_then(|mut all| {
            all.find_map(|one| match one {
                ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
                _ => None,
            })
        });
        Ok((message.bytes, from, stamp.and_then(|stamp| on_our_clock(stamp, clock))))
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn socket_addr(addr: &nix::sys::socket::SockaddrStorage) -> Option<SocketAddr> {
    let v4 = addr.as_sockaddr_in().map(|a| SocketAddr::V4((*a).into()));
    v4.or_else(|| addr.as_sockaddr_in6().map(|a| SocketAddr::V6((*a).into())))
}

/// A moment of the wall clock on the driver's clock.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn on_our_clock(stamp: nix::sys::time::TimeSpec, clock: Clock) -> Option<Instant> {
    use std::time::Duration;

    let wall = nix::time::ClockId::CLOCK_REALTIME.now().ok()?;
    let age = Duration::from(wall).checked_sub(Duration::from(stamp))?;
    Some(clock.now() - age)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
struct Stamps;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl Stamps {
    fn new(_: &UdpSocket) -> Self {
        Self
    }

    fn receive(&mut self, socket: &UdpSocket, _: Clock, bytes: &mut [u8]) -> io::Result<Received> {
        let (len, from) = socket.try_recv_from(bytes)?;
        Ok((len, from, None))
    }
}

/// No datagram is longer than half of this. What is larger than a heap's usual pieces comes from
/// the system as it is, and takes memory only where a datagram was written to it.
const BUFFER_BYTES: usize = 2 * 65_536;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_datagram_that_waited_is_stamped_with_its_arrival() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let clock = Clock::new();
        let mut receiver = Receiver::new(&socket, clock.now());
        // Linux takes a moment to start stamping.
        std::thread::sleep(Duration::from_millis(50));
        sender.send_to(b"early", socket.local_addr().unwrap()).unwrap();
        let sent = clock.now();
        std::thread::sleep(Duration::from_millis(60));
        let now = clock.now();
        let nothing = receiver.next(&socket, clock, now, Effort::Ready).unwrap();
        assert!(nothing.is_none(), "tokio has not looked yet");
        let arrival = receiver.next(&socket, clock, now, Effort::Ask).unwrap().unwrap();
        assert_eq!(&receiver.bytes()[..arrival.len], b"early");
        assert_eq!(arrival.from, sender.local_addr().unwrap());
        if cfg!(target_os = "linux") {
            let error = arrival.at.since(sent).max(sent.since(arrival.at));
            assert!(error < Duration::from_millis(40), "{error:?}");
        }
        assert!(receiver.next(&socket, clock, now, Effort::Ask).unwrap().is_none());
        assert!(receiver.next(&socket, clock, now, Effort::Ready).unwrap().is_none());
        sender.send_to(b"more", socket.local_addr().unwrap()).unwrap();
        socket.readable().await.unwrap();
        let arrival = receiver.next(&socket, clock, clock.now(), Effort::Ready).unwrap().unwrap();
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
