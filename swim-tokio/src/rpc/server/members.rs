//! Which members a client asks for (section 8.3).

use regex_automata::nfa::thompson::{self, pikevm};
use regex_automata::util::syntax;

use crate::rpc::wire::{Member, MemberFilter};

/// The members that match, in their order; `None` if an expression does not compile.
pub(super) fn filtered(members: Vec<Member>, by: &MemberFilter) -> Option<Vec<Member>> {
    let any = |expr: &str| if expr.is_empty() { Some(None) } else { Pattern::new(expr).map(Some) };
    let (mut name, mut status) = (any(&by.name)?, any(&by.status)?);
    let tags = by.tags.iter().map(|(tag, expr)| Some((tag, Pattern::new(expr)?)));
    let mut tags = tags.collect::<Option<Vec<_>>>()?;
    let fits = |pattern: &mut Option<Pattern>, text: &str| {
        pattern.as_mut().is_none_or(|pattern| pattern.matches(text))
    };
    let mut members = members;
    members.retain(|member| {
        fits(&mut name, &member.name)
            && fits(&mut status, member.status.as_str())
            && tags.iter_mut().all(|(tag, pattern)| {
                pattern.matches(member.tags.get(*tag).map_or("", String::as_str))
            })
    });
    Some(members)
}

struct Pattern {
    compiled: pikevm::PikeVM,
    cache: pikevm::Cache,
}

impl Pattern {
    /// Anchored as Serf does it, without a group: `a|b` is what starts with `a` or ends with `b`.
    fn new(expr: &str) -> Option<Self> {
        let compiled = pikevm::PikeVM::builder()
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(COMPILED_BYTES_MAX)))
            .build(&format!("^{expr}$"))
            .ok()?;
        let cache = compiled.create_cache();
        Some(Self { compiled, cache })
    }

    fn matches(&mut self, text: &str) -> bool {
        self.compiled.is_match(&mut self.cache, text)
    }
}

/// Memory for a compiled expression.
const COMPILED_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::wire::MemberStatus;

    fn names(by: &MemberFilter) -> Option<String> {
        let member = |name: &str, role: &str| {
            let addr = "127.0.0.1:1".parse().unwrap();
            let mut member = Member::new(name, addr, MemberStatus::Alive);
            if !role.is_empty() {
                member.tags.insert("role".into(), role.into());
            }
            member
        };
        let members = vec![member("n1", "web"), member("n2", "db"), member("m", "")];
        let found = filtered(members, by)?;
        Some(found.iter().map(|m| &*m.name).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn patterns_match_from_end_to_end() {
        for (name, status, role, found) in [
            ("", "", None, Some("n1 n2 m")),
            ("n.", "", None, Some("n1 n2")),
            ("n", "", None, Some("")),
            ("n|m", "", None, Some("n1 n2 m")),
            ("", "ali", None, Some("")),
            ("", "alive", Some("w.*"), Some("n1")),
            ("", "", Some(""), Some("m")),
            ("(", "", None, None),
            ("", "", Some("("), None),
        ] {
            let mut by = MemberFilter::default();
            (by.name, by.status) = (name.into(), status.into());
            by.tags.extend(role.map(|role| ("role".to_owned(), role.to_owned())));
            assert_eq!(names(&by).as_deref(), found, "{by:?}");
        }
    }
}
