//! Rows 11 to 13: clusters in virtual time. Each side runs in its own simulator.

use core::time::Duration;

use swim_benches::clock::thread_cpu_ns;
use swim_benches::peer::Simulation;

use crate::Plan;

/// A cluster at rest: push/pulls off, all members known.
#[derive(Clone, Copy, Debug)]
struct Steady {
    cpu_ms_per_virtual_s: f64,
    events_per_cpu_s: f64,
}

/// A storm of joins.
#[derive(Clone, Copy, Debug)]
struct Storm {
    cpu_s: f64,
    virtual_s: f64,
    packets: u64,
    bytes: u64,
}

const SEED: u64 = 1;
const S: fn(u64) -> Duration = Duration::from_secs;

/// Prints the rows.
pub(crate) fn rows(plan: &Plan) {
    for (row, n) in [("11", 1_000), ("12", 10_000)] {
        // foca takes minutes to load ten thousand full rosters.
        if plan.wants(row) && (n <= 1_000 || plan.wants_by_name(row)) {
            let Steady { cpu_ms_per_virtual_s: ms, events_per_cpu_s: events } = theirs_at_rest(n);
            plan.note(&format!(
                "{row}: foca at rest, N={n}: {ms:.2} ms per virtual s, {events:.0} events/s"
            ));
        }
    }
    if plan.wants("13") {
        let Storm { cpu_s, virtual_s, packets, bytes } = theirs_storm(1_000);
        plan.note(&format!(
            "13: foca storm of 1,000 to 99.99 %: {cpu_s:.2} s CPU, {virtual_s:.1} s virtual, {packets} packets, {bytes} bytes"
        ));
    }
}

fn theirs_at_rest(n: u32) -> Steady {
    let mut simulation = Simulation::new(n, SEED);
    simulation.preload_within(S(1));
    simulation.run(S(6), |_| false);
    let (start, before) = (thread_cpu_ns(), simulation.totals());
    simulation.run(S(6 + 30), |_| false);
    let cpu_ns = (thread_cpu_ns() - start) as f64;
    let events = simulation.totals().events - before.events;
    Steady {
        cpu_ms_per_virtual_s: cpu_ns / 30.0 / 1e6,
        events_per_cpu_s: events as f64 / (cpu_ns / 1e9),
    }
}

fn theirs_storm(n: u32) -> Storm {
    let mut simulation = Simulation::new(n, SEED);
    simulation.join_within(Duration::from_millis(100));
    let pairs = u64::from(n) * u64::from(n - 1);
    let goal = pairs * 9_999 / 10_000;
    let start = thread_cpu_ns();
    let reached = simulation.run(S(300), |totals| totals.ups >= goal);
    assert!(reached, "foca gets this far");
    let totals = simulation.totals();
    Storm {
        cpu_s: (thread_cpu_ns() - start) as f64 / 1e9,
        virtual_s: simulation.now().as_secs_f64(),
        packets: totals.packets,
        bytes: totals.bytes,
    }
}
