//! Names and addresses of a world's nodes. They are virtual: nothing here touches a network.

use core::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

/// Where node `index` listens: 10.x.y.z:7946, counted up from 10.0.0.1.
#[inline]
pub fn addr(index: u32) -> SocketAddr {
    let ip = Ipv4Addr::from_bits(NETWORK | (index + 1));
    SocketAddr::V4(SocketAddrV4::new(ip, PORT))
}

/// Where node `index` listens after it has moved so often, at most [`MOVES_MAX`] times: the same in
/// the next network, 11.x.y.z and so on.
#[inline]
pub(crate) fn addr_after(index: u32, moves: u8) -> SocketAddr {
    let ip = Ipv4Addr::from_bits((NETWORK + (u32::from(moves) << 24)) | (index + 1));
    SocketAddr::V4(SocketAddrV4::new(ip, PORT))
}

/// Which node listens, or has listened, at an address, and after how many moves.
pub(crate) fn resolve(addr: SocketAddr) -> Option<(u32, u8)> {
    let IpAddr::V4(ip) = addr.ip() else { return None };
    let [first, rest @ ..] = ip.octets();
    let moves = first.checked_sub(NETWORK_OCTET).filter(|&moves| moves <= MOVES_MAX)?;
    let index = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]).checked_sub(1)?;
    (addr.port() == PORT && index < NODES_MAX).then_some((index, moves))
}

/// Which node listens at an address.
#[inline]
pub fn node_at(addr: SocketAddr) -> Option<u32> {
    let IpAddr::V4(ip) = addr.ip() else { return None };
    (ip.to_bits() ^ NETWORK).checked_sub(1).filter(|&i| i < NODES_MAX && addr.port() == PORT)
}

/// Where a stream of the node at an address comes from: its host, at a port of the stream's own.
pub(crate) fn stream_source(node: SocketAddr, stream: u32) -> SocketAddr {
    SocketAddr::new(node.ip(), 49_152 + (stream % 16_384) as u16)
}

/// The name of node `index`: `n0`, `n1`, ...
pub fn name(index: u32) -> String {
    format!("n{index}")
}

/// Which node has a name; what follows a dot in it is the domain of its world.
#[inline]
pub fn node_named(name: &str) -> Option<u32> {
    let digits = name.strip_prefix('n')?.as_bytes();
    let digits = digits.split(|&byte| byte == b'.').next()?;
    if digits.is_empty() || digits.len() > 8 || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    digits.iter().try_fold(0u32, |n, d| {
        Some(n * 10 + u32::from(d.wrapping_sub(b'0')).min(10)).filter(|_| d.is_ascii_digit())
    })
}

/// A world has at most this many nodes.
pub const NODES_MAX: u32 = (1 << 24) - 2;

/// A node moves at most so often; after that it stays.
pub const MOVES_MAX: u8 = 100;

const NETWORK_OCTET: u8 = 10;
const NETWORK: u32 = (NETWORK_OCTET as u32) << 24;
const PORT: u16 = 7946;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_lead_back_to_their_node() {
        for i in [0, 1, 9, 10, 254, 255, 256, 65_535, 99_999, NODES_MAX - 1] {
            assert_eq!(node_at(addr(i)), Some(i));
            assert_eq!(node_named(&name(i)), Some(i));
            assert_eq!(node_named(&format!("{}.dc1.example", name(i))), Some(i));
        }
        assert_eq!(addr_after(299, 0), addr(299));
        assert_eq!(addr_after(0, 2).to_string(), "12.0.0.1:7946");
        for (i, moves) in [(0, 0), (299, 7), (NODES_MAX - 1, MOVES_MAX)] {
            assert_eq!(resolve(addr_after(i, moves)), Some((i, moves)));
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
