//! Tables, and files of other systems, read by a mapping.

use serde_json::{Value, json};

use super::*;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// The ids that a body asks for of a file.
fn asked(file: &str, map: &str, body: &str) -> Vec<String> {
    let (file, map) = (format!("{DATA}/{file}"), map.replace("DATA", DATA));
    let output = getcases(&["query", &file, "--map", &map, "--body", body], b"");
    assert_eq!(code(&output), 0, "{}", err(&output));
    ids(&out(&output))
}

#[test]
fn jira_issues_are_cases() {
    let asked = |body: &str| asked("jira.json", "DATA/jira.map", body);
    assert_eq!(asked(r#"{"sortBy":"_id"}"#), ["DESK-1", "DESK-2"]);
    for body in [
        r#"{"status":["in-progress"],"priority":["high"],"queues":["Tax"]}"#,
        r#"{"agents":["mia krystof"],"dueDate":"2025-05-29","searchText":"vat num"}"#,
        r#"{"filter":{"statusCategory":{"in":["In Progress"]}}}"#,
        r#"{"filter":{"updated":{"gte":"2025-05-27T14:01:02Z","lt":"2025-05-27T14:01:03Z"}}}"#,
    ] {
        assert_eq!(asked(body), ["DESK-1"], "{body}");
    }
    let file = format!("{DATA}/jira.json");
    let words = ["query", &file, "--map", &format!("{DATA}/jira.map"), "--body"];
    let page = out(&getcases(&[&words[..], &[r#"{"searchText":"log in"}"#]].concat(), b""));
    let page: Value = serde_json::from_str(&page).unwrap();
    let case = &page["results"][0];
    assert_eq!(case["status"], json!({"name": "Done", "statusCategory": "Done"}));
    // What is not mapped stays as it is.
    assert_eq!((&case["fields"]["labels"], &case["key"]), (&json!([]), &Value::Null));
    assert_eq!(case["self"], "https://jira.example.com/rest/api/2/issue/10002");
}

#[test]
fn zammad_tickets_are_cases() {
    let asked = |body: &str| asked("zammad.json", "DATA/zammad.map", body);
    assert_eq!(asked(r#"{"sortBy":"_id"}"#), ["101", "102"]);
    let body = r#"{"status":["open"],"priority":["3 high"],"queues":["network"],"channel":["email"],
        "agents":["agent@example.com"],"dueDate":"2025-05-29T12:00:00Z","startDate":"2025-05-26"}"#;
    assert_eq!(asked(body), ["101"]);
    assert_eq!(asked(r#"{"filter":{"refId":{"in":["44102"]}}}"#), ["102"]);
}

#[test]
fn chatwoot_conversations_are_cases() {
    let asked = |body: &str| asked("chatwoot.json", "DATA/chatwoot.map", body);
    assert_eq!(asked(r#"{"sortBy":"-createdAt"}"#), ["32", "31"]);
    let body = r#"{"unresolved":true,"priority":["urgent"],"channel":["channel::email"],
        "queues":["returns"],"agents":["2"],"filter":{"updated":{"on":1748332800250}}}"#;
    assert_eq!(asked(body), ["31"]);
    assert_eq!(asked(r#"{"unassigned":true,"endDate":"2025-05-26"}"#), ["32"]);
}

#[test]
fn tables_are_cases_and_tell_their_wrong_rows() {
    let map = "_id=Ticket,name=Subject,status=State,createdAt=Opened";
    assert_eq!(asked("tickets.csv", map, r#"{"sortBy":"_id"}"#), ["7001", "7002"]);
    assert_eq!(
        asked("tickets.csv", map, r#"{"status":["open"],"endDate":"2025-05-20"}"#),
        ["7001"]
    );
    let file = format!("{DATA}/tickets.csv");
    let told = out(&getcases(&["check", &file, "--map", map], b""));
    let told: Vec<_> = told.lines().collect();
    assert!(
        told[0].starts_with(&format!("{file}:5:1: $: ragged_row: the row has 3 cells")),
        "{told:?}"
    );
    let wrong = format!(
        "{file}:6:16: $.createdAt: invalid_date: no date (mapped from \"Opened\"); \
         found \"21/05/2025\""
    );
    assert!(told[1].starts_with(&wrong) && told[1].ends_with("; _id \"7004\""), "{told:?}");
    let unmapped = getcases(&["check", &file], b"");
    assert_eq!(code(&unmapped), 2);
    let told = "it is CSV without a column _id; say which one that is: --map '_id=COLUMN'; \
        its columns are \"Ticket\"";
    assert!(err(&unmapped).contains(told), "{}", err(&unmapped));
}

/// A record without what is mapped to its id is refused by the name of that, in its place.
#[test]
fn faults_of_mapped_records_have_their_places() {
    let folder = folder("mapped");
    let text = "{\"a\": [\n {\"k\": 1, \"when\": \"soon\"},\n  {\"t\": true},\n\
        \u{20}{\"k\": \"2\",\n  \"x\": tru}]}";
    let file = write(&folder, "records.json", text.as_bytes());
    let words = ["check", "--json", "--records", ".a[]", "--map", "_id=.k,dueDate=.when", &file];
    let output = out(&getcases(&words, b""));
    let told: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let places: Vec<_> = told
        .iter()
        .map(|fault| (fault["line"].as_u64(), fault["column"].as_u64(), fault["code"].as_str()))
        .collect();
    assert_eq!(
        places[..3],
        [
            (Some(2), Some(19), Some("invalid_date")),
            (Some(3), Some(3), Some("invalid_id")),
            (Some(5), Some(8), Some("invalid_json")),
        ]
    );
    assert!(told[1]["msg"].as_str().unwrap().ends_with("(mapped from \".k\")"), "{}", told[1]);
    assert_eq!((&told[0]["_id"], &told[0]["value"]), (&json!("1"), &json!("soon")));
}

/// A path that leads nowhere is no fault of a record, and told once.
#[test]
fn a_source_that_no_record_has_is_told() {
    let folder = folder("unmet");
    let file = write(&folder, "a.json", br#"[{"k":"1","t":"x"},{"k":"2","more":{"s":"open"}}]"#);
    let asked = |map: &str| {
        let output = getcases(&["query", &file, "--map", map, "--body", "{}"], b"");
        assert_eq!(code(&output), 0);
        err(&output)
    };
    assert_eq!(asked("_id=.k,name=.t,status=.more.s"), "");
    let told = "warning: --map: no record has .title\nwarning: --map: no record has .more.x\n";
    assert_eq!(asked("_id=.k,name=.title,status=.more.x"), told);
}

#[test]
fn wrong_mappings_are_usage() {
    let file = format!("{DATA}/zammad.json");
    for (map, told) in [
        ("staus=.state", "did you mean status?"),
        ("_id=key", "is no path"),
        ("no-such-file", "neither a file nor"),
    ] {
        let output = getcases(&["check", &file, "--map", map], b"");
        assert_eq!(code(&output), 2, "{map}");
        assert!(err(&output).contains(told), "{}", err(&output));
    }
    let output = getcases(&["check", &file, "--records", ".issues[]"], b"");
    assert_eq!((code(&output), err(&output).ends_with("it has nothing at .issues[]\n")), (2, true));
    let output = getcases(&["check", &file, "--records", "issues"], b"");
    assert_eq!((code(&output), err(&output).contains("is no path")), (2, true));
}

/// Calendar digits for milliseconds are told, in any kind of file.
#[test]
fn dates_that_must_be_calendar_digits_are_told() {
    let folder = folder("digits");
    let lines = "{\"_id\":\"1\",\"createdAt\":1748246130000}\n\
        {\"_id\":\"2\",\"createdAt\":202505290000}\n{\"_id\":\"3\",\"ETA\":20250529}\n\
        {\"_id\":\"4\",\"createdAt\":\"1976-06-01T09:28:10Z\",\"dueDate\":20250529235959}\n";
    let table = "_id,createdAt\n1,2025-05-29\n2,202505290933\n";
    let (file, table) = (
        write(&folder, "digits.ndjson", lines.as_bytes()),
        write(&folder, "digits.csv", table.as_bytes()),
    );
    for (words, place, count) in [
        (&["check", &file][..], format!("{file}:2:24: warning: "), "it is in 3 of the cases"),
        (&["query", &table, "--body", "{}"], format!("{table}:3:1: "), "it is in 1 of the cases"),
    ] {
        let output = getcases(words, b"");
        let told = err(&output);
        assert!(code(&output) == 0 && told.starts_with(&place) && told.contains(count), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

/// A file that has records and no case is told, with what it holds and how it is read, and fails
/// whatever asks of it, also beside others.
#[test]
fn files_without_a_case_are_told_and_fail() {
    let folder = folder("caseless");
    let jira = format!("{DATA}/jira.json");
    let good = write(&folder, "good.ndjson", b"{\"_id\":\"1\"}\n");
    let broken = write(&folder, "broken.ndjson", b"{\"_id\":7}\nno\n");
    let long = format!("{{\"total\":1,\"issues\":[{}{{}}]}}", "{\"key\":1},".repeat(200_000));
    let long = write(&folder, "long.json", long.as_bytes());
    let array = write(&folder, "array.json", br#"[{"id":1,"title":"a","tags":[{}]},{"id":2}]"#);
    let beside = "; records of other systems are read by --map '_id=…,name=…'";
    let files = [
        (&jira, format!("{beside} and --records '.issues[]' (docs/files.md)")),
        (&long, format!("no _id beside \"total\", \"issues\"{beside} and --records '.issues[]' (")),
        (
            &array,
            format!(
                "none of its 2 records is a case: there is no _id beside \"id\", \"title\", \
            \"tags\"{beside} ("
            ),
        ),
        (&broken, "none of its 2 records is a case\n".to_owned()),
    ];
    for (file, told) in files {
        for words in [
            &["query", file, "--body", "{}"][..],
            &["query", &good, file, "--body", "{}"],
            &["shell", file],
            &["stats", file],
            &["check", &good, file],
            &["bench", "--file", file],
        ] {
            let output = getcases(words, b"limit:0\n");
            assert_eq!(code(&output), 1, "{words:?} {}", err(&output));
            let line = format!("{file}: ");
            assert!(err(&output).contains(&line), "{words:?} {}", err(&output));
            assert!(err(&output).contains(&told), "{words:?} {}", err(&output));
            assert!(words[0] == "check" || out(&output).is_empty(), "{}", out(&output));
        }
    }
    // What is empty is no failure, and told.
    for (name, text) in [("empty", ""), ("array", " [] "), ("response", "{\"results\":[]}")] {
        let file = write(&folder, name, text.as_bytes());
        let output = getcases(&["query", &file, "--body", "{}"], b"");
        let told = format!("{file}: there is no case in it\n");
        assert_eq!((code(&output), err(&output)), (0, told.clone()), "{name}");
        assert_eq!(err(&getcases(&["check", &file], b"")), told, "{name}");
    }
}

/// Seconds for milliseconds are told, with the first place.
#[test]
fn dates_that_must_be_seconds_are_told() {
    let folder = folder("seconds");
    let lines = "{\"_id\":\"1\",\"createdAt\":1748246130000}\n\
        {\"_id\":\"2\",\"createdAt\":1748246130}\n{\"_id\":\"3\",\"ETA\":1748246130}\n\
        {\"_id\":\"4\",\"createdAt\":\"1970-02-01\",\"dueDate\":0}\n";
    let file = write(&folder, "seconds.ndjson", lines.as_bytes());
    for words in [&["check", &file][..], &["query", &file, "--body", "{}"]] {
        let output = getcases(words, b"");
        assert_eq!(code(&output), 0);
        let told = err(&output);
        assert!(told.starts_with(&format!("{file}:2:24: warning: ")), "{told}");
        assert!(told.contains("it is in 2 of the cases"), "{told}");
    }
}
