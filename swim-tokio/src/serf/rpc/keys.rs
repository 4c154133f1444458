//! Commands about keys: a query to all nodes, and the sum of their answers (serf spec 4.8).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use swim_core::serf::QueryParams;
use swim_core::wire::serf::{KeyRequest as Payload, KeyResponse, Kind};

use crate::rpc::wire::KeyReport;
use crate::rpc::{KeyOutcome, KeyRequest};
use crate::serf::{Answer, SerfHandle};

/// Asks `nodes` nodes, and waits until all of them have answered or their time is over.
pub(super) async fn ask(handle: &SerfHandle, request: &KeyRequest, nodes: u32) -> KeyOutcome {
    let (name, key) = match request {
        KeyRequest::Install(key) => ("_serf_install-key", Some(key)),
        KeyRequest::Use(key) => ("_serf_use-key", Some(key)),
        KeyRequest::Remove(key) => ("_serf_remove-key", Some(key)),
        KeyRequest::List => ("_serf_list-keys", None),
    };
    let key = match key.map(|key| STANDARD.decode(key)).transpose() {
        Ok(key) => key.unwrap_or_default(),
        Err(_) => return failed("illegal base64 data at input byte 0"),
    };
    let mut payload = BytesMut::new();
    Payload { key: Some(&key) }.encode(&mut payload);
    let params = QueryParams::new();
    let mut answers = match handle.query(name, payload.freeze(), params).await {
        Ok(answers) => answers,
        Err(e) => return failed(&e.to_string()),
    };
    let keys = (*request == KeyRequest::List).then(Default::default);
    let mut report = KeyReport { nodes, keys, ..KeyReport::default() };
    while report.responses < nodes {
        match answers.recv().await {
            Some(Answer::Response { from, payload }) => add(&mut report, from.as_str(), &payload),
            Some(_) => {}
            None => break,
        }
    }
    let KeyReport { errors, responses, .. } = report;
    let error = if errors > 0 {
        format!("{errors}/{nodes} nodes reported failure")
    } else if responses < nodes {
        format!("{responses}/{nodes} nodes reported success")
    } else {
        String::new()
    };
    KeyOutcome { report, error }
}

fn failed(why: &str) -> KeyOutcome {
    KeyOutcome { report: KeyReport::default(), error: why.into() }
}

/// Adds what a node says.
fn add(report: &mut KeyReport, node: &str, payload: &[u8]) {
    report.responses += 1;
    let decoded = payload
        .split_first()
        .filter(|(kind, _)| **kind == Kind::KeyResponse.byte())
        .and_then(|(_, body)| KeyResponse::decode(body).ok());
    let Some(response) = decoded else {
        report.errors += 1;
        report.messages.insert(node.into(), "the answer cannot be understood".into());
        return;
    };
    report.errors += u32::from(!response.result);
    if !response.result || !response.message.is_empty() {
        let message = String::from_utf8_lossy(response.message).into_owned();
        report.messages.insert(node.into(), message);
    }
    if let (Some(keys), Some(listed)) = (&mut report.keys, response.keys) {
        for key in listed.iter() {
            *keys.entry(String::from_utf8_lossy(key).into_owned()).or_default() += 1;
        }
    }
}
