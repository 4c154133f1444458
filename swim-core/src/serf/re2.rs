//! Regular expressions in the syntax of RE2, written in that of `regex-syntax`.
//!
//! Serf's filters are Go's, which are RE2's. The two syntaxes share most, but where they differ the
//! same text may mean something else: `\d` is ASCII in RE2 and Unicode in the other, `[a[b]` is a
//! class in RE2 and unclosed in the other.
//!
//! What gap is left:
//!
//! * Unicode classes by name, `\pL` and `\p{Greek}`, are refused: their tables are large, and a
//!   peer could have them folded a hundred times over;
//! * an expression of more than 1024 bytes, one that is nested more than 100 deep and one that
//!   takes more than 32 KiB when compiled are refused; RE2's bounds are wider;
//! * bytes of a value that are not UTF-8 match nothing, where Go takes them for U+FFFD;
//! * what only the other syntax knows of groups and escapes may be accepted where RE2 refuses it.
//!
//! What is refused matches nobody, as in Serf.

use alloc::string::String;
use core::str::Chars;

/// The same expression in the other syntax; `None` if RE2 refuses it. What is left to be refused,
/// `regex-syntax` refuses.
pub(super) fn translate(expr: &str) -> Option<String> {
    let mut to = Translation { rest: expr.chars(), out: String::with_capacity(2 * expr.len()) };
    let mut repeated = false;
    while let Some(c) = to.rest.next() {
        let repeats = match c {
            '*' | '+' | '?' => {
                to.out.push(c);
                true
            }
            '{' => to.braces()?,
            _ => {
                to.other(c)?;
                false
            }
        };
        // Two operators in a row are refused; `?` after one makes it lazy.
        if repeats && repeated {
            return None;
        }
        if repeats && to.rest.as_str().starts_with('?') {
            to.rest.next();
            to.out.push('?');
        }
        repeated = repeats;
    }
    Some(to.out)
}

struct Translation<'a> {
    rest: Chars<'a>,
    out: String,
}

impl Translation<'_> {
    fn other(&mut self, c: char) -> Option<()> {
        match c {
            '\\' => self.escape()?,
            '[' => self.class()?,
            '(' => {
                self.out.push('(');
                self.flags()?;
            }
            _ => self.out.push(c),
        }
        Some(())
    }

    /// A counted repetition, or else a brace that stands for itself. Whether it was the former.
    fn braces(&mut self) -> Option<bool> {
        let text = self.rest.as_str();
        let Some(bounds) = text.split_once('}').map(|(bounds, _)| bounds).filter(|b| counts(b))
        else {
            self.out.push_str(r"\{");
            return Some(false);
        };
        let is_small = |n: &str| n.is_empty() || n.parse().is_ok_and(|n: u32| n <= REPEATS_MAX);
        if !bounds.split(',').all(is_small) {
            return None;
        }
        self.out.push('{');
        self.copy(bounds.len() + 1);
        Some(true)
    }

    /// After a parenthesis: flags that both know, or the name of a group.
    fn flags(&mut self) -> Option<()> {
        let Some(flags) = self.rest.as_str().strip_prefix('?') else { return Some(()) };
        if flags.starts_with(['P', '<']) {
            self.copy(1);
            return Some(());
        }
        let end = flags.find([':', ')'])?;
        if !flags[..end].chars().all(|flag| "imsU-".contains(flag)) {
            return None;
        }
        self.copy(1 + end);
        Some(())
    }

    /// After a backslash outside of a class.
    fn escape(&mut self) -> Option<()> {
        match self.rest.clone().next()? {
            'b' => self.replace(r"(?-u:\b)"),
            'B' => self.replace(r"(?-u:\B)"),
            'Q' => {
                self.rest.next();
                let text = self.rest.as_str();
                let (quoted, len) = match text.split_once(r"\E") {
                    Some((quoted, _)) => (quoted, quoted.len() + 2),
                    None => (text, text.len()),
                };
                quoted.chars().for_each(|c| self.literal(c));
                self.rest = text[len..].chars();
            }
            _ => self.shared_escape()?,
        }
        Some(())
    }

    /// After a backslash: what is the same within a class and without.
    fn shared_escape(&mut self) -> Option<()> {
        match self.rest.clone().next()? {
            'd' => self.replace("[0-9]"),
            'D' => self.replace("[^0-9]"),
            's' => self.replace(r"[\t\n\f\r ]"),
            'S' => self.replace(r"[^\t\n\f\r ]"),
            'w' => self.replace("[0-9A-Za-z_]"),
            'W' => self.replace("[^0-9A-Za-z_]"),
            // Bytes, of which a text has none, and quotes that do not stand where they may.
            'C' | 'Q' | 'b' | 'B' => return None,
            // Classes by name, whatever the tables that others of the workspace ask for.
            'p' | 'P' => return None,
            c if c.is_ascii_punctuation() => {
                self.rest.next();
                self.literal(c);
            }
            // What is in braces belongs to it: `\x{e9}`.
            c => {
                let text = self.rest.as_str();
                let has_braces = text[c.len_utf8()..].starts_with('{') && "pPx".contains(c);
                let end = if has_braces { text.find('}')? + 1 } else { c.len_utf8() };
                self.out.push('\\');
                self.copy(end);
            }
        }
        Some(())
    }

    /// After an opening bracket.
    fn class(&mut self) -> Option<()> {
        self.out.push('[');
        if self.rest.as_str().starts_with('^') {
            self.copy(1);
        }
        // Right after that a closing bracket stands for itself.
        if self.rest.as_str().starts_with(']') {
            self.rest.next();
            self.out.push_str(r"\]");
        }
        while let Some(c) = self.rest.next() {
            match c {
                ']' => {
                    self.out.push(']');
                    return Some(());
                }
                '\\' => self.shared_escape()?,
                '[' => match self.rest.as_str().strip_prefix(':').and_then(|s| s.find(":]")) {
                    Some(len) => {
                        self.out.push('[');
                        self.copy(len + 3);
                    }
                    None => self.out.push_str(r"\["),
                },
                // Operators on sets, if doubled.
                '&' | '~' => self.literal(c),
                '-' if self.out.ends_with('-') => self.literal(c),
                _ => self.out.push(c),
            }
        }
        None
    }

    fn literal(&mut self, c: char) {
        if c.is_ascii_punctuation() && !"<>".contains(c) {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    /// Takes a character and writes this for it.
    fn replace(&mut self, by: &str) {
        self.rest.next();
        self.out.push_str(by);
    }

    /// Takes so many bytes as they are.
    fn copy(&mut self, len: usize) {
        let (text, rest) = self.rest.as_str().split_at(len);
        self.out.push_str(text);
        self.rest = rest.chars();
    }
}

/// Whether this stands between the braces of a repetition: `2`, `2,` or `2,5`.
fn counts(bounds: &str) -> bool {
    let mut parts = bounds.splitn(2, ',');
    let is_number = |n: &str| n.bytes().all(|b| b.is_ascii_digit());
    let first = parts.next().unwrap_or_default();
    !first.is_empty() && is_number(first) && parts.next().is_none_or(is_number)
}

/// RE2 refuses to count further.
const REPEATS_MAX: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_read_alike_stays_as_it_is() {
        for same in [
            "",
            "^web",
            "a|b",
            "(a)(?:b)(?i)c",
            "(?P<n>x)",
            "a{2,3}?",
            "a*?b+?",
            "[^a-z]",
            "[]a]",
            "é.",
            r"\x41\x{e9}\n",
            "[[:alpha:]_]",
        ] {
            let expected = same.replace("[]", r"[\]");
            assert_eq!(translate(same), Some(expected), "{same}");
        }
    }

    #[test]
    fn what_reads_otherwise_is_written_otherwise() {
        for (re2, other) in [
            (r"\d\W", "[0-9][^0-9A-Za-z_]"),
            (r"[\d.]", "[[0-9].]"),
            (r"\bx\B", r"(?-u:\b)x(?-u:\B)"),
            (r"\Qa.b\E+", r"a\.b+"),
            (r"\Q[", r"\["),
            ("a{,2}", r"a\{,2}"),
            ("{", r"\{"),
            ("[a[b&&c]", r"[a\[b\&\&c]"),
            ("[+--]", r"[+-\-]"),
            (r"\<\.", r"<\."),
        ] {
            assert_eq!(translate(re2).as_deref(), Some(other), "{re2}");
        }
    }

    #[test]
    fn what_re2_refuses_is_refused() {
        for bad in
            ["a**", "a{2}{3}", "(?x)a", "(?u:a)", "a{1001}", r"\C", "[a", r"[\b]", "\\", "(?"]
        {
            assert_eq!(translate(bad), None, "{bad}");
        }
    }
}
