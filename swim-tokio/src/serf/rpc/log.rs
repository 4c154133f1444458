//! What clients ask of the agent, and what came of it, in the log: with Serf's words and levels
//! where Serf has any.

use std::collections::BTreeMap;

use crate::join::Joined;
use crate::rpc::wire::{Query, UserEvent};
use crate::rpc::{KeyOutcome, KeyRequest};

pub(super) fn join(existing: &[String], replay: bool) {
    tracing::info!(target: AGENT, "joining: [{}] replay: {replay}", shown(&existing.join(" ")));
}

pub(super) fn joined(outcome: Result<Joined, String>) -> Result<Joined, String> {
    match &outcome {
        Ok(joined) => tracing::info!(target: AGENT, "joined: {} nodes", joined.reached),
        Err(why) => tracing::warn!(target: AGENT, "error joining: {}", shown(why)),
    }
    outcome
}

pub(super) fn leave() {
    tracing::info!(target: IPC, "Graceful leave triggered");
    tracing::info!(target: AGENT, "requesting graceful leave from Serf");
}

pub(super) fn force_leave(node: &str, prune: bool) {
    let prune = if prune { " (prune)" } else { "" };
    tracing::info!(target: AGENT, "Force leaving node: {}{prune}", shown(node));
}

pub(super) fn event(event: &UserEvent) {
    let UserEvent { name, payload, coalesce } = event;
    let (name, payload) = (shown(name), shown(&String::from_utf8_lossy(payload)));
    tracing::debug!(
        target: AGENT,
        "Requesting user event send: {name}. Coalesced: {coalesce}. Payload: \"{payload}\""
    );
}

pub(super) fn query(query: &Query) {
    let (name, payload) = (shown(&query.name), shown(&String::from_utf8_lossy(&query.payload)));
    tracing::debug!(target: AGENT, "Requesting query send: {name}. Payload: \"{payload}\"");
}

pub(super) fn tags(set: &BTreeMap<String, String>, delete: &[String]) {
    let set = set.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
    let (set, delete) = (shown(&set.join(" ")), shown(&delete.join(" ")));
    tracing::info!(target: AGENT, "Changing tags: set: [{set}] delete: [{delete}]");
}

/// The keys themselves are for no log.
pub(super) fn keys(request: &KeyRequest) {
    let what = match request {
        KeyRequest::Install(_) => "key installation",
        KeyRequest::Use(_) => "primary key change",
        KeyRequest::Remove(_) => "key removal",
        KeyRequest::List => "key listing",
    };
    tracing::info!(target: AGENT, "Initiating {what}");
}

pub(super) fn keys_done(outcome: KeyOutcome) -> KeyOutcome {
    let KeyOutcome { report, error } = &outcome;
    let (responses, nodes, errors) = (report.responses, report.nodes, report.errors);
    if error.is_empty() {
        tracing::info!(target: AGENT, "keys: {responses}/{nodes} nodes responded");
    } else {
        tracing::warn!(
            target: AGENT,
            "keys: {error} ({responses}/{nodes} nodes responded, {errors} with an error)"
        );
    }
    outcome
}

/// Tells a failure.
pub(super) fn outcome<T>(what: &str, outcome: Result<T, String>) -> Result<T, String> {
    if let Err(why) = &outcome {
        tracing::warn!(target: AGENT, "failed to {what}: {}", shown(why));
    }
    outcome
}

/// A client's text as a part of a line, and no longer than a line may be.
fn shown(text: &str) -> String {
    let mut chars = text.chars().flat_map(char::escape_debug);
    let start: String = chars.by_ref().take(SHOWN_MAX).collect();
    if chars.next().is_none() { start } else { start + "..." }
}

/// Characters of a client's text.
const SHOWN_MAX: usize = 512;

/// As the agent, not its Serf layer, speaks.
const AGENT: &str = "swim_tokio::agent";
const IPC: &str = "swim_tokio::rpc";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_text_is_one_short_line() {
        assert_eq!(shown("v1\n\"x\""), r#"v1\n\"x\""#);
        assert_eq!(shown(&"ä".repeat(600)).chars().count(), 512 + 3);
        assert_eq!(shown(&"ä".repeat(512)).chars().count(), 512);
    }
}
