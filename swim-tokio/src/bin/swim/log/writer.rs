//! The thread that writes the log to standard error.

use std::io::Write as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use swim_tokio::rpc::LogLevel;

use super::line::Line;
use crate::flags::Format;

/// Takes lines and never waits. Clones write to the same place.
#[derive(Clone)]
pub(super) struct Writer {
    lines: SyncSender<Job>,
    format: Format,
}

enum Job {
    Text(String),
    Flush(SyncSender<()>),
}

/// The line was dropped: nobody takes them.
pub(super) struct Dropped;

impl Writer {
    pub(super) fn start(format: Format) -> Self {
        let (lines, taken) = sync_channel(LINES_MAX);
        std::thread::spawn(move || write(&taken));
        Self { lines, format }
    }

    /// Writes a line, and before it that so many were dropped, if any were.
    pub(super) fn write(&self, line: Line, dropped: u64) -> Result<(), Dropped> {
        let mut text = String::new();
        if dropped > 0 {
            let mut warning = Line::now(LogLevel::Warn, "agent");
            warning.message = format!("{dropped} log lines were dropped: nobody took them");
            self.add(&warning, &mut text);
        }
        self.add(&line, &mut text);
        self.lines.try_send(Job::Text(text)).map_err(|_| Dropped)
    }

    /// Writes a text of several lines, which is one line in JSON.
    pub(super) fn write_page(&self, page: String) -> Result<(), Dropped> {
        let text = match self.format {
            Format::Text => page,
            Format::Json => {
                let mut line = Line::now(LogLevel::Info, "agent");
                line.message = page;
                line.json() + "\n"
            }
        };
        self.lines.try_send(Job::Text(text)).map_err(|_| Dropped)
    }

    fn add(&self, line: &Line, text: &mut String) {
        *text += &match self.format {
            Format::Text => line.to_string(),
            Format::Json => line.json(),
        };
        text.push('\n');
    }

    /// Waits for the lines so far, but not for long.
    pub(super) fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.lines.try_send(Job::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(Duration::from_secs(1));
        }
    }
}

fn write(lines: &Receiver<Job>) {
    while let Ok(job) = lines.recv() {
        match job {
            // Without a reader there is nobody to tell.
            Job::Text(text) => drop(std::io::stderr().write_all(text.as_bytes())),
            Job::Flush(done) => drop(done.try_send(())),
        }
    }
}

/// Lines that wait for their reader.
const LINES_MAX: usize = 256;
