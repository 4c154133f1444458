//! A real `serf` agent, killed when the test ends.

use std::io::{BufRead as _, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Whether there is a `serf` to test against; the reason not to goes to the output.
pub(crate) fn is_there() -> bool {
    let found = Command::new("serf").arg("version").stdout(Stdio::null()).status();
    if found.is_ok() {
        return true;
    }
    let required = std::env::var_os("SWIM_REQUIRE_SERF").is_some_and(|value| value == "1");
    assert!(!required, "serf is not installed, and SWIM_REQUIRE_SERF is set");
    println!("skipped: serf is not installed");
    false
}

/// Addresses that no other test has, in this process or, most likely, in another.
#[derive(Debug)]
pub(crate) struct Net {
    second: u8,
    third: u8,
}

impl Net {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU8 = AtomicU8::new(0);
        let second = 100 + (std::process::id() % 150) as u8;
        Self { second, third: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// The gossip address of the `n`th agent, from 1.
    pub(crate) fn addr(&self, n: u8) -> SocketAddr {
        SocketAddr::new(IpAddr::from(Ipv4Addr::new(127, self.second, self.third, n)), PORT)
    }
}

/// More than it ever takes, unless something is wrong: a push/pull comes every 15 s, a suspicion
/// that nobody confirms lasts 18 s.
pub(crate) const SOON: Duration = Duration::from_secs(30);

const PORT: u16 = 17946;
const RPC_PORT: u16 = 17373;

/// Where an agent with this gossip address takes commands.
pub(crate) const fn rpc_of(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip(), RPC_PORT)
}

#[derive(Debug)]
pub(crate) struct Serf {
    child: Child,
    addr: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Serf {
    /// Starts an agent with the `local` profile and waits until it answers on its RPC port.
    pub(crate) fn start(name: &str, addr: SocketAddr, flags: &[&str]) -> Self {
        let mut serf = Self::launch(name, addr, flags);
        let deadline = Instant::now() + SOON;
        while std::net::TcpStream::connect(serf.rpc()).is_err() {
            let exit = serf.child.try_wait().unwrap();
            assert!(
                exit.is_none() && Instant::now() < deadline,
                "{name}: {exit:?}\n{}",
                serf.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        serf
    }

    /// Starts an agent that is expected not to run for long.
    pub(crate) fn launch(name: &str, addr: SocketAddr, flags: &[&str]) -> Self {
        let mut child = Command::new("serf")
            .arg("agent")
            .arg(format!("-node={name}"))
            .arg(format!("-bind={addr}"))
            .arg(format!("-rpc-addr={}", rpc_of(addr)))
            .args(["-profile=local", "-log-level=debug"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::default();
        collect(child.stdout.take().unwrap(), &log);
        collect(child.stderr.take().unwrap(), &log);
        Self { child, addr, log }
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) const fn rpc(&self) -> SocketAddr {
        rpc_of(self.addr)
    }

    /// Everything it has logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// The status of the member of this name: `alive`, `failed`, ...
    pub(crate) fn status_of(&self, name: &str) -> Option<String> {
        let members = self.members();
        let member = members.iter().find(|m| m["name"] == name)?;
        Some(member["status"].as_str().unwrap().into())
    }

    pub(crate) fn members(&self) -> Vec<serde_json::Value> {
        let rpc = format!("-rpc-addr={}", self.rpc());
        let output = Command::new("serf").args(["members", "-format=json", &rpc]).output().unwrap();
        let parsed: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        parsed["members"].as_array().unwrap().clone()
    }

    /// Waits until the member of this name has this status; how long it took.
    pub(crate) async fn wait_status(&self, name: &str, status: &str, max: Duration) -> Duration {
        let start = Instant::now();
        loop {
            let found = self.status_of(name);
            if found.as_deref() == Some(status) {
                return start.elapsed();
            }
            assert!(start.elapsed() < max, "{name} is {found:?}, not {status}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn wait_log(&self, text: &str, max: Duration) {
        let start = Instant::now();
        while !self.log().contains(text) {
            assert!(start.elapsed() < max, "no {text:?} in\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Runs a command of the `serf` client against it.
    pub(crate) fn command(&self, args: &[&str]) {
        let rpc = format!("-rpc-addr={}", self.rpc());
        let status = Command::new("serf").arg(args[0]).arg(rpc).args(&args[1..]).output().unwrap();
        assert!(status.status.success(), "{args:?}: {status:?}");
    }

    /// What a command of the `serf` client against it prints.
    pub(crate) fn output(&self, args: &[&str]) -> String {
        let rpc = format!("-rpc-addr={}", self.rpc());
        let out = Command::new("serf").arg(args[0]).arg(rpc).args(&args[1..]).output().unwrap();
        assert!(out.status.success(), "{args:?}: {out:?}");
        String::from_utf8(out.stdout).unwrap()
    }

    /// Waits for its end; its exit code.
    pub(crate) async fn exit(&mut self, max: Duration) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                read_to_the_end(&self.log).await;
                return status.code();
            }
            assert!(start.elapsed() < max, "it still runs\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Drop for Serf {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits for the last lines of a child that has ended.
pub(crate) async fn read_to_the_end(lines: &Arc<Mutex<Vec<String>>>) {
    let start = Instant::now();
    // Each reader has a share. A script of the child may hold its output open for longer.
    while Arc::strong_count(lines) > 1 && start.elapsed() < Duration::from_secs(1) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Gathers the lines of a child's output.
pub(crate) fn collect(output: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = lines.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
        }
    });
}
