//! Writes: whole or not at all, seen at once, and never across scopes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use getcases::{
    Batch, Case, Code, Context, Engine, Maintained, Refusal, Scope, Snapshot, WriteError, Written,
};

use crate::counting::{alone, counted};

fn total(snapshot: &Snapshot, body: &str) -> u64 {
    snapshot.search_json(body.as_bytes(), &Context::default()).unwrap().total_results
}

fn case(id: usize, status: &str) -> String {
    format!(r#"{{"_id":"{id}","status":"{status}"}}"#)
}

#[test]
fn a_failed_batch_changes_nothing() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    engine.write(|batch| batch.upsert(&desk, case(1, "open"))).unwrap();
    let failed: Result<Written, WriteError<Refusal>> = engine.write(|batch| {
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
fn one_id_may_come_any_number_of_times_in_a_batch() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    for round in 0..2 {
        let written = engine.write(|batch| {
            for time in 0..100_000 {
                let status = if time == 99_999 { "open" } else { "closed" };
                batch.upsert(&desk, case(1, status))?;
                batch.upsert(&desk, case(2 + time % 3, "open"))?;
            }
            Ok::<_, Refusal>(())
        });
        let Written { inserted, replaced, .. } = written.unwrap();
        assert_eq!((inserted, inserted + replaced), (if round == 0 { 4 } else { 0 }, 200_000));
    }
    let snapshot = engine.snapshot(&desk);
    assert_eq!((snapshot.len() as u64, total(&snapshot, r#"{"status":"open"}"#)), (4, 4));
    snapshot.validate().unwrap();
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
    let Err(WriteError::Stage(refusal)) = foreign else { panic!("{foreign:?}") };
    assert_eq!(refusal.problems()[0].path(), "$.iId");
}

#[test]
fn readers_see_whole_batches() {
    const CASES: usize = 50;
    const BATCHES: usize = 300;
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let write = |status: &str| {
        let all = |batch: &mut getcases::Batch<'_>| {
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

#[test]
fn what_readers_count_adds_up_under_writes() {
    let tally = super::stress::reads_add_up(&getcases::Engine::new(), 20_000).unwrap();
    assert!(tally.reads == 20_000 && tally.batches > 0, "{tally:?}");
}

#[test]
fn get_many_keeps_the_order_of_the_ids() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    engine
        .write(|batch| (0..300).try_for_each(|id| batch.upsert(&desk, case(id, "open"))))
        .unwrap();
    let found = engine.snapshot(&desk).get_many(["7", "none", "299", "7"]);
    let ids: Vec<_> = found.iter().map(|found| found.as_ref().map(|found| found.id())).collect();
    assert_eq!(ids, [Some("7"), None, Some("299"), Some("7")]);
}

#[test]
fn a_dropped_scope_is_gone_and_its_snapshots_stay() {
    let (engine, desk, other) = (Engine::new(), Scope::new("a", "s"), Scope::new("a", "t"));
    for scope in [&desk, &other] {
        engine.write(|batch| batch.upsert(scope, case(1, "open"))).unwrap();
    }
    let before = engine.snapshot(&desk);
    assert!(engine.drop_scope(&desk) && !engine.drop_scope(&desk));
    assert_eq!(engine.scopes(), std::slice::from_ref(&other));
    assert!(engine.snapshot(&desk).is_empty() && !before.is_empty());
    assert_eq!((total(&before, "{}"), total(&engine.snapshot(&other), "{}")), (1, 1));
    engine.write(|batch| batch.upsert(&desk, case(2, "open"))).unwrap();
    assert!(engine.snapshot(&desk).get("1").is_none());
}

fn bytes(engine: &Engine, desk: &Scope) -> usize {
    engine.snapshot(desk).stats().bytes()
}

#[test]
fn ten_rewrites_of_every_case_leave_no_garbage() {
    const CASES: usize = 20_000;
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let write = |round: usize| {
        for first in (0..CASES).step_by(500) {
            let case = |id: usize| {
                let draw = id * 31 + round * 17;
                let status = ["new", "open", "resolved", "closed"][draw % 4];
                format!(
                    r#"{{"_id":"{id}","name":"case {id} in round {round}","status":"{status}",
                    "refId":"R-{id}-{round}","updatedAt":{draw},"queues":["q{}"],
                    "currAssignee":{{"_id":"u{}","name":"agent {}"}}}}"#,
                    draw % 9,
                    draw % 301,
                    draw % 301
                )
            };
            let all = |batch: &mut getcases::Batch<'_>| {
                (first..first + 500).try_for_each(|id| batch.upsert(&desk, case(id)))
            };
            engine.write(all).unwrap();
        }
    };
    write(0);
    let fresh = bytes(&engine, &desk);
    (1..=10).for_each(write);
    // What writers did alongside keeps it within bounds; what upkeep is left then takes the rest.
    let written = bytes(&engine, &desk);
    assert_eq!(engine.maintain(usize::MAX).left, 0);
    let maintained = bytes(&engine, &desk);
    assert!(written < fresh * 2, "{written} bytes, {fresh} at first");
    assert!(maintained * 10 <= fresh * 13, "{maintained} bytes, {fresh} at first");
    engine.snapshot(&desk).validate().unwrap();
}

/// How much one scope may take beyond what it took at first, however long it is written to: what
/// is no waste yet, and what waits to be merged or built anew.
const SLACK: usize = 4 << 20;

/// Writes of what no case had before: each brings values of its own to every dictionary.
fn odd(id: &str, round: usize) -> String {
    format!(
        r#"{{"_id":"{id}","name":"name {round} {}","status":{{"name":"s{round}","_id":"i{round}"}},
        "refId":"R{round}","queues":["q{round}"],"priority":{{"name":"p{round}"}},
        "currAssignee":{{"_id":"u{round}","name":"agent {round}"}},"key{round}":{round}}}"#,
        "x".repeat(round % 400)
    )
}

#[test]
fn memory_stays_within_bounds_however_long_one_case_is_rewritten() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    engine.write(|batch| batch.upsert(&desk, odd("1", 0))).unwrap();
    let (fresh, mut most) = (bytes(&engine, &desk), 0);
    for round in 1..3000 {
        engine.write(|batch| batch.upsert(&desk, odd("1", round))).unwrap();
        most = most.max(bytes(&engine, &desk));
    }
    assert!(most < fresh * 2 + SLACK, "{most} bytes, {fresh} at first");
    engine.snapshot(&desk).validate().unwrap();
}

#[test]
fn memory_stays_within_bounds_however_many_cases_come_and_go() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let stay = |batch: &mut getcases::Batch<'_>| {
        (0..500).try_for_each(|id| batch.upsert(&desk, case(id, "open")))
    };
    engine.write(stay).unwrap();
    let (fresh, mut most) = (bytes(&engine, &desk), 0);
    for round in 0..3000 {
        let id = format!("other-{round}");
        engine.write(|batch| batch.upsert(&desk, odd(&id, round))).unwrap();
        let delete = |batch: &mut getcases::Batch<'_>| {
            batch.delete(&desk, &id);
            Ok::<_, Refusal>(())
        };
        engine.write(delete).unwrap();
        most = most.max(bytes(&engine, &desk));
    }
    assert!(most < fresh * 2 + SLACK, "{most} bytes, {fresh} at first");
    engine.snapshot(&desk).validate().unwrap();
}

#[test]
fn upkeep_changes_no_answer() {
    const CASES: usize = 300_000;
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let case = |id: usize| {
        let created = id * 7919 % CASES * 1000;
        format!(r#"{{"_id":"{id}","name":"n{}","createdAt":{created}}}"#, id % 13)
    };
    engine.write(|batch| (0..CASES).try_for_each(|id| batch.upsert(&desk, case(id)))).unwrap();
    let bodies = [r#"{"skip":5000,"limit":50}"#, r#"{"searchText":"n7","sortBy":"createdAt"}"#];
    let ask = || {
        let snapshot = engine.snapshot(&desk);
        bodies.map(|body| snapshot.search_json(body.as_bytes(), &Context::default()).unwrap())
    };
    let before = ask();
    let first = engine.maintain(CASES / 2);
    assert_eq!((first.rebuilt, first.left as usize), (0, CASES / 2));
    assert!(ask() == before);
    let rest = engine.maintain(usize::MAX);
    assert_eq!((rest.rebuilt, rest.left), (1, 0));
    assert!(ask() == before);
    assert_eq!(engine.maintain(usize::MAX).rebuilt, 0);
}

/// What one call goes through is kept by the next one: both ways come to the same end, and one by
/// many short calls costs at most twice as much.
#[test]
fn upkeep_in_small_pieces_comes_to_an_end() {
    let (cases, slots) = if cfg!(getcases_small_segments) { (1000, 40) } else { (140_000, 2048) };
    let case = |id: usize| {
        let created = id * 7919 % cases * 1000;
        format!(r#"{{"_id":"{id}","name":"name {id} w{}","createdAt":{created}}}"#, id % 777)
    };
    let desk = Scope::new("a", "s");
    let upkeep = |maintain: fn(&Engine) -> Maintained| {
        alone(|| {
            let engine = Engine::builder().threads(1).build();
            let load = |first: usize| {
                let ids = first..cases.min(first + 10_000);
                engine.write(|batch| ids.clone().try_for_each(|id| batch.upsert(&desk, case(id))))
            };
            (0..cases).step_by(10_000).for_each(|first| _ = load(first).unwrap());
            let (mut calls, mut rebuilt) = (0, 0);
            let ((), used) = counted(|| {
                loop {
                    let done = maintain(&engine);
                    (calls, rebuilt) = (calls + 1, rebuilt + done.rebuilt);
                    assert!(calls * slots <= 2 * cases + slots, "{calls} calls, {done:?}");
                    if done.left == 0 {
                        break;
                    }
                }
            });
            assert_eq!(rebuilt, 1);
            engine.snapshot(&desk).validate().unwrap();
            (calls, used.allocated)
        })
    };
    let (calls, whole) = upkeep(|engine| engine.maintain(usize::MAX));
    assert_eq!(calls, 1);
    let (calls, pieces) = upkeep(|engine| engine.maintain_for(Duration::ZERO));
    assert!(calls > cases / slots, "{calls} calls");
    assert!(pieces <= 2 * whole, "{pieces} bytes allocated in pieces, {whole} at once");
}

#[test]
fn a_batch_of_its_own_is_written_as_one_that_is_filled_there() {
    let desks = ["s", "t"].map(|stream| Scope::new("a", stream));
    let fill = |batch: &mut Batch<'_>| {
        for n in 0..10_000 {
            let desk = &desks[n % 2];
            batch.upsert(desk, case(n % 6000, if n < 5000 { "open" } else { "closed" })).unwrap();
            if n % 5 == 0 {
                batch.delete(desk, &(n / 2).to_string());
            }
        }
    };
    let (one, other) = (Engine::new(), Engine::new());
    let mut batch = Batch::new();
    fill(&mut batch);
    // It may go anywhere until it is written.
    let batch = std::thread::spawn(move || batch).join().unwrap();
    assert_eq!((batch.len(), one.scopes().len()), (12_000, 0));
    let written = one.commit(batch).unwrap();
    let filled = other.write(|batch| {
        fill(batch);
        Ok::<_, Refusal>(())
    });
    assert_eq!(written, filled.unwrap());
    for desk in &desks {
        let (one, other) = (one.snapshot(desk), other.snapshot(desk));
        assert!(one.documents().eq(other.documents()));
        one.validate().unwrap();
    }
    assert_eq!(one.commit(Batch::new()).unwrap(), Written::default());
}

/// A batch that takes the place of the one that is being filled is what is written.
#[test]
fn a_batch_may_be_replaced_while_it_is_filled() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let mut other = Batch::new();
    other.upsert(&desk, case(1, "open")).unwrap();
    let written = engine.write(|batch| {
        (0..10_000).try_for_each(|n| batch.upsert(&desk, case(n, "closed")))?;
        drop(std::mem::replace(batch, other));
        batch.upsert(&desk, case(2, "open"))
    });
    assert_eq!(written.unwrap().inserted, 2);
    let snapshot = engine.snapshot(&desk);
    assert_eq!((snapshot.len(), total(&snapshot, r#"{"status":"open"}"#)), (2, 2));
    snapshot.validate().unwrap();
}

#[test]
fn a_refused_document_says_which_it_is() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let mut refused = Vec::new();
    let written = engine.write(|batch| {
        let documents = [
            case(1, "open"),
            r#"{"_id":"2","createdAt":"soon"}"#.to_owned(),
            "{".to_owned(),
            r#"{"_id":" "}"#.to_owned(),
            format!(r#"{{"_id":"{}","status":7}}"#, "x".repeat(1000)),
            r#"{"_id":"3","iId":"other"}"#.to_owned(),
        ];
        let all = documents.iter().map(|document| batch.upsert(&desk, document));
        refused.extend(all.filter_map(Result::err));
        batch.delete(&desk, "9");
        refused.extend(batch.upsert(&desk, "[]").err());
        Ok::<_, Refusal>(())
    });
    assert_eq!(written.unwrap().inserted, 1);
    let cut = format!("{}…", "x".repeat(255));
    let told: Vec<_> = refused.iter().map(|own| (own.position().unwrap(), own.id())).collect();
    let ids = [Some("2"), None, None, Some(&*cut), Some("3"), None];
    assert_eq!(told, [1, 2, 3, 4, 5, 7].into_iter().zip(ids).collect::<Vec<_>>());
    assert_eq!(
        refused[0].to_string(),
        "change 1, _id \"2\": $.createdAt: invalid_date: no date; found \"soon\"; \
         accepted: YYYY-MM-DD, RFC 3339, or epoch milliseconds"
    );
    let alone = Case::from_json(br#"{"_id":"2","createdAt":"soon"}"#).unwrap_err();
    assert_eq!((alone.id(), alone.position()), (Some("2"), None));
    assert_eq!(alone.to_json(), refused[0].to_json());
    assert_eq!(refused[1].problems()[0].code(), Code::InvalidJson);
}

#[test]
fn generations_tell_what_was_seen() {
    let engine = Engine::new();
    let (desk, other) = (Scope::new("a", "s"), Scope::new("a", "t"));
    let now = |scope| engine.snapshot(scope).generation();
    let one = |scope, id: usize| engine.write(|batch| batch.upsert(scope, case(id, "open")));
    assert_eq!(now(&desk), 0);
    for n in 1..=3 {
        assert_eq!(one(&desk, n).unwrap().generations, [(desk.clone(), n as u64)]);
        assert_eq!((now(&desk), now(&other)), (n as u64, 0));
    }
    let before = engine.snapshot(&desk);
    let nothing = engine.write(|batch| {
        batch.delete(&desk, "none");
        Ok::<_, Refusal>(())
    });
    assert_eq!(nothing.unwrap().generation(&desk), Some(3));
    engine.maintain(usize::MAX);
    assert_eq!(now(&desk), 3);
    let both = engine.write(|batch| {
        batch.delete(&desk, "1");
        batch.upsert(&other, case(1, "open"))
    });
    let both = both.unwrap();
    assert_eq!((both.generation(&desk), both.generation(&other)), (Some(4), Some(1)));
    assert_eq!(both.generation(&Scope::new("a", "u")), None);
    // It goes on when the scope is dropped, and when it comes again.
    assert!(engine.drop_scope(&desk));
    assert_eq!((now(&desk), now(&other)), (5, 1));
    assert_eq!(one(&desk, 1).unwrap().generation(&desk), Some(6));
    assert_eq!((now(&desk), before.generation()), (6, 3));
}

#[test]
fn upkeep_may_be_left_to_the_host() {
    for by_writers in [true, false] {
        let engine = Engine::builder().upkeep(by_writers).build();
        let desk = Scope::new("a", "s");
        for round in 0..2000 {
            let name = format!(r#"{{"_id":"1","name":"{} {round}"}}"#, "word".repeat(200));
            engine.write(|batch| batch.upsert(&desk, name)).unwrap();
        }
        let stats = engine.snapshot(&desk).stats();
        assert_eq!(stats.text < 1 << 20, by_writers, "{stats:?}");
        engine.maintain(usize::MAX);
        assert!(engine.snapshot(&desk).stats().text < 1 << 18);
    }
}
