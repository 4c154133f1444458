//! A push/pull of 10,000 members: encoded, decoded, merged.

use criterion::{Criterion, criterion_group, criterion_main};
use swim_benches::tasks;

fn push_pull(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("push_pull");
    for mut task in tasks::states() {
        group.bench_function(&task.what, |bencher| bencher.iter(&mut task.once));
    }
    group.finish();
}

criterion_group!(benches, push_pull);
criterion_main!(benches);
