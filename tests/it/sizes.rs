//! Bodies and documents as long as they may be, of kinds that a careless reader takes the square of
//! their length for: each of these would then take minutes.

use getcases::{Case, Code, Context, Engine, Query, Scope};

/// How long a body or a document may be, in bytes.
const MOST: usize = 1 << 20;
/// How long an answer may be that holds no documents.
const LONGEST: usize = 256 << 10;

/// As many parts as fit between two ends, with commas between them.
fn filled(start: &str, part: impl Fn(usize) -> String, end: &str) -> String {
    let mut text = start.to_owned();
    for n in 0.. {
        let part = part(n);
        if text.len() + part.len() + end.len() + 1 > MOST {
            break;
        }
        if n > 0 {
            text.push(',');
        }
        text += &part;
    }
    text + end
}

fn bodies() -> Vec<String> {
    let deep = |close: bool| if close { "]".repeat(126) } else { "[".repeat(126) };
    vec![
        filled("{", |n| format!("\"{n:x}\":1"), "}"),
        filled("{", |n| format!("\"\\u0061{n:x}\":1"), "}"),
        filled("{", |n| format!("\"{n:x}\":-0"), ",\"0\":1}"),
        filled("{\"x\":[", |n| format!("{{\"{n:x}\":1e999}}"), "]}"),
        filled(
            &format!("{{\"x\":{}", deep(false)),
            |n| n.to_string(),
            &format!("{}}}", deep(true)),
        ),
        filled(&format!("{{\"x\":{}", deep(false)), |_| "[[]".to_owned(), ""),
        filled("{\"status\":[", |_| "1".to_owned(), "]}"),
        filled("{\"sortBy\":{", |n| format!("\"{n:x}\":1"), "}}"),
        filled("{\"sortBy\":[{", |n| format!("\"{n:x}\":1"), "}]}"),
        filled("{\"selectedColumns\":[", |n| format!("\"{n}\""), "]}"),
        format!("{{\"{}\":1}}", "k".repeat(MOST - 10)),
        format!("{{\"limit\":{}}}", "9".repeat(MOST - 12)),
        format!("{{\"searchText\":\"{}\"}}", "\\u0001".repeat((MOST - 20) / 6)),
        format!("{{\"{}\":{{\"a\":1,\"a\":2}}}}", "\\n".repeat((MOST - 30) / 2)),
        filled("{\"x\":\"", |_| "\n".to_owned(), "\"}"),
    ]
}

#[test]
fn no_body_takes_long_or_gets_a_long_answer() {
    let engine = Engine::new();
    let desk = Scope::new("a", "s");
    engine.write(|batch| batch.upsert(&desk, r#"{"_id":"1"}"#)).unwrap();
    let snapshot = engine.snapshot(&desk);
    for body in bodies() {
        assert!(body.len() <= MOST, "{}", body.len());
        for strict in [false, true] {
            let context = Context { strict, ..Context::default() };
            match Query::from_json(body.as_bytes(), &context) {
                Err(refusal) => {
                    let texts = [refusal.to_json().len(), refusal.to_string().len()];
                    assert!(texts.iter().all(|length| *length < LONGEST), "{texts:?}");
                }
                Ok(query) => {
                    let explain = snapshot.explain(&query);
                    let ignored: usize = explain.ignored.iter().map(String::len).sum();
                    assert!(ignored < LONGEST && explain.to_string().len() < LONGEST);
                    assert_eq!(snapshot.search(&query).ignored, explain.ignored);
                }
            }
        }
    }
}

#[test]
fn what_is_not_listed_is_counted() {
    let body = filled("{", |n| format!("\"k{n}\":1"), "}");
    let count = body.matches(':').count();
    let query = Query::from_json(body.as_bytes(), &Context::default()).unwrap();
    assert_eq!(query.ignored().last().unwrap(), &format!("… and {} more", count - 100));
    let strict = Context { strict: true, ..Context::default() };
    let refusal = Query::from_json(body.as_bytes(), &strict).unwrap_err();
    let last = refusal.problems().last().unwrap();
    assert_eq!((refusal.problems().len(), last.code()), (101, Code::TooManyProblems));
    assert_eq!(last.msg(), format!("{} more problems", count - 100));
}

#[test]
fn no_document_takes_long_to_read() {
    let documents = [
        filled("{\"_id\":\"1\",", |n| format!("\"{n:x}\":1"), "}"),
        filled("{\"_id\":\"1\",", |n| format!("\"\\u0061{n:x}\":1"), "}"),
        filled("{\"_id\":\"1\",\"fields\":[", |n| format!("{{\"lname\":\"{n}\"}}"), "]}"),
        filled("{\"_id\":\"1\",\"fields\":[", |_| "{\"metaData\":{}}".to_owned(), "]}"),
        filled("{\"_id\":\"1\",\"fields\":[{", |n| format!("\"{n:x}\":1"), "}]}"),
        filled("{\"_id\":\"1\",\"status\":{", |n| format!("\"{n:x}\":1"), "}}"),
        filled("{\"_id\":\"1\",\"currAssignee\":{", |n| format!("\"{n:x}\":1"), "}}"),
        filled("{\"_id\":\"1\",\"queues\":[", |n| format!("\"{n:x}\""), "]}"),
        filled("{\"_id\":\"1\",\"channel\":[", |n| format!("\"{n:x}\""), "]}"),
        filled("{\"_id\":\"1\" ,\"queues\":[ ", |_| "{ }".to_owned(), " ] }"),
    ];
    for document in documents {
        assert!(document.len() <= MOST);
        assert_eq!(Case::from_json(document.as_bytes()).unwrap().id(), "1");
    }
}
