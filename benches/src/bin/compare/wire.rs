//! Rows 6 to 8: messages, whole states and encryption to bytes and back. The peer is memberlist in
//! Go, whose figures were taken elsewhere: they are constants here, and are called so.

use swim_benches::clock::{Summary, alternate, cpu_ns_of};
use swim_benches::counting;
use swim_benches::table::{Row, Unit};
use swim_benches::tasks::{self, BACKEND, Task};

use crate::Plan;
use crate::child::Counted;

const PUBLISHED: &str = "Go (published)";

/// What is asked of a task.
struct Asked {
    row: &'static str,
    what: String,
    /// What Go takes, in nanoseconds, and how many times faster ours must be.
    published: Option<(f64, f64)>,
    allocations_max: Option<f64>,
    /// How often it is done in one run.
    times: usize,
}

fn asked() -> Vec<Asked> {
    let message = |what: &str, go_us: f64| Asked {
        row: "6",
        what: what.into(),
        published: Some((go_us * 1e3, 10.0)),
        allocations_max: Some(0.0),
        times: 20_000,
    };
    let state = |what: &str, published| Asked {
        row: "7",
        what: what.into(),
        published,
        allocations_max: None,
        times: 5,
    };
    vec![
        message("encode alive", 1.8),
        message("encode ping", 1.7),
        message("encode compound of 10", 24.0),
        message("decode alive", 2.6),
        message("decode ping", 2.0),
        message("decode compound of 10", 19.0),
        state("encode push/pull of 10,000", Some((12.2e6, 10.0))),
        state("decode push/pull of 10,000", Some((11.4e6, 7.6))),
        state("merge a known push/pull of 10,000", None),
        Asked {
            row: "8",
            what: format!("seal 1,400 B, AES-128, {BACKEND}"),
            published: Some((1_557.0, 4.4)),
            allocations_max: Some(0.0),
            times: 5_000,
        },
    ]
}

/// What is asked, with the task, in the order of the rows.
fn all() -> Vec<(Asked, Task)> {
    let mut tasks = tasks::messages();
    tasks.extend(tasks::states());
    tasks.extend(tasks::outer_layers());
    let take = |asked: Asked| {
        let at = tasks.iter().position(|task| task.what == asked.what);
        let task = tasks.swap_remove(at.expect("every row has a task"));
        (asked, task)
    };
    asked().into_iter().map(take).collect()
}

/// Prints the rows.
pub(crate) fn rows(plan: &Plan) {
    if !["6", "7", "8"].iter().any(|row| plan.wants(row)) {
        return;
    }
    let counted = Counted::of("wire");
    for (asked, mut task) in all().into_iter().filter(|(asked, _)| plan.wants(asked.row)) {
        (task.once)();
        let mut run =
            || cpu_ns_of(|| (0..asked.times).for_each(|_| (task.once)())) / asked.times as f64;
        run();
        let [figure] = alternate(plan.runs(), [&mut run]);
        let mut row = Row::new(asked.row, &asked.what, Unit::Time, figure)
            .allocations(counted.get(&asked.what), None);
        if let Some((published_ns, ratio_min)) = asked.published {
            row = row.beside(PUBLISHED, Summary::once(published_ns)).at_least(ratio_min);
        }
        if let Some(max) = asked.allocations_max {
            row = row.allocations_at_most(max);
        }
        plan.row(row);
    }
}

/// Counts allocations, in a process of its own.
pub(crate) fn count(tell: &mut dyn FnMut(String, f64)) {
    for (asked, mut task) in all() {
        (task.once)();
        tell(asked.what, counting::allocations_of(|| (task.once)()) as f64);
    }
}
