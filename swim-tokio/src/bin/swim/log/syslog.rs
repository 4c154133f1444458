//! Lines to the system's log.

use std::fmt;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use swim_tokio::rpc::LogLevel;

use super::line::Line;

/// The system's log, by the socket that its daemon listens on.
pub(crate) struct Syslog {
    socket: UnixDatagram,
    facility: u8,
}

impl Syslog {
    /// Connects to the first of the sockets that there is. `facility` is empty for `LOCAL0`.
    pub(crate) fn open(facility: &str) -> Result<Self, SyslogError> {
        let facility = facility_of(facility)?;
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for path in SOCKETS {
            match connect(path.as_ref()) {
                Ok(socket) => return Ok(Self { socket, facility }),
                Err(e) => last = e,
            }
        }
        Err(SyslogError::Socket(last))
    }

    /// Never waits; what the daemon does not take is lost.
    pub(super) fn write(&self, line: &Line) {
        let text = line.syslog(priority(self.facility, line.level));
        let _ = self.socket.send(text.as_bytes());
    }
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(path)?;
    Ok(socket)
}

/// As Serf maps its levels (serf spec 9.5).
const fn priority(facility: u8, level: LogLevel) -> u8 {
    let severity = match level {
        LogLevel::Err => 3,
        LogLevel::Warn => 4,
        LogLevel::Info => 5,
        LogLevel::Debug | LogLevel::Trace => 7,
    };
    facility * 8 + severity
}

fn facility_of(name: &str) -> Result<u8, SyslogError> {
    let name = if name.is_empty() { "LOCAL0" } else { name };
    let upper = name.to_uppercase();
    let number = FACILITIES.iter().position(|known| *known == upper);
    number.map(|n| n as u8).ok_or_else(|| SyslogError::Facility(name.into()))
}

/// Why there is no log of the system.
#[derive(Debug)]
pub(crate) enum SyslogError {
    Facility(String),
    Socket(io::Error),
}

impl fmt::Display for SyslogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Facility(name) => {
                let all = FACILITIES.join(" ");
                write!(f, "invalid syslog facility: {name}. Valid facilities are: [{all}]")
            }
            Self::Socket(e) => write!(f, "cannot reach syslog at {}: {e}", SOCKETS.join(", ")),
        }
    }
}

/// Where daemons listen.
const SOCKETS: [&str; 3] = ["/dev/log", "/var/run/syslog", "/var/run/log"];

/// By number.
const FACILITIES: [&str; 24] = [
    "KERN", "USER", "MAIL", "DAEMON", "AUTH", "SYSLOG", "LPR", "NEWS", "UUCP", "CRON", "AUTHPRIV",
    "FTP", "NTP", "AUDIT", "ALERT", "CLOCK", "LOCAL0", "LOCAL1", "LOCAL2", "LOCAL3", "LOCAL4",
    "LOCAL5", "LOCAL6", "LOCAL7",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reaches_the_socket_with_its_priority() {
        let path = std::env::temp_dir().join(format!("swim-syslog-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let daemon = UnixDatagram::bind(&path).unwrap();
        let facility = facility_of("").unwrap();
        let syslog = Syslog { socket: connect(&path).unwrap(), facility };
        std::fs::remove_file(&path).unwrap();
        for (level, number) in [
            (LogLevel::Err, 131),
            (LogLevel::Warn, 132),
            (LogLevel::Info, 133),
            (LogLevel::Debug, 135),
            (LogLevel::Trace, 135),
        ] {
            let mut line = Line::now(level, "serf");
            line.message = "EventMemberJoin: a 10.0.0.1".into();
            syslog.write(&line);
            let mut buffer = [0; 512];
            let len = daemon.recv(&mut buffer).unwrap();
            let text = str::from_utf8(&buffer[..len]).unwrap();
            assert!(text.starts_with(&format!("<{number}>")), "{text}");
            let end = format!(" serf[{}]: serf: EventMemberJoin: a 10.0.0.1\n", std::process::id());
            assert!(text.ends_with(&end), "{text}");
        }
        assert_eq!(facility_of("local7").unwrap(), 23);
        let says = facility_of("moon").unwrap_err().to_string();
        let start = "invalid syslog facility: moon. Valid facilities are: [KERN USER ";
        assert!(says.starts_with(start) && says.ends_with(" LOCAL6 LOCAL7]"), "{says}");
    }
}
