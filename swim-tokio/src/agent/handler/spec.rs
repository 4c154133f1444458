//! Which script runs on which events.

use std::fmt;
use std::str::FromStr;

use crate::rpc::{AgentEvent, EventFilter};

/// A script and the events that it runs on.
///
/// Written `SCRIPT` or `FILTERS=SCRIPT`, with the filters of [`EventFilter`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handler {
    filters: String,
    filter: EventFilter,
    script: String,
}

impl Handler {
    /// Whether the script runs on this event.
    pub fn wants(&self, event: &AgentEvent) -> bool {
        self.filter.matches(event)
    }

    /// The script, for a shell.
    pub fn script(&self) -> &str {
        &self.script
    }

    /// The filters as they were written, and the script, as `stats` tells them.
    pub fn entries(&self) -> impl Iterator<Item = (String, String)> {
        let filters = if self.filters.is_empty() { "*" } else { &self.filters };
        filters.split(',').map(|filter| {
            let name = if filter.contains(':') { filter.into() } else { format!("{filter}:") };
            (name, self.script.clone())
        })
    }
}

impl FromStr for Handler {
    type Err = BadHandler;

    fn from_str(text: &str) -> Result<Self, BadHandler> {
        let (filters, script) = text.split_once('=').unwrap_or(("", text));
        let bad = |_| BadHandler { filters: filters.into(), script: script.into() };
        let filter = filters.parse().map_err(bad)?;
        Ok(Self { filters: filters.into(), filter, script: script.into() })
    }
}

/// A handler whose filters name no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadHandler {
    filters: String,
    script: String,
}

impl fmt::Display for BadHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invalid event script: Event '{}' invoking '{}'", self.filters, self.script)
    }
}

impl std::error::Error for BadHandler {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_the_first_equals_sign_is_a_filter() {
        let handler: Handler = "user:deploy=a=b".parse().unwrap();
        assert_eq!(handler.script(), "a=b");
        assert_eq!(handler.entries().collect::<Vec<_>>(), [("user:deploy".into(), "a=b".into())]);
        let plain: Handler = "./all.sh".parse().unwrap();
        assert_eq!(plain.entries().collect::<Vec<_>>(), [("*:".into(), "./all.sh".into())]);
        let says = "echo a=b".parse::<Handler>().unwrap_err().to_string();
        assert_eq!(says, "Invalid event script: Event 'echo a' invoking 'b'");
    }
}
