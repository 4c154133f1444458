//! Log lines on their way to monitors.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;

/// Keeps the last 512 lines of the agent's log, and gives every further one to all monitors. Clones
/// share the lines.
#[derive(Clone, Debug)]
pub struct LogTap(Arc<Tap>);

#[derive(Debug)]
struct Tap {
    recent: Mutex<VecDeque<Arc<Line>>>,
    live: broadcast::Sender<Arc<Line>>,
}

/// A line and its level.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) level: LogLevel,
    pub(super) text: String,
}

impl LogTap {
    /// Without lines.
    pub fn new() -> Self {
        let (recent, live) = (Mutex::default(), broadcast::Sender::new(LINES_MAX));
        Self(Arc::new(Tap { recent, live }))
    }

    /// Takes a line, without its newline. Never waits.
    pub fn push(&self, level: LogLevel, text: impl Into<String>) {
        let line = Arc::new(Line { level, text: text.into() });
        let mut recent = self.0.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == LINES_MAX {
            recent.pop_front();
        }
        recent.push_back(line.clone());
        // While the lock is held: a monitor that subscribes gets every line once.
        let _ = self.0.live.send(line);
    }

    /// The lines so far, and those to come.
    pub(super) fn subscribe(&self) -> (Vec<Arc<Line>>, broadcast::Receiver<Arc<Line>>) {
        let recent = self.0.recent.lock().unwrap_or_else(PoisonError::into_inner);
        (recent.iter().cloned().collect(), self.0.live.subscribe())
    }
}

impl Default for LogTap {
    fn default() -> Self {
        Self::new()
    }
}

/// How much a line matters, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "Serf has these five")]
pub enum LogLevel {
    /// For those who look for a fault.
    Trace,
    /// For those who want to know.
    Debug,
    /// As it should be.
    Info,
    /// Not as it should be.
    Warn,
    /// Something does not work.
    Err,
}

impl LogLevel {
    /// As log lines have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Err => "ERR",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for LogLevel {
    type Err = String;

    /// In any case; the error is the text that Serf has for it.
    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.to_uppercase();
        let all = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Err];
        let found = all.into_iter().find(|level| level.as_str() == upper);
        found.ok_or_else(|| format!("Unknown log level: {upper}"))
    }
}

/// Serf's backlog (section 8.4).
const LINES_MAX: usize = 512;
