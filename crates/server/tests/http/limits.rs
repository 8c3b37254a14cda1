//! How much is too much, and who is not touched by it.

use std::io::{Read, Write};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use getcases::Scope;
use getcases_server::{AppSettings, Limits};
use serde_json::{Value, json};

use crate::abuse::with_large_cases;
use crate::client::Connection;
use crate::endpoint::{asking, path};
use crate::setup::{app, soon};
use crate::*;

const OTHER: &str = "another account";

/// A server with a case in each of two accounts, of which one app may ask for both.
fn two_accounts(limits: Limits) -> Started {
    let accounts = vec![ACCOUNT.to_owned(), OTHER.to_owned()];
    let started = Started::with(limits, &[AppSettings { accounts, ..app() }]);
    let other = Scope::new(OTHER, STREAM);
    started.engine.write(|batch| batch.upsert(&other, "{\"_id\":\"1\"}")).unwrap();
    started
}

fn status_of(started: &Started, account: &str) -> u16 {
    let request = Request::new("POST", &path()).header("auth", &token());
    request.header("accountId", account).json("{}").send(started.address).status
}

#[test]
fn an_account_asks_so_much_at_once() {
    let started = two_accounts(Limits { account_concurrency: 1, ..Limits::default() });
    let mut slow = Connection::open(started.address);
    let bytes = asking("{}").to_bytes();
    let (head, body) = bytes.split_at(bytes.len() - 1);
    slow.stream.write_all(head).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    soon("it is under way", || status_of(&started, ACCOUNT) == 429);
    let answer = asking("{}").send(started.address);
    assert_eq!(answer.codes(), ["too_many_requests"]);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(status_of(&started, OTHER), 200);
    // What asks nothing of an account is not refused for it.
    assert_eq!(status_of(&started, "nobody's"), 404);
    slow.stream.write_all(body).unwrap();
    assert_eq!(slow.answer(false).unwrap().status, 200);
    soon("its place is free", || status_of(&started, ACCOUNT) == 200);
}

/// An answer takes memory until it is taken: its place is its own until then.
#[test]
fn an_answer_that_nobody_takes_counts() {
    let started = with_large_cases(50, Limits { account_concurrency: 1, ..Limits::default() });
    let mut slow = Connection::open(started.address);
    slow.stream.write_all(&asking("{}").to_bytes()).unwrap();
    slow.stream.peek(&mut [0]).unwrap();
    assert_eq!(status_of(&started, ACCOUNT), 429);
    assert_eq!(slow.answer(false).unwrap().status, 200);
    let small = asking("{\"limit\":0}");
    soon("its place is free", || small.send(started.address).status == 200);
}

#[test]
fn an_account_asks_so_often() {
    let started = two_accounts(Limits { account_rate: 5, ..Limits::default() });
    let mut connection = Connection::open(started.address);
    let answers: Vec<_> = (0..12).map(|_| connection.ask(&asking("{}"))).collect();
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    let count = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(count >= 5 && !refused.is_empty(), "{count}");
    for answer in refused {
        assert_eq!(answer.codes(), ["too_many_requests"]);
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(status_of(&started, OTHER), 200);
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(status_of(&started, ACCOUNT), 200);
    // A new limit holds from the next request on.
    let apps = getcases_server::Apps::new(&[app()]).unwrap();
    started.server.set_rules(getcases_server::Access::Apps(apps), Limits::default());
    assert!((0..20).all(|_| status_of(&started, ACCOUNT) == 200));
}

#[test]
fn what_would_wait_for_too_long_is_refused_at_once() {
    let started = two_accounts(Limits { queue_milliseconds: 0, ..Limits::default() });
    let (address, refused) = (started.address, OnceLock::new());
    let deadline = Instant::now() + Duration::from_secs(30);
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let mut connection = Connection::open(address);
                while refused.get().is_none() && Instant::now() < deadline {
                    let answer = connection.ask(&asking("{}"));
                    if answer.status != 200 {
                        let _ = refused.set(answer);
                    }
                }
            });
        }
    });
    let refused = refused.into_inner().expect("32 at once wait for one another");
    assert_eq!((refused.status, refused.codes()), (503, vec!["overloaded".to_owned()]));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.header("x-request-id").is_some_and(|id| !id.is_empty()));
    assert!(started.metric("getcases_http_refusals_total{code=\"overloaded\"}") > 0);
    // Nobody waits any more.
    soon("it answers again", || status_of(&started, ACCOUNT) == 200);
}

#[test]
fn connections_beyond_the_cap_are_told_so() {
    let started = Started::with(Limits { connections: 2, ..Limits::default() }, &[app()]);
    let mut first = Connection::open(started.address);
    let mut second = Connection::open(started.address);
    assert_eq!(first.ask(&asking("{}")).status, 200);
    assert_eq!(second.ask(&asking("{}")).status, 200);
    let mut third = Connection::open(started.address);
    let mut told = String::new();
    third.stream.read_to_string(&mut told).unwrap();
    assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("Retry-After: 1\r\n"), "{told}");
    assert_eq!(first.ask(&asking("{}")).status, 200);
    drop(second);
    soon("there is room again", || {
        let mut own = Connection::open(started.address);
        own.stream.write_all(&asking("{}").to_bytes()).is_ok()
            && own.answer(false).is_some_and(|answer| answer.status == 200)
    });
}

#[test]
fn bodies_have_bounds() {
    let limits = Limits { batch_bytes: 2000, body_bytes: 1024, ..Limits::default() };
    let started = Started::with(limits, &[app()]);
    let batch = format!("/v1/{ACCOUNT}/{STREAM}/cases:batch");
    let lines = |length: usize| {
        let line = json!({"_id": "1", "a": "x".repeat(length - 18)}).to_string();
        assert_eq!(line.len(), length);
        Request::new("POST", &batch).header("auth", &token()).body(line)
    };
    assert_eq!(lines(2000).send(started.address).status, 200);
    let answer = lines(2001).send(started.address);
    assert_eq!((answer.status, answer.codes()), (413, vec!["body_too_large".to_owned()]));
    assert!(answer.text().contains("at most 2000 bytes"), "{}", answer.text());
    let body = |length: usize| asking(&format!("{{{}}}", " ".repeat(length - 2)));
    assert_eq!(body(1024).send(started.address).status, 200);
    assert_eq!(body(1025).send(started.address).codes(), ["body_too_large"]);
    // Without a length it is known only on the way.
    let chunked = |length: usize| {
        let mut connection = Connection::open(started.address);
        let head = asking("").header("Transfer-Encoding", "chunked").to_bytes();
        connection.stream.write_all(&head).unwrap();
        for _ in 0..length / 25 {
            connection
                .stream
                .write_all(format!("19\r\n{}\r\n", " ".repeat(25)).as_bytes())
                .unwrap();
        }
        connection.stream.write_all(b"0\r\n\r\n").unwrap();
        connection.answer(false).unwrap().status
    };
    assert_eq!((chunked(1000), chunked(1050)), (200, 413));
}

/// Neither what is kept of a batch nor what is told of it grows far beyond its bytes.
#[test]
fn batches_have_bounded_lines() {
    let started = Started::new();
    let batch = |lines: &str| {
        let path = format!("/v1/{ACCOUNT}/{STREAM}/cases:batch");
        Request::new("POST", &path).header("auth", &token()).body(lines).send(started.address)
    };
    let wrong = |count: usize| format!("{}{{\"_id\":\"new {count}\"}}", "x\n".repeat(count));
    let is_there = |id: &str| {
        let snapshot = started.engine.snapshot(&Scope::new(ACCOUNT, STREAM));
        snapshot.get(id).is_some()
    };
    let answer = batch(&wrong(1000));
    assert_eq!((answer.status, answer.text().lines().count()), (200, 1001));
    assert!(is_there("new 1000"));
    let answer = batch(&wrong(1001));
    assert_eq!((answer.status, answer.codes()), (400, vec!["too_many_problems".to_owned()]));
    assert!(!is_there("new 1001"), "nothing of it is written");
    let answer = batch(&"{\"delete\":\"1\"}\n".repeat(250_001));
    assert_eq!((answer.status, answer.codes()), (400, vec!["too_many_values".to_owned()]));
}

/// Where a line is wrong is told by its number in the batch, as an editor counts.
#[test]
fn wrong_lines_are_told_by_their_numbers() {
    let started = Started::new();
    let lines =
        "\n{\"_id\":\"a\"}\r\n \t\r\n {\"_id\":\"é\",x}\n{\"_id\":7}\n\nx\n{\"delete\":\"a\"}\n[";
    let path = format!("/v1/{ACCOUNT}/{STREAM}/cases:batch");
    let request = Request::new("POST", &path).header("auth", &token()).body(lines);
    let answer = request.send(started.address);
    let told: Vec<Value> =
        answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let refused: Vec<_> = told
        .iter()
        .filter(|own| own["line"].is_u64())
        .map(|own| (own["line"].as_u64().unwrap(), own["errors"][0]["msg"].as_str().unwrap()))
        .collect();
    let expected = [
        (4, "not strict JSON at line 4, column 13: no key where an object needs one"),
        (5, "a case needs an _id that is a text"),
        (7, "not strict JSON at line 7, column 1: no value"),
        (9, "not strict JSON at line 9, column 2: the end of the text"),
    ];
    assert_eq!(refused, expected);
    assert_eq!(told.len(), 6, "{}", answer.text());
}

/// A line that has the key `delete` is no case, and is told as what it is.
#[test]
fn wrong_deletes_are_refused_at_their_places() {
    let started = Started::new();
    let scope = Scope::new(ACCOUNT, STREAM);
    started.engine.write(|batch| batch.upsert(&scope, "{\"_id\":\"a\"}")).unwrap();
    let path = format!("/v1/{ACCOUNT}/{STREAM}/cases:batch");
    let post = |lines: &str| Request::new("POST", &path).header("auth", &token()).body(lines);
    for (line, problems) in [
        ("{\"delete\":7}", &[("invalid_type", "$.delete")][..]),
        ("{\"delete\":null}", &[("invalid_type", "$.delete")]),
        ("{\"delete\":[\"a\"]}", &[("invalid_type", "$.delete")]),
        ("{\"delete\":\"a\",\"x\":1}", &[("unknown_field", "$.x")]),
        (
            "{\"a b\":1,\"delete\":7}",
            &[("unknown_field", "$[\"a b\"]"), ("invalid_type", "$.delete")],
        ),
        ("{\"delete\":\"a\",\"delete\":\"b\"}", &[("duplicate_key", "$.delete")]),
        ("{\"delete\":\"\\ud800\"}", &[("invalid_json", "$")]),
        // Which of two is meant is not guessed.
        ("{\"_id\":\"b\",\"delete\":\"a\"}", &[("unknown_field", "$._id")]),
        (
            "{\"_id\":\"a\",\"delete\":true}",
            &[("unknown_field", "$._id"), ("invalid_type", "$.delete")],
        ),
        ("{\"_id\":\"b\",\"\\u0064elete\":\"a\"}", &[("unknown_field", "$._id")]),
        // What else is no case.
        ("{\"patch\":{\"status\":\"open\"},\"id\":\"a\"}", &[("invalid_id", "$._id")]),
        ("{\"upsert\":{\"_id\":\"a\"},\"ifMatch\":\"*\"}", &[("invalid_id", "$._id")]),
        ("{\"Delete\":\"a\"}", &[("invalid_id", "$._id")]),
    ] {
        let answer = post(line).send(started.address);
        assert_eq!((answer.status, answer.text().lines().count()), (200, 1), "{line}");
        let told: Value = serde_json::from_slice(&answer.body).unwrap();
        let told: Vec<_> = told["errors"].as_array().unwrap().iter().collect();
        let told: Vec<_> = told
            .iter()
            .map(|own| (own["code"].as_str().unwrap(), own["path"].as_str().unwrap()))
            .collect();
        assert_eq!(told, problems, "{line}");
    }
    let snapshot = started.engine.snapshot(&scope);
    assert!(snapshot.get("a").is_some() && snapshot.get("b").is_none());
    // A case that has such a key within, or a value that reads so, is a case.
    let lines = "{\"_id\":\"c\",\"a\":{\"delete\":1},\"b\":\"delete\",\"xdelete\":1}\n\
                 {\"delete\":\"a\"}\n{ \"\\u0064elete\" : \"a\" }\n\
                 {\"_id\":\"1\",\"patch\":{},\"\\u0064\":1}";
    let answer = post(lines).send(started.address);
    assert!(!answer.text().contains("errors"), "{}", answer.text());
    assert_eq!(started.engine.snapshot(&scope).len(), 3);
}

/// What is wrong with the `_id`s that are asked for is told as of any body.
#[test]
fn wrong_ids_are_refused_at_their_place() {
    let started = Started::new();
    let read = |body: &str| {
        let path = format!("/v1/{ACCOUNT}/{STREAM}/cases:get");
        Request::new("POST", &path).header("auth", &token()).json(body).send(started.address)
    };
    let deep = format!("{{\"ids\":{}{}}}", "[".repeat(128), "]".repeat(128));
    for (body, problems) in [
        ("{\"ids\"", &[("invalid_json", "$")][..]),
        ("", &[("invalid_json", "$")]),
        ("\u{feff}{\"ids\":[]}", &[("invalid_json", "$")]),
        ("{\"ids\":[\"\\ud800\"]}", &[("invalid_json", "$")]),
        ("null", &[("not_an_object", "$")]),
        (&deep, &[("too_deep", "$")]),
        ("{\"ids\":[\"1\"],\"ids\":[]}", &[("duplicate_key", "$.ids")]),
        ("{\"ids\":[\"1\"],\"\\u0069ds\":[]}", &[("duplicate_key", "$.ids")]),
        ("{\"ids\":[\"1\",{\"a\":1,\"a\":1}]}", &[("duplicate_key", "$.ids[1].a")]),
        ("{}", &[("invalid_type", "$.ids")]),
        ("{\"ids\":\"1\"}", &[("invalid_type", "$.ids")]),
        ("{\"ids\":null}", &[("invalid_type", "$.ids")]),
        ("{\"ids\":[\"1\",7,null]}", &[("invalid_type", "$.ids[1]"), ("invalid_type", "$.ids[2]")]),
        (
            "{\"ids\":[],\"idz\":[],\"a b\":1}",
            &[("unknown_field", "$.idz"), ("unknown_field", "$[\"a b\"]")],
        ),
    ] {
        let answer = read(body);
        let told: Value = serde_json::from_slice(&answer.body).unwrap();
        let told: Vec<_> = told["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|own| (own["code"].as_str().unwrap(), own["path"].as_str().unwrap()))
            .collect();
        assert_eq!((answer.status, &told[..]), (400, problems), "{body}");
    }
    // A number that no double holds is JSON, and no text.
    assert!(read("{\"ids\":[1e999]}").text().contains("\"$.ids[0]\",\"value\":1e999"));
}

#[test]
fn a_packed_answer_is_the_same_answer() {
    let started = Started::new();
    let scope = Scope::new(ACCOUNT, STREAM);
    for at in 0..100 {
        let case = json!({"_id": format!("c{at}"), "name": "the same name again and again"});
        started.engine.write(|batch| batch.upsert(&scope, case.to_string())).unwrap();
    }
    let mut connection = Connection::open(started.address);
    let plain = connection.ask(&asking("{}"));
    assert_eq!(plain.header("content-encoding"), None);
    for (accepted, encoding) in [
        ("gzip", Some("gzip")),
        ("zstd", Some("zstd")),
        ("br", Some("br")),
        ("gzip;q=0, br;q=0.5", Some("br")),
        ("identity", None),
        // What was asked for is done by then, so it is told.
        ("identity;q=0", None),
        ("*;q=0", None),
        ("br, *;q=0", Some("br")),
        ("unheard-of", None),
    ] {
        let answer = connection.ask(&asking("{}").header("Accept-Encoding", accepted));
        assert_eq!(answer.header("content-encoding"), encoding, "{accepted}");
        let mut body = Vec::new();
        match encoding {
            Some("gzip") => {
                flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut body).unwrap();
            }
            Some("br") => {
                brotli::Decompressor::new(&answer.body[..], 4096).read_to_end(&mut body).unwrap();
            }
            Some(_) => body = zstd::decode_all(&answer.body[..]).unwrap(),
            None => body.clone_from(&answer.body),
        }
        assert_eq!(body, plain.body, "{accepted}");
        assert!(encoding.is_none() || answer.body.len() < plain.body.len() / 2, "{accepted}");
        assert!(answer.header("vary").is_some_and(|vary| vary.contains("accept-encoding")));
    }
}
