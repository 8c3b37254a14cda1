//! How much is too much, and who is not touched by it.

use std::io::{Read, Write};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use getcases::Scope;
use getcases_server::{AppSettings, Limits};
use serde_json::json;

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

/// What is wrong with the `_id`s that are asked for is told as of any body.
#[test]
fn wrong_ids_are_refused_at_their_place() {
    let started = Started::new();
    for (body, code, at) in [
        ("{\"ids\"", "invalid_json", "\"$\""),
        ("null", "not_an_object", "\"$\""),
        ("{}", "invalid_type", "\"$.ids\""),
        ("{\"ids\":\"1\"}", "invalid_type", "\"$.ids\""),
        ("{\"ids\":[\"1\",7]}", "invalid_type", "\"$.ids[1]\""),
        ("{\"ids\":[],\"idz\":[]}", "unknown_field", "\"$.idz\""),
    ] {
        let path = format!("/v1/{ACCOUNT}/{STREAM}/cases:get");
        let request = Request::new("POST", &path).header("auth", &token()).json(body);
        let answer = request.send(started.address);
        assert_eq!((answer.status, answer.codes()), (400, vec![code.to_owned()]), "{body}");
        assert!(answer.text().contains(at), "{body}: {}", answer.text());
    }
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
