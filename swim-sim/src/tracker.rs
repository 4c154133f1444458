//! Measurements: when crashes were noticed, when views agreed.

use core::time::Duration;

use swim_core::Instant;

use crate::world::Host;

/// What a world measures by itself, whoever watches.
#[derive(Debug, Default)]
pub struct Tracker {
    crashes: Vec<Crash>,
    /// For each node, one more than the index of its open crash; short if nobody crashed.
    open: Vec<u32>,
    /// Times from a crash to its report, in milliseconds, one for each report.
    latencies_ms: Vec<u32>,
    observers: u32,
    /// How many observers take so many members for live.
    by_live: Vec<u32>,
    /// Since when all observers agree.
    agreed_at: Option<Instant>,
    /// The last fault that views may differ over.
    disturbed_at: Option<Instant>,
    /// Sum of what all observers take for live.
    live_sum: u64,
    /// Sums to reach, and when they were reached.
    goals: [(u64, Option<Instant>); 3],
    downs_wrong: u64,
    downs_cut: u64,
}

/// One crash and how it was noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Crash {
    /// Who.
    pub node: u32,
    /// When.
    pub at: Instant,
    /// The first report, and the last so far.
    pub first: Option<Instant>,
    /// The last report so far.
    pub last: Option<Instant>,
    /// How many nodes reported it.
    pub reports: u32,
    /// How many took it for live when it crashed and have not ended since.
    pub due: u32,
    /// Whether it started again.
    pub restarted: bool,
    /// Who has still to report it, a bit each.
    waiting: Vec<u64>,
}

impl Crash {
    /// Whether everybody has reported it.
    pub const fn known_to_all(&self) -> bool {
        self.due == 0
    }
}

impl Tracker {
    /// All crashes, in order.
    pub fn crashes(&self) -> &[Crash] {
        &self.crashes
    }

    /// Times from crash to report, over all reports.
    pub fn latencies(&self) -> impl Iterator<Item = Duration> + '_ {
        self.latencies_ms.iter().map(|&ms| Duration::from_millis(ms.into()))
    }

    /// Since when all nodes take the same number of members for live as there are; `None` while
    /// they do not.
    pub const fn agreed_at(&self) -> Option<Instant> {
        self.agreed_at
    }

    /// When the last fault struck that views may differ over.
    pub const fn disturbed_at(&self) -> Option<Instant> {
        self.disturbed_at
    }

    /// When 99, 99.9 and 99.99 % of all pairs were first known to each other.
    pub fn known_at(&self) -> [Option<Instant>; 3] {
        self.goals.map(|(_, at)| at)
    }

    /// Reports of nodes that were up and reachable as down: false, whatever the reason.
    pub const fn downs_of_reachable(&self) -> u64 {
        self.downs_wrong
    }

    /// Reports of nodes that were up, but across a partition.
    pub const fn downs_across_cut(&self) -> u64 {
        self.downs_cut
    }

    /// For a world of so many nodes.
    pub(crate) fn new(nodes: u32) -> Self {
        let pairs = u64::from(nodes) * u64::from(nodes.saturating_sub(1));
        let goal = |share: u64| (pairs * share / 10_000 + u64::from(nodes), None);
        Self { goals: [goal(9_900), goal(9_990), goal(9_999)], ..Self::default() }
    }

    /// A fault struck that views may differ over.
    pub(crate) fn disturbed(&mut self, now: Instant) {
        self.disturbed_at = Some(now);
        self.agreed_at = None;
        self.check_agreement(now);
    }

    /// A node starts to observe; it knows nobody yet.
    pub(crate) fn observer_comes(&mut self, now: Instant) {
        self.observers += 1;
        self.count(0, 1);
        self.check_agreement(now);
    }

    /// An observer that took `live` members for live observes no more.
    pub(crate) fn observer_goes(&mut self, now: Instant, node: u32, live: u32) {
        self.observers -= 1;
        self.count(live, -1);
        for crash in &mut self.crashes {
            crash.strike_off(node);
        }
        self.check_agreement(now);
    }

    /// An observer's number of live members changed.
    pub(crate) fn observer_sees(&mut self, now: Instant, before: u32, after: u32) {
        self.count(before, -1);
        self.count(after, 1);
        for (goal, reached) in &mut self.goals {
            if reached.is_none() && self.live_sum >= *goal {
                *reached = Some(now);
            }
        }
        self.check_agreement(now);
    }

    fn count(&mut self, live: u32, by: i32) {
        let i = live as usize;
        if self.by_live.len() <= i {
            self.by_live.resize(i + 1, 0);
        }
        self.by_live[i] = self.by_live[i].wrapping_add_signed(by);
        self.live_sum = self.live_sum.wrapping_add_signed(i64::from(by) * i64::from(live));
    }

    fn check_agreement(&mut self, now: Instant) {
        let agreeing = self.by_live.get(self.observers as usize);
        if agreeing.copied() != Some(self.observers) {
            self.agreed_at = None;
        } else if self.agreed_at.is_none() {
            self.agreed_at = Some(now);
        }
    }

    /// A node crashed: everybody else that is up should report it.
    pub(crate) fn crashed<M>(&mut self, now: Instant, node: u32, hosts: &[Host<M>]) {
        let mut waiting = vec![0u64; hosts.len().div_ceil(64)];
        let mut due = 0;
        for (i, host) in hosts.iter().enumerate() {
            if host.observes() {
                waiting[i / 64] |= 1 << (i % 64);
                due += 1;
            }
        }
        self.open.resize(hosts.len(), 0);
        self.crashes.push(Crash {
            node,
            at: now,
            first: None,
            last: None,
            reports: 0,
            due,
            restarted: false,
            waiting,
        });
        self.open[node as usize] = self.crashes.len() as u32;
        self.disturbed(now);
    }

    pub(crate) fn restarted(&mut self, node: u32) {
        if let Some(crash) = self.open_crash(node) {
            crash.restarted = true;
        }
        if let Some(open) = self.open.get_mut(node as usize) {
            *open = 0;
        }
    }

    fn open_crash(&mut self, node: u32) -> Option<&mut Crash> {
        let open = *self.open.get(node as usize)?;
        self.crashes.get_mut((open as usize).checked_sub(1)?)
    }

    /// A node reported another as down.
    pub(crate) fn down(
        &mut self,
        now: Instant,
        observer: u32,
        subject: u32,
        up: bool,
        reachable: bool,
    ) {
        if up && reachable {
            self.downs_wrong += 1;
        } else if up {
            self.downs_cut += 1;
        }
        let Some(crash) = self.open_crash(subject) else { return };
        if crash.strike_off(observer) {
            crash.reports += 1;
            crash.first.get_or_insert(now);
            crash.last = Some(now);
            let ms = now.since(crash.at).as_millis();
            self.latencies_ms.push(u32::try_from(ms).unwrap_or(u32::MAX));
        }
    }
}

impl Crash {
    /// Notes that `node` need not report any more; whether it had to.
    fn strike_off(&mut self, node: u32) -> bool {
        let (word, bit) = (node as usize / 64, 1 << (node % 64));
        let due = self.waiting[word] & bit != 0;
        self.waiting[word] &= !bit;
        self.due -= u32::from(due);
        due
    }
}
