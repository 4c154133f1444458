//! A line of the log, in Serf's form or as JSON.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use swim_tokio::rpc::LogLevel;

/// `2026/01/02 15:04:05 [INFO] agent: text` when it is printed.
pub(crate) struct Line {
    /// Since 1970, in UTC.
    at: Duration,
    pub(super) level: LogLevel,
    pub(super) component: &'static str,
    pub(super) message: String,
    pub(super) fields: Vec<(&'static str, String)>,
}

impl Line {
    pub(super) fn now(level: LogLevel, component: &'static str) -> Self {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { at, level, component, message: String::new(), fields: Vec::new() }
    }

    /// As syslog daemons read it (RFC 3164, without a host).
    #[cfg(unix)]
    pub(super) fn syslog(&self, priority: u8) -> String {
        let date = Date(self.at.as_secs()).to_string();
        let month = date[5..7].parse::<usize>().unwrap_or_default().saturating_sub(1);
        let (day, time) = (date[8..10].trim_start_matches('0'), &date[11..]);
        let (month, pid) = (MONTHS[month.min(11)], std::process::id());
        let Self { component, message, .. } = self;
        let fields = self.fields_text();
        format!("<{priority}>{month} {day:>2} {time} serf[{pid}]: {component}: {message}{fields}\n")
    }

    fn fields_text(&self) -> String {
        self.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect()
    }

    /// One JSON object.
    pub(super) fn json(&self) -> String {
        let Self { at, level, component, message, fields } = self;
        let text = |text: &str| Value::from(text);
        let mut object = Map::new();
        let date = Date(at.as_secs()).to_string().replace('/', "-").replace(' ', "T");
        object.insert("time".into(), format!("{date}.{:03}Z", at.subsec_millis()).into());
        object.insert("level".into(), text(level.as_str()));
        object.insert("component".into(), text(component));
        object.insert("message".into(), text(message));
        object.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), text(value))));
        Value::Object(object).to_string()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, level, component, message, .. } = self;
        let fields = self.fields_text();
        write!(f, "{} [{level}] {component}: {message}{fields}", Date(at.as_secs()))
    }
}

/// Seconds since 1970 as a date and time in UTC.
pub(crate) struct Date(pub(crate) u64);

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

#[cfg(unix)]
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

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
    fn a_line_is_text_or_json() {
        let line = Line {
            at: Duration::from_millis(1_735_689_599_042),
            level: LogLevel::Warn,
            component: "serf",
            message: "it \"is\"".into(),
            fields: vec![("peer", "n1".into())],
        };
        assert_eq!(line.to_string(), "2024/12/31 23:59:59 [WARN] serf: it \"is\" peer=n1");
        #[cfg(unix)]
        {
            let pid = std::process::id();
            let expected = format!("<12>Dec 31 23:59:59 serf[{pid}]: serf: it \"is\" peer=n1\n");
            assert_eq!(line.syslog(12), expected);
        }
        let json: Value = serde_json::from_str(&line.json()).unwrap();
        let expected = serde_json::json!({
            "time": "2024-12-31T23:59:59.042Z",
            "level": "WARN",
            "component": "serf",
            "message": "it \"is\"",
            "peer": "n1",
        });
        assert_eq!(json, expected);
    }
}
