//! What the event handler of a real agent was told.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of this test's own, removed when the test ends.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("swim-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A handler that still runs may write into it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A handler that writes a line for each event.
#[derive(Debug)]
pub(crate) struct Diary(Scratch);

impl Diary {
    pub(crate) fn new() -> Self {
        Self(Scratch::new())
    }

    /// The flag for `serf agent`.
    pub(crate) fn flag(&self) -> String {
        let file = self.0.path("diary");
        let script = format!(
            "echo \"$SERF_EVENT|$SERF_USER_EVENT|$SERF_USER_LTIME|$(tr '\\n\\t' ';,')\" >> {}",
            file.display()
        );
        format!("-event-handler=member-join,member-leave,member-failed,member-update,user={script}")
    }

    /// The entries that start so: event, name and time of a user event, and what the handler read,
    /// with `|` between them. Members end with `;`, their fields with `,`.
    pub(crate) fn entries(&self, start: &str) -> Vec<String> {
        // There is no file before the first event.
        let text = std::fs::read_to_string(self.0.path("diary")).unwrap_or_default();
        text.lines().filter(|line| line.starts_with(start)).map(Into::into).collect()
    }
}
