//! What a driver hands to a node.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

use bytes::Bytes;

use crate::config::Config;
use crate::event::ExchangeError;
use crate::ids::{Addr, InboundId, Lane, NodeName, OpId, OutboundId, Token};
use crate::keyring::Key;
use crate::time::Instant;

/// One input of [`Node::handle`](crate::Node::handle), or of a machine with its call shape and
/// commands `C` of its own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input<'a, C = Command> {
    /// Time has reached [`Node::poll_timeout`](crate::Node::poll_timeout).
    Timeout,
    /// A datagram, after [`envelope::open_packet`](crate::envelope).
    Datagram {
        /// When the socket had it. Round trips and "in time" go by this.
        at: Instant,
        /// Where it came from.
        from: SocketAddr,
        /// What is inside label, encryption and checksum.
        bytes: &'a [u8],
    },
    /// A datagram that was handed out could not be sent.
    Unsent {
        /// From its [`Transmit`](crate::Transmit).
        token: Token,
        /// Why.
        why: SendError,
    },
    /// A peer opened a stream and sent one whole message. An [`Exchange`] for it follows, unless
    /// the driver has let very many of them wait: then it closes the stream itself.
    Request {
        /// The driver's number for the stream.
        id: InboundId,
        /// Where it came from.
        from: SocketAddr,
        /// What is inside label, encryption and compression.
        bytes: &'a [u8],
    },
    /// A stream that this node asked for has ended.
    Reply {
        /// From its [`Exchange::Open`](crate::Exchange::Open).
        id: OutboundId,
        /// The other side's whole message; empty if none was due.
        result: Result<&'a [u8], ExchangeError>,
    },
    /// The embedder wants something.
    Command {
        /// Comes back in [`Event::Done`](crate::Event::Done).
        op: OpId,
        /// What.
        command: C,
    },
}

/// Why a datagram was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum SendError {
    /// The network or the peer refused it: the peer may be at fault.
    Remote,
    /// This host could not send: the peer is not to blame.
    Local,
}

/// What an embedder can ask of a node.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Push/pull with each of these, one after the other in parallel; ends with
    /// [`Outcome::Joined`](crate::Outcome::Joined).
    Join(Vec<Seat>),
    /// Tell the cluster that this node leaves; ends with [`Outcome::Left`](crate::Outcome::Left).
    /// The node goes on answering until its driver stops it.
    Leave,
    /// Replace the metadata, at most 512 bytes; ends when the change was broadcast.
    SetMeta(Bytes),
    /// Announce another address. Go nodes accept it only from a name that left, so the node leaves
    /// and comes back.
    SetAddress(Addr),
    /// Send to every member by gossip; ends when sent, displaced or dropped.
    Broadcast {
        /// Its rank.
        lane: Lane,
        /// A queued broadcast of the same lane and key is displaced; `None` displaces nothing.
        key: Option<Bytes>,
        /// What the other applications get. Must fit one datagram.
        payload: Bytes,
    },
    /// Put this into the acks of pings from now on.
    SetAckPayload(Bytes),
    /// Send this as application state in push/pulls from now on, at most 20 MiB.
    SetAppState(Bytes),
    /// Ping a node once; ends with [`Outcome::Pong`](crate::Outcome::Pong) or
    /// [`Outcome::NoAnswer`](crate::Outcome::NoAnswer).
    Ping {
        /// The name it must have.
        name: NodeName,
        /// Where it is.
        to: SocketAddr,
    },
    /// Send a user message to one node.
    Send {
        /// Where to, and to whom if that is known.
        to: Seat,
        /// Whether by stream, with an outcome, or by datagram, without: nobody tells whether that
        /// arrived.
        reliable: bool,
        /// What its application gets.
        payload: Bytes,
    },
    /// Change the keyring. Queued broadcasts that no datagram has room for once it is sealed end as
    /// [`Outcome::Dropped`](crate::Outcome::Dropped).
    Key(KeyCommand),
    /// Answers [`Event::KeyringChanged`](crate::Event::KeyringChanged): whether the change was
    /// stored.
    KeyringSaved(bool),
    /// Replace the configuration. A knob that is fixed while running refuses the whole, and so does
    /// a keyring that is neither the one the node started with nor the one in force.
    ///
    /// Intervals that are shorter than before act at once, longer ones when they are next due;
    /// suspicions and exchanges under way keep their times. Queued broadcasts that no datagram has
    /// room for any more end as [`Outcome::Dropped`](crate::Outcome::Dropped).
    Reload(Arc<Config>),
}

/// A change of the keyring (memberlist spec 1.5).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyCommand {
    /// Accept this key from now on.
    Install(Key),
    /// Encrypt with this installed key.
    Use(Key),
    /// Forget this key, unless it is in use.
    Remove(Key),
}

/// Somebody to join by, or to send to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Seat {
    /// Where it is.
    pub addr: SocketAddr,
    /// Its name, if known, for transports that route by it.
    pub name: Option<NodeName>,
}

impl From<SocketAddr> for Seat {
    fn from(addr: SocketAddr) -> Self {
        Self { addr, name: None }
    }
}

/// One datagram to send; its bytes stand at the end of the buffer given to
/// [`Node::poll_transmit`](crate::Node::poll_transmit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transmit {
    /// Where to.
    pub to: SocketAddr,
    /// The member there, if known: see [`Node::peer_name`](crate::Node::peer_name). Answers have
    /// none; [`Node::addressee`](crate::Node::addressee) may know for whom they are.
    pub peer: Option<crate::Peer>,
    /// How many bytes were appended to the buffer.
    pub len: usize,
    /// Whether the receiver understands a checksum (memberlist spec 1.6).
    pub crc: bool,
    /// For [`Input::Unsent`].
    pub token: Token,
    /// Whether the node keeps the name of whom this is for.
    pub(crate) named: bool,
}

/// Something to do on the stream plane; a message, if any, stands at the end of the buffer given to
/// [`Node::poll_exchange`](crate::Node::poll_exchange).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exchange {
    /// Open a stream, send the message, and hand in the reply as [`Input::Reply`].
    Open {
        /// For [`Input::Reply`].
        id: OutboundId,
        /// Where to.
        to: SocketAddr,
        /// The member there, if known.
        name: Option<NodeName>,
        /// How many bytes were appended to the buffer.
        len: usize,
        /// Whether an answer is due. If not, hand in an empty reply once all is written.
        reply_due: bool,
        /// Give up at this time.
        deadline: Instant,
    },
    /// Answer an inbound stream with the message and close it.
    Reply {
        /// From [`Input::Request`].
        id: InboundId,
        /// How many bytes were appended to the buffer.
        len: usize,
    },
    /// Answer an inbound stream with an error (the message) and close it.
    Refuse {
        /// From [`Input::Request`].
        id: InboundId,
        /// How many bytes were appended to the buffer.
        len: usize,
        /// What the message says, for a log.
        text: String,
    },
    /// Close an inbound stream; no answer is due.
    Close {
        /// From [`Input::Request`].
        id: InboundId,
    },
    /// Close an outbound stream whose reply nobody waits for any more.
    Cancel {
        /// From [`Exchange::Open`].
        id: OutboundId,
    },
}
