//! Who shall answer a query (serf spec 4.3).

use regex_automata::nfa::thompson::{self, pikevm::PikeVM};
use regex_automata::util::syntax;

use crate::member::Record;
use crate::wire::serf::{Filter, Query, Tags};

/// Whether this node passes every filter of a query. What does not decode, matches nobody.
pub(super) fn all_match(query: &Query<'_>, me: &Record) -> bool {
    query.filters.into_iter().flatten().all(|filter| matches(filter, me))
}

fn matches(filter: &[u8], me: &Record) -> bool {
    match Filter::decode(filter) {
        Ok(Filter::Nodes(names)) => names.into_iter().flatten().any(|name| name == me.name_bytes()),
        Ok(Filter::Tag { tag, expr }) => {
            let value = Tags::decode(me.meta()).find(tag).unwrap_or_default();
            finds(expr, value)
        }
        Err(_) => false,
    }
}

/// Bytes that a compiled expression may take. A peer chooses expression and time; at this size the
/// worst of them is done with in some milliseconds, and what people write takes a tenth.
const COMPILED_BYTES_MAX: usize = 32 << 10;

/// Whether the expression matches somewhere in the value. One that does not compile matches
/// nothing.
///
/// The syntax is that of RE2, of which this reads all but Unicode classes; `\d`, `\w` and `\b` are
/// of ASCII, as there.
fn finds(expr: &[u8], value: &[u8]) -> bool {
    let Ok(expr) = core::str::from_utf8(expr) else { return false };
    let compiled = PikeVM::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(COMPILED_BYTES_MAX)))
        .build(expr);
    compiled.is_ok_and(|compiled| compiled.is_match(&mut compiled.create_cache(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_matches_anywhere_unless_anchored() {
        for (expr, value, found) in [
            ("eb", "web", true),
            ("^we", "web", true),
            ("^eb", "web", false),
            ("^(web|db)[0-9]{1,3}$", "db12", true),
            (r"^\d+\.\d+$", "1.17", true),
            ("", "", true),
            ("(", "(", false),
            ("(?i)WEB", "web", true),
            ("é$", "café", true),
        ] {
            assert_eq!(finds(expr.as_bytes(), value.as_bytes()), found, "{expr} in {value}");
        }
        assert!(!finds(b"\xff", b"\xff"));
    }

    #[test]
    fn an_expression_that_grows_too_large_matches_nothing() {
        assert!(!finds(b"((a{1,100}){1,100}){1,100}", b"a"));
        assert!(!finds(&[b'('; 1000], b""));
    }
}
