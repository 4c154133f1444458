//! Which address others are told when a node is bound to every address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address of an interface that others can most likely reach.
///
/// Looked at are interfaces that are up and not loopback, in the order in which the system lists
/// them. The first private address (RFC 1918, RFC 6598, RFC 4193) wins, as it does in memberlist;
/// without any, the first other one that is not link-local or multicast. A node bound to `[::]`
/// takes IPv6 before IPv4; a node bound to `0.0.0.0` takes IPv4 only.
pub(crate) fn choose(bind: IpAddr, candidates: &[IpAddr]) -> Option<IpAddr> {
    let usable = |v6: bool, rank| {
        let mut found = candidates.iter().filter(move |ip| ip.is_ipv6() == v6);
        found.find(|ip| Rank::of(**ip) == rank).copied()
    };
    let of_family = |v6| usable(v6, Rank::Private).or_else(|| usable(v6, Rank::Other));
    match bind {
        IpAddr::V4(_) => of_family(false),
        IpAddr::V6(_) => of_family(true).or_else(|| of_family(false)),
    }
}

/// The addresses of all interfaces that are up and not loopback.
#[cfg(unix)]
pub(crate) fn interface_addrs() -> Vec<IpAddr> {
    use nix::net::if_::InterfaceFlags;

    let Ok(interfaces) = nix::ifaddrs::getifaddrs() else { return Vec::new() };
    interfaces
        .filter(|i| i.flags.contains(InterfaceFlags::IFF_UP))
        .filter(|i| !i.flags.contains(InterfaceFlags::IFF_LOOPBACK))
        .filter_map(|i| {
            let addr = i.address?;
            let v4 = addr.as_sockaddr_in().map(|a| IpAddr::from(a.ip()));
            v4.or_else(|| addr.as_sockaddr_in6().map(|a| IpAddr::from(a.ip())))
        })
        .collect()
}

/// Elsewhere the address has to be given.
#[cfg(not(unix))]
pub(crate) fn interface_addrs() -> Vec<IpAddr> {
    Vec::new()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rank {
    Private,
    Other,
    Unusable,
}

impl Rank {
    fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => Self::of_v6(ip),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Self {
        let [a, b, ..] = ip.octets();
        let shared = a == 100 && (64..128).contains(&b);
        if ip.is_private() || shared {
            Self::Private
        } else if ip.is_loopback() || ip.is_link_local() || ip.is_multicast() || ip.is_unspecified()
        {
            Self::Unusable
        } else {
            Self::Other
        }
    }

    fn of_v6(ip: Ipv6Addr) -> Self {
        if ip.is_unique_local() {
            Self::Private
        } else if ip.is_loopback()
            || ip.is_unicast_link_local()
            || ip.is_multicast()
            || ip.is_unspecified()
        {
            Self::Unusable
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bind: &str, candidates: &[&str]) -> Option<String> {
        let candidates: Vec<_> = candidates.iter().map(|c| c.parse().unwrap()).collect();
        choose(bind.parse().unwrap(), &candidates).map(|ip| ip.to_string())
    }

    #[test]
    fn a_private_address_comes_before_a_public_one() {
        let all = ["169.254.1.1", "8.8.8.8", "10.1.1.1", "192.168.1.1", "fd00::2", "2001:db8::1"];
        assert_eq!(of("0.0.0.0", &all).unwrap(), "10.1.1.1");
        assert_eq!(of("::", &all).unwrap(), "fd00::2");
        assert_eq!(of("0.0.0.0", &["8.8.8.8", "100.64.0.1"]).unwrap(), "100.64.0.1");
    }

    #[test]
    fn without_a_private_address_any_routable_one_will_do() {
        assert_eq!(of("0.0.0.0", &["fe80::1", "2001:db8::1", "8.8.8.8"]).unwrap(), "8.8.8.8");
        assert_eq!(of("::", &["fe80::1", "8.8.8.8", "2001:db8::1"]).unwrap(), "2001:db8::1");
        assert_eq!(of("::", &["10.0.0.1"]).unwrap(), "10.0.0.1");
    }

    #[test]
    fn no_address_is_made_up() {
        assert_eq!(of("0.0.0.0", &["127.0.0.1", "169.254.3.4", "fd00::1"]), None);
        assert_eq!(of("::", &["::1", "fe80::1", "ff02::1"]), None);
    }
}
