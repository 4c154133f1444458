//! Lines to statsd and statsite, with Serf's names (serf spec 9.5).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use swim_tokio::agent::AgentConfig;
use swim_tokio::rpc::Server;
use swim_tokio::serf::SerfHandle;
use swim_tokio::swim_core::serf::{Change, Event};
use tokio::sync::mpsc;

use super::{sample, send};

/// Counts what happens at other programs; nowhere, if none is configured. Never waits: what is not
/// taken in time is lost, as with statsd itself.
#[derive(Clone, Default)]
pub(crate) struct Push {
    sinks: Vec<mpsc::Sender<String>>,
    /// The label of the cluster, which tells apart the figures of several; empty if it has none.
    label: Arc<str>,
}

impl Push {
    /// Starts the tasks that send.
    pub(crate) fn start(config: &AgentConfig, handle: &SerfHandle, rpc: &Arc<Server>) -> Self {
        let mut sinks = Vec::new();
        for (addr, is_udp) in [(&config.statsd_addr, true), (&config.statsite_addr, false)] {
            if !addr.is_empty() {
                let (sink, lines) = mpsc::channel(LINES_MAX);
                tokio::spawn(send::run(addr.clone(), is_udp, lines));
                sinks.push(sink);
            }
        }
        let push = Self { sinks, label: config.label.as_str().into() };
        if !push.sinks.is_empty() {
            tokio::spawn(sample::run(push.clone(), handle.clone(), rpc.clone()));
        }
        push
    }

    /// Counts an event under its names. Queries count when they are heard, as with Serf: those that
    /// Serf itself answers, and those for others, too.
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
                members.iter().for_each(|_| self.count(name, 1));
            }
            Event::User(event) => {
                self.count("serf.events", 1);
                self.count(&format!("serf.events.{}", event.name), 1);
            }
            Event::QueryHeard { name } => {
                self.count("serf.queries", 1);
                self.count(&format!("serf.queries.{name}"), 1);
            }
            _ => {}
        }
    }

    /// How long a script ran.
    pub(crate) fn on_script(&self, script: &str, took: Duration) {
        self.sample(&format!("agent.invoke.{script}"), took.as_secs_f64() * 1e3);
    }

    pub(super) fn count(&self, name: &str, n: u64) {
        self.line(name, n as f64, "c");
    }

    pub(super) fn gauge(&self, name: &str, value: u64) {
        self.line(name, value as f64, "g");
    }

    pub(super) fn sample(&self, name: &str, value: f64) {
        self.line(name, value, "ms");
    }

    fn line(&self, name: &str, value: f64, kind: &str) {
        if self.sinks.is_empty() {
            return;
        }
        let line = line(name, &self.label, value, kind);
        for sink in &self.sinks {
            let _ = sink.try_send(line.clone());
        }
    }
}

/// Where there are no labels, they stand behind the name.
fn line(name: &str, label: &str, value: f64, kind: &str) -> String {
    let mut line = String::from("serf-agent.");
    let separator = if label.is_empty() { "" } else { "." };
    // What separates name and value, or lines, is no part of a name.
    let plain = |c| if matches!(c, ':' | ' ' | '\r' | '\n' | '|' | '@') { '_' } else { c };
    line.extend(name.chars().chain(separator.chars()).chain(label.chars()).map(plain));
    let _ = writeln!(line, ":{value:.6}|{kind}");
    line
}

const LINES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_pool_and_holds_one_figure() {
        assert_eq!(line("serf.events", "", 1.0, "c"), "serf-agent.serf.events:1.000000|c\n");
        let odd = line("serf.events.a b|g\n:@", "wan:1", 1.5, "ms");
        assert_eq!(odd, "serf-agent.serf.events.a_b_g___.wan_1:1.500000|ms\n");
    }
}
