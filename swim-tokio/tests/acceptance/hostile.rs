//! Messages that no agent sends, and what ours and theirs make of them.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use swim_tokio::swim_core::serf::Status;
use swim_tokio::swim_core::wire::serf::{Destination, List, Message, Query, Relay, UserEvent};

use crate::agents::serf;
use crate::ours::{Ours, SOON};
use crate::serf::{self as theirs, Net, Serf};

/// A socket that is no member.
#[derive(Debug)]
pub(crate) struct Raw(UdpSocket);

impl Raw {
    pub(crate) fn bind(net: &Net, n: u8) -> Self {
        let socket = UdpSocket::bind(net.addr(n)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        Self(socket)
    }

    /// Sends a Serf message.
    pub(crate) fn send(&self, to: SocketAddr, message: &[u8]) {
        self.0.send_to(&[b"\x08", message].concat(), to).unwrap();
    }

    /// What Serf messages come until none has come for a second.
    fn receive(&self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        let mut buf = [0; 2048];
        while let Ok((len, _)) = self.0.recv_from(&mut buf) {
            if let [8, message @ ..] = &buf[..len] {
                messages.push(message.to_vec());
            }
        }
        messages
    }

    /// A query whose answers come here.
    fn query<'a>(&self, ip: &'a [u8; 4], ltime: u64, name: &'a str) -> Query<'a> {
        Query {
            ltime,
            id: u32::try_from(ltime).unwrap(),
            addr: Some(ip),
            port: self.0.local_addr().unwrap().port(),
            source_node: b"raw",
            timeout_ns: 2_000_000_000,
            name: name.as_bytes(),
            ..Query::default()
        }
    }

    fn ip(&self) -> [u8; 4] {
        match self.0.local_addr().unwrap() {
            SocketAddr::V4(addr) => addr.ip().octets(),
            SocketAddr::V6(_) => unreachable!("bound to 127.0.0.0/8"),
        }
    }
}

pub(crate) fn encode(write: impl FnOnce(&mut BytesMut)) -> Vec<u8> {
    let mut out = BytesMut::new();
    write(&mut out);
    out.to_vec()
}

/// Payloads of the responses among these messages; those without are acks.
fn payloads(messages: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
    let of = |message: &Vec<u8>| match Message::decode(message) {
        Ok(Message::Response(response)) => Some(response.payload.map(<[u8]>::to_vec)),
        _ => None,
    };
    messages.iter().filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_to_be_relayed_arrives_at_theirs_unchanged() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    let raw = Raw::bind(&net, 9);
    let event = UserEvent { ltime: 3, name: b"relayed", payload: None, coalesce: false };
    let inner = encode(|out| event.encode(out));
    let SocketAddr::V4(addr) = theirs.addr() else { unreachable!("bound to 127.0.0.0/8") };
    let ip = addr.ip().octets();
    let to = Destination { ip: Some(&ip), port: addr.port(), zone: b"" };
    let relay = Relay { to, node: b"theirs", inner: &inner };
    raw.send(ours.handle.local_addr(), &encode(|out| relay.encode(out)));
    theirs.wait_log("Received event: user-event: relayed", SOON).await;
    assert_eq!(ours.handle.stats().await.unwrap().serf.relayed, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_query_that_shall_not_spread_is_answered_and_stays_with_ours() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    theirs.wait_status("ours", "alive", SOON).await;
    let (raw, mut answers) = (Raw::bind(&net, 9), Vec::new());
    for (ltime, flags, name) in [(5, 3, "load"), (6, 1, "spreads")] {
        let ip = raw.ip();
        let query = Query { flags, ..raw.query(&ip, ltime, name) };
        raw.send(ours.handle.local_addr(), &encode(|out| query.encode(out)));
        answers.push(payloads(&raw.receive()));
    }
    assert_eq!(answers[0], [None, Some(b"ours is idle".to_vec())]);
    // Both acknowledge what spreads.
    assert_eq!(answers[1], [None, None]);
    theirs.wait_log("messageQueryType: spreads", SOON).await;
    assert!(!theirs.log().contains("messageQueryType: load"), "{}", theirs.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn ours_says_what_it_knows_of_a_name_unless_it_is_its_own() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    ours.wait_status("theirs", Status::Alive).await;
    let raw = Raw::bind(&net, 9);
    let mut said = Vec::new();
    for (ltime, name) in [(5, "theirs"), (6, "nobody"), (7, "ours")] {
        let ip = raw.ip();
        let payload = Some(name.as_bytes());
        let query = Query { flags: 2, payload, ..raw.query(&ip, ltime, "_serf_conflict") };
        raw.send(ours.handle.local_addr(), &encode(|out| query.encode(out)));
        said.push(payloads(&raw.receive()));
    }
    let [known, unknown, own] = &said[..] else { unreachable!("three were asked") };
    let [Some(known)] = &known[..] else { panic!("{known:?}") };
    assert!(known.starts_with(b"\x06\x8b") && known.windows(6).any(|w| w == b"theirs"));
    assert_eq!(unknown, &[Some(b"\x06\xc0".to_vec())]);
    assert!(own.is_empty(), "{own:?}");
}

/// On a query with an empty filter, or to change keys without a key, every Serf crashes.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_crashes_serf_does_not_crash_ours_and_is_not_passed_on() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    theirs.wait_status("ours", "alive", SOON).await;
    let (raw, to, ip) = (Raw::bind(&net, 9), ours.handle.local_addr(), [127, 0, 0, 1]);
    let none: &[&[u8]] = &[b""];
    let filtered = Query { filters: Some(List::from(none)), ..raw.query(&ip, 5, "q") };
    raw.send(to, &encode(|out| filtered.encode(out)));
    for (ltime, name) in [(6, "install"), (7, "use"), (8, "remove")] {
        let name = format!("_serf_{name}-key");
        let query = raw.query(&ip, ltime, &name);
        raw.send(to, &encode(|out| query.encode(out)));
    }
    for message in [
        &b"\x0a\x80"[..],
        b"\x03\x82\xa4Name\xc7\x01\x05\x00",
        b"\x04\xde\xff\xff",
        b"\x05",
        b"\x09\x81",
        b"\x02\x80",
        b"",
    ] {
        raw.send(to, message);
    }
    let start = Instant::now();
    loop {
        let stats = ours.handle.stats().await.unwrap().serf;
        if stats.queries >= 4 && stats.malformed >= 5 {
            break;
        }
        assert!(start.elapsed() < SOON, "{stats:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // A gossip round takes 100 ms.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let asked = serf(theirs.rpc(), &["query", "-timeout=1s", "load"]).await;
    assert!(asked.out.contains("Response from 'ours': ours is idle"), "{asked:?}");
}
