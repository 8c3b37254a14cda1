//! Pages: what a response takes, and what selected columns give.

use getcases::{Context, Engine, Query, Refusal, Scope, Snapshot};

/// A case of 960 kB before 2,000 small ones, in the order of creation.
fn one_long_case() -> Snapshot {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let written = engine.write(|batch| {
        let long = "y".repeat(960_000);
        batch.upsert(&desk, format!(r#"{{"_id":"long","createdAt":9000000,"x":"{long}"}}"#))?;
        for id in 0..2000 {
            batch.upsert(
                &desk,
                format!(r#"{{"_id":"{id}","createdAt":{id},"\u0078\ud83d\ude00":1}}"#),
            )?;
        }
        Ok::<_, Refusal>(())
    });
    assert_eq!(written.unwrap().inserted, 2001);
    engine.snapshot(&desk)
}

#[test]
fn a_response_takes_no_more_memory_than_its_length() {
    let snapshot = one_long_case();
    for body in [
        r#"{"limit":1000}"#,
        r#"{"limit":1000,"page":2}"#,
        r#"{"limit":3}"#,
        r#"{"limit":0}"#,
        r#"{"limit":1000,"selectedColumns":["_id"]}"#,
        r#"{"limit":1000,"selectedColumns":["x"]}"#,
    ] {
        let context = Context::default();
        let answer = snapshot.search_json(body.as_bytes(), &context).unwrap().json;
        let query = Query::from_json(body.as_bytes(), &context).unwrap();
        let page = snapshot.search(&query).to_json();
        assert!(answer == page, "{body}");
        for json in [answer, page] {
            let most = json.len() + json.len() / 10 + 4096;
            assert!(json.capacity() <= most, "{} for {}: {body}", json.capacity(), json.len());
        }
    }
}

#[test]
fn columns_are_found_by_their_names_and_reported_once() {
    let snapshot = one_long_case();
    let body = r#"{"limit":2,"selectedColumns":["none","x\ud83d\ude00","none","createdat","x"]}"#;
    let page = snapshot.search(&Query::from_json(body.as_bytes(), &Context::default()).unwrap());
    assert_eq!(page.ignored, ["selectedColumns.none", "selectedColumns.createdat"]);
    assert_eq!(page.results[1].json(), r#"{"_id":"1999","\u0078\ud83d\ude00":1}"#);
    assert!(page.results[0].json().starts_with(r#"{"_id":"long","x":"yyy"#));
}
