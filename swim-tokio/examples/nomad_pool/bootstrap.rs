//! When a region is complete for the first time.

use std::fmt;

use crate::peer::Peer;

/// What a server makes of the servers of its region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Too few so far.
    Waits { voters: usize, expect: u32 },
    /// A server was configured otherwise, so that nobody may decide.
    Conflict(String),
    /// These are to be the first peers of Raft.
    Complete(Vec<String>),
}

impl Verdict {
    /// Judges for a server that expects so many, itself among `peers`.
    pub(crate) fn of<'a>(expect: u32, peers: impl IntoIterator<Item = &'a Peer>) -> Self {
        let mut voters = Vec::new();
        for peer in peers {
            if peer.expect != 0 && peer.expect != expect {
                let other = peer.expect;
                return Self::Conflict(format!("{} expects {other}, not {expect}", peer.name));
            }
            if peer.bootstraps {
                return Self::Conflict(format!("{} starts a region alone", peer.name));
            }
            if peer.votes {
                voters.push(peer.name.clone());
            }
        }
        match u32::try_from(voters.len()) {
            Ok(count) if count < expect => Self::Waits { voters: voters.len(), expect },
            _ => Self::Complete(voters),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waits { voters, expect } => write!(f, "{voters} of {expect} servers"),
            Self::Conflict(why) => write!(f, "conflict: {why}"),
            Self::Complete(peers) => write!(f, "complete: {}", peers.join(", ")),
        }
    }
}
