//! Reading files and directories.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use super::AgentConfig;

impl AgentConfig {
    /// What is in a file, or in the files of a directory whose names end with `.json`, merged in
    /// the order of their names.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError`] names the file.
    pub fn read(path: &Path) -> Result<Self, ConfigFileError> {
        let mut config = Self::default();
        for file in files(path)? {
            let text = fs::read_to_string(&file)
                .map_err(|e| ConfigFileError { path: file.clone(), why: e.to_string() })?;
            let part = Self::parse(&text).map_err(|why| ConfigFileError { path: file, why })?;
            config.merge(part);
        }
        Ok(config)
    }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, ConfigFileError> {
    let fail = |e: io::Error| ConfigFileError { path: path.into(), why: e.to_string() };
    if !fs::metadata(path).map_err(fail)?.is_dir() {
        return Ok(vec![path.into()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(fail)? {
        let file = entry.map_err(fail)?.path();
        let is_json = file.extension().is_some_and(|extension| extension == "json");
        if is_json && !file.is_dir() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// A configuration file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFileError {
    path: PathBuf,
    why: String,
}

impl fmt::Display for ConfigFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "configuration file {}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for ConfigFileError {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::agent::config::fields::KEYS;

    #[test]
    fn every_key_is_known_to_the_parser() {
        for key in KEYS {
            let value = match *key {
                "tags" | "mdns" => "{}",
                "start_join" | "retry_join" | "event_handlers" => "[]",
                "protocol" | "retry_max_attempts" => "1",
                key if key.ends_with("_limit") => "1",
                key if key.ends_with("_timeout") || key.ends_with("_interval") => "\"1s\"",
                key if key.starts_with("disable_") || key.starts_with("enable_") => "true",
                "replay_on_join"
                | "rejoin_after_leave"
                | "leave_on_terminate"
                | "skip_leave_on_interrupt"
                | "validate_node_names" => "true",
                _ => "\"x\"",
            };
            let text = format!("{{\"{key}\": {value}}}");
            let config = AgentConfig::parse(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
            let mut merged = AgentConfig::default();
            merged.merge(config.clone());
            assert_eq!(merged, config, "{key}");
            let says_something = !matches!(value, "{}" | "[]");
            assert_eq!(config != AgentConfig::default(), says_something, "{key}");
        }
    }

    #[test]
    fn every_key_stands_in_the_guide() {
        let guide = include_str!("../../../docs/coming-from-serf.md");
        for key in KEYS {
            assert!(guide.contains(&format!("`{key}`")), "{key}");
        }
    }

    #[test]
    fn the_files_of_a_directory_are_merged_in_order() {
        let dir = std::env::temp_dir().join(format!("swim-config-{}", std::process::id()));
        fs::create_dir_all(dir.join("c.json")).unwrap();
        let write = |name: &str, text: &str| fs::write(dir.join(name), text).unwrap();
        write("b.json", r#"{"node_name": "b", "tags": {"x": "2"}, "start_join": ["two"]}"#);
        write(
            "a.json",
            r#"{"node_name": "a", "bind": "here", "tags": {"x": "1", "y": "1"},
                "start_join": ["one"], "leave_on_terminate": true, "reconnect_timeout": "1h"}"#,
        );
        write("c.txt", "not read");
        let config = AgentConfig::read(&dir).unwrap();
        fs::write(dir.join("d.json"), "{").unwrap();
        let error = AgentConfig::read(&dir).unwrap_err().to_string();
        fs::remove_dir_all(&dir).unwrap();
        assert_eq!((&*config.node_name, &*config.bind), ("b", "here"));
        assert_eq!((&*config.tags["x"], &*config.tags["y"]), ("2", "1"));
        assert_eq!(config.start_join, ["one", "two"]);
        assert!(config.leave_on_terminate);
        assert_eq!(config.reconnect_timeout, Duration::from_secs(3600));
        assert!(error.contains("d.json: EOF while parsing an object at line 1"), "{error}");
        assert!(AgentConfig::read(&dir).unwrap_err().to_string().contains("No such file"));
    }
}
