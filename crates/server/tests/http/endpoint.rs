//! The endpoint as the API's page prints it.

use std::collections::BTreeSet;

use getcases::{Context, Scope};

use crate::client::Connection;
use crate::*;

/// The endpoint for the sample's stream.
pub(crate) fn path() -> String {
    format!("/caseManagement/api/public/analytics/{STREAM}/getCases")
}

/// A request of the app for the sample's scope.
pub(crate) fn asking(body: &str) -> Request {
    Request::new("POST", &path()).header("auth", &token()).header("accountId", ACCOUNT).json(body)
}

/// The request of the page's curl: every header of it.
fn sample() -> Request {
    Request::new("POST", &path())
        .header("sec-ch-ua", r#""Google Chrome";v="123", "Not:A-Brand";v="8", "Chromium";v="123""#)
        .header("AccountId", ACCOUNT)
        .header("client-app", "unified")
        .header("X-Timezone-Offset", "-330")
        .header("sec-ch-ua-mobile", "?0")
        .header("auth", &token())
        .header("state", "configured")
        .header("Iid", "st-d140086f-4d0a-59fa-9d28-b5fc23e9xxxx")
        .header("Accept", "application/json, text/plain, */*")
        .header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36")
        .header("bot-language", "en")
        .header("app-language", "en")
        .header("Referer", "http://localhost/builder/app/welcomeflows")
        .header("sec-ch-ua-platform", "\"Linux\"")
        .header("Content-Type", "application/json;charset=UTF-8")
}

#[test]
fn the_printed_sample_has_the_printed_response() {
    let started = Started::new();
    let mut request = sample();
    let body = include_str!("../../../../tests/seed/request.json");
    // The content type stands among the sample's headers.
    request = request.body(body);
    let answer = request.send(started.address);
    let printed = include_str!("../../../../tests/seed/response.json");
    let printed: serde_json::Value =
        serde_json::from_str(&printed.replace("{{accountId}}", ACCOUNT)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.text(), printed.to_string());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-getcases-ignored"), Some("name"));
}

#[test]
fn what_is_answered_is_what_the_library_answers() {
    let started = Started::new();
    let snapshot = started.engine.snapshot(&Scope::new(ACCOUNT, STREAM));
    let context = Context { user: Some("u-1".to_owned()), ..Context::default() };
    let mut connection = Connection::open(started.address);
    let mut statuses = BTreeSet::new();
    for body in [
        "{}",
        "",
        "[]",
        "{",
        r#"{"limit":-1,"status":7}"#,
        r#"{"mycase":true}"#,
        r#"{"searchText":"case","sortBy":"-name","limit":0}"#,
        r#"{"page":2}"#,
        r#"{"filter":{"not":{"status":{"in":["open"]}}}}"#,
        r#"{"limit":1e999}"#,
        "{\"a\":1,\"a\":2}",
        r#"{"selectedColumns":["name","é"]}"#,
        r#"{"cursor":"x"}"#,
        r#"{"cursor":true,"limit":1}"#,
    ] {
        let answer = connection.ask(&asking(body));
        statuses.insert(answer.status);
        match snapshot.search_json(body.as_bytes(), &context) {
            Ok(found) => {
                assert_eq!((answer.status, &answer.body), (200, &found.json), "{body}");
                assert_eq!(
                    answer.header("x-getcases-ignored").is_some(),
                    !found.ignored.is_empty()
                );
            }
            Err(refusal) => {
                let expected = (refusal.http_status(), refusal.to_json());
                assert_eq!((answer.status, answer.body), expected, "{body}");
            }
        }
    }
    assert_eq!(statuses, BTreeSet::from([200, 400]));
}

#[test]
fn headers_are_judged_with_the_body() {
    let started = Started::new();
    let offset = |value: &str, body: &str| {
        asking(body).header("X-Timezone-Offset", value).send(started.address)
    };
    let due = r#"{"dueDate":"2025-05-29"}"#;
    assert!(offset("-330", due).text().contains("\"totalResults\":1"));
    assert!(offset("300", due).text().contains("\"totalResults\":0"));
    let answer = offset("abc", r#"{"limit":-1}"#);
    assert_eq!(answer.codes(), ["invalid_offset", "invalid_integer"]);
    assert!(answer.text().contains("\"value\":\"abc\""), "{}", answer.text());
    assert_eq!(offset("721", "{}").codes(), ["invalid_offset"]);
    assert_eq!(offset("abc", "{").codes(), ["invalid_json"]);
    let twice = asking("{}").header("X-Timezone-Offset", "0").header("x-timezone-offset", "0");
    assert_eq!(twice.send(started.address).codes(), ["repeated_header"]);
    let strict = |value: &str| asking("{\"a\":1}").header("X-GetCases-Strict", value);
    assert_eq!(strict("1").send(started.address).codes(), ["unknown_field"]);
    assert_eq!(strict("0").send(started.address).status, 200);
    assert_eq!(strict("yes").send(started.address).codes(), ["invalid_type"]);
}

#[test]
fn a_request_is_judged_in_the_order_of_the_contract() {
    let started = Started::new();
    let send = |request: Request| {
        let answer = request.send(started.address);
        (answer.status, answer.codes().remove(0))
    };
    let own = |status: u16, code: &str| (status, code.to_owned());
    let plain = Request::new("POST", &path());
    // Each is wrong in all that comes after, too.
    assert_eq!(send(Request::new("POST", "/nowhere")), own(404, "unknown_path"));
    assert_eq!(send(Request::new("PUT", &path())), own(405, "method_not_allowed"));
    assert_eq!(send(plain.clone()), own(401, "unauthenticated"));
    let known = plain.header("auth", &token());
    assert_eq!(send(known.clone()), own(400, "missing_header"));
    let twice = known.clone().header("accountId", ACCOUNT).header("AccountId", ACCOUNT);
    assert_eq!(send(twice), own(400, "repeated_header"));
    let foreign = known.clone().header("accountId", "another").header("Content-Type", "text/plain");
    assert_eq!(send(foreign.clone()), own(404, "unknown_stream"));
    let right = known.header("accountId", ACCOUNT);
    let typed = right.clone().header("Content-Type", "text/plain").body("x".repeat(2 << 20));
    assert_eq!(send(typed), own(415, "unsupported_media_type"));
    assert_eq!(send(right.clone().json("x".repeat(2 << 20))), own(413, "body_too_large"));
    assert_eq!(send(right.json("x")), own(400, "invalid_json"));
    for method in ["GET", "HEAD", "DELETE", "PATCH", "OPTIONS"] {
        let answer = Request::new(method, &path()).send(started.address);
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
    }
    // A path that no name can be read from is nowhere, with any method.
    for path in ["/v1//s/getCases", "/v1/%ff/s/getCases", "/v1/a/s/cases/"] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = Request::new(method, path).header("auth", &token()).send(started.address);
            assert_eq!(answer.codes(), ["unknown_path"], "{method} {path}");
        }
    }
    let typed = asking("{}").header("Content-Type", "application/json");
    assert_eq!(send(typed), own(400, "repeated_header"));
}

#[test]
fn documents_that_are_asked_again_are_kept() {
    let started = Started::new();
    let bytes = || started.metric("getcases_document_cache_bytes");
    assert_eq!(bytes(), 0);
    let first = asking("{}").send(started.address);
    let kept = bytes();
    let second = asking("{}").send(started.address);
    assert!(kept > 0 && first.body == second.body && bytes() == kept, "{kept}");
}

/// What stands behind the `?` of a path is never left out in silence.
#[test]
fn a_query_that_nothing_reads_is_told() {
    let started = Started::new();
    let body = r#"{"name":"x"}"#;
    let asked = |path: &str| {
        let request = Request::new("POST", path).header("auth", &token()).json(body);
        request.header("accountId", ACCOUNT)
    };
    let own = format!("/v1/{ACCOUNT}/{STREAM}");
    for path in [path(), format!("{own}/getCases")] {
        let asked = asked(&format!("{path}?limit=1&a%20b&limit=2&%C3%A9"));
        let answer = asked.send(started.address);
        let ignored = answer.header("x-getcases-ignored");
        assert_eq!((answer.status, ignored), (200, Some(r"name, ?limit, ?a b, ?\u{e9}")));
        let strict = asked.header("X-GetCases-Strict", "1").send(started.address);
        assert_eq!((strict.status, strict.codes()), (400, vec!["unknown_field".to_owned(); 3]));
        assert!(strict.text().contains(r#""path":"?limit""#), "{}", strict.text());
    }
    // Many are told as all problems are.
    let many: String = (0..150).map(|at| format!("&n{at}")).collect();
    let many = Request::new("GET", &format!("{own}/stats?{many}")).header("auth", &token());
    let codes = many.send(started.address).codes();
    assert_eq!((codes.len(), codes.last().map(String::as_str)), (101, Some("too_many_problems")));
    for (method, path) in [
        ("GET", "stats?x=1"),
        ("GET", "changes?since=0&limit=3"),
        ("GET", "cases/none?fields=name"),
        ("DELETE", "cases/none?x"),
        ("PUT", "cases/none?x"),
        ("PATCH", "cases/none?x"),
        ("POST", "cases:batch?x"),
        ("POST", "cases:get?x"),
    ] {
        let request = Request::new(method, &format!("{own}/{path}")).header("auth", &token());
        assert_eq!(request.send(started.address).codes(), ["unknown_field"], "{method} {path}");
    }
}
