//! `swim members`.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde::Serialize;
use swim_tokio::rpc::wire::{Member, MemberFilter};

use super::columns::columns;
use super::gojson::{to_json, unknown_format};
use super::tags::pairs;
use super::{Failure, connect};
use crate::flags::MembersFlags;
use crate::say::say;

pub(super) async fn run(flags: &MembersFlags) -> Result<(), Failure> {
    let filter = filter(flags)?;
    let client = connect(&flags.rpc).await?;
    let members = client.members_filtered(filter).await;
    let members = members.map_err(|e| Failure::of("Error retrieving members", &e))?;
    let text = match flags.format.as_str() {
        "text" => table(&members, flags.detailed),
        "json" => to_json(&Listing::from(&members[..]))? + "\n",
        other => return Err(unknown_format(other)),
    };
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}

/// Which members the flags ask for.
pub(super) fn filter(flags: &MembersFlags) -> Result<MemberFilter, Failure> {
    let mut filter = MemberFilter::default();
    filter.tags = pairs(&flags.tag)?;
    if !flags.role.is_empty() {
        say!("Deprecation warning: 'Role' has been replaced with 'Tags'");
        filter.tags.insert("role".into(), flags.role.clone());
    }
    (filter.status, filter.name) = (flags.status.clone(), flags.name.clone());
    Ok(filter)
}

/// One line for each member; an empty one if there are none.
pub(super) fn table(members: &[Member], detailed: bool) -> String {
    if members.is_empty() {
        return "\n".into();
    }
    let rows: Vec<Vec<String>> = members
        .iter()
        .map(|member| {
            let tags = member.tags.iter().map(|(key, value)| format!("{key}={value}"));
            let tags = tags.collect::<Vec<_>>().join(",");
            let mut row =
                vec![member.name.clone(), member.addr.to_string(), member.status.to_string(), tags];
            if detailed {
                let [min, max, current] = member.delegate;
                row.push(format!("Protocol Version: {current}"));
                row.push(format!("Available Protocol Range: [{min}, {max}]"));
            }
            row
        })
        .collect();
    columns(&rows)
}

/// The form of `-format json`; without members the list is null, as Go's absent ones are.
#[derive(Serialize)]
struct Listing<'a> {
    members: Option<Vec<Entry<'a>>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    addr: String,
    port: u16,
    tags: &'a BTreeMap<String, String>,
    status: &'static str,
    protocol: Protocol,
}

#[derive(Serialize)]
struct Protocol {
    max: u8,
    min: u8,
    version: u8,
}

impl<'a> From<&'a [Member]> for Listing<'a> {
    fn from(members: &'a [Member]) -> Self {
        let entries = members.iter().map(|member| {
            let [min, max, version] = member.delegate;
            Entry {
                name: &member.name,
                addr: member.addr.to_string(),
                port: member.addr.port(),
                tags: &member.tags,
                status: member.status.as_str(),
                protocol: Protocol { max, min, version },
            }
        });
        Self { members: (!members.is_empty()).then(|| entries.collect()) }
    }
}
