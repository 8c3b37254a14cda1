//! No cliffs: what a request or a load costs stays within functions of cases, matches and page.
//!
//! Inputs whose cost once grew faster than they did, each by itself; and degenerate scopes crossed
//! with random requests, which found others. `cargo xtask cliffs` goes on with these.

use std::time::Duration;

use getcases::{Context, Engine, Scope};
use serde_json::{Value, json};

use super::cost::{Figure, Loaded, drawn, engine};
use super::counting::{alone, counted, live};
use super::degenerate::Draw;
use super::oracle;

/// How many degenerate scopes there are, of how many cases, and how much each is asked.
const SCOPES: u64 = 24;
const CASES: u64 = 1500;
const REQUESTS: u64 = 40;

fn plain() -> oracle::Context {
    oracle::Context { max_limit: 1000, ..oracle::Context::default() }
}

/// The figures that are held against their bounds here.
const JUDGED: &[&str] = if cfg!(getcases_small_segments) { OF_ANY_SIZE } else { ALL };

/// Those that the sizes of segments do not touch: with small ones, most of a cost is theirs.
const OF_ANY_SIZE: &[&str] =
    &["bytes out", "bytes of the refusal", "allocated for a refusal", "peak of the load"];
const ALL: &[&str] = &[
    "examined",
    "allocated",
    "peak",
    "bytes out",
    "room of the answer",
    "bytes of the refusal",
    "allocated for a refusal",
    "peak of the load",
    "allocated by the load",
    "held after the load",
    "held beyond what stats tell",
    "told by stats beyond what is held",
];

/// Fails where a figure is over its bound.
fn check(figures: &[Figure], what: &str) {
    let judged = figures.iter().filter(|(what, ..)| JUDGED.contains(what));
    let over: Vec<_> = judged.filter(|(_, figure, bound)| figure > bound).collect();
    assert!(over.is_empty(), "{what}: {over:?}");
}

/// Loads documents and asks for bodies: answers are right, costs within bounds. Gives what each
/// body's answer examined.
fn asked(texts: impl Iterator<Item = String> + Send, bodies: &[Value]) -> Vec<u64> {
    alone(|| {
        let loaded = Loaded::texts(texts);
        check(&loaded.figures, "the load");
        let ask = |body: &Value| {
            let asked = loaded.ask(&body.to_string(), &plain()).unwrap();
            check(&asked, &body.to_string());
            asked[0].1
        };
        bodies.iter().map(ask).collect()
    })
}

fn load(texts: &[String]) -> (Engine, Scope) {
    let (engine, scope) = (engine(), Scope::new("a", "s"));
    write(&engine, &scope, texts);
    (engine, scope)
}

fn write(engine: &Engine, scope: &Scope, texts: &[String]) {
    let all = |batch: &mut getcases::Batch<'_>| {
        texts.iter().try_for_each(|text| batch.upsert(scope, text))
    };
    engine.write(all).unwrap();
}

#[test]
fn degenerate_scopes() {
    for seed in 0..SCOPES {
        let (recipe, differences) = alone(|| {
            drawn(seed, CASES, REQUESTS, |body, figures| check(figures, &format!("{seed}: {body}")))
        });
        assert!(differences.is_empty(), "{seed}: {recipe:?}: {differences:#?}");
    }
}

fn last_page(cases: u64, mut body: Value) -> Value {
    body["limit"] = json!(10);
    body["skip"] = json!(cases - 10);
    body
}

#[test]
fn priorities_of_a_score_each() {
    let case = |at: u64| {
        json!({"_id": at.to_string(), "name": format!("case {at}"),
            "createdAt": 1_700_000_000_000 + at,
            "priority": {"name": "High", "score": at as f64 / 7.0}})
        .to_string()
    };
    let last = last_page(10_000, json!({"searchText": "case", "sortBy": "priority"}));
    asked((0..10_000).map(case), &[last, json!({"sortBy": "priority"})]);
}

#[test]
fn a_status_for_each_case() {
    let case = |at: u64| {
        json!({"_id": at.to_string(), "status": {"name": format!("st{at}")}, "queues": ["q"]})
            .to_string()
    };
    let last = last_page(20_000, json!({"queues": ["q"], "sortBy": "status"}));
    let bodies = [
        last,
        json!({}),
        json!({"sortBy": "-status", "limit": 3}),
        json!({"unresolved": true, "unassigned": true}),
        json!({"unresolved": true, "status": "st7"}),
    ];
    asked((0..20_000).map(case), &bodies);
}

// Small segments are gone through whole.
#[cfg(not(getcases_small_segments))]
#[test]
fn a_word_that_a_filter_excludes() {
    let mut draw = Draw(3);
    let others = ["request for service", "graffiti removal", "sign repair", "noise complaint"];
    let case = |at: u64| {
        let is_old = at == 5 || at == 9;
        let has_word = is_old || draw.below(1000) < 45;
        let is_open = is_old || !has_word && draw.below(100) < 17;
        let name = if has_word { "request for pothole repair" } else { draw.one(&others) };
        let status = if is_open { "open" } else { "closed" };
        json!({"_id": at.to_string(), "name": name, "status": {"statusCategory": status},
            "createdAt": 1_420_000_000_000 + at * 260_000})
        .to_string()
    };
    let body = json!({"searchText": "pothole", "unresolved": true});
    let examined = asked((0..60_000).map(case), &[body])[0];
    assert!(examined <= 6000, "{examined} examined");
}

#[test]
fn a_page_that_a_large_document_leads() {
    let case = |at: u64| {
        let mut case = json!({"_id": at.to_string(), "createdAt": 1_700_000_000_000 + at});
        if at == 2000 {
            case["x"] = json!("y".repeat(960_000));
        }
        case.to_string()
    };
    asked((0..=2000).map(case), &[json!({"limit": 1000}), json!({"limit": 1000, "skip": 1})]);
}

#[test]
fn refusals_are_short() {
    let keys = |at: u64| (0..70).map(move |key| (format!("k{at}_{key}"), json!(1)));
    let objects: Vec<Value> = (0..1000).map(|at| Value::Object(keys(at).collect())).collect();
    let names: Vec<_> = (0..1000).map(|at| format!("no{at}")).collect();
    let numbers: Vec<_> = (0..1000).collect();
    let bodies = [
        json!({"sortBy": objects}),
        json!({"sortBy": names}),
        json!({"status": numbers, "queues": numbers, "agents": numbers, "priority": numbers}),
    ];
    asked(std::iter::once(r#"{"_id":"1"}"#.to_owned()), &bodies);
    // The oracle's reader has no such number.
    let (engine, scope) = load(&[]);
    let refused = engine.snapshot(&scope).search_json(br#"{"limit":1e999}"#, &Context::default());
    assert!(String::from_utf8(refused.unwrap_err().to_json()).unwrap().contains("invalid_integer"));
}

#[test]
fn columns_that_no_case_has() {
    let case = |at: u64| {
        let mut case = json!({"_id": at.to_string()});
        (0..20).for_each(|key| case[format!("k{at}_{key}")] = json!(key));
        case.to_string()
    };
    let names: Vec<_> = (0..1000).map(|at| format!("no{at}")).collect();
    asked((0..1000).map(case), &[json!({"selectedColumns": names, "limit": 1})]);
}

#[test]
fn names_with_long_words_of_their_own() {
    let mut draw = Draw(7);
    let mut case = |at: u64| {
        let name = format!("page https://example.org/{}", draw.letters(180));
        json!({"_id": at.to_string(), "name": name}).to_string()
    };
    let texts: Vec<_> = (0..20_000).map(&mut case).collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    let (engine, scope) = load(&texts);
    let text = engine.snapshot(&scope).stats().text;
    assert!(text <= 10 * bytes, "{text} bytes for names of {bytes}");
    asked(texts.into_iter().take(5000), &[json!({"searchText": "org/a"})]);
}

/// Names whose parts are hardly ever the same, and long words that are so for long.
// The lists of small nodes take more than what they list.
#[cfg(not(getcases_small_segments))]
#[test]
fn names_of_words_of_their_own() {
    let mut draw = Draw(11);
    let bodies = |needle: &str| [json!({"searchText": needle}), json!({"sortBy": "name"})];
    let name = |at: usize, name: String| json!({"_id": at.to_string(), "name": name}).to_string();
    let words = |draw: &mut Draw| (0..2000).map(|_| draw.letters(5) + " ").collect::<String>();
    let words: Vec<_> = (0..20).map(|at| name(at, words(&mut draw))).collect();
    asked(words.into_iter(), &bodies("ab"));
    let letter = |draw: &mut Draw| char::from_u32(0x4e00 + draw.below(3000) as u32).unwrap_or('x');
    let letters = |draw: &mut Draw| (0..300).map(|_| letter(draw)).collect::<String>();
    let letters: Vec<_> = (0..2000).map(|at| name(at, letters(&mut draw))).collect();
    asked(letters.into_iter(), &bodies("一丁"));
    asked((0..300).map(|at| name(at, format!("{}{at}", "q".repeat(4000)))), &bodies("qq1"));
}

#[test]
fn keys_after_one_that_all_miss() {
    let cases = 50_000_u64;
    let case = |at: u64| {
        json!({"_id": at.to_string(), "name": format!("n{}", at * 7919 % cases),
            "createdAt": 1_700_000_000_000 + at})
        .to_string()
    };
    let body = |skip: u64| json!({"sortBy": ["dueDate", "name"], "limit": 1, "skip": skip});
    let examined = asked((0..cases).map(case), &[body(0), body(cases / 2), body(cases - 1)]);
    assert!(examined.iter().all(|examined| *examined <= 2000), "{examined:?} examined");
}

#[test]
fn keys_after_one_of_few_values() {
    let cases = 50_000_u64;
    // Values of every case of some segments, of few of others, and of none.
    let case = |at: u64| {
        let day = if at < cases / 3 { 5 } else { at % 3 };
        let due = if at % 10 == 9 { Value::Null } else { json!(1_700_000_000_000 + day * 1000) };
        json!({"_id": at.to_string(), "name": format!("n{}", at * 7919 % cases), "dueDate": due,
            "createdAt": 1_700_000_000_000 + at, "queues": [format!("q{}", at % 7)],
            "status": format!("st{}", at % 5), "priority": {"name": "p", "score": at % 11}})
        .to_string()
    };
    let filters =
        [json!({}), json!({"status": "st1"}), json!({"queues": "q3"}), json!({"searchText": "n1"})];
    let orders = [
        json!(["dueDate", "name"]),
        json!([{"dueDate": -1}, {"name": -1}]),
        json!(["dueDate", "priority", "name"]),
        json!([{"dueDate": -1}, "status", "refId"]),
    ];
    let bodies = filters.iter().flat_map(|filter| {
        orders.iter().flat_map(move |order| {
            [0, 30, 900, 4000, 30_000].map(|skip| {
                let mut body = filter.clone();
                body["sortBy"] = order.clone();
                (body["limit"], body["skip"]) = (json!(10), json!(skip));
                body
            })
        })
    });
    let bodies: Vec<_> = bodies.collect();
    let examined = asked((0..cases).map(case), &bodies);
    for (body, examined) in bodies.iter().zip(examined) {
        assert!(examined <= 3 * cases, "{body}: {examined} examined");
    }
}

// Small segments have few runs to count, and are gone through whole.
#[cfg(not(getcases_small_segments))]
#[test]
fn a_frequent_status_within_most_dates() {
    let case = |at: u64| {
        json!({"_id": at.to_string(), "status": if at.is_multiple_of(5) { "a" } else { "b" },
            "createdAt": 1_700_000_000_000 + at * 1000})
        .to_string()
    };
    let body = json!({"status": "a", "startDate": "2023-11-14T22:30:00Z", "limit": 10});
    let examined = asked((0..60_000).map(case), &[body])[0];
    assert!(examined <= 4096, "{examined} examined");
}

// Small segments are gone through whole.
#[cfg(not(getcases_small_segments))]
#[test]
fn matches_that_a_walk_meets_last() {
    let matches = 5000;
    let case = |at: u64| {
        let is_due = at.is_multiple_of(12);
        json!({"_id": at.to_string(), "name": format!("{}{at}", if is_due { "z" } else { "a" }),
            "dueDate": if is_due { "2025-02-04T10:00:00Z" } else { "2025-02-06T10:00:00Z" }})
        .to_string()
    };
    let body = json!({"dueDate": "2025-02-04", "sortBy": "name", "limit": 10});
    let examined = asked((0..matches * 12).map(case), &[body])[0];
    // A walk that looks at rows is given up when it has cost as much as gathering.
    assert!(examined <= 2 * matches + 2048, "{examined} examined");
}

#[test]
fn an_assignee_for_each_case() {
    let case = |at: u64| {
        json!({"_id": at.to_string(), "currAssignee": {"agentId": format!("u-{at}")}}).to_string()
    };
    let body = json!({"sortBy": "assignee", "limit": 10, "skip": 30_000});
    asked((0..50_000).map(case), &[json!({}), json!({"agents": "u-7"}), body]);
}

/// What is asked again asks nothing more: a needle that all cases have, and a value that a
/// signature of each has.
#[test]
fn equal_leaves_of_a_filter_cost_as_much_as_one() {
    let case = |at: u64| {
        json!({"_id": at.to_string(), "name": "same name here",
            "status": format!("status {at}"), "priority": {"name": "p", "score": at}})
        .to_string()
    };
    let times = |count: usize, leaf: &Value| json!([leaf].repeat(count));
    let text = json!({"text": {"contains": "same name here"}});
    let score = json!({"priorityScore": {"gte": 2}});
    let bodies: Vec<Value> = [1, 400]
        .into_iter()
        .flat_map(|count| {
            [
                json!({"limit": 0, "filter": {"and": times(count, &text)}}),
                json!({"limit": 0, "filter": {"or": times(count, &text)}}),
                json!({"limit": 0, "filter": {"or": times(count, &score)}}),
                json!({"limit": 0, "filter": {"not": {"or": times(count, &score)}}}),
            ]
        })
        .collect();
    let examined = asked((0..3000).map(case), &bodies);
    assert_eq!(examined[..4], examined[4..]);
}

#[test]
fn values_that_come_and_go() {
    alone(|| {
        let (engine, scope) = (engine(), Scope::new("a", "s"));
        let mut draw = Draw(7);
        let mut rewrite = |rounds: u64, from: u64| {
            for round in from..from + rounds {
                let mut case = |at: u64| {
                    let new = round * 2000 + at;
                    json!({"_id": at.to_string(), "name": format!("about {}", draw.letters(12)),
                        "status": format!("status {}", new / 50), format!("k{new}"): new,
                        "currAssignee": {"_id": format!("u-{new}")},
                        "queues": [format!("q{new}")], "note": draw.letters(40)})
                    .to_string()
                };
                let texts: Vec<_> = (0..2000).map(&mut case).collect();
                texts.chunks(100).for_each(|some| write(&engine, &scope, some));
            }
            // A scope that is being built anew is held twice.
            while engine.maintain(usize::MAX).left > 0 {}
        };
        let start = live();
        rewrite(10, 0);
        let first = live() - start;
        rewrite(20, 10);
        // What was replaced is freed by a thread of its own: it is waited for.
        let later = || live() - start - first;
        let soon = std::time::Duration::from_millis(20);
        (0..100).take_while(|_| later() > first / 2).for_each(|_| std::thread::sleep(soon));
        let later = later();
        assert!(later <= first / 2, "{first} bytes are held, and {later} more later on");
        engine.snapshot(&scope).validate().unwrap();
    });
}

#[test]
fn what_is_dropped_comes_back() {
    alone(|| {
        let case = |at: u64| {
            json!({"_id": at.to_string(), "name": format!("case {at} of {}", at % 100),
                "status": format!("st{}", at % 9), "queues": [format!("q{}", at % 77)],
                "createdAt": 1_700_000_000_000 + at, "currAssignee": format!("agent {at}")})
            .to_string()
        };
        let texts: Vec<_> = (0..20_000).map(case).collect();
        let before = live();
        {
            let (engine, scope) = load(&texts);
            // A reader that clones, and keeps what it took for a while.
            let mut kept = Vec::new();
            let (_, read) = counted(|| {
                for some in texts.chunks(10).take(300) {
                    write(&engine, &scope, some);
                    kept.push(engine.snapshot(&scope).clone());
                    if kept.len() > 3 {
                        kept.remove(0);
                    }
                }
            });
            assert!(read.held <= 4 << 20, "{} bytes are held for a reader", read.held);
            engine.drop_scope(&scope);
            assert_eq!(kept[0].len(), 20_000);
        }
        // Much is freed by a thread of its own.
        let is_back = || live() - before <= 64 << 10;
        let soon = Duration::from_millis(10);
        (0..1000).take_while(|_| !is_back()).for_each(|_| std::thread::sleep(soon));
        assert!(is_back(), "{} bytes are still held", live() - before);
    });
}
