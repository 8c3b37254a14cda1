//! Requests: what is asked, by which flags, and what comes back.

use serde_json::Value;

use super::*;

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
    // What is too long is refused, and not held.
    let long = [&b"{}\n"[..], &b" ".repeat(5 << 20), b"{\n{}\n"].concat();
    let output = getcases(&["query", "--cases", &cases, "--requests", "-"], &long);
    let lines: Vec<_> = out(&output).lines().map(str::to_owned).collect();
    assert_eq!((lines.len(), lines[1].contains("body_too_large")), (3, true), "{lines:?}");
    let output = getcases(&["query", &cases, "--body", "-"], &long);
    assert!(out(&output).contains("body_too_large"), "{}", out(&output));
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
    let table = ["query", &cases, "--table", "--body", r#"{"status":["\u001b[31m",5]}"#];
    let told = "$.status[1]: invalid_type: expected a text; found 5; accepted: a text\n";
    assert_eq!(out(&getcases(&table, b"")), told);
    let strict = ["query", "--cases", &cases, "--strict", "--body", r#"{"name":"Testing"}"#];
    assert!(out(&getcases(&strict, b"")).contains("unknown_field"));
    let body = r#"{"staus":["open"],"nobody":1,"mycase":true,"sortBy":"dueDat",
        "filter":{"and":[{"prioritty":{"in":["a"]}},{"status":{"im":["a"]}}]}}"#;
    let output = getcases(&["query", &cases, "--strict", "--body", body], b"");
    let count = out(&output).matches("\"unknown_field\"").count();
    assert_eq!((code(&output), count), (1, 3), "{}", out(&output));
    // What may have been meant is told as it is where nothing is refused.
    let mut told: Vec<_> = err(&output).lines().map(str::to_owned).collect();
    told.sort();
    let expected = [
        "$.filter.and[0].prioritty: did you mean \"priority\"?",
        "$.filter.and[1].status.im: did you mean \"in\"?",
        "$.mycase: --user ID says who the current user is",
        "$.sortBy: did you mean \"dueDate\"?",
        "$.staus: did you mean \"status\"?",
    ];
    assert_eq!(told, expected);
    let explained = getcases(&["query", &cases, "--strict", "--explain", "--body", body], b"");
    assert_eq!(err(&explained), out(&explained), "one object a request");
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
    for zone in ["+05:30", "+0530", "-00:00", "0", "+00:00"] {
        assert_eq!(total(&["--tz-offset", zone], day), Some(1), "{zone}");
    }
    assert_eq!(total(&["--tz-offset", "-05:00"], day), Some(0));
    assert_eq!(total(&["--tz-offset", "-0500"], day), Some(0));
    assert_eq!(total(&["--tz-offset", "+16:00"], day), None);
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
    // The form stands behind a space, too, wherever files and words stand.
    let told = |words: &[&str]| {
        let output = getcases(&[&["query"], words].concat(), b"");
        assert_eq!(code(&output), 0, "{words:?} {}", err(&output));
        err(&output)
    };
    for words in [
        &["--explain", "text", &cases, "-w", "late"][..],
        &[&cases, "-w", "late", "--explain", "text"],
        &["--explain=text", &cases, "-w", "late"],
    ] {
        assert!(told(words).starts_with("body      {"), "{words:?}");
    }
    for words in
        [&["--explain", &cases, "-w", "late"][..], &["--explain", "json", &cases, "-w", "late"]]
    {
        assert!(told(words).starts_with("{\"body\":{"), "{words:?}");
    }
    assert_eq!(code(&getcases(&["query", &cases, "--explain=xml", "--body", "{}"], b"")), 2);
}

/// A table shows what the list is ordered and filtered by, read as the engine reads it.
#[test]
fn tables_show_what_the_engine_read() {
    let folder = folder("tables");
    let deep = "[".repeat(127) + &"]".repeat(127);
    let lines = [
        r#"{"_id":"a","dueDate":"2025-01-10T09:00:00Z","ETA":"2025-06-01T09:00:00Z","n":1e999}"#,
        r#"{"_id":"b","fields":[{"lname":"Due Date","selectedValue":"2025-02-01"}]}"#,
        &format!(r#"{{"_id":"c","name":"deep","dueDate":1748491380000,"x":{deep}}}"#),
        r#"{"_id":"d","status":{"lname":"stuck"},"timestampValue":"2024-05-05T23:05:05Z"}"#,
    ]
    .join("\n");
    let file = write(&folder, "cases.ndjson", lines.as_bytes());
    let body = r#"{"sortBy":"dueDate"}"#;
    let words = ["query", "--cases", &file, "--table", "--tz-offset", "-330", "--body", body];
    let table = out(&getcases(&words, b""));
    let places =
        ["2025-01-10 14:30", "2025-02-01 05:30", "2025-05-29 09:33", "stuck", "2024-05-06 04:35"]
            .map(|cell| table.find(cell));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{table}");
    assert!(table.contains("deep") && !table.contains('\u{1b}'), "{table}");
}

/// What a request does not get as it asked is told, with the name that it may have meant.
#[test]
fn what_is_ignored_or_lowered_is_told() {
    let cases = format!("{SEED}/case.json");
    let body = r#"{"staus":["open"],"SearchText":"a","nobody\u001b[31m":1,"limit":5000,
        "selectedColumns":["name","nmae"]}"#;
    let output = getcases(&["query", &cases, "--body", body], b"");
    let told = "ignored: nothing reads \"staus\"; did you mean \"status\"?\n\
        ignored: nothing reads \"SearchText\"; did you mean \"searchText\"?\n\
        ignored: nothing reads \"nobody\\u{1b}[31m\"\n\
        ignored: no case has the column \"nmae\"\n\
        lowered: the limit is 1000\n";
    assert_eq!((code(&output), err(&output).as_str()), (0, told));
}

/// Where nothing is found, it is told which values no case has.
#[test]
fn a_value_that_no_case_has_is_told() {
    let folder = folder("values");
    let lines = "{\"_id\":\"1\",\"status\":\"Open\",\"queues\":[\"Billing\"]}\n";
    let cases = write(&folder, "cases.ndjson", lines.as_bytes());
    let told = |words: &[&str]| {
        let output = getcases(&[&["query", &cases], words].concat(), b"");
        assert_eq!(code(&output), 0);
        err(&output)
    };
    let opne = "no case has the status \"opne\"; did you mean \"Open\"?\n";
    assert_eq!(told(&["-w", "status:opne"]), opne);
    let body = r#"{"status":["open","opne"],"queues":"Biling",
        "filter":{"assignee":{"in":["no\u001b"]}}}"#;
    let queue = "no case has the queue \"Biling\"; did you mean \"Billing\"?\n";
    let assignee = "no case has the assignee \"no\\u{1b}\"\n";
    assert_eq!(told(&["--body", body]), [opne, queue, assignee].concat());
    let body = r#"{"filter":{"or":[{"refId":{"in":["r7"]}},{"and":[{"_id":{"in":"c7"}},
        {"statusCategory":{"in":["Closd"]}},{"not":{"queue":{"in":["x"]}}}]}]}}"#;
    let told_of = ["refId \"r7\"", "_id \"c7\"", "statusCategory \"Closd\""];
    assert_eq!(
        told(&["--body", body]),
        told_of.map(|own| format!("no case has the {own}\n")).concat()
    );
    // What finds cases, or asks for values that cases have, is as it was meant.
    assert_eq!(told(&["--body", r#"{"status":["open","opne"]}"#]), "");
    assert_eq!(told(&["-w", "status:open", "due:2025-01-01"]), "");
}

/// Words ask what their body asks, on the command line and for explain.
#[test]
fn words_are_a_request() {
    let folder = folder("words");
    let lines = [
        r#"{"_id":"1","name":"Late delivery","status":"Open","queues":["Queue 3"],"dueDate":5}"#,
        r#"{"_id":"2","name":"Refund","status":"New","queues":["Queue 3"],"dueDate":9}"#,
        r#"{"_id":"3","name":"Late refund","status":"Closed","dueDate":7}"#,
    ];
    let file = write(&folder, "cases.ndjson", lines.join("\n").as_bytes());
    let found = |words: &[&str]| {
        let output = getcases(&[&["query", &file, "-w"], words].concat(), b"");
        assert_eq!((code(&output), err(&output)), (0, String::new()), "{words:?}");
        ids(&out(&output))
    };
    assert_eq!(found(&["status:open,new", "sort:-due"]), ["2", "1"]);
    assert_eq!(found(&["status:open,new sort:due"]), ["1", "2"]);
    // A shell takes the quotes.
    assert_eq!(found(&["queue:Queue 3", "-status:open"]), ["2"]);
    assert_eq!(found(&["-status:open", "-queue:Queue 3"]), ["3"]);
    assert_eq!(found(&["-status:open", "unresolved", "limit:9"]), ["2"]);
    assert_eq!(found(&["late", "not", "unresolved"]), ["3"]);
    assert_eq!(found(&["text:late delivery"]), ["1"]);
    assert_eq!(found(&["created:..2025-01-01"]), [""; 0]);
    assert_eq!(found(&["no:queue"]), ["3"]);
    let body = r#"{"unresolved":true,"filter":{"not":{"status":{"in":["new"]}}}}"#;
    let by_words = ["query", &file, "--explain", "-w", "unresolved", "-status:new"];
    let by_body = ["query", &file, "--explain", "--body", body];
    let (words, body_alone) = (getcases(&by_words, b""), getcases(&by_body, b""));
    assert_eq!(words.stdout, body_alone.stdout);
    assert_eq!(err(&words), err(&body_alone).replacen('{', &format!("{{\"body\":{body},"), 1));
    let flags = ["query", "-w", "late", "--table", "--cases", &file];
    assert!(out(&getcases(&flags, b"")).contains("2 cases in all"));
    let text = ["query", &file, "--explain=text", "--where=late"];
    assert!(err(&getcases(&text, b"")).starts_with("body      {\"searchText\":\"late\"}\n"));
}

/// A text that is a value, or a file, is asked for as a text, and what else it may be is told.
#[test]
fn what_a_text_may_have_been_is_told() {
    let folder = folder("hints");
    let lines = [
        r#"{"_id":"1","name":"urgent refund","priority":"Low","queues":["Queue 3"]}"#,
        r#"{"_id":"2","name":"b","priority":"Urgent","status":"On hold","channel":["refund"]}"#,
    ];
    let file = write(&folder, "cases.ndjson", lines.join("\n").as_bytes());
    let other = write(&folder, "other.ndjson", b"{\"_id\":\"3\"}");
    let told = |words: &[&str]| {
        let output = getcases(&[&["query", &file, "-w"], words].concat(), b"");
        assert_eq!(code(&output), 0, "{words:?}");
        err(&output)
    };
    let urgent = "\"urgent\" is a text; did you mean priority:urgent?\n";
    assert_eq!(told(&["urgent"]), urgent);
    let refund = "\"refund\" is a text; did you mean channel:refund?\n";
    assert_eq!(told(&["urgent", "refund"]), format!("{urgent}{refund}"));
    assert_eq!(told(&["-urgent"]), urgent.replace("priority", "-priority"));
    let is_file = format!(
        "{other:?} is a text, and there is a file of that name: files stand before -w, or behind \
         --cases\n"
    );
    assert_eq!(told(&["late", &other]), is_file);
    // What has a name or quotes is meant as it is.
    for words in [&["text:urgent"][..], &["\"urgent\""], &["priority:urgent"], &["late"], &["hold"]]
    {
        assert_eq!(told(words), "", "{words:?}");
    }
    // Whoever is no agent of any case, and what no case is sorted by.
    let nobody = "no case is assigned to \"Asha\": --user is the id of an agent, and not a name\n";
    assert_eq!(told(&["mine", "--user", "Asha"]), nobody);
    let no_score = "no case has a priority with a score, and by scores priorities are sorted\n";
    assert_eq!(told(&["sort:priority"]), no_score);
    assert_eq!(told(&["sort:due"]), "no case has what \"due\" sorts by\n");
    assert_eq!(told(&["sort:name"]), "");
    // Where there are many values none of them is held beside what is asked.
    let lines = (0..3000).map(|n| format!("{{\"_id\":\"{n}\",\"queues\":[\"q{n}x\"]}}\n"));
    let many = write(&folder, "many.ndjson", lines.collect::<String>().as_bytes());
    let told_of_many = err(&getcases(&["query", &many, "-w", "queue:q7"], b""));
    assert_eq!(told_of_many, "no case has the queue \"q7\"\n");
    let mine = out(&getcases(&["query", &file, "-w", "mine"], b""));
    assert!(mine.contains("\"accepted\":\"a user: --user ID\""), "{mine}");
    // Words that are none ask for nothing.
    assert_eq!(code(&getcases(&["query", &file, "-w", " "], b"")), 2);
    // A number that is too great is echoed as it is written, and not as a double.
    let great = out(&getcases(&["query", &file, "-w", "limit:99999999999999999999"], b""));
    assert!(great.contains("\"value\":\"99999999999999999999\""), "{great}");
}

#[test]
fn words_that_cannot_be_read_are_refused() {
    let cases = format!("{SEED}/case.json");
    let output = getcases(&["query", &cases, "-w", "late", "staus:open"], b"");
    let body: Value = serde_json::from_str(&out(&output)).unwrap();
    let error = &body["errors"][0];
    assert_eq!((&error["code"], &error["path"]), (&"unknown_field".into(), &"words:6".into()));
    assert_eq!((code(&output), err(&output).as_str()), (1, ""));
    let table = ["query", &cases, "--table", "-w", "mine", "sort:dueDat"];
    let output = getcases(&table, b"");
    assert!(out(&output).starts_with("words:6: unknown_sort_field: "), "{}", out(&output));
    assert!(out(&output).contains("did you mean \"dueDate\"?; found \"dueDat\"; accepted: "));
    assert!(out(&output).contains("\nwords:1: missing_current_user: "), "{}", out(&output));
    assert_eq!(code(&output), 1);
    // So are names of words as flags.
    let output = getcases(&["query", &cases, "--limit", "5"], b"");
    assert!(err(&output).ends_with("behind the files: -w limit:…\n"), "{}", err(&output));
    assert_eq!(code(&output), 2);
    // Words among the files are told to be no files, with what to write.
    let output = getcases(&["query", &cases, "status:open", "unresolved"], b"");
    assert!(err(&output).contains("status:open is no file"), "{}", err(&output));
    assert!(err(&output).contains("-w status:open unresolved"), "{}", err(&output));
    assert_eq!(code(&output), 2);
    let output = getcases(&["query", &cases, "--table", "limit:0"], b"");
    assert!(err(&output).contains("limit:0 is no file; words stand behind -w"), "{}", err(&output));
    // A file among the words, too.
    let output = getcases(&["query", "-w", "unresolved", &cases], b"");
    assert!(err(&output).contains("files stand before it"), "{}", err(&output));
    assert_eq!(code(&output), 2);
    assert!(err(&getcases(&["query", "-w", "late"], b"")).contains("no file of cases"));
    assert_eq!(code(&getcases(&["query", &cases, "-w", "late", "--body", "{}"], b"")), 2);
    assert_eq!(code(&getcases(&["query", &cases, "-w"], b"")), 2);
    assert!(err(&getcases(&["check", &cases, "-w", "x"], b"")).contains("'-w'"));
    assert!(out(&getcases(&["query", "--help"], b"")).contains("status:open,\"on hold\""));
}
