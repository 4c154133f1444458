//! Checksum, label, compression, and sealing and opening with each length of key.

use criterion::{Criterion, criterion_group, criterion_main};
use swim_benches::tasks;

fn envelope(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("envelope");
    for mut task in tasks::outer_layers() {
        group.bench_function(&task.what, |bencher| bencher.iter(&mut task.once));
    }
    group.finish();
}

criterion_group!(benches, envelope);
criterion_main!(benches);
