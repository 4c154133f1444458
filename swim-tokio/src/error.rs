//! Why something did not work.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use swim_core::{ExchangeError, IdentityError, Rejected, serf};

use crate::keyring_file::KeyringFileError;

/// Why an agent did not start. Nothing is left running.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The sockets cannot be had: the port is in use, or the address is not this host's.
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The node is bound to every address, and no interface has one that others can reach.
    NoAddress {
        /// The address that it is bound to.
        bind: SocketAddr,
    },
    /// Name, address, metadata or versions are not allowed.
    Identity(IdentityError),
    /// No name was given and the host has none that can be used.
    NoName,
    /// The keyring file cannot be used.
    Keyring(KeyringFileError),
    /// The snapshot cannot be read or written.
    Snapshot {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file of the journal cannot be made.
    Journal {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The configuration does not accept the keys of the keyring file.
    Config(swim_core::ConfigError),
    /// The system gives no random bytes.
    Random(io::Error),
    /// No seed could be joined.
    Join(JoinError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind { addr, error } => write!(f, "cannot listen on {addr}: {error}"),
            Self::NoAddress { bind } => {
                write!(f, "bound to {bind}, and no interface has an address to advertise: give one")
            }
            Self::Identity(e) => e.fmt(f),
            Self::NoName => f.write_str("this host has no name that can be used: give one"),
            Self::Keyring(e) => e.fmt(f),
            Self::Snapshot { path, error } => write!(f, "snapshot {}: {error}", path.display()),
            Self::Journal { path, error } => write!(f, "journal {}: {error}", path.display()),
            Self::Config(e) => e.fmt(f),
            Self::Random(e) => write!(f, "no random bytes: {e}"),
            Self::Join(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// The agent has stopped.
    Stopped,
    /// Too many commands are under way; the bound.
    Busy(usize),
    /// The node refused the command; nothing has changed.
    Rejected(Rejected),
    /// The Serf node refused the command; nothing has changed.
    Serf(serf::Rejected),
    /// The command took effect, but was not told to the cluster in time.
    TimedOut,
    /// The stream exchange failed.
    Exchange(ExchangeError),
    /// The pinged node did not answer in time.
    NoAnswer,
    /// The change took effect, but could not be stored.
    NotSaved,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("the agent has stopped"),
            Self::Busy(max) => write!(f, "more than {max} commands under way"),
            Self::Rejected(e) => e.fmt(f),
            Self::Serf(e) => e.fmt(f),
            Self::TimedOut => f.write_str("timed out while telling the cluster"),
            Self::Exchange(e) => e.fmt(f),
            Self::NoAnswer => f.write_str("no answer in time"),
            Self::NotSaved => f.write_str("the keyring could not be stored"),
        }
    }
}

impl std::error::Error for CommandError {}

impl From<Rejected> for CommandError {
    fn from(e: Rejected) -> Self {
        Self::Rejected(e)
    }
}

impl From<serf::Rejected> for CommandError {
    fn from(e: serf::Rejected) -> Self {
        Self::Serf(e)
    }
}

/// A seed that was not reached, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeedFailure {
    /// The seed as it was given, or the address that it stands for.
    pub seed: String,
    /// What went wrong, for people.
    pub why: String,
}

impl fmt::Display for SeedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.seed, self.why)
    }
}

/// Why a join reached nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinError {
    /// The command itself failed.
    Command(CommandError),
    /// There was none to join.
    NoSeeds,
    /// Every seed failed.
    Failed(Vec<SeedFailure>),
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(e) => write!(f, "cannot join: {e}"),
            Self::NoSeeds => f.write_str("cannot join: no seed is given"),
            Self::Failed(failures) => {
                f.write_str("cannot join")?;
                for (n, failure) in failures.iter().enumerate() {
                    write!(f, "{} {failure}", if n == 0 { "" } else { ";" })?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for JoinError {}
