//! What came of a change of keys in the whole cluster (serf spec 4.8, 4.9).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::wire::serf::{KeyResponse, List};

/// What the nodes of a cluster answered to a key query.
///
/// Feed it with the responses until it [is complete](Self::is_complete) or the query is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyReport {
    nodes: usize,
    responses: usize,
    errors: usize,
    messages: BTreeMap<String, String>,
    keys: BTreeMap<String, usize>,
    primary_keys: BTreeMap<String, usize>,
    dropped: u64,
}

impl KeyReport {
    /// A report on so many live nodes, this one among them.
    pub fn new(nodes: usize) -> Self {
        Self { nodes, ..Self::default() }
    }

    /// Takes the payload of a response. Each node answers once; that is the query's to see to.
    pub fn handle(&mut self, from: &str, payload: &[u8]) {
        self.responses += 1;
        let response = match KeyResponse::decode(payload) {
            Ok(response) => response,
            Err(error) => {
                self.errors += 1;
                self.tell(from, format!("Failed to decode key query response: {error}"));
                return;
            }
        };
        self.errors += usize::from(!response.result);
        if !response.message.is_empty() || !response.result {
            self.tell(from, text(response.message));
        }
        if response.result {
            for key in response.keys.into_iter().flatten() {
                count(&mut self.keys, key, &mut self.dropped);
            }
            count(&mut self.primary_keys, response.primary_key, &mut self.dropped);
        }
    }

    /// Whether all nodes have answered.
    pub const fn is_complete(&self) -> bool {
        self.responses >= self.nodes
    }

    /// Whether every node did what was asked.
    ///
    /// # Errors
    ///
    /// [`KeyReportError`] counts those that did not.
    pub const fn result(&self) -> Result<(), KeyReportError> {
        let Self { nodes, responses, errors, .. } = *self;
        match () {
            () if errors > 0 => Err(KeyReportError::Failed { errors, nodes }),
            () if responses != nodes => Err(KeyReportError::Missing { responses, nodes }),
            () => Ok(()),
        }
    }

    /// How many nodes were asked.
    pub const fn nodes(&self) -> usize {
        self.nodes
    }

    /// How many have answered.
    pub const fn responses(&self) -> usize {
        self.responses
    }

    /// How many of those have failed, or answered what nobody understands.
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// What nodes have to say, by name: why they failed, or that their list is not whole.
    pub const fn messages(&self) -> &BTreeMap<String, String> {
        &self.messages
    }

    /// On how many nodes each key is, in base64; empty unless keys were listed.
    pub const fn keys(&self) -> &BTreeMap<String, usize> {
        &self.keys
    }

    /// On how many nodes each key is the primary. Nodes before Serf 0.9.4, and answers to anything
    /// but a list, are counted under the empty key.
    pub const fn primary_keys(&self) -> &BTreeMap<String, usize> {
        &self.primary_keys
    }

    /// Keys that were not counted because there were too many different ones.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn tell(&mut self, from: &str, message: String) {
        self.messages.insert(from.into(), message);
    }
}

fn count(keys: &mut BTreeMap<String, usize>, key: &[u8], dropped: &mut u64) {
    let (key, is_full) = (text(key), keys.len() >= KEYS_MAX);
    match keys.get_mut(&key) {
        Some(nodes) => *nodes += 1,
        None if is_full => *dropped += 1,
        None => drop(keys.insert(key, 1)),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The response that lists as many keys as there is room for: all of them, or else the first few
/// and a message that says so. `keys` are in base64, the primary one first; `fits` judges the
/// encoded response. `None` if not even a response without keys fits.
pub(super) fn key_list<'a>(
    keys: &'a [&'a [u8]],
    message: &'a mut String,
    fits: impl Fn(&KeyResponse<'_>) -> bool,
) -> Option<KeyResponse<'a>> {
    let total = keys.len();
    let response = |shown: usize, message: &'a str| KeyResponse {
        result: true,
        message: message.as_bytes(),
        keys: Some(List::from(&keys[..shown])),
        primary_key: keys.first().copied().unwrap_or_default(),
    };
    let note = |shown| match shown == total {
        true => String::new(),
        false => format!("truncated key list response, showing first {shown} of {total} keys"),
    };
    let shown = (0..=total).rev().find(|shown| {
        let note = note(*shown);
        fits(&KeyResponse { message: note.as_bytes(), ..response(*shown, "") })
    })?;
    *message = note(shown);
    Some(response(shown, message))
}

/// Not every node did what was asked; the texts are Serf's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyReportError {
    /// Some nodes have failed.
    Failed {
        /// How many.
        errors: usize,
        /// Of how many.
        nodes: usize,
    },
    /// Some nodes have not answered.
    Missing {
        /// How many have.
        responses: usize,
        /// Of how many.
        nodes: usize,
    },
}

impl fmt::Display for KeyReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { errors, nodes } => write!(f, "{errors}/{nodes} nodes reported failure"),
            Self::Missing { responses, nodes } => {
                write!(f, "{responses}/{nodes} nodes reported success")
            }
        }
    }
}

impl core::error::Error for KeyReportError {}

/// How many different keys are counted; a ring has far fewer.
const KEYS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use bytes::BytesMut;

    use super::*;
    use crate::wire::serf::{RESPONSE_BYTES, Response};

    fn payload(response: &KeyResponse<'_>) -> BytesMut {
        let mut out = BytesMut::new();
        response.encode(&mut out);
        out
    }

    fn answer(result: bool, message: &str, keys: &[&[u8]], primary_key: &[u8]) -> BytesMut {
        let (message, keys) = (message.as_bytes(), Some(List::from(keys)));
        payload(&KeyResponse { result, message, keys, primary_key })
    }

    #[test]
    fn keys_are_counted_by_node() {
        let mut report = KeyReport::new(3);
        report.handle("n1", &answer(true, "", &[b"k1", b"k2"], b"k1"));
        report.handle("n2", &answer(true, "showing first 1 of 2 keys", &[b"k1"], b"k1"));
        assert!(!report.is_complete());
        let missing = KeyReportError::Missing { responses: 2, nodes: 3 };
        assert_eq!(report.result(), Err(missing));
        report.handle("n3", &answer(true, "", &[b"k2"], b"k2"));
        assert!(report.is_complete());
        assert_eq!(report.result(), Ok(()));
        let counts = |counts: &BTreeMap<String, usize>| -> Vec<(String, usize)> {
            counts.clone().into_iter().collect()
        };
        assert_eq!(counts(report.keys()), [("k1".into(), 2), ("k2".into(), 2)]);
        assert_eq!(counts(report.primary_keys()), [("k1".into(), 2), ("k2".into(), 1)]);
        assert_eq!(report.messages().len(), 1);
    }

    #[test]
    fn a_node_that_fails_or_stammers_is_an_error() {
        let mut report = KeyReport::new(2);
        report.handle("n1", &answer(false, "removing the primary key is not allowed", &[], b""));
        report.handle("n2", b"\x08\x84\xa4Keys");
        let error = report.result().unwrap_err();
        assert_eq!(error, KeyReportError::Failed { errors: 2, nodes: 2 });
        assert_eq!(error.to_string(), "2/2 nodes reported failure");
        assert_eq!(report.messages()["n1"], "removing the primary key is not allowed");
        assert!(report.messages()["n2"].starts_with("Failed to decode"));
        let missing = KeyReportError::Missing { responses: 1, nodes: 2 };
        assert_eq!(missing.to_string(), "1/2 nodes reported success");
    }

    #[test]
    fn different_keys_are_counted_up_to_a_bound() {
        let mut report = KeyReport::new(200);
        for node in 0..200 {
            let keys: Vec<_> = (0..10).map(|n| format!("{node}-{n}")).collect();
            let keys: Vec<_> = keys.iter().map(String::as_bytes).collect();
            report.handle(&format!("n{node}"), &answer(true, "", &keys, b""));
        }
        assert_eq!((report.keys().len(), report.dropped()), (KEYS_MAX, 2000 - KEYS_MAX as u64));
    }

    /// As many as a real node shows of 60 keys of 16, 24 and 32 bytes; 19 of 32 need no truncation.
    #[test]
    fn a_list_is_truncated_where_a_real_node_truncates_it() {
        let shown = |key_bytes: usize, total: usize| {
            let text = alloc::vec![b'A'; key_bytes.div_ceil(3) * 4];
            let keys = alloc::vec![&text[..]; total];
            let mut message = String::new();
            let fits = |response: &KeyResponse<'_>| {
                let payload = payload(response);
                let payload = Some(&payload[..]);
                let response =
                    Response { ltime: 1, id: 0x7fff_ffff, from: b"n1", flags: 0, payload };
                response.fits(RESPONSE_BYTES).is_ok()
            };
            let response = key_list(&keys, &mut message, fits).unwrap();
            (response.keys.map_or(0, |keys| keys.len()), message)
        };
        for (key_bytes, first) in [(16, 34), (24, 24), (32, 17)] {
            let note = format!("truncated key list response, showing first {first} of 60 keys");
            assert_eq!(shown(key_bytes, 60), (first, note));
        }
        assert_eq!(shown(32, 19), (19, String::new()));
        assert_ne!(shown(32, 20).0, 20);
        assert_eq!(key_list(&[], &mut String::new(), |_| false), None);
    }
}
