//! Names and addresses of a world's nodes. They are virtual: nothing here touches a network.

use core::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

/// Where node `index` listens: 10.x.y.z:7946, counted up from 10.0.0.1.
#[inline]
pub fn addr(index: u32) -> SocketAddr {
    let ip = Ipv4Addr::from_bits(NETWORK | (index + 1));
    SocketAddr::V4(SocketAddrV4::new(ip, PORT))
}

/// Which node listens at an address.
#[inline]
pub fn node_at(addr: SocketAddr) -> Option<u32> {
    let IpAddr::V4(ip) = addr.ip() else { return None };
    (ip.to_bits() ^ NETWORK).checked_sub(1).filter(|&i| i < NODES_MAX && addr.port() == PORT)
}

/// Where a stream of node `index` comes from: its host, at a port of the stream's own.
pub(crate) fn stream_source(index: u32, stream: u32) -> SocketAddr {
    SocketAddr::new(addr(index).ip(), 49_152 + (stream % 16_384) as u16)
}

/// The name of node `index`: `n0`, `n1`, ...
pub fn name(index: u32) -> String {
    format!("n{index}")
}

/// Which node has a name.
#[inline]
pub fn node_named(name: &str) -> Option<u32> {
    let digits = name.strip_prefix('n')?.as_bytes();
    if digits.is_empty() || digits.len() > 8 || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    digits.iter().try_fold(0u32, |n, d| {
        Some(n * 10 + u32::from(d.wrapping_sub(b'0')).min(10)).filter(|_| d.is_ascii_digit())
    })
}

/// A world has at most this many nodes.
pub const NODES_MAX: u32 = (1 << 24) - 2;

const NETWORK: u32 = 10 << 24;
const PORT: u16 = 7946;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_lead_back_to_their_node() {
        for i in [0, 1, 9, 10, 254, 255, 256, 65_535, 99_999, NODES_MAX - 1] {
            assert_eq!(node_at(addr(i)), Some(i));
            assert_eq!(node_named(&name(i)), Some(i));
        }
        assert_eq!(addr(0).to_string(), "10.0.0.1:7946");
        assert_eq!(addr(255).to_string(), "10.0.1.0:7946");
    }

    #[test]
    fn strangers_are_nobody() {
        for name in ["", "n", "x1", "n1x", "n01", "n-1", "n999999999", "1"] {
            assert_eq!(node_named(name), None, "{name}");
        }
        for addr in ["10.0.0.0:7946", "11.0.0.1:7946", "10.0.0.1:80", "[::1]:7946"] {
            assert_eq!(node_at(addr.parse().unwrap()), None, "{addr}");
        }
    }
}
