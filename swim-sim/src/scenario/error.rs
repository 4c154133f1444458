//! Why a scenario is refused.

use core::fmt;

/// What of a scenario makes no sense: the line, the key, its value and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    line: usize,
    text: String,
}

impl ScenarioError {
    /// Something wrong at a byte of a text.
    pub(super) fn at(text: &str, byte: usize, what: String) -> Self {
        let before = &text.as_bytes()[..byte.min(text.len())];
        let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
        Self { line, text: what }
    }

    /// The line, counted from 1.
    pub const fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

impl core::error::Error for ScenarioError {}
