//! A node's inputs on record, to be replayed bit for bit.
//!
//! A journal is a header (version, configuration, identity, seed, start) and then records: inputs
//! with the time since the last one, how often each poll was called, and what the policy decided.
//! Digests of all that the node gave out stand between them, so that a replay knows where it first
//! differs. The same bytes serve as a flight recorder, a regression test and a fuzzer's seed.
//!
//! A journal contains what the node has seen: keys, payloads and metadata among it, unless
//! [`Secrets::Hidden`] is asked for, which says what stays. Keep its file at mode 0600.
//!
//! ```
//! use swim_core::journal::{Recorder, Secrets, replay};
//! use swim_core::{Config, Identity, Input, Instant, Seed};
//!
//! let me = Identity::new("a", "10.0.0.1:7946".parse::<core::net::SocketAddr>()?)?;
//! let seed = Seed::from(7);
//! let mut node = Recorder::new(Config::lan().build()?, me, seed, Instant::ZERO, Secrets::Kept);
//! while let Some(at) = node.node().poll_timeout().filter(|at| *at < Instant::from_secs(60)) {
//!     node.handle(at, Input::Timeout)?;
//!     while node.poll_event().is_some() {}
//! }
//! let digest = node.digest();
//! assert_eq!(replay(&node.finish())?.digest(), digest);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod codec;
mod digest;
mod hide;
mod machine;
mod prf;
#[cfg(test)]
mod proptests;
mod recorder;
mod replayer;
mod serf;

pub use self::digest::Digest;
pub use self::machine::Recorded;
pub use self::recorder::{Recorder, Secrets};
pub use self::replayer::{JournalError, Replay, kind, replay, replay_serf};

/// The first bytes of a journal; the last is the version of the format.
const MAGIC: [u8; 8] = *b"swimjnl\x01";

/// Whose journal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A bare [`Node`](crate::Node).
    Bare,
    /// A [`Serf`](crate::serf::Serf) node.
    Serf,
}

impl core::fmt::Display for Kind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Bare => "a bare node",
            Self::Serf => "a Serf node",
        })
    }
}

/// Bits of the header's byte after [`MAGIC`].
const HIDDEN: u8 = 1;
const OF_SERF: u8 = 2;

/// Records between two digests.
const DIGEST_EVERY: u32 = 64;

/// What a record is, as its first byte after the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    Timeout = 0,
    Datagram = 1,
    Unsent = 2,
    Request = 3,
    Reply = 4,
    Command = 5,
    Polled = 6,
    Verdicts = 7,
    Digest = 8,
    Resume = 9,
}

impl Tag {
    const ALL: [Self; 10] = [
        Self::Timeout,
        Self::Datagram,
        Self::Unsent,
        Self::Request,
        Self::Reply,
        Self::Command,
        Self::Polled,
        Self::Verdicts,
        Self::Digest,
        Self::Resume,
    ];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}

/// One of the polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Poll {
    Transmit = 0,
    Exchange = 1,
    Event = 2,
}

impl Poll {
    fn of(byte: u8) -> Option<Self> {
        [Self::Transmit, Self::Exchange, Self::Event].get(usize::from(byte)).copied()
    }
}
