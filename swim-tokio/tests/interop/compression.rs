//! What is compressed, and what is not.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use swim_tokio::swim_core::wire::Alive;

use crate::cli::{run, with_rpc};
use crate::ours::Swim;
use crate::serf::{self, Net, SOON, Serf};

#[tokio::test]
async fn with_and_without_compression_on_either_side() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let plain = Serf::start("plain", net.addr(1), &["-disable-compression"]);
    let packed = Serf::start("packed", net.addr(2), &[&format!("-join={}", net.addr(1))]);
    let (seed, other) = (plain.addr().to_string(), packed.addr().to_string());
    let ours_plain =
        Swim::start("ours-plain", net.addr(3), &["--disable-compression", "--join", &seed]);
    let ours_packed = Swim::start("ours-packed", net.addr(4), &["--join", &other]);
    for theirs in [&plain, &packed] {
        for name in ["ours-plain", "ours-packed"] {
            theirs.wait_status(name, "alive", SOON).await;
        }
    }
    for ours in [&ours_plain, &ours_packed] {
        for name in ["plain", "packed"] {
            ours.wait_event("member-join", name, SOON).await;
        }
    }
    // Their broadcast, compressed or not, reaches both of ours.
    for (theirs, letter) in [(&plain, "a"), (&packed, "b")] {
        for ours in [&ours_plain, &ours_packed] {
            ours.wait_broadcast(theirs, &letter.repeat(300)).await;
        }
    }
    for theirs in [&plain, &packed] {
        assert!(!theirs.log().contains("[ERR]"), "{}", theirs.log());
    }
}

/// A member that only listens, and what it was sent.
struct Tap {
    socket: UdpSocket,
    /// Whether each datagram was compressed.
    compressed: Vec<bool>,
}

impl Tap {
    /// Makes itself known to an agent.
    fn join(addr: SocketAddr, to: SocketAddr) -> Self {
        let socket = UdpSocket::bind(addr).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let IpAddr::V4(ip) = addr.ip() else { unreachable!("bound to 127.0.0.0/8") };
        let mut claim = BytesMut::new();
        let alive = Alive {
            incarnation: 1,
            node: b"tap",
            addr: Some(&ip.octets()),
            port: addr.port(),
            meta: Some(b"\xff\x80"),
            vsn: Some(&[1, 5, 2, 2, 5, 5]),
        };
        alive.encode(&mut claim);
        socket.send_to(&claim, to).unwrap();
        Self { socket, compressed: Vec::new() }
    }

    /// Listens for a while; whether the text came as it is.
    fn listen(&mut self, text: &[u8]) -> bool {
        let (end, mut buf) = (Instant::now() + Duration::from_millis(500), [0; 2048]);
        let mut found = false;
        while Instant::now() < end {
            let Ok((len, _)) = self.socket.recv_from(&mut buf) else { continue };
            let datagram = match &buf[..len] {
                [CHECKED, _, _, _, _, rest @ ..] => rest,
                whole => whole,
            };
            self.compressed.push(datagram.first() == Some(&COMPRESSED));
            found |= datagram.windows(text.len()).any(|window| window == text);
        }
        found
    }
}

/// What is behind it begins after a checksum of four bytes.
const CHECKED: u8 = 12;
const COMPRESSED: u8 = 9;
const PUSH_PULL: u8 = 6;

/// The first byte of the answer to a push/pull of nobody.
fn answer(to: SocketAddr) -> u8 {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(b"\x06\x83\xa4Join\xc2\xa5Nodes\x00\xacUserStateLen\x00").unwrap();
    let mut first = [0];
    stream.read_exact(&mut first).unwrap();
    first[0]
}

#[tokio::test]
async fn an_agent_told_not_to_compress_sends_nothing_compressed() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let flag = "-disable-compression";
    let theirs = [(1, &[][..]), (2, &[flag])];
    let theirs = theirs.map(|(n, flags)| Serf::start("theirs", net.addr(n), flags));
    let ours = [(3, &[][..]), (4, &[flag])];
    let ours = ours.map(|(n, flags)| Swim::start_with_rpc("ours", net.addr(n), flags));
    let text = "a".repeat(300);
    for (n, addr, rpc, packs) in [
        (11, theirs[0].addr(), theirs[0].rpc(), true),
        (12, theirs[1].addr(), theirs[1].rpc(), false),
        (13, ours[0].addr(), ours[0].rpc(), true),
        (14, ours[1].addr(), ours[1].rpc(), false),
    ] {
        let mut tap = Tap::join(net.addr(n), addr);
        let (start, mut events) = (Instant::now(), 0);
        // Its only member is sent every event.
        loop {
            let event = ["event", "-coalesce=false", &format!("e{events}"), &text];
            assert!(run("serf", &with_rpc(&event, &rpc.to_string()), &[]).status.success());
            events += 1;
            let as_it_is = tap.listen(text.as_bytes());
            if if packs { tap.compressed.contains(&true) } else { as_it_is } {
                break;
            }
            assert!(start.elapsed() < SOON, "{addr}: {:?}", tap.compressed);
        }
        assert_eq!(tap.compressed.contains(&true), packs, "{addr}");
        assert_eq!(answer(addr), if packs { COMPRESSED } else { PUSH_PULL }, "{addr}");
    }
}
