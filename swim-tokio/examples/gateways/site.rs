//! Datacenters, and the gateway between them.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use swim_tokio::Target;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;

use crate::inbox::Inbox;
use crate::port::Port;

/// A network on which an address leads to a node.
#[derive(Clone)]
pub(crate) struct Site {
    name: &'static str,
    net: u8,
    gateway: Gateway,
}

/// What every datacenter has a way to. It knows nodes by their names only.
#[derive(Clone)]
pub(crate) struct Gateway(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    nodes: BTreeMap<String, Node>,
    passed: Passed,
}

/// What has come through a gateway.
#[derive(Clone, Copy, Default)]
pub(crate) struct Passed {
    pub(crate) datagrams: u64,
    pub(crate) streams: u64,
    /// Of what was for nobody whom it knows, or for no name at all.
    pub(crate) unknown: u64,
}

/// The ways to a node.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) addr: SocketAddr,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) streams: mpsc::Sender<(DuplexStream, SocketAddr)>,
}

/// By what something goes from one node to another.
#[derive(Clone, Copy)]
pub(crate) enum By {
    Datagram,
    Stream,
}

impl Gateway {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// A datacenter with the addresses `10.NET.0.0/16`.
    pub(crate) fn site(&self, name: &'static str, net: u8) -> Site {
        Site { name, net, gateway: self.clone() }
    }

    pub(crate) fn passed(&self) -> Passed {
        self.known().passed
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Site {
    /// A place for a node that is not in the network yet.
    pub(crate) fn port(&self, node: &str) -> Port {
        let name = format!("{node}.{}", self.name);
        let known = self.gateway.known().nodes.len();
        let ip = Ipv4Addr::new(10, self.net, 0, known as u8 + 1);
        let (streams, accepted) = mpsc::channel(16);
        let node = Node { addr: (ip, 8302).into(), inbox: Arc::default(), streams };
        self.gateway.known().nodes.insert(name.clone(), node.clone());
        Port::new(name, node, accepted, self.clone())
    }

    /// The way to a node: by its address if that is of this datacenter, else by its name.
    pub(crate) fn way(&self, to: Target<'_>, by: By) -> io::Result<Node> {
        let mut known = self.gateway.known();
        let Known { nodes, passed } = &mut *known;
        if self.is_mine(to.addr) {
            let node = nodes.values().find(|node| node.addr == to.addr);
            return node.cloned().ok_or_else(|| io::ErrorKind::ConnectionRefused.into());
        }
        let Some(node) = to.name.and_then(|name| nodes.get(name)) else {
            passed.unknown += 1;
            let who = to.name.unwrap_or("nobody by name");
            let why = format!("no way from {} to {who} at {}", self.name, to.addr);
            return Err(io::Error::new(io::ErrorKind::HostUnreachable, why));
        };
        match by {
            By::Datagram => passed.datagrams += 1,
            By::Stream => passed.streams += 1,
        }
        Ok(node.clone())
    }

    pub(crate) fn forget(&self, name: &str) {
        self.gateway.known().nodes.remove(name);
    }

    fn is_mine(&self, addr: SocketAddr) -> bool {
        matches!(addr, SocketAddr::V4(v4) if v4.ip().octets()[..2] == [10, self.net])
    }
}
