//! Why a command to an agent failed.

use std::time::Duration;
use std::{fmt, io};

use crate::rpc::wire::{BadMessage, KeyReport};

/// Why a command to an agent failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// There is no agent at this address, or none that can be reached.
    Connect {
        /// The address.
        addr: String,
        /// What the system says.
        error: io::Error,
    },
    /// The connection is closed: the agent has ended, or did not like what it was asked.
    Closed,
    /// The agent did not answer for so long. The command may have had its effect.
    Timeout(Duration),
    /// The agent refuses, in its own words.
    Refused(String),
    /// Not all nodes did what a command about keys asked of them.
    Keys {
        /// The sum of it, in the agent's words.
        text: String,
        /// What every node said.
        report: Box<KeyReport>,
    },
    /// The agent said what cannot be understood. The connection is closed.
    Bad(BadMessage),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { addr, error } => write!(f, "cannot connect to {addr}: {error}"),
            Self::Closed => f.write_str("the agent has closed the connection"),
            Self::Timeout(after) => write!(f, "no answer within {after:?}"),
            Self::Refused(text) | Self::Keys { text, .. } => f.write_str(text),
            Self::Bad(e) => write!(f, "the agent answers with {e}"),
        }
    }
}

impl std::error::Error for ClientError {}
