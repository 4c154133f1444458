//! Rows 1 to 5: one packet in, whatever it causes out.

use std::time::Instant;

use bytes::BytesMut;
use swim_benches::clock::{self, Summary, alternate, mean_without_preemption, thread_cpu_ns};
use swim_benches::counting;
use swim_benches::ours::{self, Ours};
use swim_benches::peer::{Named, Small, Theirs};
use swim_benches::table::{Row, Unit};
use swim_benches::workload::{Case, Drafts, Receiver, SIZES};
use swim_core::keyring::Keyring;

use crate::Plan;
use crate::child::Counted;

/// The peer's figure over ours that performance.md asks for, by case and number of members.
const RATIOS: [(Case, u32, &str, f64); 6] = [
    (Case::Ping, 1_000, "1", 2.0),
    (Case::Ping, 10_000, "2", 13.0),
    (Case::Known, 1_000, "3", 3.8),
    (Case::Known, 10_000, "3", 22.0),
    (Case::New, 1_000, "4", 3.0),
    (Case::New, 10_000, "4", 13.0),
];

/// With ten members foca may be faster by this factor at most.
const SMALL_N_SLOWER_MAX: f64 = 1.5;

/// What ours may cost with 100,000 members, in times of what it costs with 100.
const GROWTH_MAX: [(Case, f64); 2] = [(Case::Ping, 1.3), (Case::Known, 3.0)];

/// Prints the rows.
pub(crate) fn rows(plan: &Plan) {
    if !["1", "2", "3", "4", "5"].iter().any(|row| plan.wants(row)) {
        return;
    }
    let counted = Counted::of("packets");
    plan.note(&format!(
        "a packet of news is timed alone: {:.0} ns of each such figure is the clock",
        clock::wall_clock_ns()
    ));
    let mut growth = Vec::new();
    for n in SIZES {
        let figures = at(plan, &counted, n);
        growth.push((n, figures));
    }
    for (case, max) in GROWTH_MAX {
        let cost = |n: u32| {
            let figures = growth.iter().find(|(size, _)| *size == n).map(|(_, f)| f);
            figures.and_then(|f| f.iter().find(|(c, _)| *c == case)).map_or(f64::NAN, |(_, c)| *c)
        };
        let what = format!("{}: cost at 100,000 / at 100", case.label());
        let ratio = Summary::once(cost(100_000) / cost(100));
        plan.row(Row::new("1-3", what, Unit::Plain, ratio).at_most(max));
    }
}

/// All cases with `n` members; the medians of ours.
fn at(plan: &Plan, counted: &Counted, n: u32) -> Vec<(Case, f64)> {
    let mut ours = Side::<Ours>::new(n);
    let mut small = Side::<Theirs<Small>>::new(n);
    let mut named = Side::<Theirs<Named>>::new(n);
    let mut medians = Vec::new();
    for case in Case::ALL {
        ours.begin(case);
        small.begin(case);
        named.begin(case);
        let [a, b, c] =
            alternate(plan.runs(), [&mut || ours.run(), &mut || small.run(), &mut || named.run()]);
        let count = |side| counted.get(&key(n, case, side));
        let what = format!("{}, N={n}", case.label());
        let number = number(case, n);
        let row = Row::new(number, &what, Unit::Time, a).beside("foca raw", b);
        let row = row.allocations(count("ours"), count("small"));
        plan.row(asked(row, case, n));
        let row = Row::new(number, "  the same", Unit::Time, a).beside("foca named", c);
        plan.row(row.allocations(count("ours"), count("named")));
        medians.push((case, a.median));
    }
    if n == 1_000 || n == 10_000 {
        for case in Case::ALL {
            cold(plan, case, &mut ours, &mut small, &mut named);
        }
        sealed(plan, n, &mut ours);
    }
    medians
}

fn asked(row: Row, case: Case, n: u32) -> Row {
    let row = match RATIOS.iter().find(|(c, size, ..)| *c == case && *size == n) {
        Some(&(.., ratio)) => row.at_least(ratio),
        None if n == 10 => row.at_least(1.0 / SMALL_N_SLOWER_MAX),
        None => row,
    };
    match case {
        Case::New => row.allocations_at_most(2.0),
        _ => row.allocations_at_most(0.0),
    }
}

fn number(case: Case, n: u32) -> &'static str {
    match RATIOS.iter().find(|(c, size, ..)| *c == case && *size == n) {
        Some(&(_, _, number, _)) => number,
        None if n == 10 => "5",
        None => match case {
            Case::Ping => "1",
            Case::Known => "3",
            _ => "4",
        },
    }
}

/// The same when a lot of other work came between two packets.
fn cold(
    plan: &Plan,
    case: Case,
    ours: &mut Side<Ours>,
    small: &mut Side<Theirs<Small>>,
    named: &mut Side<Theirs<Named>>,
) {
    let mut sweep = Sweep::new();
    ours.begin(case);
    small.begin(case);
    named.begin(case);
    let a = ours.run_cold(&mut sweep);
    let b = small.run_cold(&mut sweep);
    let c = named.run_cold(&mut sweep);
    let what = format!("{}, N={}, cold caches", case.label(), ours.n);
    plan.row(Row::new(number(case, ours.n), what, Unit::Time, a).beside("foca raw", b));
    let row = Row::new(number(case, ours.n), "  the same", Unit::Time, a);
    plan.row(row.beside("foca named", c));
}

/// Ours with the outer layers of an unencrypted cluster, checksums both ways.
fn sealed(plan: &Plan, n: u32, side: &mut Side<Ours>) {
    for case in [Case::Ping, Case::Known] {
        side.begin(case);
        let packets: Vec<_> = side.packets.iter().map(ours::seal).collect();
        let keyring = Keyring::empty();
        let mut scratch = BytesMut::new();
        let receiver = &mut side.receiver;
        let mut run = || {
            let start = thread_cpu_ns();
            for _ in 0..side.passes {
                for packet in &packets {
                    receiver.take_sealed(&keyring, packet, &mut scratch);
                }
            }
            (thread_cpu_ns() - start) as f64 / (packets.len() * side.passes) as f64
        };
        run();
        let [figure] = alternate(plan.runs(), [&mut run]);
        let what = format!("{}, N={n}, with envelope", case.label());
        plan.row(Row::new(number(case, n), what, Unit::Time, figure));
    }
}

/// One receiver and what it is fed.
struct Side<R: Receiver> {
    n: u32,
    receiver: R,
    drafts: Drafts,
    case: Case,
    packets: Vec<R::Packet>,
    /// Times that the packets are handed in per run, if they may be repeated.
    passes: usize,
}

impl<R: Receiver> Side<R> {
    fn new(n: u32) -> Self {
        let receiver = R::knowing(n);
        let drafts = Drafts::new(n);
        Self { n, receiver, drafts, case: Case::Ping, packets: Vec::new(), passes: 1 }
    }

    /// Draws the packets of a case and warms up.
    fn begin(&mut self, case: Case) {
        self.case = case;
        self.packets = self.draw(self.packets_per_run());
        let ns = self.run();
        let pass = ns * self.packets.len() as f64;
        self.passes = (RUN_NS / pass).clamp(1.0, 100.0) as usize;
    }

    fn draw(&mut self, packets: usize) -> Vec<R::Packet> {
        let drafts = self.drafts.draw(self.case, packets);
        drafts.iter().map(|draft| self.receiver.encode(draft)).collect()
    }

    fn packets_per_run(&self) -> usize {
        match (self.case, self.n) {
            (Case::New, 100_000..) => 20,
            (Case::New, _) => 300,
            (_, 100_000..) => 500,
            _ => 2_000,
        }
    }

    /// Nanoseconds per packet.
    fn run(&mut self) -> f64 {
        let before = self.receiver.sent().0;
        if self.case == Case::New {
            return self.run_news();
        }
        let start = thread_cpu_ns();
        for _ in 0..self.passes {
            for packet in &self.packets {
                self.receiver.take(packet);
            }
        }
        let taken = self.passes * self.packets.len();
        let ns = (thread_cpu_ns() - start) as f64 / taken as f64;
        assert_eq!(self.receiver.sent().0 - before, taken as u64, "every ping was answered");
        ns
    }

    /// News are news once only, and what is queued about them is sent away before the next packet,
    /// out of the measured time.
    fn run_news(&mut self) -> f64 {
        self.packets = self.draw(self.packets_per_run());
        let mut samples: Vec<u64> = Vec::with_capacity(self.packets.len());
        for packet in &self.packets {
            let start = Instant::now();
            self.receiver.take(packet);
            samples.push(start.elapsed().as_nanos() as u64);
            self.receiver.settle();
        }
        mean_without_preemption(&mut samples)
    }

    fn run_cold(&mut self, sweep: &mut Sweep) -> Summary {
        self.packets = self.draw(COLD_PACKETS);
        let mut samples = Vec::with_capacity(COLD_PACKETS);
        for packet in &self.packets {
            sweep.sweep();
            let start = Instant::now();
            self.receiver.take(packet);
            samples.push(start.elapsed().as_nanos() as f64);
            self.receiver.settle();
        }
        Summary::of(&mut samples)
    }

    /// Allocations per packet.
    fn count(&mut self) -> f64 {
        let mut allocations = 0;
        for packet in &self.packets {
            allocations += counting::allocations_of(|| self.receiver.take(packet));
            self.receiver.settle();
        }
        allocations as f64 / self.packets.len() as f64
    }
}

/// Counts allocations, in a process of its own.
pub(crate) fn count(tell: &mut dyn FnMut(String, f64)) {
    fn side<R: Receiver>(n: u32, name: &str, tell: &mut dyn FnMut(String, f64)) {
        let mut side = Side::<R>::new(n);
        for case in Case::ALL {
            side.begin(case);
            side.packets = side.draw(side.packets_per_run());
            tell(key(n, case, name), side.count());
        }
    }
    for n in SIZES {
        side::<Ours>(n, "ours", tell);
        if n < 100_000 {
            side::<Theirs<Small>>(n, "small", tell);
            side::<Theirs<Named>>(n, "named", tell);
        }
    }
}

fn key(n: u32, case: Case, side: &str) -> String {
    format!("{n}/{}/{side}", case.label())
}

/// Other work between two packets: it leaves nothing of a node in the caches.
struct Sweep(Vec<u64>);

impl Sweep {
    fn new() -> Self {
        Self(vec![1; SWEEP_BYTES / 8])
    }

    fn sweep(&mut self) {
        for line in self.0.chunks_exact_mut(8) {
            line[0] = std::hint::black_box(line[0].wrapping_add(1));
        }
    }
}

/// Larger than the last-level cache of common machines.
const SWEEP_BYTES: usize = 128 << 20;
/// Packets that meet cold caches.
const COLD_PACKETS: usize = 31;
/// How long a run should last at least.
const RUN_NS: f64 = 5e6;
