//! What changed since a generation: how much of that is kept, and what is told past it. Random
//! histories hold a copy against it that follows (`compare`).

use std::convert::Infallible;

use getcases::{Batch, ChangesError, Engine, Prepared, Refusal, Scope};

fn desk() -> Scope {
    Scope::new("a", "s")
}

fn upsert(engine: &Engine, ids: impl IntoIterator<Item = u32>) {
    let case = |id: u32| format!(r#"{{"_id":"{id:04}"}}"#);
    let mut ids = ids.into_iter();
    engine.write(|batch| ids.try_for_each(|id| batch.upsert(&desk(), case(id)))).unwrap();
}

fn delete(engine: &Engine, id: &str) {
    let delete = |batch: &mut Batch<'_>| {
        batch.delete(&desk(), id);
        Ok::<_, Refusal>(())
    };
    engine.write(delete).unwrap();
}

#[test]
fn as_much_is_kept_as_was_told() {
    // Ten batches of one id of four bytes.
    let engine = Engine::builder().changes_kept(10 * (48 + 6)).build();
    for id in 0..30 {
        upsert(&engine, [id]);
    }
    let snapshot = engine.snapshot(&desk());
    let changes = snapshot.changes_since(20).unwrap();
    let right: Vec<_> = (20..30).map(|id| format!("{id:04}")).collect();
    assert_eq!((changes.upserted, changes.generation), (right, 30));
    assert_eq!(snapshot.changes_since(19), Err(ChangesError::TooOld { oldest: 20 }));
    assert_eq!(snapshot.changes_since(31), Err(ChangesError::NotYet { generation: 30 }));
    // A batch of more than that leaves nothing but itself to follow.
    upsert(&engine, 0..1000);
    let snapshot = engine.snapshot(&desk());
    assert_eq!(snapshot.changes_since(30), Err(ChangesError::TooOld { oldest: 31 }));
    assert_eq!(snapshot.changes_since(31).unwrap().upserted, [""; 0]);
    delete(&engine, "0007");
    assert_eq!(engine.snapshot(&desk()).changes_since(31).unwrap().deleted, ["0007"]);
    // An older snapshot does not hear of it.
    assert_eq!(snapshot.changes_since(31).unwrap().deleted, [""; 0]);
}

#[test]
fn nothing_is_kept_where_nobody_asks() {
    let engine = Engine::builder().changes_kept(0).build();
    upsert(&engine, [1]);
    let snapshot = engine.snapshot(&desk());
    assert_eq!(snapshot.changes_since(0), Err(ChangesError::TooOld { oldest: 1 }));
    assert!(snapshot.changes_since(1).is_ok());
}

#[test]
fn what_did_not_change_is_not_told() {
    let engine = Engine::new();
    upsert(&engine, [1, 2]);
    let seen = engine.snapshot(&desk()).generation();
    engine
        .write(|batch| {
            batch.delete(&desk(), "never there");
            batch.upsert(&desk(), r#"{"_id":"passing"}"#)?;
            batch.delete(&desk(), "passing");
            batch.upsert(&desk(), r#"{"_id":"0002","status":"open"}"#)
        })
        .unwrap();
    let changes = engine.snapshot(&desk()).changes_since(seen).unwrap();
    assert_eq!((changes.upserted, changes.deleted), (vec!["0002".to_owned()], Vec::new()));
    // Upkeep changes nothing.
    let seen = changes.generation;
    engine.maintain(usize::MAX);
    let changes = engine.snapshot(&desk()).changes_since(seen).unwrap();
    assert_eq!((changes.upserted.len(), changes.deleted.len()), (0, 0));
}

#[test]
fn a_dropped_scope_begins_anew() {
    let engine = Engine::new();
    upsert(&engine, [1, 2]);
    let seen = engine.snapshot(&desk()).generation();
    engine.drop_scope(&desk());
    let gone = engine.snapshot(&desk());
    let oldest = gone.generation();
    assert_eq!(gone.changes_since(seen), Err(ChangesError::TooOld { oldest }));
    upsert(&engine, [3]);
    let snapshot = engine.snapshot(&desk());
    assert_eq!(snapshot.changes_since(seen), Err(ChangesError::TooOld { oldest }));
    // From the empty scope on it is known.
    assert_eq!(snapshot.changes_since(oldest).unwrap().upserted, ["0003"]);
}

#[test]
fn batches_that_are_published_together_have_changes_of_their_own() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let mut batches: [Batch<'_>; 3] = Default::default();
    batches[0].upsert(&desk, r#"{"_id":"1"}"#).unwrap();
    batches[0].upsert(&desk, r#"{"_id":"2"}"#).unwrap();
    batches[1].delete(&desk, "1");
    batches[2].delete(&desk, "nobody");
    let entered = batches.map(|batch| engine.enter(batch).unwrap());
    let keep = |prepared: Prepared| Ok::<_, Infallible>(prepared.apply());
    let Ok(written) = engine.commit_after(entered.into(), keep);
    let generations = written.iter().map(|own| own.as_ref().unwrap().generation(&desk));
    let generations: Vec<_> = generations.flatten().collect();
    let snapshot = engine.snapshot(&desk);
    let changes = |since: u64| {
        let changes = snapshot.changes_since(since).unwrap();
        (changes.upserted, changes.deleted)
    };
    let (first, second) = (generations[0], generations[1]);
    assert_eq!((second, generations[2], snapshot.generation()), (first + 1, second, second));
    // Who wrote the first of them has seen both cases.
    assert_eq!(changes(first), (vec![], vec!["1".to_owned()]));
    assert_eq!(changes(first - 1), (vec!["2".to_owned()], vec!["1".to_owned()]));
    assert_eq!(changes(second), (vec![], vec![]));
}
