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
mod files;
mod foreign;
mod query;
mod shell;
#[cfg(target_os = "linux")]
mod terminal;

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
    assert!(text.contains("ignored: name") && text.contains("; by a scan "), "{text}");
    assert!(text.contains("\n9. ") && text.contains("did you mean \"status\"?"), "{text}");
    assert!(text.contains("\n10. ") && text.contains("\nexamined  "), "{text}");
    // Nothing is wider than it may be where nothing tells how wide that is.
    let table = |line: &&str| line.contains("  ci-") || line.starts_with("ci-");
    assert!(text.lines().filter(table).all(|line| line.chars().count() <= 100), "{text}");
}
