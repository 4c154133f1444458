//! UDP and TCP on one port.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

use crate::sockets::want_stamps;

/// The sockets of one node, UDP and TCP on one port: the transport of an agent that is given no
/// other. For transports that wrap it: one that reaches some nodes directly, say.
#[derive(Debug)]
pub struct Sockets {
    pub(crate) udp: UdpSocket,
    pub(crate) tcp: TcpListener,
    /// The address of both, with the port that was taken.
    pub(crate) local: SocketAddr,
}

impl Sockets {
    /// Binds both sockets to `addr`. Port 0 takes one that is free for both.
    ///
    /// # Errors
    ///
    /// What the system says: the port is in use, or the address is not this host's.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime that does I/O.
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        let mut tries = if addr.port() == 0 { PORT_TRIES } else { 1 };
        loop {
            tries -= 1;
            let tcp = bind_tcp(addr)?;
            let local = tcp.local_addr()?;
            match bind_udp(local) {
                Ok(udp) => {
                    let tcp = TcpListener::from_std(tcp)?;
                    let udp = UdpSocket::from_std(udp)?;
                    want_stamps(&udp);
                    return Ok(Self { udp, tcp, local });
                }
                Err(e) if tries == 0 => return Err(e),
                Err(_) => {}
            }
        }
    }
}

fn bind_tcp(addr: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // Elsewhere the option would let two processes share the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    accept_both_families(&socket, addr)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn bind_udp(addr: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    accept_both_families(&socket, addr)?;
    socket.set_nonblocking(true)?;
    // A stalled node finds its mail; systems that allow less give what they allow or refuse.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
    socket.bind(&addr.into())?;
    Ok(socket.into())
}

/// `[::]` takes IPv4 too; an address of one's own takes its family only.
fn accept_both_families(socket: &Socket, addr: SocketAddr) -> io::Result<()> {
    if addr.is_ipv6() {
        socket.set_only_v6(!addr.ip().is_unspecified())?;
    }
    Ok(())
}

/// As many as memberlist makes.
const PORT_TRIES: u32 = 10;
const BACKLOG: i32 = 128;
const RECEIVE_BUFFER_BYTES: usize = 2 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(addr: &str) -> io::Result<Sockets> {
        Sockets::bind(addr.parse().unwrap())
    }

    #[tokio::test]
    async fn port_0_takes_one_port_for_both() {
        for addr in ["127.0.0.1:0", "[::1]:0"] {
            let sockets = bind(addr).unwrap();
            assert_ne!(sockets.local.port(), 0);
            assert_eq!(sockets.udp.local_addr().unwrap(), sockets.local);
            assert_eq!(sockets.tcp.local_addr().unwrap(), sockets.local);
        }
    }

    #[tokio::test]
    async fn a_port_in_use_on_either_side_is_an_error() {
        let sockets = bind("127.0.0.1:0").unwrap();
        assert_eq!(bind(&sockets.local.to_string()).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let udp_only = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let held = std::net::UdpSocket::bind(udp_only).unwrap();
        assert_eq!(bind(&udp_only.to_string()).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(held);
        bind(&udp_only.to_string()).unwrap();
    }
}
