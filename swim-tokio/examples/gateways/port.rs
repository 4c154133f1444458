//! The transport of one node.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use swim_tokio::{Effort, Received, Target, Transport};
use tokio::io::DuplexStream;
use tokio::sync::{Mutex, mpsc};

use crate::site::{By, Node, Site};

/// Where a node is in its datacenter, and what it has to do with others.
pub(crate) struct Port {
    name: String,
    node: Node,
    accepted: Mutex<mpsc::Receiver<(DuplexStream, SocketAddr)>>,
    site: Site,
}

impl Port {
    pub(crate) fn new(
        name: String,
        node: Node,
        accepted: mpsc::Receiver<(DuplexStream, SocketAddr)>,
        site: Site,
    ) -> Self {
        Self { name, node, accepted: Mutex::new(accepted), site }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.node.addr
    }
}

impl Transport for Port {
    type Stream = DuplexStream;

    fn local_addr(&self) -> SocketAddr {
        self.node.addr
    }

    fn send_datagram(&self, to: Target<'_>, bytes: &[u8]) -> io::Result<()> {
        self.site.way(to, By::Datagram)?.inbox.put(self.node.addr, bytes);
        Ok(())
    }

    fn recv_datagram(&self, buf: &mut [u8], _: Effort) -> io::Result<Received> {
        self.node.inbox.take(buf)
    }

    async fn readable(&self) {
        self.node.inbox.filled().await;
    }

    async fn dial(&self, to: Target<'_>, _: Duration) -> io::Result<DuplexStream> {
        let there = self.site.way(to, By::Stream)?;
        let (ours, theirs) = tokio::io::duplex(STREAM_BYTES);
        let sent = there.streams.send((theirs, self.node.addr)).await;
        sent.map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(ours)
    }

    async fn accept(&self) -> io::Result<(DuplexStream, SocketAddr)> {
        // This node holds a sender itself.
        self.accepted.lock().await.recv().await.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    async fn shutdown(&self) {
        self.site.forget(&self.name);
    }
}

/// Bytes under way in a stream, each way.
const STREAM_BYTES: usize = 64 << 10;
