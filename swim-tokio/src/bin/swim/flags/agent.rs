//! Flags of `swim agent` and `swim keygen`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Runs a node until it is interrupted, which makes it leave.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct AgentFlags {
    /// Name of this node, unique in the cluster [default: the host's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Option<String>,

    /// Where to listen, UDP and TCP: IP, IP:PORT or :PORT; IPv6 in brackets
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:7946")]
    pub(crate) bind: String,

    /// Address that others are told [default: the one that is bound, or a private one of this host]
    #[arg(long, value_name = "ADDR")]
    pub(crate) advertise: Option<String>,

    /// Somebody to join at the start; may be repeated. Without a port: the port of this node
    #[arg(long, value_name = "ADDR")]
    pub(crate) join: Vec<String>,

    /// Delivers user events from before the join at the start
    #[arg(long)]
    pub(crate) replay: bool,

    /// Tag of this node; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) tag: Vec<String>,

    /// Key to encrypt with: base64 of 16, 24 or 32 bytes
    #[arg(long, value_name = "KEY")]
    pub(crate) encrypt: Option<String>,

    /// Where the keys are kept: read if the file exists, else made from --encrypt
    #[arg(long, value_name = "FILE")]
    pub(crate) keyring_file: Option<PathBuf>,

    /// Label of the cluster, which separates it from others on the same network
    #[arg(long, value_name = "LABEL", default_value = "")]
    pub(crate) label: String,

    /// Timing for a local network, the internet or one machine
    #[arg(long, value_enum, default_value = "lan")]
    pub(crate) profile: Profile,

    /// Sends what it sends without compressing it
    #[arg(long)]
    pub(crate) disable_compression: bool,

    /// trace, debug, info, warn or err
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub(crate) log_level: String,

    /// Form in which events are printed on standard output
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) events: Format,
}

/// Prints a new key for --encrypt.
#[derive(Args, Debug)]
pub(crate) struct KeygenFlags {
    /// Bytes of the key: 16, 24 or 32
    #[arg(long, value_name = "N", default_value = "32")]
    pub(crate) bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    Lan,
    Wan,
    Local,
}

impl Profile {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Wan => "wan",
            Self::Local => "local",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}
