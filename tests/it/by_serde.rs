//! What serde reads and writes is what the library itself does.

use getcases::{
    Comparison::{Gte, Lt},
    Context, Engine, Filter, FilterField, Query, Request, Scope, ValueField,
};

fn request() -> Request {
    let january = Filter::created([
        Gte("2025-01-01".parse().unwrap()),
        Lt("2025-02-01T00:00:00Z".parse().unwrap()),
    ]);
    let urgent = Filter::priority_score([Gte(8.5)]) | Filter::priority(["critical \"x\""]);
    Request {
        search_text: "late é".into(),
        mycase: true,
        status: vec!["open".into(), String::new()],
        due_date: Some("2025-05-29T04:03".parse().unwrap()),
        filter: Some(
            january & urgent & !Filter::queue(["spam"]) & Filter::exists(FilterField::Due),
        ),
        sort_by: vec!["-eta".parse().unwrap(), "name".parse().unwrap()],
        skip: Some(7),
        limit: Some(20_000),
        ..Request::default()
    }
}

#[test]
fn a_request_comes_back() {
    let context = Context { user: Some("u".into()), ..Context::default() };
    for request in [request(), Request::default()] {
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(text, request.to_json());
        let again: Request = serde_json::from_str(&text).unwrap();
        let query = Query::new(&request, &context).unwrap();
        assert_eq!(Query::new(&again, &context).unwrap(), query);
        // Through a tree, too.
        let tree = serde_json::to_value(&request).unwrap();
        let again: Request = serde_json::from_value(tree).unwrap();
        assert_eq!(Query::new(&again, &context).unwrap(), query);
    }
    let filter = request().filter.unwrap();
    let again: Filter = serde_json::from_value(serde_json::to_value(&filter).unwrap()).unwrap();
    let of = |filter| {
        let request = Request { filter: Some(filter), ..Request::default() };
        Query::new(&request, &context).unwrap()
    };
    assert_eq!(of(again), of(filter));
}

#[test]
fn what_a_body_is_refused_for_is_an_error() {
    for (body, wrong) in [
        (r#"{"staus":["open"]}"#, "$.staus: unknown_field"),
        (r#"{"limit":-1}"#, "$.limit: invalid_integer"),
        (r#"{"limit":1.0}"#, "$.limit: invalid_integer"),
        (r#"{"status":{}}"#, "$.status: invalid_type"),
        (r#"{"filter":{"or":[]}}"#, "$.filter.or: invalid_filter"),
        (r#"{"limit":1,"limit":2}"#, "$.limit: duplicate_key"),
        ("[]", "$: not_an_object"),
    ] {
        let error = serde_json::from_str::<Request>(body).unwrap_err().to_string();
        assert!(error.starts_with(wrong), "{body}: {error}");
    }
}

/// A field asked twice in one place has no place in one object.
#[test]
fn a_filter_that_asks_one_field_twice_is_a_list() {
    let filter = Filter::status(["a"])
        & Filter::status(["b"])
        & (Filter::channel(["c"]) | Filter::channel(["d"]))
        & (Filter::channel(["c"]) | Filter::channel(["e"]))
        & !Filter::queue(["q"])
        & !Filter::queue(["r"]);
    let request = Request { filter: Some(filter), ..Request::default() };
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let case = |n: usize| {
        let status = ["a", "b"][n % 2];
        let both = format!(r#"{{"name":"{status}","_id":"{}"}}"#, ["a", "b", "z"][n / 2 % 3]);
        let channel = ["c", "d", "e"][n / 6 % 3];
        let queue = ["q", "r", "s"][n / 18 % 3];
        format!(r#"{{"_id":"{n}","status":{both},"channel":"{channel}","queues":["{queue}"]}}"#)
    };
    engine.write(|batch| (0..54).try_for_each(|n| batch.upsert(&desk, case(n)))).unwrap();
    let snapshot = engine.snapshot(&desk);
    let typed = Query::new(&request, &Context::default()).unwrap();
    let read = Query::from_json(request.to_json().as_bytes(), &Context::default()).unwrap();
    assert_eq!(snapshot.search_ids(&typed), snapshot.search_ids(&read));
    assert!(snapshot.search_ids(&typed).total_results > 0);
}

#[test]
fn answers_are_written_as_the_library_does() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let odd = r#"{"b":1e999,"_id":"1","a":-0,"status":"Open"}"#;
    let written = engine.write(|batch| batch.upsert(&desk, odd)).unwrap();
    let snapshot = engine.snapshot(&desk);
    let page = snapshot.search(&Query::from_json(b"{}", &Context::default()).unwrap());
    assert_eq!(serde_json::to_vec(&page).unwrap(), page.to_json());
    assert_eq!(serde_json::to_string(&page.results[0]).unwrap(), odd);
    let scope = r#"{"account":"a","stream":"s"}"#;
    let right = r#"{"inserted":1,"replaced":0,"deleted":0,"generations":[["#;
    assert_eq!(serde_json::to_string(&written).unwrap(), format!("{right}{scope},1]]}}"));
    assert_eq!(serde_json::from_str::<Scope>(r#"{"account":"a","stream":"s"}"#).unwrap(), desk);
    let stats = serde_json::to_value(snapshot.stats()).unwrap();
    assert_eq!(stats["cases"], 1);
    let values: Vec<_> = snapshot.values(ValueField::Status).collect();
    let values = serde_json::to_string(&values).unwrap();
    assert_eq!(values, r#"[{"key":"open","shown":"Open","count":1}]"#);
}
