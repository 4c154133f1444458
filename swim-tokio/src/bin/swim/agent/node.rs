//! From settings to a node.

use std::path::Path;
use std::sync::Arc;

use swim_tokio::agent::{AgentConfig, host_name};
use swim_tokio::serf::{SerfAgent, SerfBuilder};
use swim_tokio::swim_core::keyring::{Key, Keyring};
use swim_tokio::swim_core::serf::SerfConfig;
use swim_tokio::swim_core::{Config, ConfigBuilder, ConfigError, NodeName, ValidNames};
use swim_tokio::{parse_key, read_keyring};

use super::settings::{BROADCAST_TIMEOUT_MIN, Settings};

/// The node that the settings describe. Whom to join is not for it to know.
pub(crate) fn builder(settings: &Settings) -> Result<SerfBuilder, String> {
    let config = &settings.config;
    let mut builder =
        SerfAgent::builder(serf(config)?).bind(settings.bind).tags(settings.tags.clone());
    if let Some(name) = name(config)? {
        builder = builder.name(name);
    }
    if let Some(addr) = settings.advertise {
        builder = builder.advertise(addr);
    }
    if !config.snapshot_path.is_empty() {
        builder = builder.snapshot(&config.snapshot_path);
        builder = builder.rejoin_after_leave(config.rejoin_after_leave);
    }
    if !config.journal_path.is_empty() {
        builder = builder.journal(&config.journal_path);
    }
    if !config.keyring_file.is_empty() {
        builder = builder.keyring_file(&config.keyring_file);
    }
    Ok(builder)
}

/// The name of the node, if it is known before it starts.
fn name(config: &AgentConfig) -> Result<Option<String>, String> {
    let name = match &*config.node_name {
        "" => host_name(),
        name => Some(name.into()),
    };
    if config.validate_node_names
        && let Some(name) = name.as_deref().filter(|name| !NodeName::is_valid_for_serf(name))
    {
        return Err(format!(
            "node name: {name:?} is no valid name: 1 to 128 letters, digits, dashes and dots"
        ));
    }
    Ok(name)
}

fn serf(config: &AgentConfig) -> Result<Arc<SerfConfig>, String> {
    let swim = swim(config)?.build().map_err(|e| e.to_string())?;
    let mut serf = SerfConfig::builder(swim)
        .protocol(protocol(config.protocol)?)
        .name_conflict_resolution(!config.disable_name_resolution)
        .coordinates(!config.disable_coordinates);
    if !config.broadcast_timeout.is_zero() {
        serf = serf.broadcast_timeout(config.broadcast_timeout.max(BROADCAST_TIMEOUT_MIN));
    }
    if config.query_size_limit > 0 {
        serf = serf.query_bytes_max(config.query_size_limit);
    }
    if config.query_response_size_limit > 0 {
        serf = serf.response_bytes_max(config.query_response_size_limit);
    }
    if config.user_event_size_limit > 0 {
        serf = serf.user_event_bytes_max(config.user_event_size_limit);
    }
    serf.build().map_err(complaint)
}

/// A knob has the name of the key, or flag, that turns it.
fn complaint(mut error: ConfigError) -> String {
    if let ConfigError::OutOfRange { knob, .. } = &mut error {
        *knob = match *knob {
            "user_event_bytes_max" => "user_event_size_limit",
            "query_bytes_max" => "query_size_limit",
            "response_bytes_max" => "query_response_size_limit",
            same => same,
        };
    }
    error.to_string()
}

fn protocol(version: u8) -> Result<u32, String> {
    let wrong = |how| {
        Err(format!("Protocol version '{version}' too {how}. Must be in range: [2, {PROTOCOL}]"))
    };
    match version {
        0 => Ok(PROTOCOL),
        1 => wrong("low"),
        2..=5 => Ok(version.into()),
        6.. => wrong("high"),
    }
}

fn swim(config: &AgentConfig) -> Result<ConfigBuilder, String> {
    let mut swim = match &*config.profile {
        "" | "lan" => Config::lan(),
        "wan" => Config::wan(),
        "local" => Config::local(),
        other => {
            return Err(format!("Unknown profile: {other}. Valid profiles are: [lan wan local]"));
        }
    };
    swim = swim.label(config.label.as_bytes()).compression(config.enable_compression);
    // What `swim why` tells.
    swim = swim.evidence_events(true);
    if config.validate_node_names {
        swim = swim.policy(Arc::new(ValidNames::new(None)));
    }
    if !config.reconnect_interval.is_zero() {
        swim = swim.reconnect_interval(config.reconnect_interval);
    }
    if !config.reconnect_timeout.is_zero() {
        swim = swim.reconnect_timeout(config.reconnect_timeout);
    }
    if !config.tombstone_timeout.is_zero() {
        swim = swim.tombstone_timeout(config.tombstone_timeout);
    }
    if !config.encrypt_key.is_empty() {
        swim = swim.keyring(Keyring::new(key(config)?));
    }
    Ok(swim)
}

/// The key of the configuration, which a keyring file that exists must agree with.
fn key(config: &AgentConfig) -> Result<Key, String> {
    let key = parse_key(&config.encrypt_key).map_err(|e| format!("encrypt: {e}"))?;
    if !config.keyring_file.is_empty() {
        let path = Path::new(&config.keyring_file);
        let stored = read_keyring(path).map_err(|e| e.to_string())?;
        if stored.is_some_and(|ring| ring.primary() != Some(&key)) {
            return Err(format!(
                "encrypt is not the primary key of {}: leave one of them out",
                path.display()
            ));
        }
    }
    Ok(key)
}

/// The version of Serf's protocol that an agent speaks unless it is told otherwise.
const PROTOCOL: u32 = 5;
