//! The usual transport: the network, by UDP and TCP.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use crate::bind::Sockets;
use crate::transport::{Effort, Received, Target, Transport};

impl Transport for Sockets {
    type Stream = TcpStream;

    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn send_datagram(&self, to: Target<'_>, bytes: &[u8]) -> io::Result<()> {
        self.udp.try_send_to(bytes, self.reachable(to.addr)).map(drop)
    }

    async fn writable(&self) {
        if self.udp.writable().await.is_err() {
            runtime_ends().await;
        }
    }

    fn recv_datagram(&self, buf: &mut [u8], effort: Effort) -> io::Result<Received> {
        let mut receive = || receive(&self.udp, buf);
        match effort {
            Effort::Ready => self.udp.try_io(Interest::READABLE, receive),
            Effort::Ask => receive(),
        }
    }

    async fn readable(&self) {
        if self.udp.readable().await.is_err() {
            runtime_ends().await;
        }
    }

    /// Connects from the address that datagrams come from, so that peers and firewalls see one
    /// address.
    async fn dial(&self, to: Target<'_>, _: Duration) -> io::Result<TcpStream> {
        let to = to.addr;
        let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // With the scope that IPv6 may need.
        let mut source = self.local;
        if !source.ip().is_unspecified() && source.is_ipv4() == to.is_ipv4() {
            source.set_port(0);
            socket.bind(source)?;
        }
        socket.connect(to).await
    }

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.tcp.accept().await
    }
}

impl Sockets {
    /// The address as this socket takes it: one of IPv6 reaches IPv4 by mapped addresses.
    fn reachable(&self, to: SocketAddr) -> SocketAddr {
        match to.ip() {
            IpAddr::V4(v4) if self.local.is_ipv6() => {
                SocketAddr::new(v4.to_ipv6_mapped().into(), to.port())
            }
            _ => to,
        }
    }
}

/// tokio's sockets fail to wait only while the runtime shuts down, which drops this task.
async fn runtime_ends() {
    std::future::pending().await
}

/// Asks the kernel for time stamps, which tell how long a datagram has waited for a stalled node.
///
/// They are wall-clock time, so a step of that clock gives nonsense; the driver keeps them between
/// the last time that the socket was empty and now.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn want_stamps(socket: &UdpSocket) {
    use nix::sys::socket::{setsockopt, sockopt::ReceiveTimestampns};

    // Without stamps a datagram counts as having arrived when it was read.
    let _ = setsockopt(socket, ReceiveTimestampns, &true);
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn receive(socket: &UdpSocket, bytes: &mut [u8]) -> io::Result<Received> {
    use std::os::fd::AsRawFd as _;

    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};

    let mut iov = [io::IoSliceMut::new(bytes)];
    let mut control = Control([0; CONTROL_BYTES]);
    let (control, flags) = (Some(&mut control.0[..]), MsgFlags::empty());
    let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut iov, control, flags)?;
    let from = message.address.as_ref().and_then(socket_addr);
    let from = from.ok_or_else(|| io::Error::other("datagram without a source address"))?;
    let stamp = message.cmsgs().ok().and_then(|mut all| {
        all.find_map(|one| match one {
            ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
            _ => None,
        })
    });
    let waited = stamp.and_then(age).unwrap_or_default();
    Ok(Received { len: message.bytes, from, waited })
}

/// Room for one time stamp, aligned as the system's headers are.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[repr(align(8))]
struct Control([u8; CONTROL_BYTES]);

#[cfg(any(target_os = "linux", target_os = "android"))]
const CONTROL_BYTES: usize = 64;

#[cfg(any(target_os = "linux", target_os = "android"))]
fn socket_addr(addr: &nix::sys::socket::SockaddrStorage) -> Option<SocketAddr> {
    let v4 = addr.as_sockaddr_in().map(|a| SocketAddr::V4((*a).into()));
    v4.or_else(|| addr.as_sockaddr_in6().map(|a| SocketAddr::V6((*a).into())))
}

/// How long ago a moment of the wall clock was.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn age(stamp: nix::sys::time::TimeSpec) -> Option<Duration> {
    let wall = nix::time::ClockId::CLOCK_REALTIME.now().ok()?;
    Duration::from(wall).checked_sub(Duration::from(stamp))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn want_stamps(_: &UdpSocket) {}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn receive(socket: &UdpSocket, bytes: &mut [u8]) -> io::Result<Received> {
    let (len, from) = socket.try_recv_from(bytes)?;
    Ok(Received { len, from, waited: Duration::ZERO })
}
