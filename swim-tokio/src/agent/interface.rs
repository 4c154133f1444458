//! From the name of an interface to the address to listen on (section 9.1).

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

/// The address to listen on if an interface is named: `bind` if that is an address of it; if `bind`
/// is unspecified, its first address that is not link-local, IPv4 first, and `bind`'s port.
///
/// # Errors
///
/// [`InterfaceError`] names the interface and what it lacks.
pub fn bind_to_interface(name: &str, bind: SocketAddr) -> Result<SocketAddr, InterfaceError> {
    let fail = |why| InterfaceError { name: name.into(), why };
    choose(&interface_addrs(name)?, bind).map_err(fail)
}

/// The addresses of an interface, which may be none.
///
/// # Errors
///
/// [`InterfaceError`] if there is no interface of this name.
pub fn interface_addrs(name: &str) -> Result<Vec<IpAddr>, InterfaceError> {
    let fail = |why| InterfaceError { name: name.into(), why };
    let addrs = addrs_of(name).map_err(|e| fail(Why::System(e.to_string())))?;
    addrs.ok_or_else(|| fail(Why::NoSuch))
}

fn choose(addrs: &[IpAddr], bind: SocketAddr) -> Result<SocketAddr, Why> {
    if !bind.ip().is_unspecified() {
        return if addrs.contains(&bind.ip()) { Ok(bind) } else { Err(Why::Lacks(bind.ip())) };
    }
    let of_family = |v6| addrs.iter().find(|ip| ip.is_ipv6() == v6 && !is_link_local(ip));
    let ip = of_family(false).or_else(|| of_family(true)).ok_or(Why::NoAddress)?;
    Ok(SocketAddr::new(*ip, bind.port()))
}

const fn is_link_local(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// The addresses of an interface; `None` if there is no such interface.
#[cfg(unix)]
fn addrs_of(name: &str) -> io::Result<Option<Vec<IpAddr>>> {
    let mut found = None;
    for interface in nix::ifaddrs::getifaddrs()?.filter(|i| i.interface_name == name) {
        let addrs = found.get_or_insert_with(Vec::new);
        let Some(addr) = interface.address else { continue };
        let v4 = addr.as_sockaddr_in().map(|addr| IpAddr::from(addr.ip()));
        addrs.extend(v4.or_else(|| addr.as_sockaddr_in6().map(|addr| IpAddr::from(addr.ip()))));
    }
    Ok(found)
}

/// Elsewhere the address has to be given.
#[cfg(not(unix))]
fn addrs_of(_: &str) -> io::Result<Option<Vec<IpAddr>>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// An interface that cannot be listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceError {
    name: String,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    NoSuch,
    NoAddress,
    Lacks(IpAddr),
    System(String),
}

impl fmt::Display for InterfaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "interface {:?}: ", self.name)?;
        match &self.why {
            Why::NoSuch => f.write_str("there is none of this name"),
            Why::NoAddress => f.write_str("it has no address that is not link-local"),
            Why::Lacks(ip) => write!(f, "{ip} is no address of it"),
            Why::System(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for InterfaceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_that_is_not_link_local_is_taken() {
        let of = |addrs: &[&str], bind: &str| {
            let addrs: Vec<_> = addrs.iter().map(|addr| addr.parse().unwrap()).collect();
            choose(&addrs, bind.parse().unwrap()).map(|addr| addr.to_string())
        };
        let all = ["fe80::1", "2001:db8::1", "169.254.1.1", "10.0.0.1", "10.0.0.2"];
        assert_eq!(of(&all, "0.0.0.0:7946").unwrap(), "10.0.0.1:7946");
        assert_eq!(of(&all[..3], "0.0.0.0:1").unwrap(), "[2001:db8::1]:1");
        assert_eq!(of(&all, "10.0.0.2:5").unwrap(), "10.0.0.2:5");
        assert_eq!(of(&all, "10.0.0.3:5"), Err(Why::Lacks([10, 0, 0, 3].into())));
        assert_eq!(of(&all[2..3], "0.0.0.0:1"), Err(Why::NoAddress));
    }

    #[cfg(unix)]
    #[test]
    fn the_loopback_interface_has_the_loopback_address() {
        let any = SocketAddr::from(([0, 0, 0, 0], 7));
        let name = nix::ifaddrs::getifaddrs()
            .unwrap()
            .find(|i| {
                i.address.and_then(|a| a.as_sockaddr_in().map(|a| a.ip().is_loopback()))
                    == Some(true)
            })
            .unwrap()
            .interface_name;
        assert_eq!(bind_to_interface(&name, any).unwrap(), ([127, 0, 0, 1], 7).into());
        let says = bind_to_interface("no-such-one", any).unwrap_err().to_string();
        assert_eq!(says, "interface \"no-such-one\": there is none of this name");
    }
}
