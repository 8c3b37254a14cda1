//! The command as its users meet it: arguments, files, outputs and exit codes.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

mod bench;
#[cfg(target_os = "linux")]
mod bombs;
#[cfg(unix)]
mod captures;
mod files;
mod foreign;
mod query;
#[cfg(feature = "server")]
mod same;
#[cfg(all(unix, feature = "server"))]
mod serve;
mod shell;
#[cfg(feature = "store")]
mod store;
#[cfg(target_os = "linux")]
mod terminal;

// What other tests have; not all of it is needed here.
#[cfg(feature = "server")]
#[allow(dead_code, unreachable_pub)]
#[path = "../../../server/tests/http/client.rs"]
mod client;
#[cfg(feature = "server")]
#[allow(dead_code, unreachable_pub, unused_imports)]
#[path = "../../../../tests/it/generate.rs"]
mod generate;
#[cfg(feature = "server")]
#[allow(dead_code, unreachable_pub)]
#[path = "../../../../tests/it/oracle.rs"]
mod oracle;

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

/// What cannot be honoured is refused by its name.
#[test]
fn numbers_out_of_range_are_usage() {
    for words in [
        ["bench", "--cases", "0", "--iterations", "1"],
        ["bench", "--cases", "9", "--threads", "0"],
        ["bench", "--cases", "9", "--threads", "5000"],
        ["bench", "--cases", "9", "--upserts", "0"],
        ["bench", "--cases", "9", "--iterations", "0"],
        ["bench", "--upserts", "9", "--cases", "5000000000"],
        ["bench", "--cases", "9", "--batch", "0"],
        ["bench", "--cases", "9", "--batch", "3"],
        ["bench", "--cases", "9", "--map", "_id=b"],
        ["bench", "--file", "x", "--shape", "seed"],
        ["query", "-", "--body={}", "--now", "soon"],
        ["query", "-", "--body={}", "--now", "99999999999999999"],
        ["query", "-", "--body={}", "--tz-offset", "5h"],
        ["query", "-", "--body={}", "--tz-offset", "+5"],
        ["query", "-", "--body={}", "--tz-offset", "+05:60"],
        ["query", "-", "--body={}", "--tz-offset", "05:30"],
    ] {
        let output = getcases(&words, b"");
        let is_named = [words[1], words[3]].iter().any(|flag| err(&output).contains(flag));
        assert_eq!((code(&output), is_named), (2, true), "{words:?} {}", err(&output));
    }
    assert_eq!(out(&getcases(&["generate", "--cases", "0"], b"")), "");
}

#[test]
fn usage_is_2_and_a_missing_file_is_1() {
    let cases = format!("{SEED}/case.json");
    assert_eq!(code(&getcases(&["query", "--cases", &cases], b"")), 2);
    assert_eq!(code(&getcases(&["nonsense"], b"")), 2);
    for words in [
        &["query", "--cases", "-", "--body", "-"][..],
        &["query", "-", "--requests", "-"],
        &["check", "-", "-"],
        &["stats", "-", "--cases", "-"],
    ] {
        assert_eq!(code(&getcases(words, b"{}")), 2, "{words:?}");
    }
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

/// What cannot be printed is told, help too.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let file = write(&folder("full-disk"), "cases.ndjson", b"{\"_id\":\"1\"}\n");
    for words in [&["--help"][..], &["query", "--help"], &["--version"], &["check", &file]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_getcases"));
        let output = command.args(words).stdout(full).output().unwrap();
        assert_eq!(code(&output), 1, "{words:?}");
        assert!(err(&output).starts_with("getcases: No space left"), "{}", err(&output));
    }
    assert_eq!(code(&getcases(&["--help"], b"")), 0);
}

#[test]
fn completions_and_manual() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = out(&getcases(&["completions", shell], b""));
        for word in ["strict-load", "where", "shell", "stream"] {
            assert!(script.contains(word), "{shell} {word}");
        }
    }
    assert!(out(&getcases(&["man"], b"")).contains(".TH getcases 1"));
}

/// Every page that another one points to is there, and no other.
#[test]
fn each_subcommand_has_a_page() {
    let folder = folder("man");
    let _ = fs::remove_dir_all(&folder);
    assert_eq!(code(&getcases(&["man", "--dir", folder.to_str().unwrap()], b"")), 0);
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    let pages: std::collections::BTreeMap<_, _> =
        fs::read_dir(&folder).unwrap().map(read).collect();
    let mut pointed: Vec<_> = vec!["getcases.1".to_owned()];
    for page in pages.values() {
        let plain = page.replace("\\-", "-").replace("\\fR", "").replace("\\fB", "");
        let names = plain.split("(1)").filter_map(|part| part.rsplit([' ', '\n']).next());
        let names = names.filter(|name| name.starts_with("getcases-"));
        pointed.extend(names.map(|name| format!("{name}.1")));
    }
    pointed.sort();
    pointed.dedup();
    assert_eq!(pages.keys().cloned().collect::<Vec<_>>(), pointed);
    let (of_server, of_store) = (cfg!(feature = "server"), cfg!(feature = "store"));
    assert_eq!(pages.len(), 10 + 5 * usize::from(of_server) + 11 * usize::from(of_store));
    // Each says of which version it is.
    let version = concat!("\"getcases ", env!("CARGO_PKG_VERSION"), "\"");
    for page in pages.values() {
        let title = page.lines().find(|line| line.starts_with(".TH ")).unwrap();
        assert!(title.contains(version), "{title}");
    }
    let query = out(&getcases(&["man", "query"], b""));
    assert_eq!(Some(&query), pages.get("getcases-query.1"));
    assert!(query.contains("on hold") && query.contains("tz\\-offset"), "{query}");
    let unknown = getcases(&["man", "shel"], b"");
    assert_eq!(code(&unknown), 2);
    assert!(err(&unknown).contains("did you mean shell?"), "{}", err(&unknown));
}

/// Help says what exit codes mean, and they do.
#[test]
fn exit_codes_are_what_help_says() {
    let help = out(&getcases(&["--help"], b"")).replace('\n', " ");
    let said = "Exit codes: 0; 1 where a request was refused, a file could not be read or has \
        records and no case, or a case was refused by `check` or with --strict-load; 2 for wrong \
        usage.";
    assert!(help.split_whitespace().collect::<Vec<_>>().join(" ").contains(said), "{help}");
    let file = write(&folder("exit-codes"), "cases.ndjson", b"{\"_id\":\"1\"}\nno case\n");
    let code_of = |words: &[&str]| code(&getcases(words, b"{\"limit\":0}"));
    assert_eq!(code_of(&["query", &file, "--body", "-"]), 0);
    assert_eq!(code_of(&["query", &file, "--body", "-", "--strict-load"]), 1);
    assert_eq!(code_of(&["query", &file, "-w", "limit:x"]), 1);
    assert_eq!(code_of(&["query", &file, "--body", "@no-such-file"]), 1);
    assert_eq!(code_of(&["query", &file, "--requests", "-"]), 0);
    assert_eq!(code_of(&["check", &file]), 1);
    let none = write(&folder("exit-codes"), "none.ndjson", b"no case\n");
    assert_eq!(code_of(&["query", &none, "--body", "-"]), 1);
    assert_eq!(code_of(&["stats", &file]), 0);
    assert_eq!(code_of(&["stats", "no-such-file"]), 1);
    assert_eq!(code_of(&["bench", "--file", "no-such-file"]), 1);
    assert_eq!(code_of(&["man", "--dir", &file]), 1);
    assert_eq!(code_of(&["query", &file]), 2);
    assert_eq!(code_of(&["shell", &file, "--no-such-flag"]), 2);
}

/// Names of files may be any bytes, wherever one is given.
#[cfg(unix)]
#[test]
fn names_of_files_that_are_no_utf8() {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;

    let folder = folder("names");
    let name = |bytes: &[u8]| folder.join(OsStr::from_bytes(bytes));
    let put = |bytes: &[u8], text: &str| {
        fs::write(name(bytes), text).unwrap();
        name(bytes).into_os_string()
    };
    let cases = put(b"c\xff.ndjson", "{\"k\":\"1\",\"createdAt\":5}\n");
    let map = put(b"m\xff.map", "_id=.k\n");
    let body = put(b"b\xff.json", "{\"limit\":0}");
    let classes = put(b"k\xff.ndjson", "{\"class\":\"all\",\"body\":{}}\n");
    let mut at_body = OsString::from("@");
    at_body.push(&body);
    let man = name(b"man\xff").into_os_string();
    let run = |words: &[&OsStr]| {
        let command = Command::new(env!("CARGO_BIN_EXE_getcases")).args(words).output().unwrap();
        assert_eq!(code(&command), 0, "{words:?} {}", err(&command));
        out(&command)
    };
    let plain = |word: &'static str| OsStr::new(word);
    let [map_flag, query] = [plain("--map"), plain("query")];
    let page = run(&[query, &cases, map_flag, &map, plain("--body"), &at_body]);
    assert!(page.contains("\"totalResults\":1"), "{page}");
    assert_eq!(run(&[query, &cases, map_flag, &map, plain("--requests"), &body]), page);
    run(&[plain("check"), &cases, map_flag, &map]);
    run(&[plain("stats"), &cases, map_flag, &map]);
    let bench: [&OsStr; 7] =
        [plain("bench"), plain("--file"), &cases, map_flag, &map, plain("--classes"), &classes];
    run(&bench);
    run(&[plain("man"), plain("--dir"), &man]);
}

#[test]
fn the_demo_runs_to_its_end() {
    let output = getcases(&["demo"], b"");
    let text = out(&output);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(text.contains("1. The sample request") && text.contains("\n8. "), "{text}");
    assert!(text.contains("ignored: name") && text.contains("; by a scan "), "{text}");
    assert!(text.contains("\n9. ") && text.contains("did you mean \"status\"?"), "{text}");
    assert!(text.contains("\n10. ") && text.contains("\nexamined  "), "{text}");
    // Nothing is wider than it may be where nothing tells how wide that is.
    let table = |line: &&str| line.contains("  ci-") || line.starts_with("ci-");
    assert!(text.lines().filter(table).all(|line| line.chars().count() <= 100), "{text}");
}
