//! Writes: whole or not at all, seen at once, and never across scopes.

use std::sync::atomic::{AtomicBool, Ordering};

use getcases::{Context, Engine, Refusal, Scope, Snapshot, Written};

fn total(snapshot: &Snapshot, body: &str) -> u64 {
    snapshot.get_cases(body.as_bytes(), &Context::default()).unwrap().total_results
}

fn case(id: usize, status: &str) -> String {
    format!(r#"{{"_id":"{id}","status":"{status}"}}"#)
}

#[test]
fn a_failed_batch_changes_nothing() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    engine.write(|batch| batch.upsert(&desk, case(1, "open"))).unwrap();
    let failed: Result<Written, Refusal> = engine.write(|batch| {
        batch.delete(&desk, "1");
        batch.upsert(&desk, case(2, "open"))?;
        batch.upsert(&desk, r#"{"_id":" "}"#)
    });
    assert!(failed.is_err());
    let snapshot = engine.snapshot(&desk);
    assert_eq!((snapshot.len(), snapshot.get("1").is_some()), (1, true));
}

#[test]
fn a_refused_document_leaves_the_earlier_one() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let written = engine.write(|batch| {
        batch.upsert(&desk, case(1, "open"))?;
        let refused = batch.upsert(&desk, r#"{"_id":"1","createdAt":"soon"}"#);
        assert!(refused.is_err());
        Ok::<_, Refusal>(())
    });
    assert_eq!(written.unwrap().inserted, 1);
    assert_eq!(total(&engine.snapshot(&desk), r#"{"status":"open"}"#), 1);
}

#[test]
fn later_changes_of_a_batch_win() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let written = engine.write(|batch| {
        batch.upsert(&desk, case(1, "open"))?;
        batch.upsert(&desk, case(1, "closed"))?;
        batch.upsert(&desk, case(2, "open"))?;
        batch.delete(&desk, "2");
        batch.delete(&desk, "3");
        Ok::<_, Refusal>(())
    });
    let Written { inserted, replaced, deleted, .. } = written.unwrap();
    assert_eq!((inserted, replaced, deleted), (2, 1, 1));
    let snapshot = engine.snapshot(&desk);
    assert_eq!(snapshot.get("1").unwrap().json(), case(1, "closed"));
    assert_eq!((snapshot.len(), total(&snapshot, r#"{"status":"open"}"#)), (1, 0));
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let before = engine.snapshot(&desk);
    engine.write(|batch| batch.upsert(&desk, case(1, "open"))).unwrap();
    let between = engine.snapshot(&desk);
    engine.write(|batch| batch.upsert(&desk, case(1, "closed"))).unwrap();
    assert_eq!((total(&before, "{}"), total(&between, r#"{"status":"open"}"#)), (0, 1));
    assert_eq!(total(&engine.snapshot(&desk), r#"{"status":"open"}"#), 0);
}

#[test]
fn scopes_never_meet() {
    let engine = Engine::new();
    let desks = [("a", "s"), ("a", "t"), ("b", "s"), ("as", ""), ("", "as")];
    let desks = desks.map(|(account, stream)| Scope::new(account, stream));
    let written = engine.write(|batch| {
        for (index, desk) in desks.iter().enumerate() {
            (0..=index).try_for_each(|id| batch.upsert(desk, case(id, "open")))?;
        }
        Ok::<_, Refusal>(())
    });
    assert_eq!(written.unwrap().inserted, 15);
    for (index, desk) in desks.iter().enumerate() {
        assert_eq!(engine.snapshot(desk).len(), index + 1);
    }
    assert!(engine.snapshot(&Scope::new("b", "t")).is_empty());
    assert_eq!(engine.scopes().len(), desks.len());
    let foreign = engine.write(|batch| batch.upsert(&desks[0], r#"{"_id":"9","iId":"t"}"#));
    assert_eq!(foreign.unwrap_err().problems()[0].path, "$.iId");
}

#[test]
fn readers_see_whole_batches() {
    const CASES: usize = 50;
    const BATCHES: usize = 300;
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let write = |status: &str| {
        let all = |batch: &mut getcases::Batch| {
            (0..CASES).try_for_each(|id| batch.upsert(&desk, case(id, status)))
        };
        engine.write(all).unwrap();
    };
    write("open");
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            (0..BATCHES).for_each(|n| write(if n % 2 == 0 { "closed" } else { "open" }));
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let snapshot = engine.snapshot(&desk);
            let open = total(&snapshot, r#"{"status":"open","limit":0}"#);
            let closed = total(&snapshot, r#"{"status":"closed","limit":0}"#);
            assert!((open, closed) == (0, 50) || (open, closed) == (50, 0), "{open} {closed}");
        }
    });
}
