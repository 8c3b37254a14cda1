//! The 17 query classes over 100,000 lean cases: from a valid query to its page.
//! `cargo bench --bench classes`
#![allow(clippy::expect_used, missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use getcases::{Case, Context, Engine, Query, Refusal, Scope, Snapshot};
use getcases_workload::{Shape, Workload};

const CASES: u64 = 100_000;
const SEED: u64 = 1;

fn snapshot() -> Result<Snapshot, Refusal> {
    let workload = Workload::new(CASES, SEED, Shape::Lean);
    let (engine, desk) = (Engine::new(), Scope::new("account", "stream"));
    let mut json = Vec::new();
    engine.write(|batch| {
        (0..CASES).try_for_each(|case| {
            json.clear();
            workload.write_case(case, &mut json);
            batch.upsert_case(&desk, Case::from_json(&json)?)
        })
    })?;
    Ok(engine.snapshot(&desk))
}

fn classes(criterion: &mut Criterion) {
    let snapshot = snapshot().expect("made cases are never refused");
    let mut group = criterion.benchmark_group("query");
    group.sample_size(10);
    for class in getcases_workload::classes() {
        let context = Context { user: class.user.clone(), ..Context::default() };
        let query =
            Query::from_json(class.body.as_bytes(), &context).expect("the classes are valid");
        group.bench_function(&class.name, |bencher| bencher.iter(|| snapshot.run(&query)));
    }
    group.finish();
}

criterion_group!(benches, classes);
criterion_main!(benches);
