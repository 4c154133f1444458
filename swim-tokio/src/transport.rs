//! What carries an agent's datagrams and streams.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

/// Carries the datagrams and streams of one agent, to and from whoever the address and the name of
/// a node lead to.
///
/// The usual one is [`Sockets`](crate::Sockets), UDP and TCP on one port. Another is given to
/// [`Builder::transport`](crate::Builder::transport): one that goes through gateways which know
/// nodes by their names, say, or one that keeps a pool within a process. The example `gateways` is
/// both. What arrives is checked, decrypted and limited as on sockets, and what is to be sent is
/// labelled and encrypted already, so a transport moves bytes and nothing else.
///
/// The datagram plane works as that of tokio's sockets does: wait until there is something, then
/// try until there is nothing. Nothing is boxed, and the agent's one task makes these calls, so
/// none of them may block.
pub trait Transport: Send + Sync + 'static {
    /// A stream, open in both directions. Shutting it down must let the other side read to the end.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The address of this node as it knows itself. Its port is that of seeds that name none.
    fn local_addr(&self) -> SocketAddr;

    /// The address that others are told if the builder is told none. Default: `None`, the rules of
    /// [`Builder::advertise`](crate::Builder::advertise).
    fn advertised_addr(&self) -> Option<SocketAddr> {
        None
    }

    /// Sends a datagram now, as a whole or not at all; that it is lost on its way is no error.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room: the agent keeps this one, and
    /// makes no others, until [`writable`](Self::writable). `ConnectionRefused`, `ConnectionReset`,
    /// `HostUnreachable` and `NetworkUnreachable` speak against the other node, whose probe then
    /// fails at once; all others do not.
    fn send_datagram(&self, to: Target<'_>, bytes: &[u8]) -> io::Result<()>;

    /// Waits until there may be room for a datagram. Cancel safe. Default: at once, for transports
    /// that always have room; with one that ever says `WouldBlock` the agent would spin.
    fn writable(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Takes a datagram that has arrived, which is at most 65,507 bytes long, into the front of
    /// `buf`, which is longer.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is none. Any other is logged, and the
    /// next is asked for.
    fn recv_datagram(&self, buf: &mut [u8], effort: Effort) -> io::Result<Received>;

    /// Waits until a datagram may be there. Cancel safe.
    fn readable(&self) -> impl Future<Output = ()> + Send;

    /// Opens a stream. After `timeout` nobody waits for it any more, and the future is dropped.
    ///
    /// # Errors
    ///
    /// Whatever prevents it. A join tells its text.
    fn dial(
        &self,
        to: Target<'_>,
        timeout: Duration,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// The next stream that another node opens, and the node's address. Cancel safe: a stream must
    /// not get lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// `ConnectionAborted` if that one stream has gone again. After any other the agent pauses for
    /// up to a second.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;

    /// The agent has stopped, and makes no other call: gives back what the transport holds. Whoever
    /// shuts the agent down waits for it, for five seconds. Default: nothing; the transport is
    /// dropped then.
    fn shutdown(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// Whom something is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The address that the node has told to others, or that a seed or a question gave.
    pub addr: SocketAddr,
    /// The node's name. `None` where nobody knows it: joins by an address alone, direct messages to
    /// an address, and answers to questions without a name.
    pub name: Option<&'a str>,
}

/// A datagram that stands at the front of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its bytes.
    pub len: usize,
    /// Where it came from: the sender's address, not that of a gateway, if it is known. Rate limits
    /// and the check of an answer's destination go by it.
    pub from: SocketAddr,
    /// How long it has waited since it arrived. Round trips and "in time" go by it; zero takes a
    /// stall of this node for one of the network.
    pub waited: Duration,
}

/// How far to go for a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effort {
    /// There probably is none unless [`Transport::readable`] said so: a cheap look will do.
    Ready,
    /// A time-out is due that a datagram may prevent, and the runtime may not have looked since
    /// this task was last held up: ask the system.
    Ask,
}

/// What a driver makes of the names of nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Names {
    /// Nothing: addresses lead everywhere.
    #[default]
    Unused,
    /// The transport is told those that are known.
    Told,
    /// What is for nobody of a known name is refused.
    Required,
}

/// Why something was refused that is for nobody of a known name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nameless;

impl std::fmt::Display for Nameless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("node names are required and none is given: NAME/ADDRESS")
    }
}

impl std::error::Error for Nameless {}
