//! SWIM membership, failure detection and gossip as a pure state machine, in the wire format of
//! HashiCorp's memberlist.
//!
//! A [`Node`] is one member of a cluster. It takes inputs (a datagram, a finished stream exchange,
//! a command, a time-out) with the time they happened at, and hands out datagrams, exchanges,
//! events and the next deadline. It has no socket, clock, thread, task, global or randomness of its
//! own, so it runs under any runtime or none, and the same inputs give the same outputs to the last
//! bit.
//!
//! What is in it: SWIM with Lifeguard's extensions, push/pull, encryption, compression, labels and
//! the repairs that a cluster of Go nodes lacks (partitions heal by themselves, a node that slept
//! accuses nobody). What it does otherwise than memberlist, and why, is in `docs/deviations.md`.
//!
//! # Driving a node
//!
//! One call in, three polls out, and a deadline:
//!
//! ```
//! use bytes::BytesMut;
//! use core::net::SocketAddr;
//! use core::time::Duration;
//! use swim_core::{Config, Event, Exchange, Identity, Input, Instant, Node, Seed};
//!
//! /// What the embedder brings: sockets, and somebody to tell.
//! trait Io {
//!     fn send(&mut self, to: SocketAddr, bytes: &[u8]);
//!     /// Connect, write, read the reply; hand it in as `Input::Reply`.
//!     fn stream(&mut self, exchange: Exchange, bytes: &[u8]);
//!     fn tell(&mut self, event: Event);
//! }
//!
//! /// Hands in what happened, does what the node wants done and says when to come back.
//! fn turn(node: &mut Node, now: Instant, input: Input<'_>, io: &mut impl Io) -> Option<Instant> {
//!     // What is refused is counted in `node.stats()`; a driver goes on.
//!     let _ = node.handle(now, input);
//!     let mut buf = BytesMut::new();
//!     while let Some(datagram) = node.poll_transmit(&mut buf) {
//!         io.send(datagram.to, &buf.split());
//!     }
//!     while let Some(exchange) = node.poll_exchange(&mut buf) {
//!         io.stream(exchange, &buf.split());
//!     }
//!     while let Some(event) = node.poll_event() {
//!         io.tell(event);
//!     }
//!     node.poll_timeout()
//! }
//!
//! let me = Identity::new("db-1", "10.0.0.1:7946".parse::<SocketAddr>()?)?;
//! let mut node = Node::new(Config::lan().build()?, me, Seed::from(7), Instant::ZERO);
//! # #[derive(Default)]
//! # struct Log { sent: Vec<SocketAddr>, events: Vec<Event> }
//! # impl Io for Log {
//! #     fn send(&mut self, to: SocketAddr, _: &[u8]) { self.sent.push(to) }
//! #     fn stream(&mut self, _: Exchange, _: &[u8]) {}
//! #     fn tell(&mut self, event: Event) { self.events.push(event) }
//! # }
//! # let mut io = Log::default();
//!
//! // A ping arrives from 10.0.0.2. The node tells that it is up itself, and acks.
//! let at = Instant::ZERO + Duration::from_millis(250);
//! let from = "10.0.0.2:7946".parse()?;
//! let bytes = b"\x00\x82\xa4Node\xa4db-1\xa5SeqNo\x2a";
//! let due = turn(&mut node, at, Input::Datagram { at, from, bytes }, &mut io);
//! assert!(matches!(&io.events[..], [Event::Up(me)] if me.name() == "db-1"));
//! assert_eq!(io.sent, [from]);
//!
//! // Nothing else happens until the deadline.
//! let due = due.expect("a node always has something to look at later");
//! turn(&mut node, due, Input::Timeout, &mut io);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! The rules of a driver:
//!
//! * Poll until `None` after each input; a socket that is full is a reason to stop polling
//!   [`Node::poll_transmit`] for a while, not to drop. Read [`Node::poll_timeout`] last.
//! * Between socket and node stand the outer layers: open what arrives with
//!   [`Outer::open_packet`](envelope::Outer::open_packet), seal what leaves with
//!   [`Outer::seal_packet`](envelope::Outer::seal_packet). Nonces come from the driver.
//! * [`Input::Datagram`] has the time `at` which the socket had it; round trips are measured by it.
//!   After a stall hand in the mail first, then the time-out, so that an ack in the mail counts.
//! * Streams carry one request and at most one reply. [`wire::stream::Reader`] finds where a
//!   message ends; [`envelope::FrameReader`] does so below encryption and label.
//! * Use a clock that keeps running while the machine sleeps. A time-out that comes late tells the
//!   node that it was not listening, and it then suspects nobody.
//!
//! Complete drivers to copy from: `examples/blocking.rs` of `swim-tokio` (std sockets and threads,
//! no runtime), and `swim-tokio` itself.
//!
//! # Map
//!
//! | | |
//! |---|---|
//! | [`Node`], [`Input`], [`Command`] | the machine and what goes in |
//! | [`Transmit`], [`Exchange`], [`Event`] | what comes out |
//! | [`Config`], [`Identity`], [`Policy`] | settings, who this node is, what the embedder decides |
//! | [`Member`], [`State`], [`Stats`] | what can be looked at |
//! | [`coordinate`] | network coordinates, to tell round-trip times without measuring |
//! | [`envelope`], [`keyring`] | checksum, encryption, label; keys and their rotation |
//! | [`wire`] | bytes to messages and back, for tools that look at traffic |
//! | [`journal`] | record a node and replay it bit for bit |
//! | [`testkit`] | a few nodes in virtual time, for tests of an embedder |
//!
//! # Errors, bounds, panics
//!
//! [`Node::handle`] returns [`Rejected`] if it refused an input as a whole; state is then
//! unchanged. A bad part of a datagram, or a bad entry of a push/pull, is skipped and counted while
//! its siblings apply. [`Stats`] has a counter for every reason to drop.
//!
//! Everything a peer can make grow has a bound, nearly all of them knobs of [`Config`]: members,
//! names, metadata, queues, relays, exchanges, nesting, decompressed bytes, events. At a bound the
//! node drops, counts and goes on. Work is bounded too: a merge of many thousands of members is
//! done in slices, a time-out each.
//!
//! No peer can make a node panic. A panic is a bug here, or a broken promise of the embedder that
//! the method's documentation names.
//!
//! # Determinism and the journal
//!
//! Time comes in through [`Node::handle`], randomness through [`Seed`]; nothing iterates in the
//! order of a hash. [`journal::Recorder`] writes down inputs, polls and verdicts, and
//! [`journal::replay`] runs them again and compares digests. Recorded traffic contains keys and
//! payloads: keep it private, or let the recorder hide them.
//!
//! The order in which outputs are fetched is free: it changes none of them. Only a full queue of
//! events is an exception, since a datagram that is fetched can end a broadcast, which is an event.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `std` | yes | dependencies may detect CPU features at run time |
//! | `encryption` | yes | AES-GCM in Rust; needs no `std` |
//! | `ring` | | AES-GCM by ring, faster; needs `std` and a target that ring has |
//! | `serde` | | `Serialize` and, where it makes sense, `Deserialize` on public data: ids, members, identities, events and outcomes, settings, stats; never keys |
//!
//! Without default features the crate is `no_std` with `alloc`.
//!
//! # Targets
//!
//! 64-bit and 32-bit targets with pointer-sized atomics, which `Arc` needs; the tests run on 64-bit
//! Linux. Counters are `u64`, in plain memory, so no 64-bit atomics are needed. There is no
//! `unsafe` in this crate. The oldest Rust is the `rust-version` of `Cargo.toml`, which is the one
//! that CI uses.
#![cfg_attr(not(any(test, feature = "std")), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::std_instead_of_core, clippy::alloc_instead_of_core, clippy::std_instead_of_alloc)
)]
extern crate alloc;

mod config;
pub mod coordinate;
pub mod envelope;
mod error;
mod event;
#[doc(hidden)]
pub mod fuzzing;
mod ids;
mod input;
pub mod journal;
pub mod keyring;
mod member;
mod policy;
mod rng;
pub mod serf;
mod stats;
mod swim;
pub mod testkit;
#[cfg(test)]
mod tests;
mod time;
pub mod wire;

pub use config::{Ablation, Config, ConfigBuilder, ConfigError, KnobError, KnobValue, Network};
pub use error::Rejected;
pub use event::{Cause, Event, Evidence, ExchangeError, Outcome, Via};
pub use ids::{
    Addr, AddrError, InboundId, Incarnation, Lane, META_BYTES_MAX, NAME_BYTES_MAX, NameError,
    NodeName, OpId, OutboundId, Peer, Token,
};
pub use input::{Command, Exchange, Input, KeyCommand, Seat, SendError, Transmit};
pub use member::{Identity, IdentityError, Member, State, Versions};
pub use policy::{Admission, Candidate, Policy, ValidNames};
pub use rng::Seed;
pub use stats::Stats;
pub use swim::{Node, Roster};
pub use time::Instant;

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
