//! `swim query`.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde::Serialize;
use swim_tokio::rpc::wire::{Query, QueryRecord};

use super::event::name_and_payload;
use super::gojson::to_json;
use super::tags::pairs;
use super::{Failure, connect};
use crate::flags::QueryFlags;
use crate::say::say;

pub(super) async fn run(flags: &QueryFlags) -> Result<(), Failure> {
    let query = query(flags)?;
    let client = connect(&flags.rpc).await?;
    let json = match flags.format.as_str() {
        "text" => false,
        "json" => true,
        other => return Err(Failure::new(format!("Invalid format: {other}"))),
    };
    let (name, ack) = (query.name.clone(), query.ack);
    let failed = |e| Failure::of("Error sending query", &e);
    let mut records = client.query(query).await.map_err(failed)?;
    if !json {
        say!("Query '{name}' dispatched");
    }
    let mut answers = Answers::default();
    while let Some(record) = records.recv().await.map_err(failed)? {
        if !json {
            print(&record)?;
        }
        answers.add(record);
    }
    if json {
        say!("{}", to_json(&answers)?);
        return Ok(());
    }
    if ack {
        say!("Total Acks: {}", answers.acks.map_or(0, |acks| acks.len()));
    }
    say!("Total Responses: {}", answers.responses.len());
    Ok(())
}

fn query(flags: &QueryFlags) -> Result<Query, Failure> {
    let (name, payload) = name_and_payload("query", "A query name", &flags.args)?;
    let mut query = Query::new(name, payload.to_owned());
    query.relay_factor = flags
        .relay_factor
        .try_into()
        .map_err(|_| Failure::new("Relay factor must be between 0 and 255"))?;
    query.tags = pairs(&flags.tag)?;
    query.nodes.clone_from(&flags.node);
    (query.ack, query.timeout) = (!flags.no_ack, flags.timeout);
    Ok(query)
}

/// Prints an answer when it comes; payloads are whatever bytes they are.
fn print(record: &QueryRecord) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match record {
        QueryRecord::Ack { from } => writeln!(out, "Ack from '{from}'")?,
        QueryRecord::Response { from, payload } => {
            write!(out, "Response from '{from}': ")?;
            out.write_all(payload.strip_suffix(b"\n").unwrap_or(payload))?;
            writeln!(out)?;
        }
        _ => {}
    }
    Ok(out.flush()?)
}

/// The form of `-format json`.
#[derive(Default, Serialize)]
struct Answers {
    #[serde(rename = "Acks")]
    acks: Option<Vec<String>>,
    #[serde(rename = "Responses")]
    responses: BTreeMap<String, String>,
}

impl Answers {
    fn add(&mut self, record: QueryRecord) {
        match record {
            QueryRecord::Ack { from } => self.acks.get_or_insert_default().push(from),
            QueryRecord::Response { from, payload } => {
                self.responses.insert(from, String::from_utf8_lossy(&payload).into_owned());
            }
            _ => {}
        }
    }
}
