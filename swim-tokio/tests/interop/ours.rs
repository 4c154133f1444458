//! Our side: the library in this process, or the binary.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use swim_tokio::swim_core::{ConfigBuilder, State};
use swim_tokio::{Agent, Builder, Event, Events, Handle};

use crate::serf::{SOON, Serf, collect, read_to_the_end, rpc_of};

/// An agent that a Serf pool accepts, with the `local` profile.
pub(crate) fn builder(config: ConfigBuilder, name: &str, addr: SocketAddr) -> Builder {
    Agent::builder(config.build().unwrap())
        .name(name)
        .bind(addr)
        .app_versions(2, 5, 4)
        .meta([255, 0x80])
}

pub(crate) async fn wait_state(
    handle: &Handle,
    name: &str,
    state: State,
    max: Duration,
) -> Duration {
    let start = Instant::now();
    loop {
        let found = handle.members().await.unwrap().state(name);
        if found == Some(state) {
            return start.elapsed();
        }
        assert!(start.elapsed() < max, "{name} is {found:?}, not {state}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The events so far that tell of a failure.
pub(crate) fn failures(events: &mut Events) -> Vec<Event> {
    std::iter::from_fn(|| events.try_recv())
        .filter(|e| matches!(e, Event::Down { .. } | Event::Conflict { .. } | Event::Lagged(_)))
        .collect()
}

/// The `swim` binary, killed when the test ends.
#[derive(Debug)]
pub(crate) struct Swim {
    child: Child,
    addr: SocketAddr,
    /// Events, and log.
    lines: Arc<Mutex<Vec<String>>>,
}

impl Swim {
    pub(crate) fn start(name: &str, addr: SocketAddr, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_swim"))
            .args(["agent", "--events=json", "--profile=local", "--node", name, "--bind"])
            .arg(addr.to_string())
            .arg(format!("--rpc-addr={}", rpc_of(addr)))
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::default();
        collect(child.stdout.take().unwrap(), &lines);
        collect(child.stderr.take().unwrap(), &lines);
        Self { child, addr, lines }
    }

    /// Starts an agent and waits until it takes commands.
    pub(crate) fn start_with_rpc(name: &str, addr: SocketAddr, flags: &[&str]) -> Self {
        let mut swim = Self::start(name, addr, flags);
        let deadline = Instant::now() + SOON;
        while std::net::TcpStream::connect(swim.rpc()).is_err() {
            let exit = swim.child.try_wait().unwrap();
            assert!(exit.is_none() && Instant::now() < deadline, "{exit:?}\n{}", swim.lines());
            std::thread::sleep(Duration::from_millis(20));
        }
        swim
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it takes commands.
    pub(crate) const fn rpc(&self) -> SocketAddr {
        rpc_of(self.addr)
    }

    pub(crate) fn lines(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    pub(crate) async fn wait_line(&self, all_of: &[&str], max: Duration) {
        let start = Instant::now();
        loop {
            let lines = self.lines();
            if lines.lines().any(|line| all_of.iter().all(|text| line.contains(text))) {
                return;
            }
            assert!(start.elapsed() < max, "no line with {all_of:?} in\n{lines}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn wait_event(&self, event: &str, name: &str, max: Duration) {
        let (event, name) = (format!("\"event\":\"{event}\""), format!("\"name\":\"{name}\""));
        self.wait_line(&[&event, &name], max).await;
    }

    /// Has `theirs` broadcast `run`, one letter many times, until it arrives here. A node of this
    /// profile sends a rumour twice, so one broadcast may miss a member, and ours pass on none.
    pub(crate) async fn wait_broadcast(&self, theirs: &Serf, run: &str) {
        // Within base64 it looks alike whatever stands before it.
        let inner = STANDARD.encode(&run[..240]);
        for n in 0..20 {
            theirs.command(&["event", &format!("e{n}"), run]);
            tokio::time::sleep(Duration::from_millis(300)).await;
            if self.lines().contains(&inner) {
                return;
            }
        }
        panic!("it never came\n{}", self.lines());
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    pub(crate) async fn exit(&mut self, max: Duration) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                read_to_the_end(&self.lines).await;
                return status.code();
            }
            assert!(start.elapsed() < max, "it still runs\n{}", self.lines());
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

impl Drop for Swim {
    fn drop(&mut self) {
        self.kill();
    }
}
