//! Who waits for whom: threads of other pools, writers of other scopes, upkeep, and freeing.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use getcases::{Batch, Context, Engine, Query, Refusal, Scope};

/// How long a run may take that does not stand still.
const LONG: Duration = Duration::from_secs(300);

/// Fails where something stands still; it is left where it stands.
fn in_time(work: impl FnOnce() + Send + 'static) {
    let (sender, done) = channel();
    let thread = std::thread::spawn(move || {
        work();
        _ = sender.send(());
    });
    match done.recv_timeout(LONG) {
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it stands still"),
        _ => thread.join().unwrap(),
    }
}

fn case(id: usize, draw: usize) -> String {
    let status = ["open", "closed", "new"][draw % 3];
    let created = 1_700_000_000_000 + (id * 7919 % 100_000) * 60_000;
    format!(
        r#"{{"_id":"{id}","name":"case {id} x{}","status":"{status}","createdAt":{created},
        "updatedAt":{draw},"queues":["q{}"]}}"#,
        draw % 777,
        draw % 7
    )
}

fn fill(engine: &Engine, scope: &Scope, ids: std::ops::Range<usize>, draw: usize) {
    let stage = |batch: &mut Batch<'_>| {
        ids.into_iter().try_for_each(|id| batch.upsert(scope, case(id, draw)))
    };
    engine.write(stage).unwrap();
}

#[test]
fn writers_in_the_pool_of_a_host_never_wait_for_each_other() {
    const WRITES: usize = 60;
    const CASES: usize = 2000;
    in_time(|| {
        let engine = Arc::new(Engine::builder().threads(4).build());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
        let scope = Scope::new("a", "s");
        let (sender, done) = channel();
        for round in 0..WRITES {
            let (engine, scope, sender) = (Arc::clone(&engine), scope.clone(), sender.clone());
            pool.spawn(move || {
                fill(&engine, &scope, 0..CASES, round);
                let snapshot = engine.snapshot(&scope);
                let body = br#"{"searchText":"x","sortBy":"name","limit":3}"#;
                assert_eq!(
                    snapshot.search_json(body, &Context::default()).unwrap().total_results,
                    CASES as u64
                );
                sender.send(()).unwrap();
            });
            std::thread::sleep(Duration::from_millis(1));
        }
        (0..WRITES).for_each(|_| done.recv().unwrap());
        engine.snapshot(&scope).validate().unwrap();
    });
}

#[test]
fn a_writer_waits_for_no_other_scope() {
    in_time(|| {
        let engine = Arc::new(Engine::new());
        let (large, small) = (Scope::new("a", "large"), Scope::new("a", "small"));
        let (sender, staged) = channel();
        let other = Arc::clone(&engine);
        let scope = large.clone();
        let writer = std::thread::spawn(move || {
            let stage = |batch: &mut Batch<'_>| {
                (0..50_000).try_for_each(|id| batch.upsert(&scope, case(id, id)))?;
                sender.send(()).unwrap();
                Ok::<_, Refusal>(())
            };
            other.write(stage).unwrap();
        });
        staged.recv().unwrap();
        let mut during = 0;
        while engine.snapshot(&large).is_empty() {
            fill(&engine, &small, during..during + 1, 1);
            during += 1;
        }
        writer.join().unwrap();
        assert!(during > 1, "{during} writes beside a large one");
        assert_eq!(engine.snapshot(&small).len(), during);
    });
}

#[test]
fn batches_over_the_same_scopes_never_wait_for_each_other() {
    in_time(|| {
        let engine = Engine::new();
        let scopes: Vec<_> = (0..4).map(|n| Scope::new("a", &n.to_string())).collect();
        std::thread::scope(|threads| {
            for own in 0..4 {
                let (engine, scopes) = (&engine, &scopes);
                threads.spawn(move || {
                    for round in 0..200 {
                        let stage = |batch: &mut Batch<'_>| {
                            (0..4).try_for_each(|n| {
                                batch.upsert(&scopes[(n + own) % 4], case(n, round))
                            })
                        };
                        engine.write(stage).unwrap();
                    }
                });
            }
        });
        for scope in &scopes {
            engine.snapshot(scope).validate().unwrap();
        }
    });
}

/// What a writer may do to its own cases.
fn change(batch: &mut Batch<'_>, scope: &Scope, id: usize, draw: usize) -> Result<bool, Refusal> {
    if draw.is_multiple_of(5) {
        batch.delete(scope, &id.to_string());
        return Ok(false);
    }
    batch.upsert(scope, case(id, draw)).map(|()| true)
}

#[test]
fn upkeep_beside_writers_loses_nothing() {
    const WRITERS: usize = 3;
    const CASES: usize = 3000;
    const ROUNDS: usize = 150;
    in_time(|| {
        let (engine, scope) = (Engine::builder().threads(2).build(), Scope::new("a", "s"));
        fill(&engine, &scope, 0..WRITERS * CASES, 1);
        let done = AtomicBool::new(false);
        let kept = std::thread::scope(|threads| {
            let upkeep = threads.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    engine.maintain(500);
                    engine.maintain_for(Duration::from_millis(1));
                }
            });
            let reader = threads.spawn(|| {
                let query =
                    |body: &str| Query::from_json(body.as_bytes(), &Context::default()).unwrap();
                let each = ["open", "closed", "new"]
                    .map(|status| query(&format!(r#"{{"status":["{status}"],"limit":0}}"#)));
                while !done.load(Ordering::Acquire) {
                    let snapshot = engine.snapshot(&scope);
                    let sum: u64 =
                        each.iter().map(|own| snapshot.search_ids(own).total_results).sum();
                    assert_eq!(sum, snapshot.len() as u64);
                }
            });
            let writers: Vec<_> = (0..WRITERS)
                .map(|own| {
                    let (engine, scope) = (&engine, &scope);
                    threads.spawn(move || {
                        let mut kept: HashMap<usize, usize> =
                            (own * CASES..(own + 1) * CASES).map(|id| (id, 1)).collect();
                        for round in 0..ROUNDS {
                            let stage = |batch: &mut Batch<'_>| {
                                for at in 0..40 {
                                    let draw = round * 7919 + at * 31 + own;
                                    let id = own * CASES + draw * 17 % CASES;
                                    match change(batch, scope, id, draw)? {
                                        true => _ = kept.insert(id, draw),
                                        false => _ = kept.remove(&id),
                                    }
                                }
                                Ok::<_, Refusal>(())
                            };
                            engine.write(stage).unwrap();
                        }
                        kept
                    })
                })
                .collect();
            let kept = writers.into_iter().map(|writer| writer.join());
            let kept: Vec<_> = kept.collect();
            done.store(true, Ordering::Release);
            upkeep.join().unwrap();
            reader.join().unwrap();
            kept.into_iter().map(|kept| kept.unwrap()).collect::<Vec<_>>()
        });
        while engine.maintain_for(Duration::from_millis(5)).left > 0 {}
        let snapshot = engine.snapshot(&scope);
        snapshot.validate().unwrap();
        let mut left = snapshot.len();
        for (id, draw) in kept.into_iter().flatten() {
            let found = snapshot.get(&id.to_string());
            let compact = case(id, draw).replace("\n        ", "");
            assert_eq!(found.as_ref().map(|own| own.json()), Some(&*compact));
            left -= 1;
        }
        assert_eq!(left, 0, "cases that nobody wrote");
    });
}

#[test]
fn a_batch_that_panics_leaves_the_engine_as_it_was() {
    in_time(|| {
        let (engine, scope) = (Arc::new(Engine::new()), Scope::new("a", "s"));
        fill(&engine, &scope, 0..10, 1);
        let (other, own) = (Arc::clone(&engine), scope.clone());
        let panicked = std::thread::spawn(move || {
            _ = other.write(|batch| {
                batch.upsert(&own, case(11, 1))?;
                panic!("in the middle of a batch");
                #[allow(unreachable_code)]
                Ok::<_, Refusal>(())
            });
        });
        assert!(panicked.join().is_err());
        assert_eq!(engine.snapshot(&scope).len(), 10);
        fill(&engine, &scope, 10..20, 1);
        assert_eq!(engine.snapshot(&scope).len(), 20);
    });
}
