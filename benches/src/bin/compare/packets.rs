//! Rows 1 to 5: one packet in, whatever it causes out.

use bytes::BytesMut;
use swim_benches::clock::{self, Summary, alternate, cpu_ns_of};
use swim_benches::feed::{Feed, Sweep};
use swim_benches::ours::{self, Ours};
use swim_benches::peer::{Named, Small, Theirs};
use swim_benches::table::{Row, Unit};
use swim_benches::workload::{Case, Receiver, SIZES};
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
    for n in SIZES.into_iter().filter(|&n| !plan.cases(n).is_empty()) {
        growth.push((n, at(plan, &counted, n)));
    }
    for (case, max) in GROWTH_MAX {
        let cost = |n: u32| {
            let figures = growth.iter().find(|(size, _)| *size == n).map(|(_, f)| f);
            figures.and_then(|f| f.iter().find(|(c, _)| *c == case)).map_or(f64::NAN, |(_, c)| *c)
        };
        let ratio = cost(100_000) / cost(100);
        if ratio.is_finite() {
            let what = format!("{}: cost at 100,000 / at 100", case.label());
            let number = number(case, 100_000);
            plan.row(Row::new(number, what, Unit::Plain, Summary::once(ratio)).at_most(max));
        }
    }
}

/// All cases with `n` members; the medians of ours.
fn at(plan: &Plan, counted: &Counted, n: u32) -> Vec<(Case, f64)> {
    let mut ours = Feed::<Ours>::new(n);
    let mut small = Feed::<Theirs<Small>>::new(n);
    let mut named = Feed::<Theirs<Named>>::new(n);
    let mut medians = Vec::new();
    for case in plan.cases(n) {
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
        for case in plan.cases(n) {
            cold(plan, case, &mut ours, &mut small, &mut named);
        }
        sealed(plan, n, &mut ours);
    }
    medians
}

impl Plan {
    /// The cases that are asked for with `n` members.
    fn cases(&self, n: u32) -> Vec<Case> {
        Case::ALL.into_iter().filter(|&case| self.wants(number(case, n))).collect()
    }
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
    ours: &mut Feed<Ours>,
    small: &mut Feed<Theirs<Small>>,
    named: &mut Feed<Theirs<Named>>,
) {
    let mut sweep = Sweep::default();
    let n = ours.n();
    ours.begin(case);
    small.begin(case);
    named.begin(case);
    let a = ours.run_cold(&mut sweep);
    let b = small.run_cold(&mut sweep);
    let c = named.run_cold(&mut sweep);
    let what = format!("{}, N={}, cold caches", case.label(), n);
    plan.row(Row::new(number(case, n), what, Unit::Time, a).beside("foca raw", b));
    let row = Row::new(number(case, n), "  the same", Unit::Time, a);
    plan.row(row.beside("foca named", c));
}

/// Ours with the outer layers of an unencrypted cluster, checksums both ways.
fn sealed(plan: &Plan, n: u32, side: &mut Feed<Ours>) {
    for case in plan.cases(n).into_iter().filter(|&case| case != Case::New) {
        side.begin(case);
        let packets: Vec<_> = side.packets().iter().map(ours::seal).collect();
        let keyring = Keyring::empty();
        let mut scratch = BytesMut::new();
        let receiver = side.receiver();
        let mut run = || {
            let pass = || {
                for packet in &packets {
                    receiver.take_sealed(&keyring, packet, &mut scratch);
                }
            };
            cpu_ns_of(pass) / packets.len() as f64
        };
        run();
        let [figure] = alternate(plan.runs(), [&mut run]);
        let what = format!("{}, N={n}, with envelope", case.label());
        plan.row(Row::new(number(case, n), what, Unit::Time, figure));
    }
}

/// Counts allocations, in a process of its own.
pub(crate) fn count(tell: &mut dyn FnMut(String, f64)) {
    fn side<R: Receiver>(n: u32, name: &str, tell: &mut dyn FnMut(String, f64)) {
        let mut side = Feed::<R>::new(n);
        for case in Case::ALL {
            side.begin(case);
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
