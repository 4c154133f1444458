//! What a script is told: variables and standard input.

use std::collections::BTreeMap;

use super::SelfInfo;
use crate::rpc::AgentEvent;
use crate::rpc::wire::Member;

/// Variables of the environment, besides the agent's own.
pub(super) fn environment(me: &SelfInfo, event: &AgentEvent) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, value: String| drop(variables.insert(name.to_owned(), value));
    for (tag, value) in &me.tags {
        set(&format!("SERF_TAG_{}", variable(tag)), value.clone());
    }
    set("SERF_SELF_NAME", me.name.clone());
    set("SERF_SELF_ROLE", me.tags.get("role").cloned().unwrap_or_default());
    match event {
        AgentEvent::Members { change, .. } => set("SERF_EVENT", change.as_str().into()),
        AgentEvent::User { ltime, name, .. } => {
            set("SERF_EVENT", "user".into());
            set("SERF_USER_EVENT", name.clone());
            set("SERF_USER_LTIME", ltime.to_string());
        }
        AgentEvent::Query { ltime, name, .. } => {
            set("SERF_EVENT", "query".into());
            set("SERF_QUERY_NAME", name.clone());
            set("SERF_QUERY_LTIME", ltime.to_string());
        }
    }
    // The system takes no value with a zero byte.
    variables.retain(|_, value| !value.contains('\0'));
    variables
}

/// The name of a tag as part of a variable's: upper case, and `_` for what has no place there.
fn variable(tag: &str) -> String {
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    tag.to_uppercase().chars().map(|c| if allowed(c) { c } else { '_' }).collect()
}

/// A line for each member: name, address, role and tags, with tabs between them. Or the payload,
/// with a newline at its end.
pub(super) fn standard_input(event: &AgentEvent) -> Vec<u8> {
    match event {
        AgentEvent::Members { members, .. } => {
            members.iter().map(line).collect::<String>().into_bytes()
        }
        AgentEvent::User { payload, .. } | AgentEvent::Query { payload, .. } => {
            let mut input = payload.to_vec();
            if !matches!(input.last(), None | Some(b'\n')) {
                input.push(b'\n');
            }
            input
        }
    }
}

fn line(member: &Member) -> String {
    let clean = |text: &str| text.replace('\t', "\\t").replace('\n', "\\n");
    let tags = member.tags.iter().map(|(key, value)| format!("{key}={value}"));
    let tags = clean(&tags.collect::<Vec<_>>().join(","));
    let role = clean(member.tags.get("role").map_or("", String::as_str));
    format!("{}\t{}\t{role}\t{tags}\n", clean(&member.name), member.addr.ip())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::wire::{MemberChange, MemberStatus};

    fn tags() -> BTreeMap<String, String> {
        BTreeMap::from([("role".into(), "we\tb".into()), ("a-b.c".into(), "x,y\nz".into())])
    }

    #[test]
    fn members_are_lines_with_tabs() {
        let mut member = Member::new("n1", "127.0.0.1:7946".parse().unwrap(), MemberStatus::Alive);
        member.tags = tags();
        let event = AgentEvent::Members { change: MemberChange::Join, members: [member].into() };
        let expected = "n1\t127.0.0.1\twe\\tb\ta-b.c=x,y\\nz,role=we\\tb\n";
        assert_eq!(String::from_utf8(standard_input(&event)).unwrap(), expected);
    }

    #[test]
    fn a_payload_ends_with_one_newline_unless_it_is_empty() {
        for (payload, input) in [("", ""), ("a", "a\n"), ("a\n", "a\n"), ("a\n\n", "a\n\n")] {
            let event = AgentEvent::User {
                ltime: 7,
                name: "deploy".into(),
                payload: payload.into(),
                coalesce: false,
            };
            assert_eq!(standard_input(&event), input.as_bytes());
            let me = SelfInfo { name: "me".into(), tags: tags() };
            let variables: Vec<_> = environment(&me, &event).into_iter().collect();
            let expected = [
                ("SERF_EVENT", "user"),
                ("SERF_SELF_NAME", "me"),
                ("SERF_SELF_ROLE", "we\tb"),
                ("SERF_TAG_A_B_C", "x,y\nz"),
                ("SERF_TAG_ROLE", "we\tb"),
                ("SERF_USER_EVENT", "deploy"),
                ("SERF_USER_LTIME", "7"),
            ];
            assert_eq!(variables, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
        }
    }
}
