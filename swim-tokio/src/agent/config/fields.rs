//! What a configuration file can say.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::agent::parse_duration;

/// The keys of a configuration file, all optional: empty text, zero and `false` say nothing.
///
/// Names, meaning and form are Serf's, so that its files can be used; two more are our own. Files
/// are merged by [`merge`](Self::merge), then come the flags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AgentConfig {
    /// Name of this node.
    pub node_name: String,
    /// Where to listen.
    pub bind: String,
    /// Interface whose address to listen on.
    pub interface: String,
    /// Address that others are told.
    pub advertise: String,
    /// Where to listen for commands.
    pub rpc_addr: String,
    /// Token that clients must show.
    pub rpc_auth: String,
    /// Key in base64.
    pub encrypt_key: String,
    /// Where keys are kept.
    pub keyring_file: String,
    /// Label of the cluster. Serf has none.
    pub label: String,
    /// Tags of this node.
    pub tags: BTreeMap<String, String>,
    /// Where tags are kept.
    pub tags_file: String,
    /// The tag `role`, in an older form.
    pub role: String,
    /// Timing: `lan`, `wan` or `local`.
    pub profile: String,
    /// Version of Serf's protocol.
    #[serde(deserialize_with = "number")]
    pub protocol: u8,
    /// Whom to join once at the start.
    pub start_join: Vec<String>,
    /// Whom to join until it works.
    pub retry_join: Vec<String>,
    /// How long to wait between attempts.
    #[serde(deserialize_with = "duration")]
    pub retry_interval: Duration,
    /// After how many attempts to give up; zero for never.
    #[serde(deserialize_with = "number")]
    pub retry_max_attempts: u32,
    /// Whether joining delivers user events of the past.
    pub replay_on_join: bool,
    /// Where members and clocks are kept.
    pub snapshot_path: String,
    /// Whether to join again after leaving.
    pub rejoin_after_leave: bool,
    /// What to run on events: `[FILTERS=]SCRIPT`.
    pub event_handlers: Vec<String>,
    /// Name of the cluster to find by multicast.
    pub discover: String,
    /// How to find it.
    pub mdns: MdnsConfig,
    /// From which level upwards to log.
    pub log_level: String,
    /// Whether to log to syslog, too.
    pub enable_syslog: bool,
    /// As what to log there.
    pub syslog_facility: String,
    /// How long a broadcast may take.
    #[serde(deserialize_with = "duration")]
    pub broadcast_timeout: Duration,
    /// Whether to compress; the flag decides.
    pub enable_compression: bool,
    /// Whether SIGTERM means to leave.
    pub leave_on_terminate: bool,
    /// Whether SIGINT means to end without leaving.
    pub skip_leave_on_interrupt: bool,
    /// How long to wait between attempts to reach failed members.
    #[serde(deserialize_with = "duration")]
    pub reconnect_interval: Duration,
    /// How long failed members are kept.
    #[serde(deserialize_with = "duration")]
    pub reconnect_timeout: Duration,
    /// How long members that left are kept.
    #[serde(deserialize_with = "duration")]
    pub tombstone_timeout: Duration,
    /// Whether to leave it to others to settle that two nodes have one name.
    pub disable_name_resolution: bool,
    /// Whether to keep no coordinates.
    pub disable_coordinates: bool,
    /// Whether names have only letters, digits, dashes and dots.
    pub validate_node_names: bool,
    /// Largest query, in bytes.
    #[serde(deserialize_with = "number")]
    pub query_size_limit: u32,
    /// Largest answer to a query, in bytes.
    #[serde(deserialize_with = "number")]
    pub query_response_size_limit: u32,
    /// Largest user event, in bytes.
    #[serde(deserialize_with = "number")]
    pub user_event_size_limit: u32,
    /// Where the journal is kept. Serf has none.
    pub journal_path: String,
    /// Where metrics are served to Prometheus. Serf does not.
    pub metrics_addr: String,
    /// Where metrics go, by TCP.
    pub statsite_addr: String,
    /// Where metrics go, by UDP.
    pub statsd_addr: String,
}

/// How to find a cluster by multicast.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MdnsConfig {
    /// Interface to ask on.
    pub interface: String,
    /// Whether not to ask by IPv4.
    pub disable_ipv4: bool,
    /// Whether not to ask by IPv6.
    pub disable_ipv6: bool,
}

/// All keys of a file, in order.
pub(super) const KEYS: &[&str] = &[
    "advertise",
    "bind",
    "broadcast_timeout",
    "disable_coordinates",
    "disable_name_resolution",
    "discover",
    "enable_compression",
    "enable_syslog",
    "encrypt_key",
    "event_handlers",
    "interface",
    "journal_path",
    "keyring_file",
    "label",
    "leave_on_terminate",
    "log_level",
    "mdns",
    "metrics_addr",
    "node_name",
    "profile",
    "protocol",
    "query_response_size_limit",
    "query_size_limit",
    "reconnect_interval",
    "reconnect_timeout",
    "rejoin_after_leave",
    "replay_on_join",
    "retry_interval",
    "retry_join",
    "retry_max_attempts",
    "role",
    "rpc_addr",
    "rpc_auth",
    "skip_leave_on_interrupt",
    "snapshot_path",
    "start_join",
    "statsd_addr",
    "statsite_addr",
    "syslog_facility",
    "tags",
    "tags_file",
    "tombstone_timeout",
    "user_event_size_limit",
    "validate_node_names",
];

/// All keys of [`MdnsConfig`].
pub(super) const MDNS_KEYS: &[&str] = &["disable_ipv4", "disable_ipv6", "interface"];

fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    parse_duration(&text).map_err(serde::de::Error::custom)
}

fn number<'de, T: Number, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let number = serde_json::Number::deserialize(from)?;
    let whole = number.as_u64().and_then(|number| T::try_from(number).ok());
    whole.ok_or_else(|| {
        let max = T::MAX;
        serde::de::Error::custom(format!("{number} is no whole number from 0 to {max}"))
    })
}

/// The unsigned numbers of a configuration.
trait Number: TryFrom<u64> + fmt::Display {
    const MAX: Self;
}

impl Number for u8 {
    const MAX: Self = Self::MAX;
}

impl Number for u32 {
    const MAX: Self = Self::MAX;
}
