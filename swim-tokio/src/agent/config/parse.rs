//! From the text of a file to what it says.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::fields::{KEYS, MDNS_KEYS};
use super::{AgentConfig, MdnsConfig};

impl AgentConfig {
    /// What is in the JSON object `text`. Letters of keys may be small or capital, and what is
    /// `null` says nothing, as with Serf; other than Serf it takes nothing after the object, and no
    /// fractions or negative numbers.
    ///
    /// # Errors
    ///
    /// What is wrong with it: the key with its path, the value, and the line. A key that means
    /// nothing is wrong wherever it stands.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut from = serde_json::Deserializer::from_str(text);
        let object = FILE.deserialize(&mut from).and_then(|object| from.end().map(|()| object));
        let object = object.map_err(|e| e.to_string())?;
        serde_json::from_value(Value::Object(object)).map_err(|e| e.to_string())
    }
}

/// How to read an object. Every value is tried as soon as it is read, since then the parser still
/// knows the line.
#[derive(Clone, Copy)]
struct Object {
    /// What stands before its keys.
    path: &'static str,
    keys: &'static [&'static str],
    check: fn(Map<String, Value>) -> Result<(), serde_path_to_error::Error<serde_json::Error>>,
}

const FILE: Object = Object { path: "", keys: KEYS, check: check::<AgentConfig> };
const MDNS: Object = Object { path: "mdns.", keys: MDNS_KEYS, check: check::<MdnsConfig> };

/// Whether this may be part of a `T`.
fn check<T: DeserializeOwned>(
    part: Map<String, Value>,
) -> Result<(), serde_path_to_error::Error<serde_json::Error>> {
    serde_path_to_error::deserialize::<_, T>(Value::Object(part)).map(|_| ())
}

impl<'de> DeserializeSeed<'de> for Object {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path {
            "" => f.write_str("a JSON object"),
            path => write!(f, "a JSON object at {}", path.trim_end_matches('.')),
        }
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Map::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let path = self.path;
        let mut object = Map::new();
        let mut spellings = BTreeMap::new();
        while let Some(spelling) = map.next_key::<String>()? {
            let key = self.keys.iter().find(|key| key.eq_ignore_ascii_case(&spelling));
            let Some(&key) = key else {
                let why = format!("'' has invalid keys: {path}{spelling}");
                return Err(A::Error::custom(why));
            };
            let value = match key {
                "mdns" => Value::Object(map.next_value_seed(MDNS)?),
                _ => map.next_value()?,
            };
            // Of two in the same spelling the later one counts; of others nobody knows which.
            if let Some(other) = spellings.insert(key, spelling.clone())
                && other != spelling
            {
                let why = format!("{path}{other} and {path}{spelling} are the same key");
                return Err(A::Error::custom(why));
            }
            let says_nothing = value.is_null() || value.as_object().is_some_and(Map::is_empty);
            if !says_nothing {
                (self.check)(Map::from_iter([(key.into(), value.clone())])).map_err(
                    |e| match key {
                        // Whatever it is, it is a secret.
                        "encrypt_key" | "rpc_auth" => A::Error::custom(format!("{key}: no string")),
                        _ => A::Error::custom(format!("{path}{}: {}", e.path(), e.inner())),
                    },
                )?;
                object.insert(key.into(), value);
            }
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_its_key_its_value_and_its_line() {
        for (text, says) in [
            ("{\"node_name\": \"a\",\n \"bogus\": 1}", "'' has invalid keys: bogus at line 2"),
            ("{\"mdns\":\n {\n\"bogus\": 1}}", "'' has invalid keys: mdns.bogus at line 3"),
            ("{\"NodeName\": \"a\"}", "'' has invalid keys: NodeName at line 1"),
            (
                "{\"node_name\": \"a\",\n \"NODE_NAME\": \"b\"}",
                "node_name and NODE_NAME are the same key at line 2",
            ),
            (
                "{\"mdns\": {\"interface\": \"a\",\n \"Interface\": \"b\"}}",
                "mdns.interface and mdns.Interface are the same key at line 2",
            ),
            (
                "{\n\n\"Retry_Interval\": \"soon\"}",
                "retry_interval: \"soon\" is no duration such as 15s, 500ms or 1m30s at line 3",
            ),
            ("{\"protocol\": 300}", "protocol: 300 is no whole number from 0 to 255 at line 1"),
            ("{\"protocol\": -1}", "protocol: -1 is no whole number from 0 to 255 at line 1"),
            ("{\"protocol\": 4.5}", "protocol: 4.5 is no whole number from 0 to 255 at line 1"),
            (
                "{\"query_size_limit\": 4294967296}",
                "query_size_limit: 4294967296 is no whole number from 0 to 4294967295 at line 1",
            ),
            (
                "{\"protocol\": \"4\"}",
                "protocol: invalid type: string \"4\", expected a JSON number at line 1",
            ),
            (
                "{\"leave_on_terminate\": 1}",
                "leave_on_terminate: invalid type: integer `1`, expected a boolean at line 1",
            ),
            (
                "{\"tags\": {\"a\": \"b\", \"c\":\n3}}",
                "tags.c: invalid type: integer `3`, expected a string at line 2",
            ),
            (
                "{\"start_join\": [\"a\", true]}",
                "start_join[1]: invalid type: boolean `true`, expected a string at line 1",
            ),
            (
                "{\"mdns\": {\"disable_ipv4\":\n \"yes\"}}",
                "mdns.disable_ipv4: invalid type: string \"yes\", expected a boolean at line 2",
            ),
            (
                "{\"mdns\": 3}",
                "invalid type: integer `3`, expected a JSON object at mdns at line 1",
            ),
            ("{\"rpc_auth\": 12345}", "rpc_auth: no string at line 1"),
            ("[]", "invalid type: sequence, expected a JSON object at line 1"),
            ("", "EOF while parsing a value at line 1"),
            ("{\"bind\": \"a\"}\n{}", "trailing characters at line 2"),
        ] {
            let error = AgentConfig::parse(text).unwrap_err();
            let (why, _) = error.rsplit_once(" column ").unwrap();
            assert_eq!(why, says, "{text}");
        }
    }

    #[test]
    fn letters_of_keys_may_be_small_or_capital() {
        let small = r#"{"node_name": "a", "mdns": {"interface": "x"}, "tags": {"K": "v"}}"#;
        let other = r#"{"NODE_NAME": "a", "Mdns": {"InterFace": "x"}, "TAGS": {"K": "v"}}"#;
        let config = AgentConfig::parse(small).unwrap();
        assert_eq!((&*config.mdns.interface, &*config.tags["K"]), ("x", "v"));
        assert_eq!(AgentConfig::parse(other).unwrap(), config);
    }

    #[test]
    fn every_key_of_an_object_inside_is_known_to_the_parser() {
        for key in MDNS_KEYS {
            let value = if key.starts_with("disable_") { "true" } else { "\"x\"" };
            let config = AgentConfig::parse(&format!("{{\"mdns\": {{\"{key}\": {value}}}}}"));
            assert_ne!(config.unwrap().mdns, MdnsConfig::default(), "{key}");
        }
    }

    #[test]
    fn null_says_nothing_and_of_equal_keys_the_last_counts() {
        for text in ["null", r#"{"tags": null, "protocol": null, "mdns": {"interface": null}}"#] {
            assert_eq!(AgentConfig::parse(text).unwrap(), AgentConfig::default());
        }
        let kept = r#"{"mdns": {"interface": "x"}, "mdns": null}"#;
        assert_eq!(AgentConfig::parse(kept).unwrap().mdns.interface, "x");
        let twice = r#"{"start_join": ["a"], "start_join": ["b"]}"#;
        assert_eq!(AgentConfig::parse(twice).unwrap().start_join, ["b"]);
    }
}
