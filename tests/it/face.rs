//! What an embedder sees of the library's types: how they print, and where they may go.

use std::error::Error;
use std::fmt::Debug;

use getcases::{
    Accepted, Batch, Case, Cases, ClauseReport, Code, Comparison, Context, Corrupt, DateError,
    DeadlinePassed, Direction, Document, Engine, EngineBuilder, Explain, Filter, FilterField,
    FilterReport, Hits, Limits, Maintained, Order, Page, Problem, Query, Refusal, Request,
    RequestDate, Resource, Response, Scope, Severity, Snapshot, SortError, SortField, SortKey,
    Stats, Until, ValueCount, ValueField, Values, WriteError, Written,
};

const fn may_go_anywhere<T: Send + Sync>() {}
const fn is_an_error<T: Error + Send + Sync + 'static>() {}

const _: () = {
    may_go_anywhere::<Engine>();
    may_go_anywhere::<EngineBuilder>();
    may_go_anywhere::<Scope>();
    may_go_anywhere::<Batch<'_>>();
    may_go_anywhere::<Snapshot>();
    may_go_anywhere::<Case>();
    may_go_anywhere::<(Request, RequestDate, Filter, FilterField, Comparison<f64>)>();
    may_go_anywhere::<(Context, Severity, SortKey, SortField, Direction, Order, Limits)>();
    may_go_anywhere::<(Query, Page, Hits<'_>, Response, Document)>();
    may_go_anywhere::<(Explain, ClauseReport, FilterReport, Stats, Written, Maintained)>();
    may_go_anywhere::<(Problem, Code, Accepted, Resource)>();
    may_go_anywhere::<(Cases<'_>, Values<'_>, ValueCount, ValueField, Until<'_>)>();
    is_an_error::<DeadlinePassed>();
    is_an_error::<Refusal>();
    is_an_error::<WriteError<Refusal>>();
    is_an_error::<Corrupt>();
    is_an_error::<DateError>();
    is_an_error::<SortError>();
};

/// What prints in one line of this many characters at most.
const LINE: usize = 400;

fn prints_a_line(value: &dyn Debug) {
    let shown = format!("{value:?}");
    assert!(shown.chars().count() <= LINE && !shown.contains('\n'), "{shown}");
}

#[test]
fn what_holds_cases_prints_a_line() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let id = "\u{1F600}".repeat(256);
    let document = format!(r#"{{"_id":"{id}","status":"open","text":"{}"}}"#, "x".repeat(100_000));
    engine
        .write(|batch| {
            for n in 0..1000 {
                batch.upsert(&desk, format!(r#"{{"_id":"{n}"}}"#))?;
            }
            batch.upsert(&desk, &document)?;
            prints_a_line(batch);
            Ok::<_, Refusal>(())
        })
        .unwrap();
    let snapshot = engine.snapshot(&desk);
    let request = Request {
        status: vec!["x".repeat(1000); 1000],
        limit: Some(1_000_000),
        filter: Some(!Filter::status(["x"]) | Filter::id(vec!["y".repeat(1000); 1000])),
        ..Request::default()
    };
    let query = Query::new(&request, &Context::default()).unwrap();
    let all = Query::new(&Request::default(), &Context::default()).unwrap();
    prints_a_line(&engine);
    prints_a_line(&Engine::builder());
    prints_a_line(&snapshot);
    prints_a_line(&query);
    prints_a_line(&snapshot.search(&all));
    prints_a_line(&snapshot.search_ids(&all));
    prints_a_line(&snapshot.search_json(b"{}", &Context::default()).unwrap());
    prints_a_line(&snapshot.get(&id).unwrap());
    prints_a_line(&Case::from_json(document.as_bytes()).unwrap());
    assert_eq!(format!("{engine:?}"), "Engine { scopes: 1, cases: 1001, .. }");
}

#[test]
fn a_document_is_its_text() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    engine.write(|batch| batch.upsert(&desk, r#"{ "_id": "1" }"#)).unwrap();
    let document = engine.snapshot(&desk).get("1").unwrap();
    let (text, bytes): (&str, &[u8]) = (document.as_ref(), document.as_ref());
    assert_eq!((text, bytes), (document.json(), document.json().as_bytes()));
    assert_eq!(document.to_string(), r#"{"_id":"1"}"#);
    assert_eq!(document.into_json(), r#"{"_id":"1"}"#);
}
