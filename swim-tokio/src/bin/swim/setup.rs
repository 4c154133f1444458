//! From flags to an agent.

use swim_tokio::serf::{SerfAgent, SerfBuilder};
use swim_tokio::swim_core::keyring::Keyring;
use swim_tokio::swim_core::serf::{SerfConfig, Tags};
use swim_tokio::swim_core::{Config, ConfigBuilder};
use swim_tokio::{DEFAULT_PORT, JoinAddr, parse_addr, parse_key, read_keyring};

use crate::flags::{AgentFlags, Profile};

/// The agent that the flags describe.
pub(crate) fn builder(flags: &AgentFlags) -> Result<SerfBuilder, String> {
    let bind = parse_addr(&flags.bind, DEFAULT_PORT).map_err(|e| format!("--bind: {e}"))?;
    let swim = config(flags)?.build().map_err(|e| e.to_string())?;
    let config = SerfConfig::builder(swim).protocol(PROTOCOL).build();
    let config = config.map_err(|e| e.to_string())?;
    let mut builder =
        SerfAgent::builder(config).bind(bind).tags(tags(&flags.tag)?).replay(flags.replay);
    if let Some(name) = &flags.node {
        builder = builder.name(name);
    }
    if let Some(addr) = &flags.advertise {
        // Port 0 stands for the port that is bound.
        builder = builder.advertise(parse_addr(addr, 0).map_err(|e| format!("--advertise: {e}"))?);
    }
    for seed in &flags.join {
        let seed = JoinAddr::from(seed.as_str());
        seed.check().map_err(|e| format!("--join: {e}"))?;
        builder = builder.join([seed]);
    }
    if let Some(path) = &flags.keyring_file {
        builder = builder.keyring_file(path);
    }
    Ok(builder)
}

fn config(flags: &AgentFlags) -> Result<ConfigBuilder, String> {
    let mut config = match flags.profile {
        Profile::Lan => Config::lan(),
        Profile::Wan => Config::wan(),
        Profile::Local => Config::local(),
    };
    config = config.label(flags.label.as_bytes()).compression(!flags.disable_compression);
    if let Some(key) = &flags.encrypt {
        let key = parse_key(key).map_err(|e| format!("--encrypt: {e}"))?;
        if let Some(path) = &flags.keyring_file
            && let Some(ring) = read_keyring(path).map_err(|e| e.to_string())?
            && ring.primary() != Some(&key)
        {
            return Err(format!(
                "--encrypt is not the primary key of {}: leave one of them out",
                path.display()
            ));
        }
        config = config.keyring(Keyring::new(key));
    }
    Ok(config)
}

fn tags(flags: &[String]) -> Result<Tags, String> {
    let pair = |tag: &String| {
        let pair = tag.split_once('=').filter(|(key, _)| !key.is_empty());
        let (key, value) = pair.ok_or_else(|| format!("--tag: {tag:?} is not KEY=VALUE"))?;
        Ok((key.to_owned(), value.to_owned()))
    };
    let pairs: Result<Vec<_>, String> = flags.iter().map(pair).collect();
    Tags::new(pairs?).map_err(|e| format!("--tag: {e}"))
}

/// The version of Serf's protocol that an agent speaks.
const PROTOCOL: u32 = 5;
