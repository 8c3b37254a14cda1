//! The command as its users meet it: arguments, files, outputs and exit codes.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const SEED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/seed");

fn getcases(words: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_getcases"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may close it early.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// A folder of its own for each test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let file = folder.join(name);
    fs::write(&file, bytes).unwrap();
    file.to_str().unwrap().to_owned()
}

fn ids(json: &str) -> Vec<String> {
    let page: Value = serde_json::from_str(json).unwrap();
    let results = page["results"].as_array().unwrap().iter();
    results.map(|case| case["_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_sample_gives_the_sample_response() {
    let (cases, request) = (format!("{SEED}/case.json"), format!("@{SEED}/request.json"));
    let output = getcases(&["query", "--cases", &cases, "--body", &request], b"");
    let response = fs::read_to_string(format!("{SEED}/response.json")).unwrap();
    let expected: Value = serde_json::from_str(&response).unwrap();
    assert_eq!(out(&output), format!("{expected}\n"));
    let told = "ignored: nothing reads \"name\"\n";
    assert_eq!((code(&output), err(&output).as_str()), (0, told));
}

#[test]
fn every_form_of_file_holds_the_same_cases() {
    let folder = folder("forms");
    let lines = "{\"_id\":\"1\",\"name\":\"é\"}\n{\"_id\":\"2\"}";
    let array = "[ {\"_id\":\"1\",\"name\":\"é\"},\n{\"_id\":\"2\"} ]";
    let response = "{\"page\":1,\"results\":[{\"_id\":\"1\",\"name\":\"é\"},{\"_id\":\"2\"}]}";
    let pretty = "{\n \"_id\": \"1\",\n \"name\": \"é\"\n}\n{\n \"_id\": \"2\"\n}\n";
    let crlf = lines.replace('\n', "\r\n\r\n") + "\r\n";
    let bom = format!("\u{feff}{lines}\n");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(lines.as_bytes()).unwrap();
    let gz = gz.finish().unwrap();
    // Two members in one file, as `cat a.gz b.gz` makes them.
    let mut second = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    second.write_all(b"\n{\"_id\":\"3\"}\n").unwrap();
    let two = [gz.clone(), second.finish().unwrap()].concat();
    let zst = zstd::encode_all(array.as_bytes(), 3).unwrap();
    let forms: [(&str, &[u8], usize); 9] = [
        ("lines.ndjson", lines.as_bytes(), 2),
        ("array.json", array.as_bytes(), 2),
        ("response.json", response.as_bytes(), 2),
        ("pretty.json", pretty.as_bytes(), 2),
        ("crlf.ndjson", crlf.as_bytes(), 2),
        ("bom.ndjson", bom.as_bytes(), 2),
        ("lines.ndjson.gz", &gz, 2),
        ("two.ndjson.gz", &two, 3),
        ("array.json.zst", &zst, 2),
    ];
    for (name, bytes, count) in forms {
        let file = write(&folder, name, bytes);
        let body = r#"{"sortBy":"_id"}"#;
        let output = getcases(&["query", "--cases", &file, "--body", body], b"");
        assert_eq!(ids(&out(&output)), ["1", "2", "3"][..count], "{name}: {}", err(&output));
        let piped = getcases(&["query", "--cases", "-", "--body", body], bytes);
        assert_eq!(out(&piped), out(&output), "{name} piped");
    }
}

#[test]
fn one_response_a_request_in_order() {
    let folder = folder("requests");
    let cases = write(&folder, "cases.ndjson", b"{\"_id\":\"1\"}\n{\"_id\":\"2\"}\n");
    let requests = b"{\"limit\":0}\r\n\n{\"limit\":\n{\"limit\":1,\"sortBy\":\"-_id\"}";
    let output = getcases(&["query", "--cases", &cases, "--requests", "-"], requests);
    let lines: Vec<Value> =
        out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["totalResults"], 2);
    assert_eq!(lines[1]["results"].as_array().unwrap().len(), 2);
    assert_eq!(lines[2]["errors"][0]["code"], "invalid_json");
    assert_eq!(lines[3]["results"][0]["_id"], "2");
    // One of them was refused.
    assert_eq!(code(&output), 1);
    let requests = b"\xEF\xBB\xBF{\"limit\":0}\n{}\n";
    let output = getcases(&["query", "--cases", &cases, "--requests", "-"], requests);
    assert_eq!((code(&output), out(&output).lines().count()), (0, 2));
}

#[test]
fn a_refused_request_is_printed_and_fails() {
    let cases = format!("{SEED}/case.json");
    let output = getcases(&["query", "--cases", &cases, "--body", r#"{"limit":-1}"#], b"");
    let body: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(body["errors"][0]["path"], "$.limit");
    assert_eq!(code(&output), 1);
    let strict = ["query", "--cases", &cases, "--strict", "--body", r#"{"name":"Testing"}"#];
    assert!(out(&getcases(&strict, b"")).contains("unknown_field"));
}

#[test]
fn the_context_comes_from_flags() {
    let cases = format!("{SEED}/case.json");
    let total = |words: &[&str], body: &str| {
        let words = [&["query", "--cases", &cases], words, &["--body", body]].concat();
        let output = getcases(&words, b"");
        let page: Value = serde_json::from_str(&out(&output)).unwrap();
        page["totalResults"].as_u64()
    };
    let day = r#"{"startDate":"2025-05-27","endDate":"2025-05-27"}"#;
    assert_eq!(total(&["--tz-offset", "-330"], day), Some(1));
    assert_eq!(total(&["--tz-offset=-330"], day), Some(1));
    assert_eq!(total(&["--tz-offset=300"], day), Some(0));
    assert_eq!(total(&["--tz-offset=900"], day), None);
    assert_eq!(total(&["--now", "2025-05-27T00:00:00Z"], "{}"), Some(1));
    assert_eq!(total(&["--user", "u-1"], r#"{"mycase":true}"#), Some(0));
    assert_eq!(total(&[], r#"{"mycase":true}"#), None);
    assert_eq!(total(&["--max-limit", "10"], r#"{"limit":20,"page":2,"skip":10}"#), Some(1));
}

#[test]
fn explain_is_one_object_a_request() {
    let cases = format!("{SEED}/case.json");
    let body = r#"{"name":"Testing","status":["open"],"limit":5000}"#;
    let output = getcases(&["query", "--cases", &cases, "--explain", "--body", body], b"");
    let explain: Value = serde_json::from_str(&err(&output)).unwrap();
    let keys: Vec<_> = explain.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["ignored", "lowered", "clauses", "filter", "order", "page", "examined"]);
    assert_eq!(explain["ignored"], serde_json::json!(["name"]));
    assert_eq!(explain["lowered"], serde_json::json!({"limit": 1000}));
    assert_eq!(explain["clauses"][0]["path"], "$.status");
    assert_eq!(explain["clauses"][0]["cases"], 1);
    assert_eq!(explain["order"], serde_json::json!([["created", "desc"], ["_id", "asc"]]));
    let text = getcases(&["query", "--cases", &cases, "--explain=text", "--body", body], b"");
    assert!(err(&text).contains("ignored   name"));
}

#[test]
fn the_first_refused_cases_are_told_and_all_are_counted() {
    let folder = folder("many-refused");
    let file = write(&folder, "odd.ndjson", "{\"_id\":\"1\"}\n".repeat(2).as_bytes());
    let more = write(&folder, "more.ndjson", "no\n".repeat(30_000).as_bytes());
    let lines = |words: &[&str]| {
        let output = getcases(&[&["check", &file, &more], words].concat(), b"");
        assert_eq!(code(&output), 1);
        out(&output).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let told = lines(&[]);
    assert_eq!(told.len(), 22);
    assert!(told[0].starts_with(&format!("{more}:1: $: invalid_json")), "{told:?}");
    let last = "cases 30002 refused 30000 replaced 1";
    assert_eq!(told[20..], ["... and 29980 more; --all tells of each", last]);
    assert_eq!((lines(&["--all"]).len(), lines(&["--json"]).len()), (30_001, 30_001));
    let first: Value = serde_json::from_str(&lines(&["--json"])[0]).unwrap();
    assert_eq!((&first["file"], &first["line"]), (&Value::from(&*more), &Value::from(1)));
    assert_eq!(first["errors"][0]["code"], "invalid_json");
    let output = getcases(&["query", "--cases", &file, &more, "--body", "{}"], b"");
    let told = err(&output);
    assert_eq!(
        (ids(&out(&output)), code(&output), told.lines().count()),
        (vec!["1".to_owned()], 0, 22)
    );
    assert!(told.ends_with("refused 30000 of 30002 cases\n"), "{told}");
}

#[test]
fn refused_cases_are_told_and_counted() {
    let folder = folder("refused");
    let text = [
        r#"{"_id":"1"}"#,
        r#"{"_id":" "}"#,
        "no",
        r#"{"_id":"1","ETA":"soon","status":5}"#,
        r#"{"_id":"1","name":"new"}"#,
    ]
    .join("\n");
    let file = write(&folder, "odd.ndjson", text.as_bytes());
    let output = getcases(&["check", &file], b"");
    let lines: Vec<_> = out(&output).lines().map(str::to_owned).collect();
    assert!(lines[0].starts_with(&format!("{file}:2: $._id: invalid_id: ")), "{lines:?}");
    assert!(lines[1].starts_with(&format!("{file}:3: $: invalid_json: ")), "{lines:?}");
    assert!(lines[2].starts_with(&format!("{file}:4: $.status: invalid_type: ")), "{lines:?}");
    assert_eq!(lines[3..], ["cases 5 refused 3 replaced 1"]);
    assert_eq!(code(&output), 1);
    let json = out(&getcases(&["check", "--json", &file], b""));
    let last: Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    assert_eq!(last, serde_json::json!({"cases": 5, "refused": 3, "replaced": 1}));

    let query = ["query", "--cases", &file, "--body", "{}"];
    let output = getcases(&query, b"");
    assert_eq!((ids(&out(&output)), code(&output)), (vec!["1".to_owned()], 0));
    assert!(err(&output).ends_with("refused 3 of 5 cases\n"));
    let strict = getcases(&[&query[..], &["--strict-load"]].concat(), b"");
    assert_eq!((out(&strict).as_str(), code(&strict)), ("", 1));
    assert_eq!(code(&getcases(&["check", &format!("{SEED}/case.json")], b"")), 0);
}

#[test]
fn scopes_are_chosen_where_they_differ() {
    let folder = folder("scopes");
    let a = write(&folder, "a.ndjson", br#"{"_id":"1","accountId":"a","iId":"s"}"#);
    let b = write(
        &folder,
        "b.ndjson",
        b"{\"_id\":\"1\",\"accountId\":\"b\",\"iId\":\"s\"}\n{\"_id\":\"2\"}",
    );
    let both = ["query", "--cases", &a, &b, "--body", "{}"];
    let unclear = getcases(&both, b"");
    assert_eq!(code(&unclear), 2);
    assert!(err(&unclear).contains("--account 'b' --stream 's'"), "{}", err(&unclear));
    let chosen = getcases(&[&both[..], &["--account", "b"]].concat(), b"");
    assert_eq!(ids(&out(&chosen)), ["1", "2"]);
    let other = getcases(&[&both[..], &["--account", "a", "--stream", "s"]].concat(), b"");
    assert_eq!(ids(&out(&other)), ["1", "2"]);
    let nobody = getcases(&[&both[..], &["--account", "c", "--stream", "s"]].concat(), b"");
    assert_eq!(ids(&out(&nobody)), ["2"]);
}

#[test]
fn usage_is_2_and_a_missing_file_is_1() {
    let cases = format!("{SEED}/case.json");
    assert_eq!(code(&getcases(&["query", "--cases", &cases], b"")), 2);
    assert_eq!(code(&getcases(&["nonsense"], b"")), 2);
    assert_eq!(code(&getcases(&["query", "--cases", "-", "--body", "-"], b"{}")), 2);
    let missing = getcases(&["query", "--cases", "no-such-file", "--body", "{}"], b"");
    assert_eq!(code(&missing), 1);
    assert!(err(&missing).starts_with("getcases: cannot open no-such-file: "));
}

#[test]
fn the_same_seed_makes_the_same_cases() {
    let words = ["generate", "--cases", "9000", "--seed", "7"];
    let once = getcases(&words, b"");
    assert_eq!(out(&once).lines().count(), 9000);
    assert_eq!(once.stdout, getcases(&words, b"").stdout);
    let other = getcases(&["generate", "--cases", "9000", "--seed", "8"], b"");
    assert_ne!(once.stdout, other.stdout);
    let folder = folder("generated");
    let file = write(&folder, "cases.ndjson", &once.stdout);
    assert_eq!(out(&getcases(&["check", &file], b"")), "cases 9000 refused 0 replaced 0\n");
}

#[test]
fn a_closed_pipe_is_quiet() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_getcases"))
        .args(["generate", "--cases", "200000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(err(&output), "");
}

#[test]
fn completions_and_manual() {
    assert!(out(&getcases(&["completions", "bash"], b"")).contains("--strict-load"));
    assert!(out(&getcases(&["man"], b"")).contains(".TH getcases 1"));
}

#[test]
fn the_demo_runs_to_its_end() {
    let output = getcases(&["demo"], b"");
    let text = out(&output);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(text.contains("1. The sample request") && text.contains("\n8. "), "{text}");
    assert!(text.contains("ignored: name"), "{text}");
}

#[test]
fn bench_checks_and_times_every_class() {
    for shuffle in [false, true] {
        let mut words = vec!["bench", "--cases", "3000", "--variants", "3", "--iterations", "10"];
        words.extend(["--engine", "getcases,roaring", "--json"]);
        words.extend(shuffle.then_some("--shuffle"));
        let output = getcases(&words, b"");
        assert_eq!(code(&output), 0, "{}", err(&output));
        let text = out(&output);
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 34);
        for pair in lines.chunks(2) {
            assert_eq!(pair[0]["class"], pair[1]["class"]);
            assert_eq!(pair[0]["total"], pair[1]["total"]);
            assert_eq!([&pair[0]["engine"], &pair[1]["engine"]], ["getcases", "roaring"]);
            assert_eq!(
                (&pair[0]["timed"], &pair[0]["variants"]["bodies"]),
                (&"query".into(), &3.into())
            );
            assert!(pair.iter().all(|line| line["median_ns"].as_u64() > Some(0)), "{pair:?}");
            assert!(pair[0]["p99_ns"].as_u64() >= pair[0]["median_ns"].as_u64());
            assert!(pair[0]["plan"].as_str().is_some_and(|plan| !plan.is_empty()));
        }
        assert_eq!(lines[0]["total"], 3000);
    }
}

#[test]
fn bench_reads_files_of_cases_and_classes() {
    let folder = folder("bench");
    let made = getcases(&["generate", "--cases", "500", "--shape", "seed"], b"").stdout;
    let cases = write(&folder, "cases.ndjson", &made);
    let class = br#"{"class":"due","body":{"status":["open"],"sortBy":"dueDate"}}"#;
    let classes = write(&folder, "classes.ndjson", class);
    let words = ["bench", "--file", &cases, "--classes", &classes, "--iterations", "10"];
    let output =
        getcases(&[&words[..], &["--timed", "bytes", "--threads", "2", "--json"]].concat(), b"");
    assert_eq!(code(&output), 0, "{}", err(&output));
    let line: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!((&line["class"], &line["timed"]), (&"due".into(), &"bytes".into()));
    let wrong = write(&folder, "wrong.ndjson", b"{\"class\":1}\n");
    let output = getcases(&["bench", "--file", &cases, "--classes", &wrong], b"");
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("wrong.ndjson:1: not a class"), "{}", err(&output));
}

#[test]
fn bench_times_upserts() {
    let words = ["bench", "--cases", "2000", "--upserts", "40", "--batch", "4", "--json"];
    let output = getcases(&words, b"");
    let line: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!((&line["cases"], &line["batch"]), (&2000.into(), &4.into()));
    assert!(
        line["median_ns"].as_u64() > Some(0)
            && line["p99_ns"].as_u64() >= line["median_ns"].as_u64()
    );
    assert!(line["cases_a_second"].as_u64() > Some(0) && line["read_p99_ns"].is_null());
    let with_reader = [&words[..], &["--parsed", "--reader"]].concat();
    let line: Value = serde_json::from_str(&out(&getcases(&with_reader, b""))).unwrap();
    assert_eq!(line["parsed"], true);
    assert!(["idle", "beside"].iter().all(|of| line["read_p99_ns"][of].as_u64() > Some(0)));
    assert_eq!(code(&getcases(&["bench", "--cases", "9", "--reader"], b"")), 2);
    assert_eq!(code(&getcases(&["bench"], b"")), 2);
    let both = ["bench", "--cases", "10", "--engine", "roaring", "--timed", "bytes"];
    assert_eq!(code(&getcases(&both, b"")), 2);
}

#[test]
fn stats_tell_what_cases_take() {
    let folder = folder("stats");
    let mut made = getcases(&["generate", "--cases", "300"], b"").stdout;
    made.extend_from_slice(b"{\"_id\":\" \"}\n");
    let cases = write(&folder, "cases.ndjson", &made);
    let output = getcases(&["stats", "--cases", &cases, "--json"], b"");
    assert_eq!(code(&output), 0, "{}", err(&output));
    let stats: Value = serde_json::from_str(&out(&output)).unwrap();
    let number = |key: &str| stats[key].as_u64().unwrap();
    assert_eq!((number("cases"), number("refused")), (301, 1));
    assert_eq!(number("json_bytes"), made.len() as u64 - 301);
    assert!(number("documents") < number("json_bytes"), "{stats}");
    for part in [
        "ids",
        "documents",
        "text",
        "columns",
        "postings",
        "orders",
        "signatures",
        "resident_after",
    ] {
        assert!(number(part) > 0, "{part}");
    }
    let text = out(&getcases(&["stats", "--cases", &cases], b""));
    assert!(
        text.lines().any(|line| line.starts_with("cases ") && line.ends_with(" 301")),
        "{text}"
    );
}
