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
