//! Commands about keys: a query to all nodes, and the sum of their answers (serf spec 4.8).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::rpc::{KeyOutcome, KeyRequest, wire};
use crate::serf::SerfHandle;

/// Asks all nodes, and waits until they have answered or their time is over.
pub(super) async fn ask(handle: &SerfHandle, request: &KeyRequest) -> KeyOutcome {
    let (query, key) = match request {
        KeyRequest::Install(key) => ("_serf_install-key", key.as_str()),
        KeyRequest::Use(key) => ("_serf_use-key", key.as_str()),
        KeyRequest::Remove(key) => ("_serf_remove-key", key.as_str()),
        KeyRequest::List => ("_serf_list-keys", ""),
    };
    // Bytes that are no key are for the nodes to refuse, each in its own words.
    let Ok(key) = STANDARD.decode(key) else {
        return failed(format!("illegal base64 data at input byte {}", bad_at(key)));
    };
    let report = match handle.ask_keys(query, &key, 0).await {
        Ok(report) => report,
        Err(e) => return failed(e.to_string()),
    };
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut told = wire::KeyReport::default();
    told.messages.clone_from(report.messages());
    told.nodes = number(report.nodes());
    told.responses = number(report.responses());
    told.errors = number(report.errors());
    told.keys = (*request == KeyRequest::List)
        .then(|| report.keys().iter().map(|(key, nodes)| (key.clone(), number(*nodes))).collect());
    KeyOutcome { report: told, error: text(report.result()) }
}

fn failed(error: String) -> KeyOutcome {
    KeyOutcome { report: wire::KeyReport::default(), error }
}

fn text<E: std::fmt::Display>(result: Result<(), E>) -> String {
    result.err().map(|e| e.to_string()).unwrap_or_default()
}

/// The byte that Go's decoder complains about: the first that cannot stand where it stands, or the
/// first of an end that is cut off.
fn bad_at(text: &str) -> usize {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let wrong = text.bytes().enumerate().find(|(at, byte)| match byte {
        b'=' => at % 4 < 2,
        byte => !is_known(*byte),
    });
    wrong.map_or(text.len() / 4 * 4, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_that_is_wrong_is_named() {
        for (text, at) in [("***", 0), ("aaa", 0), ("aaaaa", 4), ("aa*a", 2), ("a===", 1)] {
            assert!(STANDARD.decode(text).is_err());
            assert_eq!(bad_at(text), at, "{text}");
        }
    }
}
