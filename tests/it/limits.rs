//! Scopes that are full: what does not fit is refused whole, and nothing else changes.

use getcases::{Batch, Context, Engine, Limits, Refusal, Resource, Scope, WriteError, Written};

type Wrote = Result<Written, WriteError<Refusal>>;

const MOST: u64 = 60;

/// An engine with few values of one kind.
fn engine(resource: Resource) -> Engine {
    let limits = match resource {
        Resource::Cases => Limits { cases: MOST, ..Limits::default() },
        Resource::Words => Limits { words: MOST * 10, ..Limits::default() },
        _ => Limits { values: MOST, ..Limits::default() },
    };
    Engine::builder().limits(limits).build()
}

/// A document by a number.
type Document = fn(u64) -> String;

/// A case with a value of its own, and what of it is the first to be too much.
fn documents() -> Vec<(Resource, Document)> {
    vec![
        (Resource::Cases, |n| format!(r#"{{"_id":"{n}"}}"#)),
        (Resource::Statuses, |n| {
            format!(r#"{{"_id":"a","status":{{"name":"s{n}","_id":"i{n}"}}}}"#)
        }),
        (Resource::Priorities, |n| {
            format!(r#"{{"_id":"a","priority":{{"name":"p{n}","lname":"l{n}","score":{n}}}}}"#)
        }),
        (Resource::Channels, |n| format!(r#"{{"_id":"a","channel":["c{n}","d{n}"]}}"#)),
        (Resource::Signatures, |n| {
            // No field has as many values as they have combinations.
            let (status, priority, channel) = (n % 5, n / 5 % 5, n / 25);
            format!(
                r#"{{"_id":"a","status":"s{status}","priority":"p{priority}",
                    "source":"c{channel}"}}"#
            )
        }),
        (Resource::Queues, |n| format!(r#"{{"_id":"a","queues":["q{n}","r{n}"]}}"#)),
        (Resource::Assignees, |n| {
            format!(r#"{{"_id":"a","currAssignee":{{"_id":"u{n}","aId":"v{n}","name":"w{n}"}}}}"#)
        }),
        (Resource::Names, |n| format!(r#"{{"_id":"a","name":"{n}"}}"#)),
        (Resource::Words, |n| format!(r#"{{"_id":"a","name":"one{n} two{n}"}}"#)),
        (Resource::RefIds, |n| format!(r#"{{"_id":"a","refId":"r{n}"}}"#)),
        (Resource::Columns, |n| format!(r#"{{"_id":"a","k{n}":1,"l{n}":2}}"#)),
    ]
}

fn full(wrote: &Wrote) -> Option<Resource> {
    match wrote {
        Err(WriteError::Full { what, .. }) => Some(*what),
        _ => None,
    }
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_else_changes() {
    for (resource, document) in documents() {
        let (engine, desk) = (engine(resource), Scope::new("a", "s"));
        // Values that cases have stay.
        let document = |n: u64| document(n).replace(r#""_id":"a""#, &format!(r#""_id":"{n}""#));
        let one = |n: u64| engine.write(|batch| batch.upsert(&desk, document(n)));
        let written = (0..MOST * 10).position(|n| full(&one(n)).is_some());
        let written = written.unwrap_or_else(|| panic!("{resource} never full")) as u64;
        assert!(written >= MOST / 10, "{resource}: full after {written}");
        assert_eq!(full(&one(written)), Some(resource));
        // Whoever asks sees the cases before.
        let snapshot = engine.snapshot(&desk);
        snapshot.validate().unwrap();
        let last = document(written - 1).replace("\n                    ", "");
        assert!(snapshot.documents().any(|own| own.json() == last), "{resource}: {last}");
        let nothing: Wrote = engine.write(|batch| {
            batch.delete(&desk, "none");
            Ok(())
        });
        let Written { inserted, replaced, deleted, .. } = nothing.unwrap();
        assert_eq!((inserted, replaced, deleted), (0, 0, 0));
        // Other scopes have room, but not for a batch that is too large for any.
        let other = Scope::new("a", "other");
        engine.write(|batch| batch.upsert(&other, document(1))).unwrap();
        let third = Scope::new("a", "third");
        let many = |batch: &mut Batch<'_>| {
            (0..MOST * 10).try_for_each(|n| batch.upsert(&third, document(n)))
        };
        assert!(full(&engine.write(many)).is_some());
        assert!(!engine.scopes().contains(&third), "a scope came into being for nothing");
    }
}

#[test]
fn a_batch_over_scopes_is_whole_or_absent() {
    let engine = engine(Resource::Cases);
    let scopes = ["s", "t", "u"].map(|stream| Scope::new("a", stream));
    let case = |n: u64| format!(r#"{{"_id":"{n}"}}"#);
    engine.write(|batch| (0..MOST).try_for_each(|n| batch.upsert(&scopes[1], case(n)))).unwrap();
    let wrote: Wrote =
        engine.write(|batch| scopes.iter().try_for_each(|own| batch.upsert(own, case(MOST))));
    let limit = MOST;
    let scope = scopes[1].clone();
    let full = WriteError::Full { scope, what: Resource::Cases, used: MOST, more: 1, limit };
    assert_eq!(wrote, Err(full));
    assert_eq!(
        wrote.unwrap_err().to_string(),
        "scope a/t has no room for the batch: 60 cases are there or reserved, up to 1 may come, \
         and at most 60 may be there"
    );
    assert_eq!(engine.scopes(), [scopes[1].clone()]);
    assert_eq!(engine.snapshot(&scopes[1]).len() as u64, MOST);
}

#[test]
fn room_comes_back_with_upkeep() {
    let (engine, desk) = (engine(Resource::Names), Scope::new("a", "s"));
    let name = |n: u64| {
        let long = "x".repeat(20_000);
        format!(r#"{{"_id":"a","name":"{long} {n}"}}"#)
    };
    let one = |n: u64| engine.write(|batch| batch.upsert(&desk, name(n)));
    // Each name takes the place of the one before, which is garbage from then on: writers clean up
    // as they go, whether they are refused or not.
    let refused = (0..MOST * 20).filter(|n| full(&one(*n)).is_some()).count() as u64;
    assert!(refused < MOST * 10, "{refused} refused");
    let snapshot = engine.snapshot(&desk);
    snapshot.validate().unwrap();
    let body = br#"{"searchText":"x","limit":1}"#;
    assert_eq!(snapshot.search_json(body, &Context::default()).unwrap().total_results, 1);
}

/// However little is limited: garbage that takes room is given up.
#[test]
fn room_of_small_scopes_comes_back_too() {
    for (resource, document) in documents() {
        let (engine, desk) = (engine(resource), Scope::new("a", "s"));
        let one = |n: u64| engine.write(|batch| batch.upsert(&desk, document(n)));
        for round in 0..5 {
            let written = (0..MOST * 10).position(|n| full(&one(n + round * 1000)).is_some());
            assert!(written.is_none_or(|written| written > 3), "{resource}: round {round}");
            let emptied: Wrote = engine.write(|batch| {
                (0..MOST * 10).for_each(|n| batch.delete(&desk, &(n + round * 1000).to_string()));
                Ok(())
            });
            assert!(emptied.is_ok());
            engine.maintain(usize::MAX);
        }
        engine.snapshot(&desk).validate().unwrap();
    }
}

/// What an engine counts, summed over its scopes.
fn counted(engine: &Engine) -> u64 {
    engine.scopes().iter().map(|scope| engine.snapshot(scope).stats().bytes() as u64).sum()
}

#[test]
fn memory_stays_within_its_limit() {
    const LIMIT: u64 = 2 << 20;
    let engine = Engine::builder().memory_limit(LIMIT).build();
    let desks = ["s", "t", "u"].map(|stream| Scope::new("a", stream));
    let case =
        |n: usize| format!(r#"{{"_id":"{n}","name":"name {n}","x":"{}"}}"#, "xy".repeat(n % 300));
    let write = |n: usize| -> Wrote {
        engine.write(|batch| {
            (0..50).try_for_each(|at| batch.upsert(&desks[n % 3], case(n * 50 + at)))
        })
    };
    let full = (0..10_000).find(|n| match write(*n) {
        Ok(_) => false,
        Err(WriteError::Memory { used, more, limit }) => {
            assert!(used + more > limit && limit == LIMIT);
            true
        }
        Err(other) => panic!("{other}"),
    });
    let full = full.unwrap();
    // A batch may be misjudged by a part of what it brings, and no more.
    let taken = counted(&engine);
    assert!(taken > LIMIT * 8 / 10 && taken < LIMIT * 11 / 10, "{taken} of {LIMIT}");
    let ids = |n: usize| (0..50).map(move |at| (n * 50 + at).to_string());
    let snapshot = engine.snapshot(&desks[full % 3]);
    assert!(ids(full).all(|id| snapshot.get(&id).is_none()), "a part of it was applied");
    drop(snapshot);
    // Cases become smaller and fewer all the same, and then there is room again.
    let shorter = engine.write(|batch| batch.upsert(&desks[0], r#"{"_id":"1"}"#));
    assert!(shorter.is_ok(), "{shorter:?}");
    for n in 0..full {
        let deleted: Wrote = engine.write(|batch| {
            ids(n).for_each(|id| batch.delete(&desks[n % 3], &id));
            Ok(())
        });
        assert!(deleted.is_ok());
    }
    engine.maintain(usize::MAX);
    assert!(write(full).is_ok());
    // A scope that is dropped gives all of its room back.
    desks.iter().for_each(|desk| _ = engine.drop_scope(desk));
    assert!((0..full / 2).all(|n| write(n).is_ok()));
    desks.iter().for_each(|desk| engine.snapshot(desk).validate().unwrap());
}

#[test]
fn a_batch_larger_than_all_memory_is_refused_while_it_is_filled() {
    let engine = Engine::builder().memory_limit(1 << 20).build();
    let desk = Scope::new("a", "s");
    let wrote: Wrote = engine.write(|batch| {
        // Texts of its own: nothing of it can be packed.
        let mut state = 7_u64;
        let mut text = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            format!("{state:x}").repeat(4)
        };
        (0..100_000).try_for_each(|n| {
            let (one, other) = (text(), text());
            batch.upsert(&desk, format!(r#"{{"_id":"{n}","one":"{one}","other":"{other}"}}"#))
        })
    });
    assert!(matches!(wrote, Err(WriteError::Memory { .. })), "{wrote:?}");
    assert!(engine.scopes().is_empty());
}
