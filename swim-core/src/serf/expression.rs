//! Regular expressions in filters (serf spec 4.3).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;

use regex_automata::nfa::thompson::{self, pikevm::PikeVM};
use regex_automata::util::syntax;

use super::re2::translate;

/// Expressions that were used of late, compiled: operators ask the same thing again and again.
#[derive(Default)]
pub(super) struct Expressions {
    /// The latest last.
    recent: VecDeque<(Box<str>, Option<PikeVM>)>,
}

impl Expressions {
    /// Whether the expression matches somewhere in the value. One that is none matches nothing.
    pub(super) fn find(&mut self, expr: &[u8], value: &[u8]) -> bool {
        let Some(expr) = core::str::from_utf8(expr).ok().filter(|e| e.len() <= EXPR_BYTES_MAX)
        else {
            return false;
        };
        let known = self.recent.iter().position(|(known, _)| **known == *expr);
        let entry = match known.and_then(|at| self.recent.remove(at)) {
            Some(entry) => entry,
            None => (expr.into(), compile(expr)),
        };
        let found = entry.1.as_ref().is_some_and(|it| it.is_match(&mut it.create_cache(), value));
        if self.recent.len() >= RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(entry);
        found
    }
}

impl fmt::Debug for Expressions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.recent.iter().map(|(expr, _)| expr)).finish()
    }
}

fn compile(expr: &str) -> Option<PikeVM> {
    PikeVM::builder()
        .syntax(syntax::Config::new().utf8(false).octal(true).nest_limit(NESTING_MAX))
        .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(COMPILED_BYTES_MAX)))
        .build(&translate(expr)?)
        .ok()
}

/// Bytes of an expression; a query has 1024 in all unless it was configured to have more.
const EXPR_BYTES_MAX: usize = 1024;
/// Groups within each other.
const NESTING_MAX: u32 = 100;
/// Bytes that a compiled expression may take. A peer chooses expression and time; at this size the
/// worst of them is done with in some milliseconds, and what people write takes a tenth.
const COMPILED_BYTES_MAX: usize = 32 << 10;
/// Expressions that are kept.
const RECENT_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_matches_anywhere_unless_anchored() {
        let mut expressions = Expressions::default();
        for (expr, value, found) in [
            ("eb", "web", true),
            ("^we", "web", true),
            ("^eb", "web", false),
            ("^(web|db)[0-9]{1,3}$", "db12", true),
            (r"^\d+\.\d+$", "1.17", true),
            (r"^\d$", "٣", false),
            (r"^\w+$", "café", false),
            ("", "", true),
            ("(", "(", false),
            ("(?i)WEB", "web", true),
            ("(?i)É$", "café", true),
            // The one class that RE2 has and this has not.
            (r"^\pL+$", "cafe", false),
            ("^caf[éè]$", "café", true),
            (r"\beb", "web", false),
            ("a{,2}", "a{,2}", true),
            (r"\141", "a", true),
        ] {
            let found_here = expressions.find(expr.as_bytes(), value.as_bytes());
            assert_eq!(found_here, found, "{expr} in {value}");
        }
        assert!(!expressions.find(b"\xff", b"\xff"));
        assert_eq!(expressions.recent.len(), RECENT_MAX);
    }

    #[test]
    fn an_expression_that_grows_too_large_matches_nothing() {
        let mut expressions = Expressions::default();
        assert!(!expressions.find(b"((a{1,100}){1,100}){1,100}", b"a"));
        assert!(!expressions.find(&[b'('; 1000], b""));
        let mut deep = [b'('; 302];
        deep[151..].fill(b')');
        assert!(!expressions.find(&deep, b""));
        assert!(!expressions.find(&[b'a'; 1025], &[b'a'; 1025]));
    }
}
