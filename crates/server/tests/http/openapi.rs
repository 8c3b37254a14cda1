//! The document of the API: it is current, and every response that it documents is got, with a body
//! of its schema and no code that is not documented.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;

use getcases::{Engine, Scope};
use getcases_server::{Access, AppSettings, Apps, Limits};
use serde_json::{Value, json};

use crate::client::{Answer, Connection};
use crate::setup::{APP, SECRET, app, now, seed_case, sign};
use crate::*;

/// Set, the document in docs/ is written anew.
const RENEW: &str = "GETCASES_RENEW";
/// What no request of a test gets.
const NOT_GOT: [(&str, &str); 5] = [
    ("internal_error", "a defect, of which none is known"),
    ("overloaded", "limits.rs has it, which asks more than one request after the other can"),
    ("storage_full", "a server without a disk; the command's tests fill one"),
    ("storage_failed", "a server without a disk; the command's tests have one that fails"),
    ("too_slow", "no question over a case takes a second, the least that a limit may be"),
];
/// A path, a method, and a body with which it is right.
type Operation = (&'static str, &'static str, &'static str);

fn operations() -> Vec<Operation> {
    let documented = "/caseManagement/api/public/analytics/{streamId}/getCases";
    vec![
        (documented, "post", "{}"),
        ("/v1/{account}/{stream}/getCases", "post", "{}"),
        ("/v1/{account}/{stream}/cases/{id}", "get", ""),
        ("/v1/{account}/{stream}/cases/{id}", "put", "{\"_id\":\"a/b\"}"),
        ("/v1/{account}/{stream}/cases/{id}", "delete", ""),
        ("/v1/{account}/{stream}/cases:batch", "post", "{\"_id\":\"1\"}\n\n{\"delete\":\"1\"}\n{"),
        ("/v1/{account}/{stream}/cases:get", "post", "{\"ids\":[\"a/b\",\"none\"]}"),
        ("/v1/{account}/{stream}/stats", "get", ""),
        ("/v1/{account}/{stream}/cases/{id}", "patch", "{\"a\":1}"),
        ("/v1/{account}/{stream}/changes", "get", ""),
    ]
}

/// A request that is right but for what is done to it.
fn ask((path, method, body): Operation) -> Request {
    ask_by((path, method, body), &token(), ACCOUNT)
}

fn ask_by((path, method, body): Operation, token: &str, account: &str) -> Request {
    let path = path.replace("{account}", account).replace("{id}", "a%2Fb");
    let path = path.replace("{stream}", STREAM).replace("{streamId}", STREAM);
    let query = if path.ends_with("/changes") { "?since=0" } else { "" };
    let request = Request::new(&method.to_uppercase(), &(path + query)).header("auth", token);
    let request = request.header("accountId", account);
    if body.is_empty() { request } else { request.body(body) }
}

/// The document, and what of it was got.
struct Documented {
    document: Value,
    /// The statuses and codes of each operation.
    got: BTreeMap<(String, String), BTreeSet<(u16, String)>>,
}

impl Documented {
    fn by(started: &Started) -> Self {
        let answer = Request::new("GET", "/openapi.json").send(started.address);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
        let document = serde_json::from_slice(&answer.body).unwrap();
        Self { document, got: BTreeMap::new() }
    }

    fn response(&self, (path, method): (&str, &str), status: u16) -> &Value {
        &self.document["paths"][path][method]["responses"][status.to_string()]
    }

    /// What of a value is not of a schema of the document.
    fn errors(&self, schema: &Value, value: &Value) -> Vec<String> {
        schema::errors(&self.document, schema, value)
    }

    fn schema(name: &str) -> Value {
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// Holds an answer against the document, and notes that it was got.
    fn note(&mut self, (path, method, _): Operation, answer: &Answer) {
        let shown = format!("{method} {path}: {}", answer.status);
        let response = self.response((path, method), answer.status).clone();
        assert!(response.is_object(), "{shown} is not documented: {answer:?}");
        let got = self.got.entry((path.to_owned(), method.to_owned())).or_default();
        let Some(content) = response["content"].as_object() else {
            assert!(answer.body.is_empty(), "{shown}: {answer:?}");
            got.insert((answer.status, String::new()));
            return;
        };
        let media = answer.header("content-type").unwrap_or_default();
        let body = content.get(media).unwrap_or_else(|| panic!("{shown}: {answer:?}"));
        for name in response["headers"].as_object().unwrap().keys() {
            let is_there = answer.header(&name.to_lowercase()).is_some();
            let may_lack = name == "X-GetCases-Ignored";
            assert!(is_there || may_lack, "{shown}: {name}: {answer:?}");
        }
        let codes = if answer.status < 300 { Vec::new() } else { answer.codes() };
        got.insert((answer.status, codes.first().cloned().unwrap_or_default()));
        for code in codes.iter().skip(1) {
            got.insert((answer.status, code.clone()));
        }
        if media != "application/json" {
            return;
        }
        let value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(self.errors(&body["schema"], &value), [""; 0], "{shown}: {value}");
    }

    /// Every documented response that was not got; and what was got that is not documented.
    fn differences(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (path, methods) in self.document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let got = self.got.get(&(path.clone(), method.clone()));
                let got = got.cloned().unwrap_or_default();
                let mut documented = BTreeSet::new();
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let status: u16 = status.parse().unwrap();
                    let none = vec![json!("")];
                    for code in response["x-codes"].as_array().unwrap_or(&none) {
                        documented.insert((status, code.as_str().unwrap().to_owned()));
                    }
                }
                documented.retain(|(_, code)| NOT_GOT.iter().all(|(other, _)| other != code));
                let differ = documented.symmetric_difference(&got);
                wrong.extend(differ.map(|own| format!("{method} {path}: {own:?}")));
            }
        }
        wrong
    }
}

/// A server with the case of the sample, and one of an `_id` that a path must encode.
fn started(limits: Limits, apps: &[AppSettings], engine: Engine) -> Started {
    let scope = Scope::new(ACCOUNT, STREAM);
    engine.write(|batch| batch.upsert(&scope, seed_case())).unwrap();
    Started::of(Arc::new(engine), Access::Apps(Apps::new(apps).unwrap()), limits)
}

fn plain() -> Started {
    let limits =
        Limits { body_seconds: 1, body_bytes: 4096, batch_bytes: 4096, ..Limits::default() };
    let powerless = AppSettings { id: "powerless".to_owned(), scopes: Vec::new(), ..app() };
    started(limits, &[app(), powerless], Engine::new())
}

/// The bytes of a request with a byte in a header that is no UTF-8.
fn with_broken_header(request: &Request, name: &str) -> Vec<u8> {
    let bytes = request.clone().header(name, "?").to_bytes();
    let line = format!("{name}: ?");
    let at = bytes.windows(line.len()).position(|own| own == line.as_bytes()).unwrap();
    let mut bytes = bytes;
    bytes[at + line.len() - 1] = 0xff;
    bytes
}

fn send(started: &Started, bytes: &[u8]) -> Answer {
    let mut connection = Connection::open(started.address);
    connection.stream.write_all(bytes).unwrap();
    connection.answer(false).unwrap()
}

/// What any operation may answer that asks for a token.
fn admission(own: Operation, started: &Started, documented: &mut Documented) {
    let (path, method, body) = own;
    let claims = json!({"sub": "s", "appId": "powerless", "exp": now() + 600});
    for request in [
        ask_by(own, "none", ACCOUNT),
        ask_by(own, &sign(&claims, SECRET), ACCOUNT),
        ask_by(own, &token(), "another"),
        ask_by((&*path.replace("{stream", "%FF{stream").leak(), method, body), &token(), ACCOUNT),
        ask(own).header("X-Long", &"x".repeat(200_000)),
    ] {
        documented.note(own, &request.send(started.address));
    }
    let loading = Started::loading();
    documented.note(own, &ask(own).send(loading.address));
    let limits = Limits { account_rate: 1, ..Limits::default() };
    let busy = self::started(limits, &[app()], Engine::new());
    ask(own).send(busy.address);
    documented.note(own, &ask(own).send(busy.address));
}

/// What a read may answer that wants a state.
fn state(own: Operation, started: &Started, documented: &mut Documented) {
    let name = "X-GetCases-Min-Generation";
    for request in [
        ask(own).header(name, "x"),
        ask(own).header(name, "99"),
        ask(own).header(name, "0").header(name, "0"),
    ] {
        documented.note(own, &request.send(started.address));
    }
    documented.note(own, &send(started, &with_broken_header(&ask(own), name)));
}

/// What a body may be answered, before it is understood and where it is not.
fn body(own: Operation, started: &Started, documented: &mut Documented) {
    let (path, method, _) = own;
    let empty = ask((path, method, ""));
    let head = |more: &str| {
        let mut bytes = empty.to_bytes();
        bytes.truncate(bytes.len() - 2);
        bytes.extend_from_slice(more.as_bytes());
        bytes
    };
    documented.note(own, &ask(own).header("Content-Type", "text/plain").send(started.address));
    documented.note(own, &send(started, &head("Content-Length: 5000\r\n\r\n")));
    documented.note(own, &send(started, &head("Content-Length: 5\r\n\r\n{")));
    let broken = head("Transfer-Encoding: chunked\r\n\r\nno length\r\n");
    documented.note(own, &send(started, &broken));
}

/// Bodies of `getCases`, each refused.
fn questions() -> Vec<String> {
    let deep = |depth: usize, open: &str, close: &str| open.repeat(depth) + &close.repeat(depth);
    let mut questions: Vec<String> = [
        "[]",
        "{\"a\":1,\"a\":2}",
        r#"{"page":1,"skip":7}"#,
        r#"{"cursor":"x"}"#,
        r#"{"limit":-1,"startDate":"soon","sortBy":["-a:b","colour"],"status":7,"facets":"x"}"#,
        r#"{"filter":{"or":[],"colour":1,"status":{"on":1}}}"#,
    ]
    .map(str::to_owned)
    .into();
    questions.push(format!("{{\"a\":{}}}", deep(200, "[", "]")));
    questions.push(json!({"status": vec!["a"; 1001]}).to_string());
    // Cut, it is told as a text, which every reader can read.
    let huge = "9".repeat(400);
    questions.push(format!("{{\"filter\":{{\"priorityScore\":{{\"on\":{huge}}}}}}}"));
    questions.push(json!({"searchText": "a".repeat(1025)}).to_string());
    questions.push(json!({"status": vec![1; 200]}).to_string());
    questions.push(format!("{{\"filter\":{}1{}}}", "{\"not\":".repeat(20), "}".repeat(20)));
    questions
}

fn question((path, method, _): Operation, started: &Started, documented: &mut Documented) {
    for body in questions() {
        let own = (path, method, &*body.leak());
        documented.note(own, &ask(own).send(started.address));
    }
    let own = (path, method, "{\"mycase\":true}");
    let claims = json!({"sub": "s", "appId": APP, "exp": now() + 600});
    let nobody = ask_by(own, &sign(&claims, SECRET), ACCOUNT);
    documented.note(own, &nobody.send(started.address));
    let strict = ask((path, method, "{\"colour\":1}")).header("X-GetCases-Strict", "1");
    documented.note(own, &strict.send(started.address));
    documented.note(own, &ask(own).header("X-Timezone-Offset", "east").send(started.address));
}

fn room(own: Operation, documented: &mut Documented) {
    // Whether a case that is written is new is known only when it is.
    let few = getcases::Limits { cases: 2, ..getcases::Limits::default() };
    for engine in [Engine::builder().limits(few), Engine::builder().memory_limit(1 << 19)] {
        let body = format!("{{\"_id\":\"a/b\",\"name\":\"{}\"}}", "x".repeat(900_000));
        let own = (own.0, own.1, &*body.leak());
        let full = started(Limits::default(), &[app()], engine.build());
        let scope = Scope::new(ACCOUNT, STREAM);
        full.engine.write(|batch| batch.upsert(&scope, "{\"_id\":\"a/b\"}")).unwrap();
        documented.note(own, &ask(own).send(full.address));
    }
}

#[test]
fn every_documented_response_is_got_and_no_other() {
    let started = plain();
    let mut documented = Documented::by(&started);
    let mut operations = operations();
    for own in &operations {
        admission(*own, &started, &mut documented);
    }
    let is_read = |(path, method, _): &Operation| {
        *method == "get" && !path.ends_with("/changes")
            || path.ends_with("getCases")
            || path.ends_with(":get")
    };
    for own in operations.iter().filter(|own| is_read(own)) {
        state(*own, &started, &mut documented);
    }
    for own in operations.iter().filter(|own| !own.2.is_empty()) {
        body(*own, &started, &mut documented);
    }
    for own in operations.iter().filter(|own| own.0.ends_with("getCases")) {
        question(*own, &started, &mut documented);
    }
    let no_account = Request::new("POST", &endpoint::path()).header("auth", &token());
    documented.note(operations[0], &no_account.send(started.address));
    many(&operations, &mut documented);
    documents(operations[3], &started, &mut documented);
    for own in [operations[3], operations[4], operations[8]] {
        expected(own, &started, &mut documented);
    }
    let none = |batch: &mut getcases::Batch<'_>| {
        batch.delete(&Scope::new(ACCOUNT, STREAM), "a/b");
        Ok::<_, getcases::Refusal>(())
    };
    started.engine.write(none).unwrap();
    patches(operations[8], &mut documented);
    changed(operations[9], &mut documented);
    room(operations[8], &mut documented);
    room(operations[3], &mut documented);
    room(operations[5], &mut documented);
    // In this order a case is unknown, new, there, replaced, and deleted.
    operations.swap(2, 4);
    for own in operations[2..5].iter().rev().chain(&operations[2..5]) {
        documented.note(*own, &ask(*own).send(started.address));
    }
    for own in &operations {
        documented.note(*own, &ask(*own).send(started.address));
    }
    documented.note(operations[3], &ask(operations[3]).send(started.address));
    probes(&started, &mut documented);
    assert_eq!(documented.differences(), [""; 0]);
}

/// Bodies of many cases that are refused as a whole.
fn many(operations: &[Operation], documented: &mut Documented) {
    let roomy = started(Limits::default(), &[app()], Engine::new());
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let ids = json!({"ids": vec!["a"; 1001]}).to_string();
    let wrong = json!({"ids": vec![7; 150]}).to_string();
    let of_ids = [&*ids, &wrong, "[]", "{\"ids\":[],\"ids\":[]}", &deep, "{\"ids\":7,\"a\":1}"];
    let lines = ["x\n".repeat(1001), "{\"delete\":\"1\"}\n".repeat(250_001)];
    let of_ids = of_ids.map(|body| (6, body.to_owned()));
    for (at, body) in of_ids.into_iter().chain(lines.map(|body| (5, body))) {
        let own = (operations[at].0, operations[at].1, &*body.leak());
        documented.note(own, &ask(own).send(roomy.address));
    }
}

/// What is answered to a write that expects something, or says it wrongly.
fn expected(own: Operation, started: &Started, documented: &mut Documented) {
    let scope = Scope::new(ACCOUNT, STREAM);
    started.engine.write(|batch| batch.upsert(&scope, "{\"_id\":\"a/b\"}")).unwrap();
    for request in [
        ask(own).header("If-Match", "x"),
        ask(own).header("If-Match", "*").header("If-Match", "*"),
        ask(own).header("If-None-Match", "*"),
    ] {
        documented.note(own, &request.send(started.address));
    }
}

/// What a patch is answered, from where its case is not there on.
fn patches(own: Operation, documented: &mut Documented) {
    let started = plain();
    documented.note(own, &ask(own).send(started.address));
    let scope = Scope::new(ACCOUNT, STREAM);
    let large = json!({"_id": "a/b", "a": "x".repeat((1 << 20) - 1000)}).to_string();
    started.engine.write(|batch| batch.upsert(&scope, large)).unwrap();
    let more = json!({"b": "x".repeat(2000)}).to_string();
    let deep = format!("{{\"b\":{}{}}}", "[".repeat(200), "]".repeat(200));
    for body in [
        "[]",
        "{\"b\":1,\"b\":1}",
        "{\"dueDate\":\"soon\",\"status\":7}",
        "{\"_id\":\"other\"}",
        "{\"accountId\":\"other\"}",
        &deep,
        &more,
        "{\"a\":null}",
    ] {
        let own = (own.0, own.1, &*body.to_owned().leak());
        documented.note(own, &ask(own).send(started.address));
    }
    let case = started.engine.snapshot(&scope).get("a/b").unwrap();
    assert_eq!(case.json(), "{\"_id\":\"a/b\"}");
}

/// What is told of changes: of a generation that is none, that is still to come, or long gone.
fn changed(own: Operation, documented: &mut Documented) {
    let engine = Engine::builder().changes_kept(0).build();
    let started = self::started(Limits::default(), &[app()], engine);
    let path = own.0.replace("{account}", ACCOUNT).replace("{stream}", STREAM);
    for since in ["", "?since=x", "?since=1&since=1", "?since=99", "?since=0", "?since=1"] {
        let request = Request::new("GET", &format!("{path}{since}")).header("auth", &token());
        documented.note(own, &request.send(started.address));
    }
}

fn documents((path, method, _): Operation, started: &Started, documented: &mut Documented) {
    for body in [
        "[]",
        "{\"_id\":\"1\",\"_id\":\"1\"}",
        "{\"_id\":\"another\"}",
        r#"{"_id":7,"status":7,"dueDate":"soon"}"#,
        r#"{"_id":"a/b","accountId":"another"}"#,
        &format!("{{\"_id\":\"a/b\",\"a\":{}{}}}", "[".repeat(200), "]".repeat(200)),
    ] {
        let own = (path, method, &*body.to_owned().leak());
        documented.note(own, &ask(own).send(started.address));
    }
}

fn probes(started: &Started, documented: &mut Documented) {
    let loading = Started::loading();
    for path in ["/livez", "/readyz", "/metrics"] {
        let request = Request::new("GET", path);
        let own = (path, "get", "");
        documented.note(own, &request.send(started.address));
        documented.note(own, &request.header("X", &"x".repeat(200_000)).send(started.address));
    }
    let ready = Request::new("GET", "/readyz");
    documented.note(("/readyz", "get", ""), &ready.send(loading.address));
}

#[test]
fn each_line_of_a_batch_is_of_its_schema() {
    let started = Started::new();
    let documented = Documented::by(&started);
    let path = format!("/v1/{ACCOUNT}/{STREAM}/cases:batch");
    let lines =
        "{\"_id\":\"1\"}\n{\"delete\":\"1\"}\n{\"_id\":\"\"}\nx\n\n{\"delete\":1}\n[\"1\"]\n";
    let request = Request::new("POST", &path).header("auth", &token()).body(lines);
    let answer = request.send(started.address);
    let told: Vec<Value> =
        answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), 6, "{}", answer.text());
    for line in &told {
        assert_eq!(documented.errors(&Documented::schema("ToldLine"), line), [""; 0]);
    }
    let refused = told.iter().filter(|line| line["errors"].is_array()).count();
    assert_eq!(refused, 4, "{}", answer.text());
}

/// The schema of a question is not narrower than the contract: what its vectors have answered is of
/// it.
#[test]
fn what_the_contract_accepts_is_of_the_schema() {
    let documented = Documented::by(&Started::loading());
    let schema = Documented::schema("GetCases");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/contract");
    let mut accepted = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let vector: Value = serde_json::from_str(&text).unwrap();
        let Some(request) = vector["request"].as_str() else { continue };
        if vector["expect"]["totalResults"].is_null() || request.trim().is_empty() {
            continue;
        }
        // Some have numbers that no double holds, where nothing reads them.
        let Ok(value) = serde_json::from_str(request) else { continue };
        let errors = documented.errors(&schema, &value);
        assert_eq!(errors, [""; 0], "{request}");
        accepted += 1;
    }
    assert!(accepted > 100, "{accepted} vectors are accepted");
}

/// Every key of the schema is one that is read.
#[test]
fn no_key_of_the_schema_is_ignored() {
    let started = Started::new();
    let documented = Documented::by(&started);
    let schemas = &documented.document["components"]["schemas"];
    let asked = |body: Value| {
        let request = endpoint::asking(&body.to_string()).header("X-GetCases-Strict", "1");
        let answer = request.send(started.address);
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
    };
    for key in schemas["GetCases"]["properties"].as_object().unwrap().keys() {
        asked(json!({ key: null }));
    }
    for (field, schema) in schemas["Filter"]["properties"].as_object().unwrap() {
        let name = schema["$ref"].as_str().unwrap_or_default().rsplit('/').next().unwrap();
        let body = match (&**field, name) {
            ("and" | "or", _) => json!([{"mycase": true}]),
            ("not", _) => json!({"mycase": true}),
            (_, "IsSo") => json!({"eq": true, "exists": true}),
            _ => {
                let value = |key: &String| match (&**key, name) {
                    ("exists", _) => json!(true),
                    ("in", _) => json!(["a"]),
                    (_, "NumberRange") => json!(1),
                    (_, "DateRange") => json!("2025-05-27"),
                    _ => json!("a"),
                };
                let keys = schemas[name]["properties"].as_object().unwrap().keys();
                keys.map(|key| (key.clone(), value(key))).collect()
            }
        };
        asked(json!({"filter": { field: body }}));
    }
}

/// `GETCASES_RENEW=1 cargo test -p getcases-server openapi` writes it anew.
#[test]
fn the_document_in_docs_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let started = Started::loading();
    let answer = Request::new("GET", "/openapi.json").send(started.address);
    if std::env::var_os(RENEW).is_some() {
        std::fs::write(file, &answer.body).unwrap();
    }
    let own = std::fs::read_to_string(file).unwrap_or_default();
    assert!(own == answer.text(), "docs/openapi.json is old: set {RENEW} to write it anew");
}
