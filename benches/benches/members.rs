//! What the table of members costs: to load it, to look a member up, to walk over all.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use swim_benches::ours::{self, Ours};
use swim_benches::workload::{self, Receiver as _};

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];

/// Names looked up in turn: as many as there are, in an order that no cache likes.
const STRIDE: u32 = 7_919;

fn members(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("members");
    group.sample_size(10);
    for n in SIZES {
        group.throughput(Throughput::Elements(n.into()));
        // Made at the first measurement: a filter may leave it out.
        let mut state = None;
        group.bench_function(BenchmarkId::new("load", n), |bencher| {
            let state = state.get_or_insert_with(|| ours::state(1..n));
            bencher.iter(|| {
                let mut ours = Ours::alone();
                ours.merge(state);
                ours
            });
        });
        let mut ours = None;
        group.bench_function(BenchmarkId::new("iterate", n), |bencher| {
            let ours = ours.get_or_insert_with(|| Ours::knowing(n));
            bencher.iter(|| ours.node.members().filter(|m| m.state().is_live()).count());
        });
        group.throughput(Throughput::Elements(1));
        for (id, first) in [("look_up", 0), ("look_up_unknown", n)] {
            let mut table = None;
            group.bench_function(BenchmarkId::new(id, n), |bencher| {
                let (ours, names) = table.get_or_insert_with(|| {
                    let names: Vec<String> = (first..first + n).map(workload::name).collect();
                    (Ours::knowing(n), names)
                });
                let mut at = 0;
                bencher.iter(|| {
                    at = (at + STRIDE) % n;
                    black_box(ours.node.member(&names[at as usize]));
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, members);
criterion_main!(benches);
