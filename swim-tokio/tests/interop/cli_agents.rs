//! Agents of both kinds under both command lines: for every command, `serf` and `swim` print the
//! same and end the same, whichever agent they speak to.

use std::net::{IpAddr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cli::{SWIM, Same, run, settled, with_rpc};
use crate::ours::Swim;
use crate::serf::{self, Net, SOON, Serf};

/// Two agents of one kind, which know each other.
struct Pair {
    /// Gossip addresses.
    addrs: [SocketAddr; 2],
    /// Where the first takes commands.
    rpc: SocketAddr,
}

impl Pair {
    /// What a command prints, with the addresses of `other` in the place of these, and how it ends.
    fn outcome(
        &self,
        program: &str,
        args: &[&str],
        same: Same,
        other: &Self,
    ) -> (String, Option<i32>) {
        let seed = self.addrs[1].to_string();
        let args: Vec<_> = args.iter().map(|arg| if *arg == SEED { &*seed } else { arg }).collect();
        let rpc = self.rpc.to_string();
        let output = run(program, &with_rpc(&args, &rpc), &[]);
        let mut text = settled(&output, same);
        for (mine, its) in [
            (self.rpc, other.rpc),
            (self.addrs[0], other.addrs[0]),
            (self.addrs[1], other.addrs[1]),
        ] {
            text = text.replace(&mine.to_string(), &its.to_string());
        }
        (text, output.status.code())
    }

    /// Whatever takes some time to come about has.
    fn wait(&self, args: &[&str]) {
        let start = Instant::now();
        while run("serf", &with_rpc(args, &self.rpc.to_string()), &[]).stdout.is_empty()
            || !run("serf", &with_rpc(args, &self.rpc.to_string()), &[]).status.success()
        {
            assert!(start.elapsed() < SOON, "{args:?} fails");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

const SEED: &str = "SEED";

#[tokio::test]
async fn every_command_of_either_program_has_the_same_effect_on_either_agent() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = [("one", 1, "web"), ("two", 2, "db")]
        .map(|(name, n, role)| Serf::start(name, net.addr(n), &[&format!("-tag=role={role}")]));
    let ours = [("one", 3, "web"), ("two", 4, "db")].map(|(name, n, role)| {
        Swim::start_with_rpc(name, net.addr(n), &[&format!("-tag=role={role}")])
    });
    let addrs = [theirs[0].addr(), theirs[1].addr()];
    let theirs = Pair { addrs, rpc: theirs[0].rpc() };
    let ours = Pair { addrs: [ours[0].addr(), ours[1].addr()], rpc: ours[0].rpc() };
    for pair in [&theirs, &ours] {
        pair.outcome("serf", &["join", SEED], Same::Text, pair);
        pair.wait(&["members", "-name=two", "-status=alive"]);
        pair.wait(&["rtt", "one", "two"]);
    }
    let mut different = Vec::new();
    let (big, huge) = ("x".repeat(600), "x".repeat(1000));
    let big_tag = format!("a={big}");
    for (args, same) in [
        (&["members"][..], Same::Lines),
        (&["members", "-detailed"], Same::Lines),
        (&["members", "-format", "json", "-name=one"], Same::Text),
        (&["members", "-status=failed"], Same::Text),
        (&["members", "-status=failed", "-format=json"], Same::Text),
        (&["members", "-status=ali"], Same::Text),
        (&["members", "-tag", "role=w.*"], Same::Text),
        (&["members", "-role=web"], Same::Text),
        (&["members", "-name=("], Same::Text),
        (&["event", "deploy", "v1"], Same::Text),
        (&["event", "-coalesce=false", "deploy", "-v1"], Same::Text),
        (&["event", "deploy", &big], Same::Text),
        (&["query", "-timeout=500ms", "load", "x"], Same::Lines),
        (&["query", "-timeout=500ms", "-no-ack", "load"], Same::Text),
        (&["query", "-timeout=500ms", "-node=two", "load"], Same::Text),
        (&["query", "-timeout=500ms", "-tag", "role=^w", "-format=json", "load"], Same::Text),
        (&["query", "-timeout=500ms", "-relay-factor=1", "load"], Same::Lines),
        (&["query", "_serf_foo"], Same::Text),
        (&["query", "load", &huge], Same::Text),
        (&["info"], Same::Keys),
        (&["info", "-format=json"], Same::Keys),
        (&["join", SEED], Same::Text),
        (&["join", "-replay", SEED, "127.0.0.1:1"], Same::Text),
        (&["join", "127.0.0.1:1"], Same::Text),
        (&["join", "127.0.0.1:1", "127.0.0.1:2"], Same::Text),
        (&["join", "one/127.0.0.1:1"], Same::Text),
        (&["tags", "-set", "a=1", "-set", "b=2"], Same::Text),
        (&["members", "-format=json", "-tag", "a=1"], Same::Text),
        (&["tags", "-delete=a", "-delete", "b"], Same::Text),
        (&["tags", "-set", &big_tag], Same::Text),
        (&["keys", "-list"], Same::Lines),
        (&["keys", "-install=***"], Same::Text),
        (&["keys", "-install=AAAAA"], Same::Text),
        (&["keys", "-use=CQkJCQkJCQkJCQkJCQkJCQ=="], Same::Lines),
        (&["reachability"], Same::Text),
        (&["rtt", "one", "two"], Same::Shape),
        (&["rtt", "two"], Same::Shape),
        (&["rtt", "one", "nobody"], Same::Text),
        (&["force-leave", "nobody"], Same::Text),
        (&["force-leave", "-prune", "nobody"], Same::Text),
        (&["monitor", "-log-level=loud"], Same::Text),
    ] {
        let expected = theirs.outcome("serf", args, same, &theirs);
        for (program, pair) in [("serf", &ours), (SWIM, &ours), (SWIM, &theirs)] {
            let found = pair.outcome(program, args, same, &theirs);
            if found != expected {
                let agent = if std::ptr::eq(pair, &ours) { "ours" } else { "theirs" };
                different
                    .push(format!("{program} {args:?} on {agent}:\n{found:?}, not\n{expected:?}"));
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[tokio::test]
async fn monitors_of_either_program_tell_the_same_of_either_agent() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("one", net.addr(1), &["-tag=role=web"]);
    let ours = Swim::start_with_rpc("one", net.addr(3), &["--tag=role=web"]);
    let mut told = Vec::new();
    for (addr, rpc) in [(theirs.addr(), theirs.rpc()), (ours.addr(), ours.rpc())] {
        let monitors = ["serf", SWIM].map(|program| Monitor::start(program, rpc));
        for monitor in &monitors {
            // The node's own join is gathered for a second; what comes after it is told whole.
            monitor.wait("Received event: member-join");
        }
        for args in [
            &["event", "-coalesce=false", "deploy", "v1"][..],
            &["event", "-coalesce=false", "bare"],
            &["query", "-timeout=200ms", "load", "x"],
            &["tags", "-set", "role=db"],
        ] {
            assert!(run("serf", &with_rpc(args, &rpc.to_string()), &[]).status.success());
        }
        for monitor in &monitors {
            monitor.wait("\"member-update\"");
        }
        for monitor in monitors {
            let text = monitor.stop().replace(&octets(addr.ip()), "IP");
            told.push(events_of(&text));
        }
    }
    for other in &told[1..] {
        assert_eq!(other, &told[0]);
    }
    assert!(told[0].len() >= 4, "{told:?}");
}

/// As `monitor` prints an address.
fn octets(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.octets().map(|byte| format!("{byte:#x}")).join(", "),
        IpAddr::V6(_) => unreachable!("these tests use IPv4"),
    }
}

/// A program that prints until it is interrupted.
struct Monitor {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Monitor {
    fn start(program: &str, rpc: SocketAddr) -> Self {
        let mut child = Command::new(program)
            .args(["monitor", "-log-level=debug", &format!("-rpc-addr={rpc}")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::default();
        serf::collect(child.stdout.take().unwrap(), &lines);
        Self { child, lines }
    }

    fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    fn wait(&self, text: &str) {
        let start = Instant::now();
        while !self.text().contains(text) {
            assert!(start.elapsed() < SOON, "no {text:?} in {}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(mut self) -> String {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGINT).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        self.text()
    }
}

/// The events among the lines but for joins, each with its fields sorted: Go's maps have no order.
fn events_of(text: &str) -> Vec<String> {
    let mut events = Vec::new();
    for event in text.split("Event Info:").skip(1) {
        let fields = event.lines().skip(1).take_while(|line| line.starts_with('\t'));
        let mut fields: Vec<_> = fields.map(sorted_parts).collect();
        fields.sort();
        events.push(fields.join("\n"));
    }
    events.retain(|event| !event.contains("member-join"));
    events
}

fn sorted_parts(field: &str) -> String {
    let parts = field.split(", ").map(|part| part.trim_matches(['{', '}']));
    let parts = parts.flat_map(|part| part.split("interface {}{"));
    let mut parts: Vec<_> = parts.collect();
    if field.contains("Members") {
        parts.sort_unstable();
    }
    parts.join(", ")
}

#[tokio::test]
async fn a_token_and_a_leave_are_as_with_serf() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let path = std::env::temp_dir().join(format!("swim-token-{}.json", std::process::id()));
    std::fs::write(&path, r#"{"rpc_auth": "s3cret"}"#).unwrap();
    let config = format!("-config-file={}", path.display());
    let stays = Serf::start("stays", net.addr(5), &[]);
    let join = format!("-join={}", stays.addr());
    let mut theirs = Serf::start("theirs", net.addr(1), &[&config, &join]);
    let mut ours = Swim::start_with_rpc("ours", net.addr(3), &[&config, &join]);
    std::fs::remove_file(&path).unwrap();
    for args in [&["members"][..], &["members", "-rpc-auth=wrong"], &["leave", "-rpc-auth=s3cret"]]
    {
        let outcome = |rpc: SocketAddr| {
            let output = run("serf", &with_rpc(args, &rpc.to_string()), &[]);
            (String::from_utf8(output.stdout).unwrap(), output.status.code())
        };
        assert_eq!(outcome(ours.rpc()), outcome(theirs.rpc()), "{args:?}");
    }
    assert_eq!(theirs.exit(SOON).await, Some(0));
    assert_eq!(ours.exit(SOON).await, Some(0));
    for name in ["theirs", "ours"] {
        stays.wait_status(name, "left", SOON).await;
    }
}

#[test]
fn keygen_and_version_need_no_agent() {
    if !serf::is_there() {
        return;
    }
    for args in [&["keygen"][..], &["version"], &["-v"]] {
        let [theirs, ours] = ["serf", SWIM].map(|program| run(program, args, &[]));
        assert_eq!(ours.status.code(), theirs.status.code(), "{args:?}");
        let last = |text: &[u8]| String::from_utf8_lossy(text).lines().last().map(str::len);
        assert_eq!(last(&ours.stdout), last(&theirs.stdout), "{args:?}");
    }
}
