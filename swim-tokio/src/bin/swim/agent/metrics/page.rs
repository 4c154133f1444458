//! The page that Prometheus reads (text format 0.0.4).

use std::fmt::Write as _;

use swim_tokio::rpc::ServerStats;
use swim_tokio::serf::SerfAgentStats;

/// All figures: what there is now as gauges, what was counted as counters. Each has the label
/// `pool` with the label of the cluster, unless that is empty.
pub(in crate::agent) fn page(stats: &SerfAgentStats, rpc: ServerStats, pool: &str) -> String {
    let pool = pool.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
    let pool = if pool.is_empty() { pool } else { format!("pool=\"{pool}\"") };
    let mut page = Page { text: String::new(), pool };
    let info = &stats.info;
    let alive = info.members.saturating_sub(info.failed + info.left);
    page.head("swim_members", "gauge", "Members that are known, by status.");
    for (status, count) in [("alive", alive), ("failed", info.failed), ("left", info.left)] {
        page.value("swim_members", &format!("status=\"{status}\""), count as u64);
    }
    page.one("swim_suspects", "gauge", "Those alive that are suspected.", info.suspects as u64);
    page.one("swim_health_score", "gauge", "0 is best.", info.health_score.into());
    page.head("swim_clock", "gauge", "Lamport times, by clock.");
    for (clock, time) in
        [("member", info.member_time), ("event", info.event_time), ("query", info.query_time)]
    {
        page.value("swim_clock", &format!("clock=\"{clock}\""), time);
    }
    page.head("swim_queue", "gauge", "Broadcasts that wait, by queue.");
    for (queue, count) in [
        ("claim", info.claim_queue),
        ("intent", info.intent_queue),
        ("event", info.event_queue),
        ("query", info.query_queue),
    ] {
        page.value("swim_queue", &format!("queue=\"{queue}\""), count as u64);
    }
    page.one("swim_encrypted", "gauge", "1 if there are keys.", info.encrypted.into());
    page.counters("serf", stats.serf.iter());
    page.counters("node", stats.node.iter());
    page.counters("driver", stats.driver.iter());
    page.counters(
        "rpc",
        [
            ("accepted", rpc.accepted),
            ("refused", rpc.refused),
            ("commands", rpc.commands),
            ("records_dropped", rpc.records_dropped),
        ]
        .into_iter(),
    );
    page.text
}

struct Page {
    text: String,
    pool: String,
}

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &str, value: u64) {
        let labels = [&*self.pool, labels].into_iter().filter(|label| !label.is_empty());
        let _ = match labels.collect::<Vec<_>>().join(",").as_str() {
            "" => writeln!(self.text, "{name} {value}"),
            labels => writeln!(self.text, "{name}{{{labels}}} {value}"),
        };
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        self.value(name, "", value);
    }

    fn counters(&mut self, layer: &str, counters: impl Iterator<Item = (&'static str, u64)>) {
        for (name, value) in counters {
            let help = format!("Counted by the {layer} layer since the start.");
            self.one(&format!("swim_{layer}_{name}_total"), "counter", &help, value);
        }
    }
}
