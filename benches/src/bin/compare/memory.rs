//! Rows 9 and 10: a node that knows 100,000 members.

use std::hint::black_box;

use swim_benches::clock::{Summary, alternate, cpu_ns_of};
use swim_benches::counting::counts;
use swim_benches::ours::{self, Ours};
use swim_benches::peer::{Content, Heap, Named, Small, loaded, members};
use swim_benches::process::resident_kib;
use swim_benches::table::{Row, Unit};
use swim_benches::workload::Receiver as _;

use crate::Plan;
use crate::child::Counted;

const MEMBERS: u32 = 100_000;

/// A load into foca takes seconds at this size.
const LOADS_MAX: usize = 3;

/// Prints the rows.
pub(crate) fn rows(plan: &Plan) {
    if plan.wants("9") {
        memory(plan);
    }
    if plan.wants("10") {
        load(plan);
    }
}

fn memory(plan: &Plan) {
    let [ours, heap, named] = ["ours", "heap", "named"].map(Counted::of);
    let get = |from: &Counted, key| Summary::once(from.get(key).unwrap_or(f64::NAN));
    let row = |what: &str, key| Row::new("9", what, Unit::Bytes, get(&ours, key));
    plan.row(
        row("heap per member, 100,000", SETTLED)
            .beside("foca heap", get(&heap, SETTLED))
            .at_least(1.05)
            .at_most(150.0),
    );
    let the_same = row("  the same", SETTLED);
    plan.row(the_same.beside("foca named", get(&named, SETTLED)));
    let fresh = row("  with all news still to be told", FRESH);
    plan.row(fresh);
    let resident = row("resident per member, 100,000", RESIDENT);
    plan.row(resident.beside("foca heap", get(&heap, RESIDENT)));
}

/// Measures one side, in a process of its own.
pub(crate) fn measure(side: &str, tell: &mut dyn FnMut(String, f64)) {
    match side {
        "ours" => {
            let state = ours::state(1..MEMBERS);
            let before = Before::now();
            let mut ours = Ours::alone();
            ours.merge(&state);
            before.tell(FRESH, tell);
            ours.settle();
            before.tell(SETTLED, tell);
            assert_eq!(ours.node.live_len(), MEMBERS as usize);
            black_box(&ours);
        }
        "heap" => theirs::<Heap>(tell),
        "named" => theirs::<Named>(tell),
        other => panic!("there is nothing to measure about {other}"),
    }
}

fn theirs<T: Content>(tell: &mut dyn FnMut(String, f64)) {
    let before = Before::now();
    let theirs = loaded::<T>(MEMBERS, members(MEMBERS));
    before.tell(SETTLED, tell);
    assert_eq!(theirs.known(), MEMBERS as usize - 1);
    black_box(&theirs);
}

struct Before {
    live_bytes: u64,
    resident_kib: u64,
}

impl Before {
    fn now() -> Self {
        Self { live_bytes: counts().live_bytes, resident_kib: resident_kib() }
    }

    fn tell(&self, key: &str, tell: &mut dyn FnMut(String, f64)) {
        let live = counts().live_bytes - self.live_bytes;
        let resident = 1024 * resident_kib().saturating_sub(self.resident_kib);
        tell(key.into(), live as f64 / f64::from(MEMBERS));
        if key == SETTLED {
            tell(RESIDENT.into(), resident as f64 / f64::from(MEMBERS));
        }
    }
}

fn load(plan: &Plan) {
    let state = ours::state(1..MEMBERS);
    let mut ours = || {
        let mut ours = Ours::alone();
        let ns = cpu_ns_of(|| ours.merge(&state));
        assert_eq!(ours.node.live_len(), MEMBERS as usize);
        ns
    };
    let mut theirs = || {
        cpu_ns_of(|| {
            black_box(loaded::<Small>(MEMBERS, members(MEMBERS)));
        })
    };
    let [a, b] = alternate(plan.runs().min(LOADS_MAX), [&mut ours, &mut theirs]);
    let row = Row::new("10", "load 100,000 members", Unit::Time, a).beside("foca raw", b);
    plan.row(row.at_least(70.0).at_most(0.1e9));
}

/// Heap per member once all news were told.
const SETTLED: &str = "settled";
/// The same right after the load.
const FRESH: &str = "fresh";
/// Resident bytes per member once all news were told.
const RESIDENT: &str = "resident";
