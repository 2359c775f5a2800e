//! The kernels at the shapes of tiny.en, plain beside fast:
//! `cargo bench -p scriven-recognizer --features bench`.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use scriven_recognizer::bench;

fn kernels(criterion: &mut Criterion) {
    for kernel in bench::kernels() {
        let mut group = criterion.benchmark_group(&kernel.name);
        for (name, run) in &kernel.versions {
            group.bench_function(*name, |bencher| bencher.iter(run));
        }
        group.finish();
    }
}

criterion_group! {
    name = all;
    // Plain kernels take up to a fifth of a second: few samples, or it takes an hour.
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1));
    targets = kernels
}
criterion_main!(all);
