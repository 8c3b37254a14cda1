//! Cursors: what is refused, which snapshots are kept and for how long, and random walks.

use std::time::{Duration, Instant};

use getcases::{
    Batch, Code, Context, Cursor, CursorLimits, Engine, Query, Refusal, Request, Scope, Snapshot,
};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::walks::{self, Played};

/// How many plays there are, of some walks each.
const PLAYS: u64 = 300;
const BYTES: usize = 6000;

fn desk() -> Scope {
    Scope::new("a", "s")
}

fn case(id: usize) -> String {
    format!(r#"{{"_id":"{id}","createdAt":{},"name":"n{}"}}"#, id / 3, id % 7)
}

fn filled(engine: Engine, count: usize) -> Engine {
    let desk = desk();
    engine.write(|batch| (0..count).try_for_each(|id| batch.upsert(&desk, case(id)))).unwrap();
    engine
}

fn delete(engine: &Engine, id: &str) {
    let delete = |batch: &mut Batch<'_>| {
        batch.delete(&desk(), id);
        Ok::<_, Refusal>(())
    };
    engine.write(delete).unwrap();
}

fn limits(snapshots: usize) -> CursorLimits {
    CursorLimits { snapshots, ..CursorLimits::default() }
}

fn ask(snapshot: &Snapshot, cursor: &str) -> Result<(Vec<String>, Option<String>), Refusal> {
    let body = format!(r#"{{"limit":3,"sortBy":"name","cursor":{cursor}}}"#);
    let page = snapshot.search(&snapshot.query_json(body.as_bytes(), &Context::default())?);
    let next = page.next_cursor.map(|text| format!("{text:?}"));
    Ok((page.results.iter().map(|document| document.id().to_owned()).collect(), next))
}

/// All pages from a cursor on.
fn rest(engine: &Engine, mut next: Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(cursor) = next {
        let (ids, more) = ask(&engine.snapshot(&desk()), &cursor).unwrap();
        found.extend(ids);
        next = more;
    }
    found
}

#[test]
fn random_walks_skip_and_repeat_nothing() {
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]);
    let mut all = Played::default();
    for play in 0..PLAYS {
        let mut bytes = [0; BYTES];
        random.fill_bytes(&mut bytes);
        let played = walks::play(&bytes).unwrap_or_else(|wrong| panic!("play {play}: {wrong}"));
        all.walks += played.walks;
        all.pages += played.pages;
        all.resumed += played.resumed;
    }
    assert!(all.walks > PLAYS && all.pages > 2 * all.walks && all.resumed > PLAYS, "{all:?}");
}

#[test]
fn a_changed_cursor_is_none() {
    let engine = filled(Engine::new(), 20);
    let snapshot = engine.snapshot(&desk());
    let (_, next) = ask(&snapshot, "true").unwrap();
    let next = next.unwrap();
    let refused = |cursor: &str| {
        let refusal = ask(&snapshot, cursor).expect_err(cursor);
        assert_eq!(refusal.problems()[0].code(), Code::InvalidCursor, "{cursor}");
        assert_eq!((refusal.problems().len(), refusal.http_status()), (1, 400));
    };
    for at in 1..next.len() - 1 {
        for other in ['A', 'B', '_', '=', 'é'] {
            let mut changed = next.clone();
            changed.replace_range(at..=at, &other.to_string());
            if changed != next {
                refused(&changed);
            }
        }
        // Cut to nothing, it would be no cursor at all.
        if at > 1 {
            refused(&format!("{}\"", &next[..at]));
        }
        refused(&format!("{}A{}", &next[..at], &next[at..]));
    }
    ask(&snapshot, &next).unwrap();
}

#[test]
fn a_cursor_belongs_to_its_engine_scope_and_question() {
    let keyed = || filled(Engine::builder().cursor_key([9; 16]).build(), 20);
    let (engine, twin, other) = (keyed(), keyed(), filled(Engine::new(), 20));
    let (first, next) = ask(&engine.snapshot(&desk()), "true").unwrap();
    let next = next.unwrap();
    let whole = rest(&engine, Some("true".into()));
    assert_eq!(whole.len(), 20);
    // A restarted engine with the same key goes on.
    assert_eq!([first, rest(&twin, Some(next.clone()))].concat(), whole);
    assert!(ask(&other.snapshot(&desk()), &next).is_err());
    let neighbour = Scope::new("a", "t");
    engine.write(|batch| batch.upsert(&neighbour, case(1))).unwrap();
    assert!(ask(&engine.snapshot(&neighbour), &next).is_err());
    // Nobody reads it without an engine.
    let cursor = Cursor::After(next.trim_matches('"').to_owned());
    let request = Request { cursor: Some(cursor), ..Request::default() };
    let refusal = Query::new(&request, &Context::default()).unwrap_err();
    assert_eq!(refusal.problems()[0].code(), Code::InvalidCursor);
    assert_eq!(refusal.problems()[0].value(), Some(&*next));
}

#[test]
fn as_many_snapshots_are_kept_as_was_told() {
    let engine = filled(Engine::builder().cursors(limits(2)).build(), 20);
    let whole = rest(&engine, Some("true".into()));
    let begin = || ask(&engine.snapshot(&desk()), "true").unwrap().1;
    let change = |id: &str| delete(&engine, id);
    let last = &whole[19];
    let oldest = begin();
    change(last);
    let (older, newest) = (begin(), {
        change(&whole[18]);
        begin()
    });
    // The first snapshot gave way to the third: its cursor goes on in what there is now.
    assert_eq!(rest(&engine, oldest), &whole[3..18]);
    assert_eq!(rest(&engine, newest), &whole[3..18]);
    assert_eq!(rest(&engine, older.clone()), &whole[3..19]);
    // A dropped scope keeps none.
    engine.drop_scope(&desk());
    assert_eq!(rest(&engine, older), [""; 0]);
}

#[test]
fn what_is_kept_is_let_go_of_in_time() {
    let age = Duration::from_millis(50);
    let limits = CursorLimits { age, ..CursorLimits::default() };
    let engine = filled(Engine::builder().cursors(limits).build(), 20);
    let (_, next) = ask(&engine.snapshot(&desk()), "true").unwrap();
    let then = engine.snapshot(&desk()).generation();
    delete(&engine, "5");
    let body = format!(r#"{{"sortBy":"name","cursor":{}}}"#, next.unwrap());
    let is_kept = || {
        let snapshot = engine.snapshot(&desk());
        let query = snapshot.query_json(body.as_bytes(), &Context::default()).unwrap();
        snapshot.resumed(&query).generation() == then
    };
    // Nobody writes or reads meanwhile; each look would make it young again.
    let started = Instant::now();
    std::thread::sleep(Duration::from_millis(400));
    while is_kept() {
        assert!(started.elapsed() < Duration::from_secs(20), "kept for ever");
        std::thread::sleep(Duration::from_millis(400));
    }
}

#[test]
fn bytes_bound_what_is_kept() {
    let bytes = |bytes| CursorLimits { bytes, ..CursorLimits::default() };
    for (most, is_kept) in [(0, false), (1 << 30, true)] {
        let engine = filled(Engine::builder().cursors(bytes(most)).build(), 20);
        let (_, next) = ask(&engine.snapshot(&desk()), "true").unwrap();
        delete(&engine, "6");
        assert_eq!(rest(&engine, next).len(), 16 + usize::from(is_kept), "{most}");
    }
}

/// Wherever it begins: what is looked at grows with the page, and hardly with what comes before.
/// Where segments are small there are many, each of which a walk begins in.
#[cfg(not(getcases_small_segments))]
#[test]
fn a_page_behind_a_case_costs_like_the_first() {
    let (engine, count) = (Engine::builder().threads(1).build(), 12_000_usize);
    let case = |id: usize| {
        let scattered = id * 7919 % count;
        format!(
            r#"{{"_id":"{id}","createdAt":{scattered},"name":"n{}","refId":"{id}",
            "status":"{}","priority":{{"score":{}}},"currAssignee":"{}","queues":"{}"}}"#,
            scattered / 2,
            ["Open", "Closed", "On Hold"][id % 3],
            scattered % 5,
            scattered % 11,
            scattered % 4,
        )
    };
    engine.write(|batch| (0..count).try_for_each(|id| batch.upsert(&desk(), case(id)))).unwrap();
    let snapshot = engine.snapshot(&desk());
    let examined = |body: &str| {
        let query = snapshot.query_json(body.as_bytes(), &Context::default()).unwrap();
        snapshot.explain(&query).examined
    };
    for question in [
        r#""sortBy":"created""#,
        r#""sortBy":"created:asc","status":"open""#,
        r#""sortBy":"name:desc","unresolved":true"#,
        r#""sortBy":["refId","name"]"#,
        r#""sortBy":["assignee","name:desc"]"#,
        r#""sortBy":["status","priority","name"]"#,
        r#""sortBy":"priority","status":["open","on hold"]"#,
        r#""sortBy":"_id:desc","filter":{"not":{"status":{"in":["closed"]}}}"#,
    ] {
        let context = Context { max_limit: u64::MAX, ..Context::default() };
        let first = examined(&format!(r#"{{"limit":50,"cursor":true,{question}}}"#));
        for limit in [777, 3000] {
            let body = format!(r#"{{"limit":{limit},"cursor":true,{question}}}"#);
            let far = snapshot.search_json(body.as_bytes(), &context).unwrap();
            let cursor = far.next_cursor.unwrap();
            let own = examined(&format!(r#"{{"limit":50,"cursor":"{cursor}",{question}}}"#));
            assert!(own <= 2 * first + 1000, "{own} looked at behind {limit}, {first}: {question}");
        }
    }
}
