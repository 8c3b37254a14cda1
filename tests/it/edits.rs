//! Changes that depend on what is there: held against a model, and made by many writers at once.

use std::collections::BTreeMap;
use std::sync::Barrier;

use getcases::{Edit, Edited, Engine, Expected, Refusal, Scope, WriteError};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn desk() -> Scope {
    Scope::new("a", "s")
}

fn get(engine: &Engine, id: &str) -> Option<Value> {
    let document = engine.snapshot(&desk()).get(id)?;
    Some(serde_json::from_str(document.json()).unwrap())
}

/// RFC 7396, by the letter of its pseudocode.
fn merged(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut target = match target {
        Value::Object(target) => target.clone(),
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            target.shift_remove(name);
        } else {
            let own = target.get(name).cloned().unwrap_or_default();
            target.insert(name.clone(), merged(&own, value));
        }
    }
    Value::Object(target)
}

#[derive(Clone, Debug)]
enum Step {
    Newer { id: u8, updated: Option<i64>, mark: u8 },
    Upsert { id: u8, mark: u8, expected: u8 },
    Patch { id: u8, patch: Value, expected: u8 },
    Delete { id: u8, expected: u8 },
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), (0..4).prop_map(|n| json!(n)), Just(json!("é"))];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let names = prop::sample::select(vec!["a", "b", "status", "name"]);
        prop::collection::vec((names, inner), 0..3)
            .prop_map(|parts| parts.into_iter().map(|(name, value)| (name.to_owned(), value)))
            .prop_map(|parts| Value::Object(parts.collect()))
    })
}

fn step() -> impl Strategy<Value = Step> {
    let patch = prop_oneof![
        4 => value(),
        1 => prop_oneof![Just(json!({"_id": "9"})), Just(json!({"_id": null})), Just(json!([]))],
    ];
    prop_oneof![
        (0..4_u8, prop::option::of(0..5_i64), any::<u8>())
            .prop_map(|(id, updated, mark)| Step::Newer { id, updated, mark }),
        (0..4_u8, any::<u8>(), 0..4_u8).prop_map(|(id, mark, expected)| Step::Upsert {
            id,
            mark,
            expected
        }),
        (0..4_u8, patch, 0..4_u8).prop_map(|(id, patch, expected)| Step::Patch {
            id,
            patch,
            expected
        }),
        (0..4_u8, 0..4_u8).prop_map(|(id, expected)| Step::Delete { id, expected }),
    ]
}

type Model = BTreeMap<String, Value>;

/// What is expected, and whether the model has it. Versions are those of what is stored now, so a
/// batch of several edits of one case has stale ones.
fn expected(kind: u8, id: &str, engine: &Engine, model: &Model) -> (Expected, bool) {
    let version = engine.snapshot(&desk()).version(id);
    match (kind, version) {
        (0, _) => (Expected::Present, model.contains_key(id)),
        (1, _) => (Expected::Absent, !model.contains_key(id)),
        (_, None) => (Expected::Absent, !model.contains_key(id)),
        (_, Some(version)) => {
            // Versions tell texts apart, in which members have an order.
            let now = get(engine, id).map(|case| case.to_string());
            let own = model.get(id).map(Value::to_string);
            (Expected::Version(version), own == now)
        }
    }
}

/// An edit, and whether the model makes it; nothing where it is refused.
fn play(step: &Step, engine: &Engine, model: &mut Model) -> (Edit, Option<bool>) {
    match step {
        Step::Newer { id, updated, mark } => {
            let case = json!({"_id": id.to_string(), "updatedAt": updated, "mark": mark});
            let then = |case: &Value| case["updatedAt"].as_i64();
            let old = model.get(&id.to_string());
            let is_made = old.is_none_or(|old| then(&case) > then(old));
            let edit = Edit::UpsertIfNewer(case.to_string().into());
            if is_made {
                model.insert(id.to_string(), case);
            }
            (edit, Some(is_made))
        }
        Step::Upsert { id, mark, expected: kind } => {
            let (expected, holds) = expected(*kind, &id.to_string(), engine, model);
            let case = json!({"mark": mark, "_id": id.to_string()});
            if holds {
                model.insert(id.to_string(), case.clone());
            }
            (Edit::Upsert(expected, case.to_string().into()), Some(holds))
        }
        Step::Patch { id, patch, expected: kind } => {
            let id = id.to_string();
            let (expected, holds) = expected(*kind, &id, engine, model);
            let edit = Edit::Patch(expected, id.clone(), patch.to_string().into());
            let Some(old) = model.get(&id).filter(|_| holds) else { return (edit, Some(false)) };
            let new = merged(old, patch);
            let is_status = |status: &Value| status.is_string() || status.is_object();
            let is_right = patch.is_object()
                && new["_id"] == json!(id)
                && (new["status"].is_null() || is_status(&new["status"]));
            if is_right {
                model.insert(id, new);
            }
            (edit, is_right.then_some(true))
        }
        Step::Delete { id, expected: kind } => {
            let (expected, holds) = expected(*kind, &id.to_string(), engine, model);
            if holds {
                model.remove(&id.to_string());
            }
            (Edit::Delete(expected, id.to_string()), Some(holds))
        }
    }
}

proptest! {
    #[test]
    fn edits_do_what_a_model_does(
        batches in prop::collection::vec(prop::collection::vec(step(), 1..6), 1..12),
    ) {
        let (engine, mut model) = (Engine::builder().threads(1).build(), Model::new());
        for batch in batches {
            let played: Vec<_> =
                batch.iter().map(|step| play(step, &engine, &mut model)).collect();
            let (edits, right): (Vec<_>, Vec<_>) = played.into_iter().unzip();
            let written = engine.edit(&desk(), &edits).unwrap();
            for (edited, right) in written.edits.iter().zip(&right) {
                let own = match edited {
                    Edited::Refused(_) => None,
                    other => Some(matches!(other, Edited::Stored(_) | Edited::Deleted)),
                };
                prop_assert_eq!(own, *right, "{:?} of {:?}", edited, edits);
            }
            let snapshot = engine.snapshot(&desk());
            snapshot.validate().unwrap();
            let there: Model = snapshot
                .cases()
                .map(|case| (case.id().to_owned(), serde_json::from_str(case.json()).unwrap()))
                .collect();
            // In the same order of members, too.
            prop_assert_eq!(json!(there).to_string(), json!(model).to_string());
        }
    }
}

#[test]
fn no_update_of_many_writers_is_lost() {
    const WRITERS: usize = 4;
    const TIMES: usize = 200;
    let engine = Engine::new();
    engine.write(|batch| batch.upsert(&desk(), r#"{"_id":"1","count":0}"#)).unwrap();
    let barrier = Barrier::new(WRITERS);
    std::thread::scope(|threads| {
        for writer in 0..WRITERS {
            let (engine, barrier) = (&engine, &barrier);
            threads.spawn(move || {
                barrier.wait();
                for time in 0..TIMES {
                    // Blind patches of a member of one's own, and counting by versions.
                    let own = json!({format!("w{writer}"): time}).to_string();
                    let edit = Edit::Patch(Expected::Present, "1".into(), own.into());
                    assert!(matches!(
                        engine.edit(&desk(), &[edit]).unwrap().edits[..],
                        [Edited::Stored(_)]
                    ));
                    count(engine);
                }
            });
        }
    });
    let case = get(&engine, "1").unwrap();
    assert_eq!(case["count"], json!(WRITERS * TIMES));
    for writer in 0..WRITERS {
        assert_eq!(case[format!("w{writer}")], json!(TIMES - 1));
    }
}

/// Counts one more, however often another writer is faster.
fn count(engine: &Engine) {
    loop {
        let snapshot = engine.snapshot(&desk());
        let version = snapshot.version("1").unwrap();
        let case: Value = serde_json::from_str(snapshot.get("1").unwrap().json()).unwrap();
        let patch = json!({"count": case["count"].as_u64().unwrap() + 1}).to_string();
        let edit = Edit::Patch(Expected::Version(version), "1".into(), patch.into());
        match &engine.edit(&desk(), &[edit]).unwrap().edits[..] {
            [Edited::Stored(_)] => return,
            [Edited::Unmet(Some(there))] => assert_ne!(*there, version),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_newest_of_many_writers_stays() {
    let engine = Engine::new();
    std::thread::scope(|threads| {
        for writer in 0..4_u64 {
            let engine = &engine;
            threads.spawn(move || {
                for time in 0..100 {
                    let updated = (time * 7919 + writer * 31) % 1000;
                    let case = format!(r#"{{"_id":"1","updatedAt":{updated}}}"#);
                    engine.edit(&desk(), &[Edit::UpsertIfNewer(case.into())]).unwrap();
                }
            });
        }
    });
    let times =
        (0..4).flat_map(|writer| (0..100).map(move |time| (time * 7919 + writer * 31) % 1000));
    assert_eq!(get(&engine, "1").unwrap()["updatedAt"].as_u64(), times.max());
}

#[test]
fn a_batch_is_whole_or_absent_whatever_it_expects() {
    let (engine, other) = (Engine::new(), Scope::new("a", "other"));
    engine.write(|batch| batch.upsert(&desk(), r#"{"_id":"1"}"#)).unwrap();
    let version = engine.snapshot(&desk()).version("1").unwrap();
    let written = engine.write(|batch| {
        batch.upsert(&desk(), r#"{"_id":"2"}"#)?;
        batch.upsert(&other, r#"{"_id":"3"}"#)?;
        batch.expect(&desk(), "1", Expected::Version(version));
        // What the batch itself does is not looked at.
        batch.expect(&other, "3", Expected::Present);
        Ok::<_, Refusal>(())
    });
    let unmet = written.unwrap_err();
    assert_eq!(
        (unmet.code().unwrap().as_str(), unmet.http_status()),
        ("version_conflict", Some(412))
    );
    assert!(matches!(unmet, WriteError::Unmet { id, there: None, .. } if id == "3"));
    assert_eq!((engine.snapshot(&desk()).len(), engine.snapshot(&other).len()), (1, 0));
    engine.snapshot(&desk()).validate().unwrap();
    let written = engine.write(|batch| {
        batch.expect(&desk(), "1", Expected::Version(version));
        batch.expect(&other, "3", Expected::Absent);
        batch.upsert(&other, r#"{"_id":"3"}"#)
    });
    assert_eq!(written.unwrap().inserted, 1);
}

#[test]
fn a_patched_case_is_judged_as_any() {
    let engine = Engine::new();
    engine.write(|batch| batch.upsert(&desk(), r#"{"_id":"1","x":1.0}"#)).unwrap();
    let edit = |patch: &str| {
        let edit = Edit::Patch(Expected::Present, "1".into(), patch.into());
        match engine.edit(&desk(), &[edit]).unwrap().edits.pop() {
            Some(Edited::Refused(refusal)) => refusal.problems()[0].code().as_str(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(edit("[1]"), "not_an_object");
    assert_eq!(edit("{"), "invalid_json");
    assert_eq!(edit(r#"{"a":1,"a":2}"#), "duplicate_key");
    assert_eq!(edit(r#"{"_id":"2"}"#), "invalid_id");
    assert_eq!(edit(r#"{"_id":null}"#), "invalid_id");
    assert_eq!(edit(r#"{"dueDate":"soon"}"#), "invalid_date");
    assert_eq!(edit(r#"{"accountId":"b"}"#), "foreign_scope");
    let long = format!(r#"{{"y":"{}"}}"#, "y".repeat((1 << 20) - 20));
    assert_eq!(edit(&long), "document_too_large");
    assert_eq!(engine.snapshot(&desk()).get("1").unwrap().json(), r#"{"_id":"1","x":1.0}"#);
}
