//! Takes what the program logs and gives each line to everybody who reads the log.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use swim_tokio::rpc::{LogLevel, LogTap};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Level, Metadata, Subscriber};

use super::line::Line;
#[cfg(unix)]
use super::syslog::Syslog;
use super::writer::Writer;
use crate::flags::Format;

/// Starts to log from this level upwards. The agent never waits for whoever reads its log: lines
/// that are not taken are dropped, and their number is told.
///
/// `pool` is told with each line, unless it is empty.
pub(crate) fn start(level: LogLevel, pool: &str, sinks: Sinks) -> Log {
    let log = Log {
        level: Arc::new(AtomicU8::new(level as u8)),
        tap: LogTap::new(),
        writer: Writer::start(sinks.format),
        #[cfg(unix)]
        syslog: sinks.syslog.map(Arc::new),
    };
    let shared = log.clone();
    // Fails only if there is a logger already.
    let logger = Logger { log: shared, pool: pool.into(), dropped: Mutex::new(0) };
    let _ = tracing::subscriber::set_global_default(logger);
    log
}

/// Where lines go besides to monitors.
pub(crate) struct Sinks {
    /// Their form on standard error.
    pub(crate) format: Format,
    /// The system's log, if it is to have them, too.
    #[cfg(unix)]
    pub(crate) syslog: Option<Syslog>,
}

/// The log of this program. Clones are the same log.
#[derive(Clone)]
pub(crate) struct Log {
    level: Arc<AtomicU8>,
    tap: LogTap,
    writer: Writer,
    #[cfg(unix)]
    syslog: Option<Arc<Syslog>>,
}

impl Log {
    /// Logs from this level upwards from now on.
    pub(crate) fn set_level(&self, level: LogLevel) {
        self.level.store(level as u8, Ordering::Relaxed);
    }

    /// The lines of all levels, for monitors.
    pub(crate) const fn tap(&self) -> &LogTap {
        &self.tap
    }

    /// Writes a text of several lines to standard error, whatever the level. It is lost if nobody
    /// reads.
    pub(crate) fn page(&self, page: String) {
        let _ = self.writer.write_page(page);
    }

    /// Lets the last lines out.
    pub(crate) fn flush(&self) {
        self.writer.flush();
    }

    fn takes(&self, level: LogLevel) -> bool {
        level as u8 >= self.level.load(Ordering::Relaxed)
    }
}

struct Logger {
    log: Log,
    /// The label of the cluster.
    pool: String,
    /// Lines since the last one that was taken.
    dropped: Mutex<u64>,
}

impl Subscriber for Logger {
    /// Of any level: a monitor's is its own. Spans tell nodes apart, and here is one.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("swim")
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let level = level_of(metadata.level());
        let mut line = Line::now(level, component(metadata.target()));
        event.record(&mut Fields(&mut line));
        if !self.pool.is_empty() {
            line.fields.push(("pool", self.pool.clone()));
        }
        let text = line.to_string();
        if self.log.takes(level) {
            #[cfg(unix)]
            if let Some(syslog) = &self.log.syslog {
                syslog.write(&line);
            }
            let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
            match self.log.writer.write(line, *dropped) {
                Ok(()) => *dropped = 0,
                Err(_) => *dropped += 1,
            }
        }
        self.log.tap.push(level, text);
    }

    // None is enabled.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn level_of(level: &Level) -> LogLevel {
    match *level {
        Level::ERROR => LogLevel::Err,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

/// Serf's name for the part of the program that speaks.
fn component(target: &str) -> &'static str {
    let is_in = |module: &str| target.starts_with(module);
    match () {
        () if is_in("swim_tokio::rpc") => "agent.ipc",
        () if is_in("swim_tokio::agent") || is_in("swim::agent") => "agent",
        () if is_in("swim_tokio::serf") || is_in("swim::serf") => "serf",
        () if is_in("swim_tokio") => "memberlist",
        () => "agent",
    }
}

/// The message, then the fields.
struct Fields<'a>(&'a mut Line);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.0.message = format!("{value:?}"),
            name => self.0.fields.push((name, format!("{value:?}"))),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.0.message = value.into(),
            name => self.0.fields.push((name, value.into())),
        }
    }
}
