//! Agents that find each other by multicast, on a network of their own.

use std::process::{Child, Command, Stdio};
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
        let id = std::process::id();
        let lan = Self { names: ["a", "b"].map(|side| format!("swim-{side}-{id}")) };
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
        let first_args = args(first, &on_a);
        let first = lan.start(0, &first_args.iter().map(String::as_str).collect::<Vec<_>>());
        first.wait("EventMemberJoin: one 10.77.0.1");
        let second_args = args(second, &on_b);
        let second = lan.start(1, &second_args.iter().map(String::as_str).collect::<Vec<_>>());
        second.wait("EventMemberJoin: one 10.77.0.1");
        first.wait("EventMemberJoin: two 10.77.0.2");
    }
}
