//! Files of cases: their forms, what is refused in them and where, and the scopes that they name.

use serde_json::Value;

use super::*;

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
fn the_first_refused_cases_are_told_and_all_are_counted() {
    let folder = folder("many-refused");
    let file = write(&folder, "odd.ndjson", "{\"_id\":\"1\"}\n".repeat(2).as_bytes());
    let more = "no\n".repeat(30_000) + "{\"_id\":\"1\"}\n";
    let more = write(&folder, "more.ndjson", more.as_bytes());
    let lines = |words: &[&str]| {
        let output = getcases(&[&["check", &file, &more], words].concat(), b"");
        assert_eq!(code(&output), 1);
        out(&output).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let told = lines(&[]);
    assert_eq!(told.len(), 22);
    assert!(told[0].starts_with(&format!("{more}:1:1: $: invalid_json")), "{told:?}");
    let last = "cases 30003 refused 30000 replaced 2";
    assert_eq!(told[20..], ["... and 29980 more; --all tells of each", last]);
    assert_eq!((lines(&["--all"]).len(), lines(&["--json"]).len()), (30_001, 30_001));
    let first: Value = serde_json::from_str(&lines(&["--json"])[0]).unwrap();
    assert_eq!((&first["file"], &first["line"]), (&Value::from(&*more), &Value::from(1)));
    assert_eq!(first["code"], "invalid_json");
    let output = getcases(&["query", "--cases", &file, &more, "--body", "{}"], b"");
    let told = err(&output);
    assert_eq!(
        (ids(&out(&output)), code(&output), told.lines().count()),
        (vec!["1".to_owned()], 0, 23)
    );
    assert!(told.contains("\nrefused 30000 of 30003 cases\nreplaced 2: "), "{told}");
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
    assert!(lines[0].starts_with(&format!("{file}:2:8: $._id: invalid_id: ")), "{lines:?}");
    assert!(lines[1].starts_with(&format!("{file}:3:1: $: invalid_json: ")), "{lines:?}");
    assert!(lines[2].starts_with(&format!("{file}:4:34: $.status: invalid_type: ")), "{lines:?}");
    assert!(lines[3].starts_with(&format!("{file}:4:18: $.ETA: invalid_date: ")), "{lines:?}");
    assert!(lines[3].contains("; found \"soon\"; accepted: YYYY-MM-DD, "), "{lines:?}");
    assert!(lines[3].ends_with("; _id \"1\""), "{lines:?}");
    assert_eq!(lines[4..], ["cases 5 refused 3 replaced 1"]);
    assert_eq!(code(&output), 1);
    let json = out(&getcases(&["check", "--json", &file], b""));
    let last: Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    assert_eq!(last, serde_json::json!({"cases": 5, "refused": 3, "replaced": 1}));

    let query = ["query", "--cases", &file, "--body", "{}"];
    let output = getcases(&query, b"");
    assert_eq!((ids(&out(&output)), code(&output)), (vec!["1".to_owned()], 0));
    assert!(err(&output).contains("\nrefused 3 of 5 cases\nreplaced 1: "), "{}", err(&output));
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
    assert!(err(&unclear).contains("\n  --account 'b' --stream 's'"), "{}", err(&unclear));
    let chosen = getcases(&[&both[..], &["--account", "b"]].concat(), b"");
    assert_eq!(ids(&out(&chosen)), ["1", "2"]);
    let other = getcases(&[&both[..], &["--account", "a", "--stream", "s"]].concat(), b"");
    assert_eq!(ids(&out(&other)), ["1", "2"]);
    let nobody = getcases(&[&both[..], &["--account", "c", "--stream", "s"]].concat(), b"");
    let told =
        "getcases: no case names the account \"c\"; the accounts that there are: \"a\", \"b\"\n";
    assert_eq!((code(&nobody), out(&nobody).as_str(), err(&nobody).as_str()), (1, "", told));
    let nowhere = getcases(&[&both[..], &["--account", "b", "--stream", "t"]].concat(), b"");
    assert_eq!(code(&nowhere), 1);
    assert!(err(&nowhere).ends_with("the streams that there are: \"s\"\n"), "{}", err(&nowhere));
    // Cases that name no account belong to any.
    let free = write(&folder, "free.ndjson", b"{\"_id\":\"3\"}");
    let any = getcases(&["query", "--cases", &free, "--account", "c", "--body", "{}"], b"");
    assert_eq!(ids(&out(&any)), ["3"]);
}

/// The place of each fault is the file's own, however the file lays its cases out.
#[test]
fn places_are_those_of_the_file() {
    let folder = folder("places");
    let pretty = r#"[
  {
    "_id": "1"
  },
  { "_id": "é2", "name": "客客",
    "status": {"name": "a"}, "createdAt":
      "soon", "ETA": 1.5 },
  {
    "_id": "3", "a": tru
  },
  {
    "_id": "4", "b": {"c": 1,
      "c": 2}
  }
]"#;
    let response = r#"{"page":1,"results":[{"_id":"1"},{"_id":"2","priority":[
 1]}]}"#;
    let lines = "{\"_id\":\"1\"}\r\n  {\"_id\":\"2\",\"dueDate\":\"x\"}\r\n\r\n[]\r\n{\"_id\":7}";
    type Told = (u64, u64, &'static str, &'static str, Option<&'static str>);
    let files: [(&str, &str, &[Told]); 3] = [
        (
            "pretty.json",
            pretty,
            &[
                (7, 7, "invalid_date", "$.createdAt", Some("é2")),
                (7, 22, "invalid_date", "$.ETA", Some("é2")),
                (9, 22, "invalid_json", "$", Some("3")),
                (13, 7, "duplicate_key", "$.b.c", Some("4")),
            ],
        ),
        ("response.json", response, &[(1, 56, "invalid_type", "$.priority", Some("2"))]),
        (
            "lines.ndjson",
            lines,
            &[
                (2, 24, "invalid_date", "$.dueDate", Some("2")),
                (4, 1, "not_an_object", "$", None),
                (5, 8, "invalid_id", "$._id", None),
            ],
        ),
    ];
    for (name, text, expected) in files {
        let file = write(&folder, name, text.as_bytes());
        let output = out(&getcases(&["check", "--json", &file], b""));
        let lines: Vec<Value> =
            output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (_, faults) = lines.split_last().unwrap();
        let told = faults.iter().map(|fault| {
            assert_eq!(fault["file"], *file);
            assert!(fault["accepted"].is_string() && fault["msg"].is_string(), "{fault}");
            let text = |key: &str| fault[key].as_str().unwrap_or_default();
            let number = |key: &str| fault[key].as_u64().unwrap();
            let id = fault.get("_id").and_then(Value::as_str);
            (number("line"), number("column"), text("code").to_owned(), text("path").to_owned(), id)
        });
        let expected: Vec<_> = expected
            .iter()
            .map(|(l, c, code, path, id)| (*l, *c, (*code).to_owned(), (*path).to_owned(), *id))
            .collect();
        assert_eq!(told.collect::<Vec<_>>(), expected, "{name}");
    }
}

/// What a file says is cut, and nothing that a terminal obeys comes through.
#[test]
fn what_is_told_of_a_file_is_plain_and_short() {
    let folder = folder("plain");
    let long = "x".repeat(5000);
    let text = format!(
        "{{\"_id\":\"{long}\\u001b[31m\",\"createdAt\":\"{long}\"}}\n\
         {{\"_id\":\"\\u001b[31m\\u009b\\u202e\",\"ETA\":\"a\u{7f}\u{9b}\u{202e}b\"}}\n\
         {{\"_id\":\"2\",\"status\":[\r\"\\u0007\"]}}\n"
    );
    let file = write(&folder, "odd.ndjson", text.as_bytes());
    for words in [&["check", &file][..], &["query", "--cases", &file, "--body", "{}"]] {
        let output = getcases(words, b"");
        let told = if words[0] == "check" { out(&output) } else { err(&output) };
        let faults: Vec<_> = told.lines().filter(|line| line.contains("accepted")).collect();
        assert_eq!(faults.len(), 4, "{told}");
        assert!(faults.iter().all(|line| line.chars().count() < 1000), "{told}");
        assert!(
            !told.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'),
            "{told:?}"
        );
    }
    let json = out(&getcases(&["check", "--json", &file], b""));
    assert!(json.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{json}");
}

/// The first refused cases are told by whatever loads a file.
#[test]
fn stats_tells_of_refused_cases() {
    let output = getcases(&["stats", "-"], b"{\"_id\":\"1\"}\nno\n{\"_id\":2}\n");
    assert_eq!(code(&output), 0);
    let told = err(&output);
    let first = ["-:2:1: ", "-:3:"].map(|place| told.lines().any(|own| own.contains(place)));
    assert_eq!((first, told.contains("more")), ([true; 2], false), "{told}");
}
