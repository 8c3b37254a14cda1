//! The 17 query classes over lean cases, from a valid query to ids and the total; and published
//! upserts, from a document to what the next read sees.
//! `cargo bench --bench classes`; `getcases bench` measures more cases, and holds every answer
//! against a linear scan.
#![allow(clippy::expect_used, missing_docs)]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use getcases::{Context, Engine, Query, Scope};
use getcases_workload::{Shape, Workload};

const SIZES: [u64; 3] = [1000, 30_000, 300_000];
const SEED: u64 = 1;

fn desk() -> Scope {
    Scope::new("account", "stream")
}

fn documents(workload: &Workload, cases: impl Iterator<Item = u64>) -> Vec<Vec<u8>> {
    let document = |case| {
        let mut json = Vec::new();
        workload.write_case(case, &mut json);
        json
    };
    cases.map(document).collect()
}

fn write(engine: &Engine, documents: &[Vec<u8>]) {
    let all = |batch: &mut getcases::Batch<'_>| {
        documents.iter().try_for_each(|document| batch.upsert(&desk(), document))
    };
    engine.write(all).expect("made cases are never refused");
}

fn engine(size: u64) -> (Engine, Workload) {
    let (engine, workload) = (Engine::new(), Workload::new(size, SEED, Shape::Lean));
    write(&engine, &documents(&workload, 0..size));
    (engine, workload)
}

fn queries(criterion: &mut Criterion) {
    for size in SIZES {
        let snapshot = engine(size).0.snapshot(&desk());
        let mut group = criterion.benchmark_group(format!("query/{size}"));
        group.sample_size(20);
        for class in getcases_workload::classes() {
            let context = Context { user: class.user.clone(), ..Context::default() };
            let query =
                Query::from_json(class.body.as_bytes(), &context).expect("the classes are valid");
            group.bench_function(&class.name, |bencher| {
                bencher.iter(|| snapshot.search_ids(&query));
            });
        }
        group.finish();
    }
}

fn upserts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("upsert");
    group.sample_size(20);
    for size in SIZES {
        let (engine, workload) = engine(size);
        // Each case in turn takes the place of another one, far away.
        let mut next = (0..size).cycle().map(|case| (case * 7919 + 13) % size);
        for batch in [1, 100] {
            group.throughput(Throughput::Elements(batch));
            group.bench_function(BenchmarkId::new(format!("{batch} a batch"), size), |bencher| {
                bencher.iter_batched(
                    || documents(&workload, next.by_ref().take(batch as usize)),
                    |documents| write(&engine, &documents),
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, queries, upserts);
criterion_main!(benches);
