//! What is measured.

use serde_json::Value;

use super::*;

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
    assert_eq!((number("cases"), number("refused")), (300, 1));
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
    let parts = ["ids", "documents", "text", "columns", "postings", "orders", "signatures"];
    assert_eq!(number("sum"), parts.into_iter().map(number).sum::<u64>());
    let text = out(&getcases(&["stats", "--cases", &cases], b""));
    // Each figure has its unit, and the last is the parts' sum.
    let is_told = |line: &str| {
        let is_plain = ["cases ", "refused "].iter().any(|name| line.starts_with(name));
        is_plain || line.ends_with(" bytes") || line.ends_with(" ms")
    };
    assert!(text.lines().all(is_told), "{text}");
    assert!(text.lines().last().is_some_and(|line| line.starts_with("sum ")), "{text}");
    assert!(
        text.lines().any(|line| line.starts_with("cases ") && line.ends_with(" 300")),
        "{text}"
    );
}

/// Rows ask for what the file has, tell what they found, and say why they are left out.
#[test]
fn bench_draws_its_values_from_a_file() {
    let folder = folder("bench-file");
    let row = |at: usize| {
        let (state, agent) = (["offen", "closed"][at % 2], ["", "a-1", "a-2"][at % 3]);
        format!("{at};Drucker {at} brennt;{state};{agent};2025-03-{:02}\n", at % 28 + 1)
    };
    let rows: String = (0..300).map(row).collect();
    let text = format!("Nr;Betreff;Status;Wer;Eröffnet\n{rows}");
    let file = write(&folder, "tickets.csv", text.as_bytes());
    let map = "_id=Nr,name=Betreff,status=Status,assigneeId=Wer,createdAt=Eröffnet";
    let words = ["bench", "--file", &file, "--map", map, "--iterations", "10", "--variants", "3"];
    let bench = || getcases(&[&words[..], &["--json"]].concat(), b"");
    let output = bench();
    assert_eq!(code(&output), 0, "{}", err(&output));
    let read = |output: &Output| -> Vec<Value> {
        out(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let lines = read(&output);
    assert_eq!(lines.len(), 17);
    let (skipped, measured): (Vec<_>, Vec<_>) =
        lines.iter().partition(|line| line["skipped"].is_string());
    assert!(measured.len() > 3, "{lines:?}");
    for line in &measured {
        let is_none = line["class"].as_str().unwrap().starts_with("15");
        assert_eq!(line["total"].as_u64().unwrap() == 0, is_none, "{line}");
    }
    assert_eq!(measured[1]["body"]["status"][0], "offen");
    let told = err(&output);
    assert_eq!(told.lines().count(), skipped.len(), "{told}");
    assert!(told.contains("05 a queue, unresolved, due first: skipped: no case has a due date"));
    // The same file gives the same questions.
    let bodies =
        |lines: &[Value]| lines.iter().map(|line| line["body"].clone()).collect::<Vec<_>>();
    assert_eq!(bodies(&lines), bodies(&read(&bench())));
}

#[test]
fn bench_measures_one_scope_and_tells_of_refused_cases() {
    let folder = folder("bench-scopes");
    let case =
        |at: usize| format!("{{\"_id\":\"{at}\",\"accountId\":\"{}\"}}\n", ["a", "b"][at % 2]);
    let cases: String = (0..40).map(case).collect();
    let file = write(&folder, "cases.ndjson", (cases + "no case\n").as_bytes());
    let words = ["bench", "--file", &file, "--iterations", "10", "--variants", "0", "--json"];
    let several = getcases(&words, b"");
    assert_eq!(code(&several), 2, "{}", err(&several));
    let one = getcases(&[&words[..], &["--account", "a"]].concat(), b"");
    let first: Value = serde_json::from_str(out(&one).lines().next().unwrap()).unwrap();
    assert_eq!((&first["total"], code(&one)), (&20.into(), 0));
    assert!(err(&one).contains("1 cases are refused"), "{}", err(&one));
    assert_eq!(code(&getcases(&["bench", "--cases", "9", "--account", "a"], b"")), 2);
    // What no case names is refused as `query` refuses it, whatever is measured.
    for choice in [["--account", "zz"], ["--stream", "zz"]] {
        let stream = b"{\"_id\":\"n\"}\n{\"_id\":\"1\",\"accountId\":\"a\",\"iId\":\"s\"}\n";
        let file = write(&folder, "stream.ndjson", stream);
        let query = getcases(&[&["query", &file, "--body", "{}"], &choice[..]].concat(), b"");
        assert_eq!(code(&query), 1, "{}", err(&query));
        for more in [&["--iterations", "10"][..], &["--load"], &["--pages", "9"]] {
            let bench = getcases(&[&["bench", "--file", &file], &choice[..], more].concat(), b"");
            assert_eq!((code(&bench), err(&bench)), (1, err(&query)), "{choice:?} {more:?}");
        }
    }
}
