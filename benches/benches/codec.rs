//! Each message, encoded and decoded.

use criterion::{Criterion, criterion_group, criterion_main};
use swim_benches::tasks;

fn codec(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec");
    for mut task in tasks::messages() {
        group.bench_function(&task.what, |bencher| bencher.iter(&mut task.once));
    }
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
