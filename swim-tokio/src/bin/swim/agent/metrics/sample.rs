//! What is looked at once a second, for statsd and statsite.

use std::sync::Arc;
use std::time::Duration;

use swim_tokio::rpc::{Server, ServerStats};
use swim_tokio::serf::{SerfAgentStats, SerfHandle};
use swim_tokio::swim_core::serf::Info;
use tokio::time::{MissedTickBehavior, interval};

use super::Push;

/// Looks at what grows and shrinks, and at what was counted since.
pub(super) async fn run(push: Push, handle: SerfHandle, rpc: Arc<Server>) {
    let mut ticks = interval(INTERVAL);
    // After a pause, none for what was missed.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = Seen::default();
    loop {
        ticks.tick().await;
        let Ok(stats) = handle.stats().await else { return };
        let seen = Seen::new(&stats, rpc.stats());
        seen.tell(&before, &push);
        before = seen;
        if let Ok(Some(own)) = handle.coordinate(handle.name().as_str()).await {
            push.sample("serf.coordinate.adjustment-ms", own.adjustment * 1e3);
        }
        tell_now(&stats.info, &push);
    }
}

/// What is there now.
fn tell_now(info: &Info, push: &Push) {
    for (name, waiting) in [
        ("serf.queue.Intent", info.intent_queue),
        ("serf.queue.Event", info.event_queue),
        ("serf.queue.Query", info.query_queue),
        ("memberlist.queue.broadcasts", info.claim_queue),
    ] {
        push.sample(name, waiting as f64);
    }
    let gone = info.failed + info.left + info.suspects;
    for (name, members) in [
        ("memberlist.node.instances.alive", info.members.saturating_sub(gone)),
        ("memberlist.node.instances.suspect", info.suspects),
        ("memberlist.node.instances.dead", info.failed),
        ("memberlist.node.instances.left", info.left),
    ] {
        push.gauge(name, members as u64);
    }
    push.gauge("memberlist.health.score", info.health_score.into());
}

/// What was counted by some moment.
#[derive(Default)]
struct Seen {
    counts: Vec<(&'static str, u64)>,
    lengths: Vec<(&'static str, Lengths)>,
}

/// How many there were, and how long all of them together.
#[derive(Clone, Copy, Default)]
struct Lengths(u64, u64);

impl Lengths {
    /// How long those were that came since; there need be none.
    fn mean_since(self, before: Self) -> Option<f64> {
        let Self(count, bytes) = self;
        let (count, bytes) = (count.saturating_sub(before.0), bytes.saturating_sub(before.1));
        (count > 0).then(|| bytes as f64 / count as f64)
    }
}

impl Seen {
    fn new(stats: &SerfAgentStats, rpc: ServerStats) -> Self {
        let SerfAgentStats { serf, node, driver, .. } = stats;
        let counts = vec![
            ("serf.member.flap", serf.flaps),
            ("serf.query_acks", serf.acks),
            ("serf.query_responses", serf.responses),
            ("serf.query_duplicate_acks", serf.acks_again),
            ("serf.query_duplicate_responses", serf.responses_again),
            ("serf.coordinate.rejected", serf.coordinates_rejected),
            ("serf.coordinate.zero-rtt", serf.rtts_zero),
            ("memberlist.msg.alive", node.alive_claims),
            ("memberlist.msg.suspect", node.suspicions),
            ("memberlist.msg.dead", node.dead_claims),
            ("memberlist.udp.sent", node.bytes_out),
            ("memberlist.udp.received", node.bytes_in),
            ("memberlist.tcp.sent", node.stream_bytes_out),
            ("memberlist.tcp.accept", driver.streams_accepted),
            ("memberlist.tcp.connect", driver.streams_opened),
            ("memberlist.degraded.probe", node.probes_degraded),
            ("memberlist.degraded.timeout", node.suspicions_unconfirmed),
            ("agent.ipc.accept", rpc.accepted),
            ("agent.ipc.command", rpc.commands),
        ];
        let lengths = vec![
            ("serf.msgs.received", Lengths(serf.messages_in, serf.message_bytes_in)),
            ("serf.msgs.sent", Lengths(node.broadcasts_out, node.broadcast_bytes_out)),
            ("memberlist.size.remote", Lengths(node.states_in, node.state_bytes_in)),
            (SIZE_LOCAL, Lengths(node.states_out, node.state_bytes_out)),
        ];
        Self { counts, lengths }
    }

    /// Counts what is new, and tells how long new messages are in the mean: many of a second are
    /// one line.
    fn tell(&self, before: &Self, push: &Push) {
        for (n, &(name, now)) in self.counts.iter().enumerate() {
            let before = before.counts.get(n).map_or(0, |&(_, before)| before);
            if now > before {
                push.count(name, now - before);
            }
        }
        for (n, &(name, now)) in self.lengths.iter().enumerate() {
            let before = before.lengths.get(n).map_or_else(Lengths::default, |&(_, before)| before);
            match now.mean_since(before) {
                Some(mean) if name == SIZE_LOCAL => push.gauge(name, mean as u64),
                Some(mean) => push.sample(name, mean),
                None => {}
            }
        }
    }
}

/// The one length that is a gauge.
const SIZE_LOCAL: &str = "memberlist.size.local";

const INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_since_the_last_look() {
        assert_eq!(Lengths(4, 70).mean_since(Lengths(2, 20)), Some(25.0));
        assert_eq!(Lengths(4, 70).mean_since(Lengths(4, 70)), None);
    }
}
