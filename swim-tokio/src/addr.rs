//! Addresses as people write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use swim_core::{NodeName, Seat};

/// The port of memberlist and Serf.
pub const DEFAULT_PORT: u16 = 7946;

/// Parses `IP`, `IP:PORT`, `[IPV6]:PORT`, a bare IPv6 address, or `:PORT` for every IPv4 address.
pub fn parse_addr(text: &str, default_port: u16) -> Result<SocketAddr, AddrParseError> {
    let HostPort { host, port } = text.parse()?;
    let port = port.unwrap_or(default_port);
    match host {
        Host::Any => Ok(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)),
        Host::Addr(mut addr) => {
            addr.set_port(port);
            Ok(addr)
        }
        Host::Name(_) => Err(AddrParseError::NotAnAddress(text.into())),
    }
}

/// Somebody to join by: an address, or text of the form `[NODE/]HOST[:PORT]`.
///
/// Text is read and resolved when it is used. Without a port it means this node's own port, as it
/// does for memberlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinAddr(Target);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Addr(SocketAddr),
    Text(String),
}

impl From<SocketAddr> for JoinAddr {
    fn from(addr: SocketAddr) -> Self {
        Self(Target::Addr(addr))
    }
}

impl From<&str> for JoinAddr {
    fn from(text: &str) -> Self {
        Self(Target::Text(text.into()))
    }
}

impl From<String> for JoinAddr {
    fn from(text: String) -> Self {
        Self(Target::Text(text))
    }
}

impl fmt::Display for JoinAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Target::Addr(addr) => addr.fmt(f),
            Target::Text(text) => text.fmt(f),
        }
    }
}

impl JoinAddr {
    /// More addresses of one name than this are left out.
    const ADDRS_MAX: usize = 16;

    /// Whether the text can be read, without asking a resolver.
    pub fn check(&self) -> Result<(), AddrParseError> {
        match &self.0 {
            Target::Addr(_) => Ok(()),
            Target::Text(text) => split_node(text)?.1.parse::<HostPort>().map(|_| ()),
        }
    }

    /// The seats that it stands for; `local` gives the port and the family that can be reached.
    pub(crate) async fn resolve(&self, local: SocketAddr) -> Result<Vec<Seat>, String> {
        let text = match &self.0 {
            Target::Addr(addr) => return Ok(vec![Seat::from(*addr)]),
            Target::Text(text) => text,
        };
        let (name, rest) = split_node(text).map_err(|e| e.to_string())?;
        let HostPort { host, port } = rest.parse().map_err(|e: AddrParseError| e.to_string())?;
        let port = port.unwrap_or_else(|| local.port());
        let addrs = match host {
            Host::Any => vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)],
            Host::Addr(mut addr) => {
                addr.set_port(port);
                vec![addr]
            }
            Host::Name(host) => lookup(&host, port, local).await?,
        };
        Ok(addrs.into_iter().map(|addr| Seat { addr, name: name.clone() }).collect())
    }
}

async fn lookup(host: &str, port: u16, local: SocketAddr) -> Result<Vec<SocketAddr>, String> {
    let found = tokio::net::lookup_host((host, port)).await;
    let found = found.map_err(|e| format!("cannot resolve {host}: {e}"))?;
    let mut addrs: Vec<_> =
        found.filter(|a| a.is_ipv4() || local.is_ipv6()).take(JoinAddr::ADDRS_MAX).collect();
    addrs.dedup();
    if addrs.is_empty() {
        return Err(format!("{host} has no address that {local} can reach"));
    }
    Ok(addrs)
}

fn split_node(text: &str) -> Result<(Option<NodeName>, &str), AddrParseError> {
    let Some((name, rest)) = text.split_once('/') else { return Ok((None, text)) };
    let name = NodeName::new(name).map_err(|_| AddrParseError::NotAnAddress(text.into()))?;
    Ok((Some(name), rest))
}

struct HostPort {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug)]
enum Host {
    /// Nothing before the port.
    Any,
    /// An address, with a port of 0 and perhaps a scope.
    Addr(SocketAddr),
    Name(String),
}

impl FromStr for HostPort {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        let bad = || AddrParseError::NotAnAddress(text.into());
        if let Ok(ip) = text.parse::<Ipv6Addr>() {
            return Ok(Self { host: Host::Addr(SocketAddr::new(ip.into(), 0)), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let port = port.parse().map_err(|_| AddrParseError::BadPort(text.into()))?;
                (host, Some(port))
            }
            _ => (text, None),
        };
        let host = if let Some(v6) = host.strip_prefix('[') {
            if !v6.ends_with(']') {
                return Err(bad());
            }
            Host::Addr(format!("{host}:0").parse().map_err(|_| bad())?)
        } else if host.is_empty() && port.is_some() {
            Host::Any
        } else if let Ok(ip) = host.parse::<IpAddr>() {
            Host::Addr(SocketAddr::new(ip, 0))
        } else if is_host_name(host) {
            Host::Name(host.into())
        } else {
            return Err(bad());
        };
        Ok(Self { host, port })
    }
}

/// Letters, digits, dots, dashes and underscores, and not digits and dots alone: those are meant to
/// be an address.
fn is_host_name(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        && !host.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Why text is not an address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddrParseError {
    /// The text is no IP address, with or without a port.
    NotAnAddress(String),
    /// What follows the last colon is no port.
    BadPort(String),
}

impl fmt::Display for AddrParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnAddress(text) => write!(f, "{text:?} is not an address"),
            Self::BadPort(text) => write!(f, "{text:?} has no port in 0..=65535 after its colon"),
        }
    }
}

impl std::error::Error for AddrParseError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> String {
        match parse_addr(text, DEFAULT_PORT) {
            Ok(addr) => addr.to_string(),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn every_usual_form_is_read() {
        assert_eq!(parse("127.0.0.1"), "127.0.0.1:7946");
        assert_eq!(parse("127.0.0.1:0"), "127.0.0.1:0");
        assert_eq!(parse(":7947"), "0.0.0.0:7947");
        assert_eq!(parse("::1"), "[::1]:7946");
        assert_eq!(parse("[::1]"), "[::1]:7946");
        assert_eq!(parse("[::1]:80"), "[::1]:80");
        assert_eq!(parse("[fe80::1%3]:80"), "[fe80::1%3]:80");
        assert_eq!(parse("0.0.0.0"), "0.0.0.0:7946");
    }

    #[test]
    fn what_is_no_address_is_named_in_the_error() {
        for text in ["", ":", "[::1", "[::1]x", "1.2.3", "1.2.3.4.5", "localhost", "a b", "::1]:3"]
        {
            let e = parse_addr(text, 1).unwrap_err().to_string();
            assert!(e.contains(text), "{e}");
        }
        assert_eq!(
            parse("1.2.3.4:65536"),
            "\"1.2.3.4:65536\" has no port in 0..=65535 after its colon"
        );
    }

    #[tokio::test]
    async fn a_seed_without_port_means_ones_own() {
        let local = "127.0.0.1:9000".parse().unwrap();
        let seats = JoinAddr::from("node-b/127.0.0.2").resolve(local).await.unwrap();
        assert_eq!(seats[0].addr, "127.0.0.2:9000".parse().unwrap());
        assert_eq!(seats[0].name.as_ref().unwrap().as_str(), "node-b");
        assert!(JoinAddr::from("/127.0.0.2").check().is_err());
        assert!(JoinAddr::from("node.example:7946").check().is_ok());
    }
}
