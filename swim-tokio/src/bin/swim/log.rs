//! Log lines on standard error, in Serf's form: `2026/01/02 15:04:05 [INFO] swim: text`.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span;
use tracing::{Event, Level, Metadata, Subscriber};

/// Starts to log from this level upwards. The agent never waits for whoever reads its log: lines
/// that are not taken are dropped, and their number is told.
pub(crate) fn start(level: LevelFilter) -> Flush {
    let (lines, taken) = sync_channel(LINES_MAX);
    std::thread::spawn(move || write(&taken));
    let logger = Logger { level, lines: lines.clone(), dropped: Mutex::new(0) };
    // Fails only if there is a logger already.
    let _ = tracing::subscriber::set_global_default(logger);
    Flush(lines)
}

/// The level of this name, as Serf's.
pub(crate) fn parse_level(name: &str) -> Result<LevelFilter, String> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "trace" => LevelFilter::TRACE,
        "debug" => LevelFilter::DEBUG,
        "info" => LevelFilter::INFO,
        "warn" => LevelFilter::WARN,
        "err" | "error" => LevelFilter::ERROR,
        _ => return Err(format!("log level {name:?} is none of trace, debug, info, warn, err")),
    })
}

/// Lets the last lines out when the program ends.
pub(crate) struct Flush(SyncSender<Line>);

impl Drop for Flush {
    fn drop(&mut self) {
        let (done, wait) = sync_channel(1);
        if self.0.try_send(Line::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(Duration::from_secs(1));
        }
    }
}

enum Line {
    Text(String),
    Flush(SyncSender<()>),
}

fn write(lines: &Receiver<Line>) {
    while let Ok(line) = lines.recv() {
        match line {
            // Without a reader there is nobody to tell.
            Line::Text(text) => drop(std::io::stderr().write_all(text.as_bytes())),
            Line::Flush(done) => drop(done.try_send(())),
        }
    }
}

struct Logger {
    level: LevelFilter,
    lines: SyncSender<Line>,
    dropped: Mutex<u64>,
}

impl Subscriber for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= &self.level && metadata.target().starts_with("swim")
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        if *dropped > 0 {
            let warning = format_args!("{dropped} log lines were dropped: nobody took them");
            head(&mut text, Level::WARN);
            let _ = writeln!(text, "{warning}");
        }
        head(&mut text, *event.metadata().level());
        event.record(&mut Text(&mut text));
        text.push('\n');
        match self.lines.try_send(Line::Text(text)) {
            Ok(()) => *dropped = 0,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => *dropped += 1,
        }
    }

    // Nothing here opens spans.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn head(text: &mut String, level: Level) {
    let name = match level {
        Level::ERROR => "ERR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let _ = write!(text, "{} [{name}] swim: ", Date(now.as_secs()));
}

/// The message, then the fields.
struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

/// Seconds since 1970 as a date and time in UTC.
struct Date(u64);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0 / 86_400, self.0 % 86_400);
        // Years that start in March have their leap day at the end (Hinnant, civil_from_days).
        let days = days + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}/{month:02}/{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// Lines that wait for their reader.
const LINES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, "1970/01/01 00:00:00"),
            (951_782_399, "2000/02/28 23:59:59"),
            (951_782_400, "2000/02/29 00:00:00"),
            (951_868_800, "2000/03/01 00:00:00"),
            (1_735_689_599, "2024/12/31 23:59:59"),
            (4_107_542_400, "2100/03/01 00:00:00"),
        ] {
            assert_eq!(Date(seconds).to_string(), date);
        }
    }

    #[test]
    fn levels_have_serfs_names() {
        assert_eq!(parse_level("ERR"), Ok(LevelFilter::ERROR));
        assert_eq!(parse_level("Debug"), Ok(LevelFilter::DEBUG));
        assert!(parse_level("loud").unwrap_err().contains("\"loud\""));
    }
}
