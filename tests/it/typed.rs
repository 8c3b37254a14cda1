//! Typed requests are refused for just what bodies are refused for.

use std::collections::BTreeSet;

use getcases::{Comparison, Context, Filter, Query, Refusal, Request, RequestDate, SortKey};

/// 0001-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z.
const FIRST: i64 = -62_135_596_800_000;
const LAST: i64 = 253_402_300_799_999;

fn problems(refusal: &Refusal) -> BTreeSet<(&'static str, String, Option<String>)> {
    let problems = refusal.problems().iter();
    problems
        .map(|p| (p.code().as_str(), p.path().to_owned(), p.value().map(str::to_owned)))
        .collect()
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("x{n}")).collect()
}

#[test]
fn both_are_refused_for_the_same() {
    let list = |name: &str| format!("{{\"{name}\":{}}}", serde_json::json!(texts(1001)));
    let sort: SortKey = "name".parse().unwrap();
    let none = Request::default;
    let cases = [
        (Request { page: Some(0), ..none() }, r#"{"page":0}"#.to_owned()),
        (Request { page: Some(1 << 53), ..none() }, r#"{"page":9007199254740992}"#.to_owned()),
        (Request { skip: Some(1 << 53), ..none() }, r#"{"skip":9007199254740992}"#.to_owned()),
        (
            Request { limit: Some(u64::MAX), skip: Some(1), page: Some(3), ..none() },
            r#"{"limit":18446744073709551615,"skip":1,"page":3}"#.to_owned(),
        ),
        (Request { skip: Some(1), page: Some(3), ..none() }, r#"{"skip":1,"page":3}"#.to_owned()),
        (Request { priority: texts(1001), ..none() }, list("priority")),
        (Request { status: texts(1001), ..none() }, list("status")),
        (Request { queues: texts(1001), ..none() }, list("queues")),
        (Request { channel: texts(1001), ..none() }, list("channel")),
        (Request { agents: texts(1001), ..none() }, list("agents")),
        (Request { selected_columns: texts(1001), ..none() }, list("selectedColumns")),
        (
            Request { sort_by: vec![sort; 1001], ..none() },
            format!("{{\"sortBy\":{}}}", serde_json::json!(vec!["name"; 1001])),
        ),
        (
            Request { search_text: format!(" {}", "é\0".repeat(513)), ..none() },
            serde_json::json!({"searchText": format!(" {}", "é\0".repeat(513))}).to_string(),
        ),
        (Request { mycase: true, ..none() }, r#"{"mycase":true}"#.to_owned()),
        (Request { mytask: true, ..none() }, r#"{"mytask":true}"#.to_owned()),
    ];
    for offset_minutes in [0, i64::MAX] {
        let context = Context { offset_minutes, ..Context::default() };
        for (request, body) in &cases {
            let typed = Query::new(request, &context).unwrap_err();
            let written = Query::from_json(body.as_bytes(), &context).unwrap_err();
            assert_eq!(problems(&typed), problems(&written), "{body}");
        }
    }
}

#[test]
fn filters_are_refused_for_the_same() {
    let not = |times: usize, body: String| {
        format!("{}{body}{}", "{\"not\":".repeat(times), "}".repeat(times))
    };
    let flag = || Filter::unresolved(false);
    let long = "é".repeat(1025);
    let flags = |count: usize| vec![serde_json::json!({"unresolved": false}); count];
    let in_leaf = |field: &str, value: serde_json::Value| {
        serde_json::json!({"or": [{field: value}]}).to_string()
    };
    let cases = [
        (Filter::all([]), r#"{"and":[]}"#.to_owned()),
        (Filter::any([flag(), Filter::any([])]), {
            r#"{"or":[{"unresolved":false},{"or":[]}]}"#.to_owned()
        }),
        (Filter::created([]), r#"{"created":{}}"#.to_owned()),
        (!Filter::priority_score([]), r#"{"not":{"priorityScore":{}}}"#.to_owned()),
        (Filter::mycase(false), r#"{"mycase":false}"#.to_owned()),
        (Filter::text_contains("\n "), r#"{"text":{"contains":"\n "}}"#.to_owned()),
        (Filter::id_starts_with(""), r#"{"_id":{"startsWith":""}}"#.to_owned()),
        (
            Filter::any([Filter::ref_id_starts_with(&long)]),
            in_leaf("refId", serde_json::json!({"startsWith": long})),
        ),
        (
            Filter::any([Filter::queue(texts(1001))]),
            in_leaf("queue", serde_json::json!({"in": texts(1001)})),
        ),
        (Filter::any(vec![flag(); 1000]), serde_json::json!({"or": flags(1000)}).to_string()),
        ((0..16).fold(flag(), |inner, _| !inner), not(16, r#"{"unresolved":false}"#.to_owned())),
        (
            Filter::mycase(true) & (0..15).fold(!Filter::mycase(true), |inner, _| !inner),
            format!("{{\"mycase\":true,\"not\":{}}}", not(15, r#"{"mycase":true}"#.to_owned())),
        ),
    ];
    for (filter, filter_body) in cases {
        let request = Request { filter: Some(filter), ..Request::default() };
        let body = format!("{{\"filter\":{filter_body}}}");
        let typed = Query::new(&request, &Context::default()).unwrap_err();
        let written = Query::from_json(body.as_bytes(), &Context::default()).unwrap_err();
        assert_eq!(problems(&typed), problems(&written), "{body}");
    }
}

#[test]
fn filters_are_the_same_to_the_last() {
    let date: RequestDate = "2025-01-01".parse().unwrap();
    let dates = vec![Filter::due([Comparison::Gte(date), Comparison::Lt(date)]); 499];
    let typed = Request {
        filter: Some(Filter::any(dates) & Filter::id(texts(1000))),
        ..Request::default()
    };
    let dates = vec![serde_json::json!({"due": {"gte": "2025-01-01", "lt": "2025-01-01"}}); 499];
    let body = serde_json::json!({"filter": {"or": dates, "_id": {"in": texts(1000)}}});
    let context = Context::default();
    let written = Query::from_json(body.to_string().as_bytes(), &context).unwrap();
    assert_eq!(Query::new(&typed, &context).unwrap(), written);
}

#[test]
fn both_take_the_same_to_the_last() {
    let sort: SortKey = "name".parse().unwrap();
    let most = (1 << 53) - 1;
    let typed = Request {
        status: texts(1000),
        sort_by: vec![sort; 1000],
        search_text: format!("  {} ", "\0".repeat(1024)),
        page: Some(most),
        limit: Some(1),
        selected_columns: vec!["a".to_owned(), "b".to_owned(), "a".to_owned()],
        start_date: Some(RequestDate::from_millis(FIRST).unwrap()),
        end_date: Some(RequestDate::from_millis(LAST).unwrap()),
        ..Request::default()
    };
    let body = serde_json::json!({
        "status": texts(1000), "sortBy": vec!["name"; 1000], "page": most, "limit": 1,
        "searchText": format!("  {} ", "\0".repeat(1024)), "selectedColumns": ["a", "b", "a"],
        "startDate": FIRST, "endDate": LAST,
    });
    let context = Context { offset_minutes: 720, ..Context::default() };
    let written = Query::from_json(body.to_string().as_bytes(), &context).unwrap();
    assert_eq!(Query::new(&typed, &context).unwrap(), written);
}

#[test]
fn no_date_is_out_of_range() {
    for millis in [i64::MIN, i64::MIN + 1, FIRST - 1, LAST + 1, i64::MAX - 1, i64::MAX] {
        let error: getcases::DateError = RequestDate::from_millis(millis).unwrap_err();
        assert!(error.to_string().contains("epoch milliseconds"));
    }
    for offset in [i32::MIN, -840, 720, i32::MAX] {
        let first = RequestDate::from_millis(FIRST).unwrap().first_instant(offset);
        assert_eq!(first, FIRST);
        let day: RequestDate = "9999-12-31".parse().unwrap();
        assert!(day.first_instant(offset) < i64::MAX / 2);
    }
}
