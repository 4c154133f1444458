//! A member as Serf sees it.

use core::fmt;

use crate::ids::Addr;
use crate::member::{self, Versions};
use crate::serf::Tags;

/// A member at one moment. Cloning copies a pointer.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Member {
    pub(super) swim: member::Member,
    pub(super) status: Status,
}

impl Member {
    /// The name: the key of a member in its cluster.
    pub fn name(&self) -> &str {
        self.swim.name()
    }

    /// Where it takes datagrams and streams.
    pub fn addr(&self) -> Addr {
        self.swim.addr()
    }

    /// Its status.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Its tags.
    pub fn tags(&self) -> Tags {
        Tags::decode(self.swim.meta())
    }

    /// The versions of memberlist's protocol and of Serf's that it understands and speaks.
    pub fn versions(&self) -> Versions {
        self.swim.versions()
    }

    /// The member as SWIM sees it.
    pub const fn swim(&self) -> &member::Member {
        &self.swim
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} {}", self.name(), self.addr(), self.status)
    }
}

/// What became of a member (serf spec 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_enums, reason = "the wire format knows these four")]
#[repr(u8)]
pub enum Status {
    /// It is there.
    Alive = 1,
    /// It is there, and it was said that it leaves.
    Leaving = 2,
    /// It is gone, as was said.
    Left = 3,
    /// It is gone, and nobody said so.
    Failed = 4,
}

impl Status {
    pub(super) const fn new(live: bool, leaves: bool) -> Self {
        match (live, leaves) {
            (true, false) => Self::Alive,
            (true, true) => Self::Leaving,
            (false, true) => Self::Left,
            (false, false) => Self::Failed,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Alive => "alive",
            Self::Leaving => "leaving",
            Self::Left => "left",
            Self::Failed => "failed",
        })
    }
}
