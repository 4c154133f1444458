//! One packet in, whatever it causes out: ours at several sizes, foca where it is quick.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use swim_benches::feed::Feed;
use swim_benches::ours::Ours;
use swim_benches::peer::{Named, Small, Theirs};
use swim_benches::workload::{Case, Receiver};

fn packet(criterion: &mut Criterion) {
    for n in [10, 1_000, 10_000, 100_000] {
        side::<Ours>(criterion, "ours", n);
    }
    for n in [10, 1_000, 10_000] {
        side::<Theirs<Small>>(criterion, "foca_raw", n);
        side::<Theirs<Named>>(criterion, "foca_named", n);
    }
}

fn side<R: Receiver>(criterion: &mut Criterion, name: &str, n: u32) {
    let mut group = criterion.benchmark_group(format!("packet/{name}"));
    group.throughput(Throughput::Elements(1));
    for (case, id) in [(Case::Ping, "ping"), (Case::Known, "known"), (Case::New, "new")] {
        // Made at the first measurement: a filter may leave it out.
        let mut feed = None;
        group.bench_function(BenchmarkId::new(id, n), |bencher| {
            let feed = feed.get_or_insert_with(|| {
                let mut feed = Feed::<R>::new(n);
                feed.begin(case);
                feed
            });
            bencher.iter_custom(|packets| Duration::from_nanos(feed.take(packets) as u64));
        });
    }
    group.finish();
}

criterion_group!(benches, packet);
criterion_main!(benches);
