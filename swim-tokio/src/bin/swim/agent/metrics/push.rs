//! Lines to statsd (UDP) and statsite (TCP), with Serf's names (serf spec 9.5).

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use swim_tokio::agent::AgentConfig;
use swim_tokio::rpc::{Server, ServerStats};
use swim_tokio::serf::{SerfAgentStats, SerfHandle};
use swim_tokio::swim_core::serf::{Change, Event};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::{interval, sleep, timeout};

/// Counts what happens at other programs; nowhere, if none is configured. Never waits: what is not
/// taken in time is lost, as with statsd itself.
#[derive(Clone, Default)]
pub(crate) struct Push(Vec<mpsc::Sender<String>>);

impl Push {
    /// Starts the tasks that send.
    pub(crate) fn start(config: &AgentConfig, handle: &SerfHandle, rpc: &Arc<Server>) -> Self {
        let mut sinks = Vec::new();
        for (addr, is_udp) in [(&config.statsd_addr, true), (&config.statsite_addr, false)] {
            if !addr.is_empty() {
                let (sink, lines) = mpsc::channel(LINES_MAX);
                tokio::spawn(send(addr.clone(), is_udp, lines));
                sinks.push(sink);
            }
        }
        let push = Self(sinks);
        if !push.0.is_empty() {
            tokio::spawn(push.clone().sample(handle.clone(), rpc.clone()));
        }
        push
    }

    /// Counts an event under its names.
    pub(crate) fn on_event(&self, event: &Event) {
        match event {
            Event::Members { change, members } => {
                let name = match change {
                    Change::Join => "serf.member.join",
                    Change::Leave => "serf.member.left",
                    Change::Failed => "serf.member.failed",
                    Change::Update => "serf.member.update",
                    Change::Reap => return,
                };
                members.iter().for_each(|_| self.count(name));
            }
            Event::User(event) => {
                self.count("serf.events");
                self.count(&format!("serf.events.{}", event.name));
            }
            Event::Query(query) => {
                self.count("serf.queries");
                self.count(&format!("serf.queries.{}", query.name));
            }
            _ => {}
        }
    }

    fn count(&self, name: &str) {
        self.line(name, 1.0, "c");
    }

    fn line(&self, name: &str, value: f64, kind: &str) {
        if self.0.is_empty() {
            return;
        }
        let mut line = String::from("serf-agent.");
        // What separates name and value, or lines, is no part of a name.
        line.extend(
            name.chars().map(|c| if matches!(c, ':' | ' ' | '\n' | '|') { '_' } else { c }),
        );
        let _ = writeln!(line, ":{value:.6}|{kind}");
        for sink in &self.0 {
            let _ = sink.try_send(line.clone());
        }
    }

    /// Looks from time to time at what grows and shrinks, and at what was counted since.
    async fn sample(self, handle: SerfHandle, rpc: Arc<Server>) {
        let mut ticks = interval(SAMPLE_INTERVAL);
        let mut before = [0; COUNTED.len()];
        loop {
            ticks.tick().await;
            let Ok(stats) = handle.stats().await else { return };
            let now = counted(&stats, rpc.stats());
            for ((name, now), before) in COUNTED.into_iter().zip(now).zip(before) {
                if now > before {
                    self.line(name, (now - before) as f64, "c");
                }
            }
            before = now;
            if let Ok(Some(own)) = handle.coordinate(handle.name().as_str()).await {
                self.line("serf.coordinate.adjustment-ms", own.adjustment * 1e3, "ms");
            }
            let info = stats.info;
            self.line("serf.queue.Intent", info.intent_queue as f64, "ms");
            self.line("serf.queue.Event", info.event_queue as f64, "ms");
            self.line("serf.queue.Query", info.query_queue as f64, "ms");
            let host = handle.name().as_str();
            let gauge = format!("{host}.memberlist.health.score");
            self.line(&gauge, info.health_score.into(), "g");
        }
    }
}

/// What is counted elsewhere.
const COUNTED: [&str; 10] = [
    "serf.member.flap",
    "serf.query_acks",
    "serf.query_responses",
    "serf.coordinate.rejected",
    "memberlist.udp.sent",
    "memberlist.udp.received",
    "memberlist.tcp.accept",
    "memberlist.tcp.connect",
    "agent.ipc.accept",
    "agent.ipc.command",
];

fn counted(stats: &SerfAgentStats, rpc: ServerStats) -> [u64; COUNTED.len()] {
    let SerfAgentStats { serf, node, driver, .. } = stats;
    [
        serf.flaps,
        serf.acks,
        serf.responses,
        serf.coordinates_rejected,
        node.bytes_out,
        node.bytes_in,
        driver.streams_accepted,
        driver.streams_opened,
        rpc.accepted,
        rpc.commands,
    ]
}

/// Gathers lines for a moment, then sends them together.
async fn send(addr: String, is_udp: bool, mut lines: mpsc::Receiver<String>) {
    let mut stream = None;
    while let Some(mut batch) = lines.recv().await {
        sleep(GATHER).await;
        while batch.len() < BATCH_BYTES
            && let Ok(line) = lines.try_recv()
        {
            batch += &line;
        }
        let sent = if is_udp {
            by_udp(&addr, &batch).await
        } else {
            by_tcp(&addr, &batch, &mut stream).await
        };
        if let Err(e) = sent {
            tracing::debug!("metrics to {addr}: {e}");
        }
    }
}

async fn by_udp(addr: &str, batch: &str) -> io::Result<()> {
    let to = tokio::net::lookup_host(addr).await?.next().ok_or(io::ErrorKind::NotFound)?;
    let from = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    UdpSocket::bind(from).await?.send_to(batch.as_bytes(), to).await.map(drop)
}

async fn by_tcp(addr: &str, batch: &str, stream: &mut Option<TcpStream>) -> io::Result<()> {
    let mut open = match stream.take() {
        Some(open) => open,
        None => timeout(TCP_TIMEOUT, TcpStream::connect(addr)).await??,
    };
    timeout(TCP_TIMEOUT, open.write_all(batch.as_bytes())).await??;
    *stream = Some(open);
    Ok(())
}

const LINES_MAX: usize = 4096;
/// What fits a datagram, with a last line.
const BATCH_BYTES: usize = 1200;
const GATHER: Duration = Duration::from_millis(100);
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);
const TCP_TIMEOUT: Duration = Duration::from_secs(5);
