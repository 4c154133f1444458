//! Flags of `swim agent` and `swim keygen`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use swim_tokio::agent::parse_duration;

/// Runs a node until it is interrupted, which makes it leave.
///
/// What no flag says is as the configuration files have it, else as stated here.
#[derive(Args, Debug)]
#[command(args_override_self = true, after_help = HANDLERS)]
pub(crate) struct AgentFlags {
    /// Configuration: a file, or a directory whose `*.json` are read in the order of their names;
    /// may be repeated, and later ones add to earlier ones
    #[arg(long, visible_alias = "config-dir", value_name = "PATH")]
    pub(crate) config_file: Vec<PathBuf>,

    /// Name of this node, unique in the cluster [default: the host's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Option<String>,

    /// Where to listen, UDP and TCP: IP, IP:PORT or :PORT; IPv6 in brackets [default:
    /// 0.0.0.0:7946]
    #[arg(long, value_name = "ADDR")]
    pub(crate) bind: Option<String>,

    /// Interface whose address to listen on; also the one for --discover
    #[arg(long, value_name = "NAME")]
    pub(crate) iface: Option<String>,

    /// Address that others are told [default: the one that is bound, or a private one of this host]
    #[arg(long, value_name = "ADDR")]
    pub(crate) advertise: Option<String>,

    /// Where to listen for commands such as `swim members` [default: 127.0.0.1:7373]
    #[arg(long, value_name = "ADDR")]
    pub(crate) rpc_addr: Option<String>,

    /// Token that commands must show [default: none]
    #[arg(long, value_name = "TOKEN", env = "SWIM_RPC_AUTH", hide_env_values = true)]
    pub(crate) rpc_auth: Option<String>,

    /// Somebody to join at the start, or end; may be repeated. Without a port: that of this node
    #[arg(long, value_name = "ADDR")]
    pub(crate) join: Vec<String>,

    /// Somebody to join, however long it takes; may be repeated
    #[arg(long, value_name = "ADDR")]
    pub(crate) retry_join: Vec<String>,

    /// Time between two attempts of --retry-join, at least 1s [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) retry_interval: Option<Duration>,

    /// Attempts of --retry-join after which to give up and end; 0 is never [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) retry_max: Option<u32>,

    /// Name of a cluster to find on the local network by multicast, and to be found in
    #[arg(long, value_name = "CLUSTER")]
    pub(crate) discover: Option<String>,

    /// Interface for --discover, if it is another than --iface
    #[arg(long, value_name = "NAME")]
    pub(crate) mdns_iface: Option<String>,

    /// Does not use IPv4 for --discover
    #[arg(long)]
    pub(crate) mdns_disable_ipv4: bool,

    /// Does not use IPv6 for --discover
    #[arg(long)]
    pub(crate) mdns_disable_ipv6: bool,

    /// Delivers user events from before the join, too
    #[arg(long)]
    pub(crate) replay: bool,

    /// Where members and clocks are kept, to join again and to see no event twice after a restart
    #[arg(long, value_name = "FILE")]
    pub(crate) snapshot: Option<String>,

    /// Joins those in the snapshot even after a leave
    #[arg(long)]
    pub(crate) rejoin: bool,

    /// Where all that the node is given is kept, keys among it, so that `swim-sim replay FILE` can
    /// run it again bit for bit; up to 1 GiB
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<String>,

    /// Tag of this node; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) tag: Vec<String>,

    /// Where tags that `swim tags` changes are kept; not together with --tag
    #[arg(long, value_name = "FILE")]
    pub(crate) tags_file: Option<String>,

    /// The tag `role`, for scripts of old; in favour of --tag role=ROLE
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,

    /// What to run on events, [FILTERS=]SCRIPT, see below; may be repeated
    #[arg(long, value_name = "HANDLER")]
    pub(crate) event_handler: Vec<String>,

    /// Key to encrypt with: base64 of 16, 24 or 32 bytes
    #[arg(long, value_name = "KEY")]
    pub(crate) encrypt: Option<String>,

    /// Where the keys are kept: read if the file exists, else made from --encrypt
    #[arg(long, value_name = "FILE")]
    pub(crate) keyring_file: Option<String>,

    /// Label of the cluster, which separates it from others on the same network
    #[arg(long, value_name = "LABEL")]
    pub(crate) label: Option<String>,

    /// Timing for a local network, the internet or one machine: lan, wan or local [default: lan]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,

    /// Version of Serf's protocol to speak, 2 to 5 [default: 5]
    #[arg(long, value_name = "N")]
    pub(crate) protocol: Option<u8>,

    /// How long a leave, a forced leave or a change of tags may take to be told [default: 5s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) broadcast_timeout: Option<Duration>,

    /// Sends what it sends without compressing it
    #[arg(long)]
    pub(crate) disable_compression: bool,

    /// trace, debug, info, warn or err [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,

    /// Form of the log on standard error
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) log_format: Format,

    /// Logs to syslog, too
    #[arg(long)]
    pub(crate) syslog: bool,

    /// Where to serve metrics to Prometheus, at /metrics [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics_addr: Option<String>,

    /// Form in which events are printed on standard output
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) events: Format,
}

/// What `--event-handler` takes, and what a script is told (serf spec 9.2).
const HANDLERS: &str = "\
Event handlers: [FILTERS=]SCRIPT
  FILTERS is a list with commas of: member-join, member-leave, member-failed, member-update,
  member-reap, user, user:NAME, query, query:NAME, or * for all, as without filters. SCRIPT is run
  by the shell, one at a time.
    --event-handler ./all.sh
    --event-handler member-join,member-leave=./members.sh
    --event-handler user:deploy=./deploy.sh
    --event-handler query:load=uptime
  Its environment:
    SERF_EVENT                         member-join and so on, user or query
    SERF_SELF_NAME, SERF_SELF_ROLE     name and tag `role` of this node
    SERF_TAG_KEY                       each tag of this node, its key in upper case
    SERF_USER_EVENT, SERF_USER_LTIME   name and Lamport time of a user event
    SERF_QUERY_NAME, SERF_QUERY_LTIME  name and Lamport time of a query
  Its standard input: for each member a line NAME, ADDRESS, ROLE and KEY=VALUE,KEY=VALUE with tabs
  between them; of user events and queries the payload. What it prints, up to 8 KiB, answers a query
  if it ends with 0.";

/// Prints a new key for --encrypt.
#[derive(Args, Debug)]
pub(crate) struct KeygenFlags {
    /// Bytes of the key: 16, 24 or 32
    #[arg(long, value_name = "N", default_value = "32")]
    pub(crate) bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}
