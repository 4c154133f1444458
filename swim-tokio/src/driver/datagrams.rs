//! The datagram plane.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use swim_core::envelope::{Compression, Crc, DecryptError, Lzw, PacketError};
use swim_core::{Input, Instant, SendError, Token, Transmit};

use super::Machine;
use crate::layers::outer;
use crate::limit::Buckets;
use crate::nonce::Nonces;
use crate::recv::{Arrival, Receiver};
use crate::stream::Shared;
use crate::throttle::Plane;
use crate::transport::{Effort, Nameless, Names, Target, Transport};

/// Sources whose datagrams are dropped unseen, for tests.
pub(crate) type Ignore = Arc<dyn Fn(SocketAddr) -> bool + Send + Sync>;

/// The transport of datagrams with its buffers.
pub(crate) struct Datagrams<T> {
    transport: Arc<T>,
    receiver: Receiver,
    limit: Option<Buckets>,
    ignore: Option<Ignore>,
    opened: BytesMut,
    message: BytesMut,
    sealed: BytesMut,
    /// Where the datagram in `sealed` goes, which there was no room for. While it waits the node is
    /// not asked for more, so that the others are made when they can go.
    waiting: Option<Waiting>,
    lzw: Lzw,
    nonces: Nonces,
    shared: Arc<Shared>,
}

struct Waiting {
    to: SocketAddr,
    name: Option<Box<str>>,
    token: Token,
}

impl<T: Transport> Datagrams<T> {
    /// Datagrams taken in one go, before time-outs and sending have their turn. More than fit the
    /// usual receive buffer, so that after a stall the mail is in before the time-out.
    const BATCH: usize = 1024;

    pub(crate) fn new(
        transport: Arc<T>,
        limit: Option<Buckets>,
        ignore: Option<Ignore>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            receiver: Receiver::new(shared.clock.now()),
            transport,
            limit,
            ignore,
            opened: BytesMut::new(),
            message: BytesMut::new(),
            sealed: BytesMut::new(),
            waiting: None,
            lzw: Lzw::default(),
            nonces: Nonces::new(),
            shared,
        }
    }

    /// Waits until there is something to read, or room for what waits.
    pub(crate) async fn ready(&self) {
        if self.waiting.is_none() {
            return self.transport.readable().await;
        }
        tokio::select! {
            () = self.transport.readable() => {}
            () = self.transport.writable() => {}
        }
    }

    pub(crate) const fn is_blocked(&self) -> bool {
        self.waiting.is_some()
    }

    /// Hands what has arrived to the node.
    pub(crate) fn take_in(&mut self, node: &mut impl Machine, now: Instant, effort: Effort) {
        for _ in 0..Self::BATCH {
            match self.receiver.next(&*self.transport, self.shared.clock, now, effort) {
                Ok(Some(arrival)) => self.take(node, now, arrival),
                Ok(None) => break,
                // Some systems tell of datagrams of ours that nobody took.
                Err(e) => tracing::debug!("receiving a datagram: {e}"),
            }
        }
    }

    fn take(&mut self, node: &mut impl Machine, now: Instant, arrival: Arrival) {
        let Arrival { at, from, len } = arrival;
        let counters = &self.shared.counters;
        counters.datagrams_received.up();
        if self.ignore.as_ref().is_some_and(|ignore| ignore(from)) {
            return;
        }
        if let Some(limit) = &mut self.limit
            && !limit.admit(now, from.ip())
        {
            return counters.datagrams_limited.up();
        }
        let outer = outer(node.node().config(), node.node().keyring());
        let bytes = match outer.open_packet(&self.receiver.bytes()[..len], &mut self.opened) {
            Ok(bytes) => bytes,
            Err(e) => {
                counters.datagrams_unopened.up();
                return self.shared.throttle.warn(now, from, Plane::Datagram, &Unopened(e));
            }
        };
        if let Err(e) = node.handle(now, Input::Datagram { at, from, bytes }) {
            tracing::debug!("datagram from {from}: {e}");
        }
    }

    /// Sends what the node has to send, until there is no room for more.
    pub(crate) fn send(&mut self, node: &mut impl Machine, now: Instant) {
        if let Some(Waiting { to, name, token }) = self.waiting.take() {
            let sent = self.send_sealed(Target { addr: to, name: name.as_deref() }, token);
            self.note(node, now, to, token, sent);
        }
        while self.waiting.is_none() {
            self.message.clear();
            let Some(transmit) = node.poll_transmit(&mut self.message) else { return };
            let (to, token) = (transmit.to, transmit.token);
            let wanted = self.shared.names != Names::Unused;
            let name = if wanted { node.node().addressee(&transmit) } else { None };
            let sent = if name.is_none() && self.shared.names == Names::Required {
                self.shared.counters.datagrams_unnamed.up();
                Err(io::Error::other(Nameless))
            } else {
                self.seal(node, &transmit)
                    .and_then(|()| self.send_sealed(Target { addr: to, name }, token))
            };
            self.note(node, now, to, token, sent);
        }
    }

    fn seal(&mut self, node: &impl Machine, transmit: &Transmit) -> io::Result<()> {
        let config = node.node().config();
        let outer = outer(config, node.node().keyring());
        let nonce = if outer.encrypts() { self.nonces.next()? } else { [0; 12] };
        let crc = if transmit.crc { Crc::Add } else { Crc::Omit };
        let compressor = config.compression().then_some(&mut self.lzw as &mut dyn Compression);
        self.sealed.clear();
        let sealed = outer.seal_packet(crc, nonce, &self.message, compressor, &mut self.sealed);
        sealed.map_err(io::Error::other)
    }

    fn send_sealed(&mut self, to: Target<'_>, token: Token) -> io::Result<()> {
        let counters = &self.shared.counters;
        match self.transport.send_datagram(to, &self.sealed) {
            Ok(()) => counters.datagrams_sent.up(),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                counters.send_pauses.up();
                self.waiting = Some(Waiting { to: to.addr, name: to.name.map(Box::from), token });
            }
            Err(e) => return Err(e),
        }
        Ok(())
    }

    fn note(
        &self,
        node: &mut impl Machine,
        now: Instant,
        to: SocketAddr,
        token: Token,
        sent: io::Result<()>,
    ) {
        let Err(error) = sent else { return };
        self.shared.counters.datagrams_unsent.up();
        tracing::debug!("datagram to {to} not sent: {error}");
        let why = blame(&error);
        // The node takes the news or has no use for it.
        let _ = node.handle(now, Input::Unsent { token, why });
    }
}

/// Whether the peer may be at fault. That this host is out of buffers, may not send or has no
/// network says nothing about the peer.
fn blame(error: &io::Error) -> SendError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => SendError::Remote,
        _ => SendError::Local,
    }
}

/// What an operator should make of a datagram that cannot be opened.
struct Unopened(PacketError);

impl fmt::Display for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            PacketError::Decrypt(e @ DecryptError::NoKey { .. }) => {
                write!(f, "{e}; another encryption key?")
            }
            PacketError::Decrypt(e) => write!(f, "{e}; not encrypted?"),
            PacketError::Unacceptable { .. } => f.write_str("it is of another label"),
            e => e.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use swim_core::{Command, Config, Identity, Node, OpId, Seed};

    use tokio::net::UdpSocket;

    use super::*;
    use crate::bind::Sockets;
    use crate::journal::Kept;
    use crate::tests::shared;

    #[tokio::test]
    async fn a_datagram_waits_for_a_socket_that_is_full_and_so_do_those_behind_it() {
        // tokio does not know yet that a new socket has room, so it seems full.
        let sockets = Sockets::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let now = Instant::from_secs(1);
        let me = Identity::new("a", sockets.local_addr()).unwrap();
        let node = Node::new(Config::local().build().unwrap(), me, Seed::from(1), now);
        let mut node = Kept::Plain(node);
        for n in [b'1', b'2'] {
            let payload = vec![n].into();
            let to = peer.local_addr().unwrap().into();
            let command = Command::Send { to, reliable: false, payload };
            node.handle(now, Input::Command { op: OpId(1), command }).unwrap();
        }
        let mut datagrams = Datagrams::new(Arc::new(sockets), None, None, shared());
        datagrams.send(&mut node, now);
        let counted = datagrams.shared.counters.read();
        assert_eq!((counted.send_pauses, counted.datagrams_sent), (1, 0));
        assert!(datagrams.is_blocked());
        tokio::time::timeout(Duration::from_secs(5), datagrams.ready()).await.unwrap();
        datagrams.send(&mut node, now);
        assert!(!datagrams.is_blocked());
        let mut received = [0; 8];
        for n in [b'1', b'2'] {
            assert_eq!(peer.recv(&mut received).await.unwrap(), 2);
            assert_eq!(received[..2], [8, n], "each once, in order");
        }
    }
}
