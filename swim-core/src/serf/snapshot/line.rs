//! One line of a snapshot (serf spec 7.1).

use core::fmt::Write as _;
use core::net::SocketAddr;
use core::str;

use bytes::BytesMut;

/// A line of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Line<'a> {
    /// A member is there.
    Alive {
        /// Its name.
        name: &'a str,
        /// Its address.
        addr: SocketAddr,
    },
    /// A member is gone.
    NotAlive {
        /// Its name.
        name: &'a str,
    },
    /// The latest time of a member event that was seen.
    Clock(u64),
    /// The latest time of an application's event that was seen.
    EventClock(u64),
    /// The latest time of a query that was seen.
    QueryClock(u64),
    /// This node has left.
    Leave,
    /// Something that older Serfs wrote, or a comment: to be passed over.
    Ignored,
}

impl<'a> Line<'a> {
    /// What a line says, without its end; `None` if that is nothing.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let line = str::from_utf8(line).ok()?;
        let number = |rest: &str| rest.parse().ok();
        if let Some(rest) = line.strip_prefix(ALIVE) {
            // A name may have blanks in it, an address has none.
            let (name, addr) = rest.rsplit_once(' ')?;
            return Some(Self::Alive { name, addr: addr.parse().ok()? });
        }
        if let Some(name) = line.strip_prefix(NOT_ALIVE) {
            return Some(Self::NotAlive { name });
        }
        if let Some(rest) = line.strip_prefix(CLOCK) {
            return number(rest).map(Self::Clock);
        }
        if let Some(rest) = line.strip_prefix(EVENT_CLOCK) {
            return number(rest).map(Self::EventClock);
        }
        if let Some(rest) = line.strip_prefix(QUERY_CLOCK) {
            return number(rest).map(Self::QueryClock);
        }
        match line {
            LEAVE => Some(Self::Leave),
            line if line.starts_with(['#']) || line.starts_with(COORDINATE) => Some(Self::Ignored),
            _ => None,
        }
    }

    /// Appends the line with its end; nothing for one that is to be passed over.
    pub fn write(&self, out: &mut BytesMut) {
        let written = match self {
            Self::Alive { name, addr } => writeln!(out, "{ALIVE}{name} {addr}"),
            Self::NotAlive { name } => writeln!(out, "{NOT_ALIVE}{name}"),
            Self::Clock(time) => writeln!(out, "{CLOCK}{time}"),
            Self::EventClock(time) => writeln!(out, "{EVENT_CLOCK}{time}"),
            Self::QueryClock(time) => writeln!(out, "{QUERY_CLOCK}{time}"),
            Self::Leave => writeln!(out, "{LEAVE}"),
            Self::Ignored => Ok(()),
        };
        written.expect("a buffer that grows");
    }
}

/// Whether a name can stand in a line: a peer could else write lines of its own.
pub(super) fn is_writable(name: &str) -> bool {
    !name.contains(['\n', '\r'])
}

const ALIVE: &str = "alive: ";
const NOT_ALIVE: &str = "not-alive: ";
const CLOCK: &str = "clock: ";
const EVENT_CLOCK: &str = "event-clock: ";
const QUERY_CLOCK: &str = "query-clock: ";
const COORDINATE: &str = "coordinate: ";
const LEAVE: &str = "leave";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_written() {
        let v4 = "127.0.0.1:7946".parse().unwrap();
        let v6 = "[fd00::1]:7946".parse().unwrap();
        for (line, text) in [
            (Line::Alive { name: "n1", addr: v4 }, "alive: n1 127.0.0.1:7946\n"),
            (Line::Alive { name: "a b", addr: v6 }, "alive: a b [fd00::1]:7946\n"),
            (Line::NotAlive { name: "a b" }, "not-alive: a b\n"),
            (Line::Clock(7), "clock: 7\n"),
            (Line::EventClock(u64::MAX), "event-clock: 18446744073709551615\n"),
            (Line::QueryClock(0), "query-clock: 0\n"),
            (Line::Leave, "leave\n"),
        ] {
            let mut out = BytesMut::new();
            line.write(&mut out);
            assert_eq!(out, text.as_bytes());
            assert_eq!(Line::parse(&out[..out.len() - 1]), Some(line));
        }
    }

    #[test]
    fn other_lines_say_nothing() {
        for line in ["# comment", "coordinate: {}"] {
            assert_eq!(Line::parse(line.as_bytes()), Some(Line::Ignored));
        }
        for line in ["", "alive: n1", "alive: n1 nowhere", "clock: -1", "clock: ", "leaves", "what"]
        {
            assert_eq!(Line::parse(line.as_bytes()), None, "{line}");
        }
        assert_eq!(Line::parse(b"not-alive: \xff"), None);
    }
}
