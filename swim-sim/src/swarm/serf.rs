//! What a random Serf world has besides: commands, and faults of the network and the clocks.

use core::time::Duration;

use swim_core::serf::Tags;
use swim_core::{Config, Instant};

use super::Faults;
use crate::counts::FaultCounts;
use crate::draw::Draw;
use crate::fault::{EVENT_BYTES_MIN, Fault, Order, Who};
use crate::link::Links;
use crate::serf::Tally;

/// How often a random Serf world asked for what bare ones do not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct AskedSerf {
    /// Restarts at another address.
    pub moves: u64,
    /// Clocks that drift.
    pub drifts: u64,
    /// Worlds whose network sends datagrams twice.
    pub duplicating: u64,
    /// User events.
    pub events: u64,
    /// Queries.
    pub queries: u64,
    /// Changes of tags.
    pub tags: u64,
    /// Forced leaves.
    pub force_leaves: u64,
}

impl AskedSerf {
    /// Each with how often it was asked for and how often it happened.
    pub(super) fn against(
        &self,
        struck: &FaultCounts,
        tally: &Tally,
    ) -> [(&'static str, u64, u64); 7] {
        [
            ("move", self.moves, struck.moves),
            ("drift", self.drifts, struck.drifts),
            ("duplicates", self.duplicating, struck.duplicated),
            ("user event", self.events, tally.events),
            ("query", self.queries, tally.queries),
            ("tags", self.tags, tally.tags),
            ("forced leave", self.force_leaves, tally.force_leaves),
        ]
    }

    pub(super) const fn add(&mut self, o: &Self) {
        self.moves += o.moves;
        self.drifts += o.drifts;
        self.duplicating += o.duplicating;
        self.events += o.events;
        self.queries += o.queries;
        self.tags += o.tags;
        self.force_leaves += o.force_leaves;
    }
}

/// Links that also send twice and out of order, in half of the worlds each. What is held back still
/// comes, with its answer, within a probe time-out: later is as good as lost, and the oracles would
/// see no loss.
pub(super) fn rough(
    draw: &mut Draw,
    links: Links,
    config: &Config,
    asked: &mut AskedSerf,
) -> Links {
    let valid = "drawn shares and delays lie within their bounds";
    let mut links = links;
    if draw.percent(50) {
        asked.duplicating += 1;
        links = links.with_duplicates(draw.unit() * 0.2).expect(valid);
    }
    if draw.percent(50) {
        let most = config.probe_timeout() / 2 - LATENCY_MAX;
        let by = Duration::from_millis(draw.between(1, most.as_millis() as u64));
        links = links.with_reordering(draw.unit() * 0.2, by).expect(valid);
    }
    links
}

/// The longest delay of drawn links, and time for what waits behind others.
const LATENCY_MAX: Duration = Duration::from_millis(40);

impl Faults {
    /// Draws what Serf nodes are told to do, and the faults that go with it.
    pub(super) fn serf(&mut self, moves: bool, asked: &mut AskedSerf) {
        if moves {
            self.moves(asked);
        }
        self.drifts(asked);
        self.storm();
        self.events(asked);
        self.queries(asked);
        self.tags(asked);
        self.force_leaves(asked);
    }

    /// Crashed nodes come back somewhere else.
    fn moves(&mut self, asked: &mut AskedSerf) {
        for _ in 0..self.draw.between(1, 3) {
            let at = self.some_time();
            let later = Duration::from_millis(self.draw.between(100, 60_000));
            self.asked.crashes += 1;
            asked.moves += 1;
            self.list.push((at, Fault::Crash(Who::Random(1))));
            self.list.push((at + later, Fault::Move(Who::Random(1))));
        }
    }

    /// Half of the clocks that drift do so more than a quartz that is ten times too bad.
    fn drifts(&mut self, asked: &mut AskedSerf) {
        if !self.draw.percent(30) {
            return;
        }
        for _ in 0..self.draw.between(1, 5) {
            let most = if self.draw.percent(50) { 1_000 } else { 50_000 };
            let ppm = self.draw.between(0, 2 * most) as i32 - most as i32;
            let time = Duration::from_secs(self.draw.between(1, 60));
            let at = self.some_time();
            asked.drifts += 1;
            self.list.push((at, Fault::Drift { who: Who::Random(1), ppm, time }));
        }
    }

    /// Up to a fifth of the nodes leaves within ten seconds.
    fn storm(&mut self) {
        if !self.draw.percent(40) {
            return;
        }
        let at = self.some_time();
        for _ in 0..self.draw.between(1, u64::from(self.nodes / 5).max(1)) {
            let later = Duration::from_millis(self.draw.below(10_000));
            self.asked.leaves += 1;
            self.list.push((at + later, Fault::Leave(Who::Random(1))));
        }
    }

    /// Here and there one, or many at once.
    fn events(&mut self, asked: &mut AskedSerf) {
        let burst = self.draw.percent(20).then(|| self.some_time());
        let count = if burst.is_some() { 60 } else { 20 };
        for _ in 0..self.draw.below(count + 1) {
            let bytes = self.draw.between(EVENT_BYTES_MIN.into(), 400) as u32;
            let order = Order::Event { name: "event".to_owned(), bytes };
            let at = burst.unwrap_or_else(|| self.some_time());
            let later = Duration::from_millis(self.draw.below(2_000));
            asked.events += 1;
            self.command(at + later, order);
        }
    }

    fn queries(&mut self, asked: &mut AskedSerf) {
        for _ in 0..self.draw.below(11) {
            let seconds = self.draw.between(1, 20);
            let deadline = self.draw.percent(50).then(|| Duration::from_secs(seconds));
            let ack = self.draw.percent(50);
            let relay = if self.draw.percent(50) { self.draw.between(1, 5) as u8 } else { 0 };
            let at = self.some_time();
            asked.queries += 1;
            self.command(at, Order::Query { name: "query".to_owned(), deadline, ack, relay });
        }
    }

    fn tags(&mut self, asked: &mut AskedSerf) {
        for _ in 0..self.draw.below(4) {
            let value = self.draw.below(1_000).to_string();
            let tags = Tags::new([("role", value)]).expect("one short tag fits");
            let at = self.some_time();
            asked.tags += 1;
            self.command(at, Order::Tags(tags));
        }
    }

    /// Of one that is down, or of any: that one refutes it.
    fn force_leaves(&mut self, asked: &mut AskedSerf) {
        for _ in 0..self.draw.below(4) {
            let any = self.draw.below(self.nodes.into()) as u32;
            let of = if self.draw.percent(50) { Who::Random(1) } else { Who::Node(any) };
            let prune = self.draw.percent(20);
            let at = self.some_time();
            asked.force_leaves += 1;
            self.command(at, Order::ForceLeave { of, prune });
        }
    }

    fn command(&mut self, at: Instant, order: Order) {
        self.list.push((at, Fault::Command { who: Who::Random(1), order }));
    }
}
