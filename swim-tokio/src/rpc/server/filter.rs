//! Which events a stream or a handler wants (section 8.4).

use std::fmt;
use std::str::FromStr;

use super::AgentEvent;
use crate::rpc::wire::MemberChange;

/// A list of kinds of events.
///
/// Written with commas: `member-join`, `member-leave`, `member-failed`, `member-update`,
/// `member-reap`, `user`, `user:NAME`, `query`, `query:NAME`, `*`. The empty text is `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFilter(Vec<Wanted>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Change(MemberChange),
    /// Of this name; `None` for any.
    User(Option<String>),
    Query(Option<String>),
}

impl EventFilter {
    /// Whether this event is wanted.
    pub fn matches(&self, event: &AgentEvent) -> bool {
        self.0.iter().any(|wanted| match (wanted, event) {
            (Wanted::All, _) => true,
            (Wanted::Change(wanted), AgentEvent::Members { change, .. }) => wanted == change,
            (Wanted::User(wanted), AgentEvent::User { name, .. })
            | (Wanted::Query(wanted), AgentEvent::Query { name, .. }) => {
                wanted.as_ref().is_none_or(|wanted| wanted == name)
            }
            _ => false,
        })
    }
}

impl FromStr for EventFilter {
    type Err = BadFilter;

    fn from_str(text: &str) -> Result<Self, BadFilter> {
        if text.is_empty() {
            return Ok(Self(vec![Wanted::All]));
        }
        text.split(',').map(wanted).collect::<Result<_, _>>().map(Self)
    }
}

fn wanted(text: &str) -> Result<Wanted, BadFilter> {
    let named = |prefix: &str| text.strip_prefix(prefix).map(|name| Some(name.to_owned()));
    Ok(match text {
        "*" => Wanted::All,
        "user" => Wanted::User(None),
        "query" => Wanted::Query(None),
        _ => match (MemberChange::from_name(text), named("user:"), named("query:")) {
            (Some(change), ..) => Wanted::Change(change),
            (_, Some(name), _) => Wanted::User(name),
            (.., Some(name)) => Wanted::Query(name),
            _ => return Err(BadFilter(text.into())),
        },
    })
}

/// An element of a list that names no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFilter(String);

impl fmt::Display for BadFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} names no event", self.0)
    }
}

impl std::error::Error for BadFilter {}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> AgentEvent {
        let payload = bytes::Bytes::new();
        AgentEvent::User { ltime: 1, name: name.into(), payload, coalesce: false }
    }

    fn join() -> AgentEvent {
        AgentEvent::Members { change: MemberChange::Join, members: [].into() }
    }

    #[test]
    fn a_filter_names_kinds_of_events() {
        for (filter, joins, deploys, others) in [
            ("", true, true, true),
            ("*", true, true, true),
            ("user", false, true, true),
            ("user:deploy", false, true, false),
            ("member-join,user:x", true, false, true),
            ("member-leave,query", false, false, false),
        ] {
            let filter: EventFilter = filter.parse().unwrap();
            let found = [join(), user("deploy"), user("x")].map(|event| filter.matches(&event));
            assert_eq!(found, [joins, deploys, others], "{filter:?}");
        }
    }

    #[test]
    fn what_names_no_event_is_refused() {
        for text in ["nonsense", "user,", "member", "user, query"] {
            assert!(text.parse::<EventFilter>().is_err(), "{text}");
        }
    }
}
