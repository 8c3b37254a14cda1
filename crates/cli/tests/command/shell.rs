//! The shell where its lines come from no terminal.

use serde_json::Value;

use super::*;

const CASES: &str = concat!(
    r#"{"_id":"1","name":"Late delivery","status":"Open","priority":"high","queues":["A b"]}"#,
    "\n",
    r#"{"_id":"2","name":"Refund","status":"New","n":1e999,"dueDate":"2025-05-29"}"#,
    "\n",
    r#"{"_id":"3","name":"Late \u001b[31mrefund","status":"Closed","queues":["A b","c"]}"#,
    "\n",
);

fn shell(name: &str, flags: &[&str], lines: &str) -> (Output, Vec<String>) {
    let file = write(&folder(name), "cases.ndjson", CASES.as_bytes());
    let output = getcases(&[&["shell", &file], flags].concat(), lines.as_bytes());
    let lines = out(&output).lines().map(str::to_owned).collect();
    (output, lines)
}

#[test]
fn a_line_is_a_request_and_has_an_answer() {
    let lines =
        "late sort:_id\n\n{\"limit\":1,\"sortBy\":\"_id\"}\nnext\nnext\nprev\npage 3\n-late";
    let (output, answers) = shell("shell", &[], lines);
    // The tests' reader of JSON knows no number so great.
    let ids: Vec<_> =
        answers.iter().map(|line| ids(&line.replace("1e999", "1")).join(" ")).collect();
    assert_eq!(ids, ["1 3", "1", "2", "3", "2", "3", "2"]);
    let told = err(&output);
    assert_eq!((code(&output), told.lines().count()), (0, 7), "{told}");
    assert!(told.starts_with("2 cases, page 1 of 1, in "), "{told}");
}

#[test]
fn what_is_wrong_is_told_and_the_next_line_is_answered() {
    let lines = "staus:open\n{\"limit\":-1}\nnext\nget nobody\nvalues nothing\nscope 7\nnext week\n\
                 explain\nmine\nlimit:0\n\u{feff}\nquit\nlimit:0";
    let (output, answers) = shell("shell-wrong", &[], lines);
    let codes: Vec<Value> =
        answers.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let code_of = |value: &Value| value["errors"][0]["code"].as_str().map(str::to_owned);
    let codes: Vec<_> = codes.iter().filter_map(code_of).collect();
    let expected = [
        "unknown_field",
        "invalid_integer",
        "nothing_asked",
        "unknown_id",
        "unknown_field",
        "unknown_scope",
        "invalid_words",
        "nothing_asked",
        "missing_current_user",
    ];
    assert_eq!(codes, expected, "{answers:?}");
    // The count and the mark that is a text were answered; what stands behind quit was not.
    assert_eq!((answers.len(), code(&output)), (11, 1), "{answers:?}");
}

#[test]
fn a_line_that_is_too_long_is_refused_and_not_cut() {
    // What is left of a cut line would find more.
    let long = format!("{}created:2023-12-01..2023-12-05 limit:0\n", " ".repeat((1 << 20) - 18));
    // A mark before it changes nothing.
    let marked = format!("\u{feff}{}", &long[3..]);
    let (_, answers) = shell("shell marked", &[], &marked);
    assert!(answers.len() == 1 && answers[0].contains("\"body_too_large\""), "{answers:?}");
    let lines = format!("{long}status:open{}limit:0\nlimit:1", " ".repeat(2 << 20));
    let (output, answers) = shell("shell long", &[], &lines);
    assert_eq!((code(&output), answers.len()), (1, 3));
    assert!(answers[..2].iter().all(|line| line.contains("\"body_too_large\"")), "{answers:?}");
}

#[test]
fn commands_answer_as_json_and_as_tables() {
    let lines = "values status\nvalues queues\nget 2\nscope\nexplain late\ntable\nvalues queue\n\
                 get 2\nlate sort:-_id\nexplain\nfields\nhelp\nscope\njson\nlimit:0";
    let (output, answers) = shell("shell-commands", &[], lines);
    let json: Vec<_> = answers.iter().take(5).collect();
    assert_eq!(
        json[0],
        concat!(
            r#"{"field":"status","values":[{"value":"Closed","cases":1},"#,
            r#"{"value":"New","cases":1},{"value":"Open","cases":1}],"missing":0}"#,
        )
    );
    assert!(json[1].starts_with(r#"{"field":"queue","values":[{"value":"A b","cases":2},"#));
    assert_eq!(json[2], CASES.lines().nth(1).unwrap());
    assert_eq!(json[3], r#"{"scopes":[{"account":"-","stream":"-","cases":3}]}"#);
    assert!(json[4].starts_with(r#"{"body":{"searchText":"late"},"ignored":[]"#), "{}", json[4]);
    let text = answers[5..].join("\n");
    for part in [
        "answers are tables",
        "         2  A b\n",
        "\n  \"n\": 1e999,\n",
        "2 cases in all, page 1 of 1; times are UTC, in ",
        "\nbody      {\"searchText\":\"late\",\"sortBy\":\"-_id\"}\nfilter    $.searchText",
        "status:open,\"on hold\"",
        "\n   1  -  -  3 cases\n{\"form\":\"json\"}\n{\"results\":[],",
    ] {
        assert!(text.contains(part), "{part:?}\n{text}");
    }
    assert!(!text.contains('\u{1b}') && code(&output) == 0, "{}", err(&output));
    let (_, tables) = shell("shell-table", &["--table"], "late");
    assert!(tables[0].starts_with("_id"), "{tables:?}");
}

/// Whoever writes a line and waits for its answer waits for none that never comes.
#[test]
fn each_line_that_says_something_has_one_answer() {
    let lines = "limit:1\nexplain\npage 2\nprev\nget 1\nvalues status\nfields\nscope\nscope 1\n\
                 help\njson\nstaus:x\nscope 9\njson 1\nlimit:0";
    let (_, answers) = shell("shell-answers", &[], lines);
    assert_eq!(answers.len(), lines.lines().count(), "{answers:#?}");
    let is_object = |line: &String| line.replace("1e999", "1").parse::<Value>().is_ok();
    assert!(answers.iter().all(is_object), "{answers:#?}");
    assert_eq!(answers[8], r#"{"account":"-","stream":"-","cases":3}"#);
    for (lines, told) in [("scope 1", "-  -  3 cases"), ("table", "answers are tables; ")] {
        let (_, tables) = shell("shell-answers", &["--table"], lines);
        assert!(tables.len() == 1 && tables[0].starts_with(told), "{tables:?}");
    }
}

#[test]
fn a_scope_is_chosen_where_there_are_several() {
    let cases = [r#"{"_id":"1","accountId":"a"}"#, r#"{"_id":"2","accountId":"b"}"#].join("\n");
    let file = write(&folder("shell-scopes"), "cases.ndjson", cases.as_bytes());
    let output = getcases(&["shell", &file], b"limit:0\nscope\nscope 2\nlimit:1\n");
    let answers: Vec<_> = out(&output).lines().map(str::to_owned).collect();
    assert!(answers[0].contains("unknown_scope") && answers[1].contains(r#""account":"b""#));
    assert!(answers[2].contains(r#""account":"b""#), "{answers:?}");
    assert_eq!((ids(&answers[3]), code(&output)), (vec!["2".to_owned()], 1));
    assert!(err(&output).contains("scope lists them"), "{}", err(&output));
    let output = getcases(&["shell", &file, "--account", "a"], b"limit:1\n");
    assert_eq!((ids(out(&output).trim()), code(&output)), (vec!["1".to_owned()], 0));
    assert_eq!(code(&getcases(&["shell", &file, "--account", "z"], b"")), 1);
}

#[test]
fn usage_of_the_shell() {
    let file = write(&folder("shell-usage"), "cases.ndjson", CASES.as_bytes());
    assert_eq!(code(&getcases(&["shell"], b"")), 2);
    assert_eq!(code(&getcases(&["shell", "-"], b"")), 2);
    assert_eq!(code(&getcases(&["shell", &file, "--json", "--table"], b"")), 2);
    assert_eq!(code(&getcases(&["shell", "no-such-file"], b"")), 1);
    assert_eq!(code(&getcases(&["shell", &file], b"")), 0);
    let broken = write(&folder("shell-usage"), "broken.ndjson", b"{\"_id\":\"1\"}\nno\n");
    assert_eq!(code(&getcases(&["shell", &broken, "--strict-load"], b"limit:0")), 1);
}

/// Nobody reads what is told: answers and the exit code are the same.
#[cfg(unix)]
#[test]
fn names_that_are_no_utf8_and_a_closed_standard_error() {
    use std::os::unix::ffi::OsStrExt;

    let folder = folder("shell-names");
    let file = folder.join(std::ffi::OsStr::from_bytes(b"c\xff.ndjson"));
    fs::write(&file, CASES).unwrap();
    let lines = write(&folder, "lines", b"late\nlimit:0\n");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_getcases"))
        .arg("shell")
        .arg(&file)
        .stdin(fs::File::open(lines).unwrap())
        .stderr(writer)
        .output()
        .unwrap();
    assert_eq!((out(&output).lines().count(), code(&output)), (2, 0));
}
