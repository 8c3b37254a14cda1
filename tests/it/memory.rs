//! What scopes take in memory, as an allocator counts it.

use getcases::{Engine, Scope};
use getcases_workload::{Shape, Workload};

use crate::counting::{alone, counted};

/// Bytes of a scope with one small case, and with one lean case, at most. Where every size is
/// small, few values have tables already.
const ONE_CASE: [u64; 2] =
    if cfg!(getcases_small_segments) { [6800, 10_700] } else { [5000, 6800] };

/// Bytes of each of many scopes that hold one case.
fn bytes_a_scope(document: &[u8]) -> u64 {
    const SCOPES: u64 = 1000;
    alone(|| {
        let engine = Engine::builder().threads(1).build();
        let fill = |number: u64| {
            let scope = Scope::new("account", &number.to_string());
            engine.write(|batch| batch.upsert(&scope, document)).unwrap();
        };
        // What all scopes share.
        fill(0);
        let ((), used) = counted(|| (1..=SCOPES).for_each(fill));
        used.held.unsigned_abs() / SCOPES
    })
}

#[test]
fn a_scope_of_one_case_takes_little() {
    let small = br#"{"_id":"1","name":"late delivery","status":{"name":"Open"}}"#;
    let bytes = bytes_a_scope(small);
    assert!(bytes <= ONE_CASE[0], "{bytes} bytes of a scope with one small case");
    let mut lean = Vec::new();
    Workload::new(1, 1, Shape::Lean).write_case(0, &mut lean);
    let text =
        String::from_utf8(lean).unwrap().replace("accountId", "accountI_").replace("iId", "iI_");
    let bytes = bytes_a_scope(text.as_bytes());
    assert!(bytes <= ONE_CASE[1], "{bytes} bytes of a scope with one lean case of {}", text.len());
}

#[test]
fn a_large_batch_takes_little_more_than_its_cases() {
    alone(|| {
        let (engine, desk) = (Engine::builder().threads(1).build(), Scope::new("a", "s"));
        let workload = Workload::new(20_000, 1, Shape::Lean);
        let (written, used) = counted(|| {
            engine.write(|batch| {
                let mut document = Vec::new();
                (0..workload.len()).try_for_each(|number| {
                    document.clear();
                    workload.write_case(number, &mut document);
                    let text = String::from_utf8_lossy(&document);
                    batch.upsert(&desk, text.replace("accountId", "a").replace("iId", "i"))
                })
            })
        });
        assert_eq!(written.unwrap().inserted, workload.len());
        // Read cases took nine times as much as their documents take in the end.
        let held = used.held.unsigned_abs();
        assert!(used.peak <= 2 * held, "{} bytes at once for {held}", used.peak);
    });
}

#[test]
fn statistics_take_no_memory() {
    alone(|| {
        let (engine, desk) = (Engine::builder().threads(1).build(), Scope::new("a", "s"));
        let mut last = 0;
        for cases in [1, 100, 2000] {
            let case = |n: usize| format!(r#"{{"_id":"{n}","name":"case {n}","createdAt":{n}}}"#);
            engine
                .write(|batch| (0..cases).try_for_each(|n| batch.upsert(&desk, case(n))))
                .unwrap();
            let snapshot = engine.snapshot(&desk);
            let (stats, used) = counted(|| snapshot.stats());
            assert_eq!((used.allocated, stats.cases), (0, cases as u64));
            assert!(stats.orders > last, "{stats:?}");
            last = stats.orders;
            // Its counts are those of all segments.
            snapshot.validate().unwrap();
        }
    });
}
