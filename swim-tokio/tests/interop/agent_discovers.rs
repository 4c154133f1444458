//! Agents that find each other by multicast, on a network of their own.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::serf::{self, SOON};

/// Two network namespaces with a cable between them, taken away when the test ends.
struct Lan {
    names: [String; 2],
}

impl Lan {
    /// `None` where this process may not make any; the reason goes to the output.
    fn new() -> Option<Self> {
        static NEXT: AtomicU8 = AtomicU8::new(0);
        let (id, n) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let lan = Self { names: ["a", "b"].map(|side| format!("swim-{side}{n}-{id}")) };
        let [a, b] = &lan.names;
        for args in [
            &["netns", "add", a][..],
            &["netns", "add", b],
            &[
                "link", "add", "lan0", "netns", a, "type", "veth", "peer", "name", "lan0", "netns",
                b,
            ],
            &["-n", a, "addr", "add", "10.77.0.1/24", "dev", "lan0"],
            &["-n", b, "addr", "add", "10.77.0.2/24", "dev", "lan0"],
            &["-n", a, "link", "set", "lo", "up"],
            &["-n", b, "link", "set", "lo", "up"],
            &["-n", a, "link", "set", "lan0", "up"],
            &["-n", b, "link", "set", "lan0", "up"],
            // Go asks for the way to the group before it sends.
            &["-n", a, "route", "add", "224.0.0.0/4", "dev", "lan0"],
            &["-n", b, "route", "add", "224.0.0.0/4", "dev", "lan0"],
        ] {
            let done = Command::new("ip").args(args).output();
            let failed = match done {
                Ok(output) if output.status.success() => continue,
                Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
                Err(e) => e.to_string(),
            };
            println!("skipped: there is no making a network namespace here: ip {args:?}: {failed}");
            return None;
        }
        Some(lan)
    }

    /// A program on one side, and what it prints.
    fn start(&self, side: usize, args: &[&str]) -> Program {
        let mut child = Command::new("ip")
            .args(["netns", "exec", &self.names[side]])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::default();
        serf::collect(child.stdout.take().unwrap(), &lines);
        serf::collect(child.stderr.take().unwrap(), &lines);
        Program { child, lines }
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
    }
}

struct Program {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Program {
    fn wait(&self, text: &str) {
        let start = Instant::now();
        loop {
            let lines = self.lines.lock().unwrap().join("\n");
            if lines.contains(text) {
                return;
            }
            assert!(start.elapsed() < SOON, "no {text:?} in\n{lines}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

const OURS: &str = env!("CARGO_BIN_EXE_swim");

#[test]
fn agents_of_either_kind_find_each_other_by_multicast() {
    if !serf::is_there() {
        return;
    }
    let Some(lan) = Lan::new() else { return };
    let flags = |name: &str, ip: &str| {
        [
            format!("-node={name}"),
            format!("-bind={ip}:7946"),
            "-discover=prod".to_owned(),
            "-rpc-addr=127.0.0.1:7373".to_owned(),
            "-profile=local".to_owned(),
        ]
    };
    let (on_a, on_b) = (flags("one", "10.77.0.1"), flags("two", "10.77.0.2"));
    let args = |program: &'static str, flags: &[String; 5]| {
        let flags = flags.clone();
        std::iter::once(program.to_owned())
            .chain(["agent".to_owned()])
            .chain(flags)
            .collect::<Vec<_>>()
    };
    // Whoever comes second asks, and the first answers: each kind is each of them once.
    for (first, second) in [("serf", OURS), (OURS, "serf"), (OURS, OURS)] {
        // A machine that does other things, too, may once be late.
        let took = (0..3).map(|_| {
            let first_args = args(first, &on_a);
            let first = lan.start(0, &first_args.iter().map(String::as_str).collect::<Vec<_>>());
            first.wait("EventMemberJoin: one 10.77.0.1");
            let start = Instant::now();
            let second_args = args(second, &on_b);
            let second = lan.start(1, &second_args.iter().map(String::as_str).collect::<Vec<_>>());
            second.wait("EventMemberJoin: one 10.77.0.1");
            first.wait("EventMemberJoin: two 10.77.0.2");
            start.elapsed()
        });
        let took: Vec<_> = took.collect();
        println!("{first} and {second} found each other after {took:?}");
        assert!(took.iter().any(|took| *took < Duration::from_secs(2)), "{took:?}");
    }
}

#[test]
fn agents_of_either_kind_answer_by_multicast_with_the_same_records() {
    if !serf::is_there() {
        return;
    }
    let Some(lan) = Lan::new() else { return };
    let service = "_serf_prod._tcp.local";
    for program in ["serf", OURS] {
        let flags = ["-bind=10.77.0.1:7946", "-discover=prod", "-rpc-addr=127.0.0.1:7373"];
        let _agent = lan.start(0, &[&[program, "agent", "-node=one"][..], &flags].concat());
        let namespace = format!("/var/run/netns/{}", lan.names[1]);
        // A namespace is a thread's.
        let asks = std::thread::spawn(move || {
            let namespace = std::fs::File::open(namespace).unwrap();
            nix::sched::setns(namespace, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
            ask(service, Ipv4Addr::new(10, 77, 0, 2))
        });
        let records: Vec<_> = asks.join().unwrap().into_iter().collect();
        let wanted = [
            "A 10.77.0.1".to_owned(),
            format!("{service} PTR one.{service}"),
            format!("one.{service} SRV 7946"),
            format!("one.{service} TXT Serf 'prod' cluster"),
        ];
        assert_eq!(records, wanted, "{program}");
    }
}

/// Asks for the service until somebody has told its name, port, address and text.
fn ask(service: &str, me: Ipv4Addr) -> BTreeSet<String> {
    let group = Ipv4Addr::new(224, 0, 0, 251);
    // In a namespace in which there is nothing but the cable.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 5353)).unwrap();
    socket.join_multicast_v4(&group, &me).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut question = b"\0\0\0\0\0\x01\0\0\0\0\0\0".to_vec();
    for label in service.split('.') {
        question.push(label.len().try_into().unwrap());
        question.extend(label.bytes());
    }
    question.extend(b"\0\0\x0c\0\x01");
    let (start, mut records, mut buf) = (Instant::now(), BTreeSet::new(), [0; 2048]);
    while records.len() < 4 {
        assert!(start.elapsed() < SOON, "{records:?}");
        socket.send_to(&question, (group, 5353)).unwrap();
        while let Ok((len, _)) = socket.recv_from(&mut buf) {
            records.extend(told(&buf[..len]));
        }
    }
    records
}

/// What a response says, of PTR, SRV, A and TXT what does not depend on the name of the host.
fn told(packet: &[u8]) -> Vec<String> {
    let number = |at: usize| usize::from(u16::from_be_bytes([packet[at], packet[at + 1]]));
    let (is_response, mut at, mut told) = (packet[2] & 0x80 != 0, 12, Vec::new());
    if !is_response {
        return told;
    }
    for _ in 0..number(4) {
        at = name(packet, at).1 + 4;
    }
    for _ in 0..number(6) + number(8) + number(10) {
        let (owner, fixed) = name(packet, at);
        let data = fixed + 10;
        at = data + number(fixed + 8);
        match number(fixed) {
            1 => {
                let [a, b, c, d] = packet[data..at] else { panic!("{packet:?}") };
                told.push(format!("A {}", Ipv4Addr::new(a, b, c, d)));
            }
            12 => told.push(format!("{owner} PTR {}", name(packet, data).0)),
            16 => {
                let text = String::from_utf8_lossy(&packet[data + 1..at]);
                told.push(format!("{owner} TXT {text}"));
            }
            33 => told.push(format!("{owner} SRV {}", number(data + 4))),
            _ => {}
        }
    }
    told
}

/// The name at this place, and where it ends.
fn name(packet: &[u8], mut at: usize) -> (String, usize) {
    let (mut labels, mut end) = (Vec::new(), None);
    loop {
        match usize::from(packet[at]) {
            0 => return (labels.join("."), end.unwrap_or(at + 1)),
            len @ 1..64 => {
                labels.push(String::from_utf8_lossy(&packet[at + 1..=at + len]).into_owned());
                at += 1 + len;
            }
            high => {
                end = end.or(Some(at + 2));
                at = (high & 0x3f) << 8 | usize::from(packet[at + 1]);
            }
        }
    }
}
