//! What the agent shall be: what the flags say, else what the files say, else Serf's defaults.

use std::net::SocketAddr;
use std::time::Duration;

use swim_tokio::agent::{AgentConfig, Handler, bind_to_interface, read_tags};
use swim_tokio::rpc::LogLevel;
use swim_tokio::swim_core::serf::Tags;
use swim_tokio::{DEFAULT_PORT, JoinAddr, parse_addr};

use super::discover;
use crate::flags::AgentFlags;

/// Files and flags, merged and understood.
pub(crate) struct Settings {
    /// As it was written.
    pub(crate) config: AgentConfig,
    pub(crate) bind: SocketAddr,
    /// Port 0 stands for the one that is bound.
    pub(crate) advertise: Option<SocketAddr>,
    pub(crate) rpc: SocketAddr,
    pub(crate) metrics: Option<SocketAddr>,
    /// Those of the tags file, if there is one.
    pub(crate) tags: Tags,
    pub(crate) handlers: Vec<Handler>,
    pub(crate) level: LogLevel,
}

impl Settings {
    /// Reads the files that the flags name; what is wrong is one line.
    pub(crate) fn read(flags: &AgentFlags) -> Result<Self, String> {
        let config = merged(flags)?;
        let mut bind = addr("bind", or(&config.bind, ANY), DEFAULT_PORT)?;
        if !config.interface.is_empty() {
            bind = bind_to_interface(&config.interface, bind).map_err(|e| e.to_string())?;
        }
        // Without a port: the one that is bound, where Serf takes 7946.
        let advertise = addr_if("advertise", &config.advertise, 0)?;
        let metrics = addr_if("metrics-addr", &config.metrics_addr, METRICS_PORT)?;
        let rpc = addr("rpc-addr", or(&config.rpc_addr, RPC_ADDR), RPC_PORT)?;
        for (what, seeds) in [("join", &config.start_join), ("retry-join", &config.retry_join)] {
            for seed in seeds {
                JoinAddr::from(seed.as_str()).check().map_err(|e| format!("{what}: {e}"))?;
            }
        }
        discover::check(&config)?;
        let handlers = config.event_handlers.iter().map(|text| text.parse::<Handler>());
        let handlers = handlers.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        let level = or(&config.log_level, "INFO");
        let level = level.parse().map_err(|_| {
            let level = level.to_uppercase();
            format!("Invalid log level: {level}. Valid log levels are: [TRACE DEBUG INFO WARN ERR]")
        })?;
        let tags = tags(&config)?;
        Ok(Self { config, bind, advertise, rpc, metrics, tags, handlers, level })
    }

    /// Says in the log what is too short and therefore not as somebody asked.
    pub(crate) fn warn_of_least(&self) {
        for (key, asked, least) in [
            ("broadcast_timeout", self.config.broadcast_timeout, BROADCAST_TIMEOUT_MIN),
            ("retry_interval", self.config.retry_interval, RETRY_INTERVAL_MIN),
        ] {
            if !asked.is_zero() && asked < least {
                tracing::warn!("{key} is {asked:?}, less than {least:?}, which is taken instead");
            }
        }
    }
}

/// Defaults, files in their order, flags.
fn merged(flags: &AgentFlags) -> Result<AgentConfig, String> {
    let mut config = AgentConfig::default();
    for path in &flags.config_file {
        config.merge(AgentConfig::read(path).map_err(|e| e.to_string())?);
    }
    config.merge(of_flags(flags)?);
    // Whatever a file says: the flag decides.
    config.enable_compression = !flags.disable_compression;
    Ok(config)
}

fn of_flags(flags: &AgentFlags) -> Result<AgentConfig, String> {
    let text = |flag: &Option<String>| flag.clone().unwrap_or_default();
    let mut config = AgentConfig::default();
    config.node_name = text(&flags.node);
    config.bind = text(&flags.bind);
    config.interface = text(&flags.iface);
    config.advertise = text(&flags.advertise);
    config.rpc_addr = text(&flags.rpc_addr);
    config.rpc_auth = text(&flags.rpc_auth);
    config.encrypt_key = text(&flags.encrypt);
    config.keyring_file = text(&flags.keyring_file);
    config.label = text(&flags.label);
    config.tags = flags.tag.iter().map(|tag| pair(tag)).collect::<Result<_, _>>()?;
    config.tags_file = text(&flags.tags_file);
    config.role = text(&flags.role);
    config.profile = text(&flags.profile);
    config.protocol = flags.protocol.unwrap_or_default();
    config.start_join.clone_from(&flags.join);
    config.retry_join.clone_from(&flags.retry_join);
    config.retry_interval = flags.retry_interval.unwrap_or_default();
    config.retry_max_attempts = flags.retry_max.unwrap_or_default();
    config.replay_on_join = flags.replay;
    config.snapshot_path = text(&flags.snapshot);
    config.journal_path = text(&flags.journal);
    config.rejoin_after_leave = flags.rejoin;
    config.event_handlers.clone_from(&flags.event_handler);
    config.discover = text(&flags.discover);
    config.mdns.interface = text(&flags.mdns_iface);
    config.mdns.disable_ipv4 = flags.mdns_disable_ipv4;
    config.mdns.disable_ipv6 = flags.mdns_disable_ipv6;
    config.log_level = text(&flags.log_level);
    config.enable_syslog = flags.syslog;
    config.broadcast_timeout = flags.broadcast_timeout.unwrap_or_default();
    config.metrics_addr = text(&flags.metrics_addr);
    Ok(config)
}

fn pair(tag: &str) -> Result<(String, String), String> {
    let pair = tag.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = pair.ok_or_else(|| format!("Invalid tag: '{tag}'"))?;
    Ok((key.to_owned(), value.to_owned()))
}

/// The tags of the file, or those of the configuration.
fn tags(config: &AgentConfig) -> Result<Tags, String> {
    let mut tags = config.tags.clone();
    if !config.role.is_empty() {
        tags.insert("role".into(), config.role.clone());
    }
    if !config.tags_file.is_empty() {
        if !tags.is_empty() {
            return Err("Tags config not allowed while using tag files".into());
        }
        let stored = read_tags(config.tags_file.as_ref()).map_err(|e| e.to_string())?;
        tags = stored.unwrap_or_default();
    }
    Tags::new(tags).map_err(|e| e.to_string())
}

fn addr(what: &str, text: &str, default_port: u16) -> Result<SocketAddr, String> {
    parse_addr(text, default_port).map_err(|e| format!("{what}: {e}"))
}

/// None if nothing is said.
fn addr_if(what: &str, text: &str, default_port: u16) -> Result<Option<SocketAddr>, String> {
    if text.is_empty() { Ok(None) } else { addr(what, text, default_port).map(Some) }
}

/// The text, unless it is empty.
fn or<'a>(text: &'a str, default: &'a str) -> &'a str {
    if text.is_empty() { default } else { text }
}

/// As with Serf.
pub(super) const BROADCAST_TIMEOUT_MIN: Duration = Duration::from_secs(1);
pub(super) const RETRY_INTERVAL_MIN: Duration = Duration::from_secs(1);

const ANY: &str = "0.0.0.0";
const RPC_ADDR: &str = "127.0.0.1";
const RPC_PORT: u16 = 7373;
/// Serf has none.
const METRICS_PORT: u16 = 9373;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::{Cli, Verb};

    fn read(line: &str) -> Result<Settings, String> {
        match Cli::read(line.split(' ').map(Into::into)).unwrap().verb {
            Verb::Agent(flags) => Settings::read(&flags),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_nobody_says_is_as_with_serf() {
        let settings = read("swim agent").unwrap();
        assert_eq!(settings.bind, ([0, 0, 0, 0], 7946).into());
        assert_eq!(settings.rpc, ([127, 0, 0, 1], 7373).into());
        assert_eq!((settings.level, settings.advertise), (LogLevel::Info, None));
        assert!(settings.config.enable_compression && settings.tags.is_empty());
    }

    #[test]
    fn flags_go_before_files_and_lists_grow() {
        let path = std::env::temp_dir().join(format!("swim-settings-{}.json", std::process::id()));
        let text = r#"{"node_name": "file", "log_level": "debug", "tags": {"a": "1", "b": "2"},
            "event_handlers": ["one.sh"], "role": "web", "enable_compression": false}"#;
        std::fs::write(&path, text).unwrap();
        let line = format!(
            "swim agent -config-dir={} -node flag -tag b=3 -event-handler user=two.sh",
            path.display()
        );
        let settings = read(&line);
        std::fs::remove_file(&path).unwrap();
        let settings = settings.unwrap();
        assert_eq!(settings.config.node_name, "flag");
        assert_eq!((settings.level, settings.handlers.len()), (LogLevel::Debug, 2));
        let tags: Vec<_> = settings.tags.iter().collect();
        assert_eq!(tags, [("a", "1"), ("b", "3"), ("role", "web")]);
        assert!(settings.config.enable_compression);
    }
}
