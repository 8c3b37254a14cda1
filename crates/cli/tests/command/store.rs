//! Stores: loaded, changed, asked, checked and copied by the command.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{SEED, code, err, getcases, out, write};

/// Runs the command with the folder of a store behind `--store`.
fn at(store: &Path, words: &[&str], input: &str) -> std::process::Output {
    let store = store.to_str().unwrap();
    getcases(&[words, &["--store", store]].concat(), input.as_bytes())
}

fn folder(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("store-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

const SCOPE: [&str; 4] = ["--account", "a", "--stream", "s"];

/// Whoever takes no acknowledgements is no reason to lose lines and to say nothing.
#[test]
fn acknowledgements_that_nobody_reads_are_a_failure() {
    let store = folder("acks").join("store");
    let mut upsert = Command::new(env!("CARGO_BIN_EXE_getcases"));
    upsert.args(["upsert", "--acks", "--batch", "10", "--store"]).arg(&store);
    let pipes = upsert.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    for number in 0..30 {
        // It ends before it has read everything.
        let _ = writeln!(input, "{{\"_id\":\"{number}\"}}");
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(err(&output).contains("nothing behind line 10 is written"), "{}", err(&output));
    // What names no scope is where a load puts it.
    assert_eq!(out(&at(&store, &["scopes"], "")), "-\t-\t10\n");
}

#[test]
fn what_is_acknowledged_is_asked_exported_and_copied() {
    let folder = folder("round");
    let store = folder.join("store");
    let lines =
        "{\"_id\":\"2\",\"status\":\"open\"}\n\n{\"_id\":7}\n{\"_id\":\"1\",\"status\":\"new\"}";
    let upserted = at(&store, &[&["upsert", "--acks"][..], &SCOPE].concat(), lines);
    assert_eq!((upserted.status.code(), out(&upserted).as_str()), (Some(1), "2\n1\n"));
    assert!(err(&upserted).starts_with("line 3: "), "{}", err(&upserted));
    assert!(err(&upserted).ends_with("\ninserted 2 replaced 0 refused 1\n"), "{}", err(&upserted));
    let exported = out(&at(&store, &["export"], ""));
    let sorted = "{\"_id\":\"1\",\"status\":\"new\"}\n{\"_id\":\"2\",\"status\":\"open\"}\n";
    assert_eq!(exported, sorted);
    let asked = at(&store, &["query", "-w", "status:open"], "");
    let page: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!((page["totalResults"].as_u64(), &page["results"][0]["_id"]), (Some(1), &"2".into()));
    // A batch is larger than all that comes, and it is the only scope.
    let deleted = at(&store, &["delete", "--acks", "--batch", "100"], "2\n3\n");
    assert_eq!((deleted.status.code(), out(&deleted).as_str()), (Some(0), "2\n3\n"));
    assert_eq!(err(&deleted), "deleted 1 not there 1 refused 0\n");
    assert_eq!(out(&at(&store, &["scopes"], "")), "a\ts\t1\n");
    // An `_id` is taken as it is.
    let padded = "{\"_id\":\" 1 \"}\n";
    at(&store, &[&["upsert"][..], &SCOPE].concat(), padded);
    let deleted = at(&store, &["delete", "--acks"], " 1 \r\n");
    assert_eq!(
        (out(&deleted).as_str(), out(&at(&store, &["scopes"], ""))),
        (" 1 \n", "a\ts\t1\n".to_owned())
    );
    let got = at(&store, &["get", "1", "2"], "");
    assert_eq!((got.status.code(), out(&got).lines().count()), (Some(1), 1));
    let stats: Value =
        serde_json::from_slice(&at(&store, &["stats", "--json"], "").stdout).unwrap();
    assert_eq!(stats["cases"], 1);
    assert_eq!(at(&store, &["compact"], "").status.code(), Some(0));

    let (copy, back) = (folder.join("copy"), folder.join("back"));
    let words = |command, from: &Path, to: &Path| {
        let done = getcases(&[command, from.to_str().unwrap(), to.to_str().unwrap()], b"");
        (done.status.code(), err(&done))
    };
    assert_eq!(words("backup", &store, &copy).0, Some(0));
    assert_eq!(words("restore", &copy, &back).0, Some(0));
    // A folder that is there is left alone.
    assert_eq!(words("restore", &copy, &back).0, Some(1));
    let kept = "{\"_id\":\"1\",\"status\":\"new\"}\n";
    assert_eq!(out(&at(&back, &["export"], "")), kept);
    // The only scope is not taken out unless it is named.
    assert_eq!(at(&back, &["drop-scope"], "").status.code(), Some(2));
    let dropped = at(&back, &["drop-scope", "--account", "a", "--stream", "-"], "");
    assert_eq!(dropped.status.code(), Some(1), "there is no such scope");
    let dropped = at(&back, &["drop-scope", "--account", "a", "--stream", "s"], "");
    assert_eq!(dropped.status.code(), Some(0));
    assert_eq!(err(&dropped), "dropped account \"a\" stream \"s\": cases 1\n");
    at(&back, &["upsert", "--account", "a", "--stream", "s"], "{\"_id\":\"1\"}");
    assert_eq!(at(&back, &["drop-scope", "--only"], "").status.code(), Some(0));
    assert_eq!(out(&at(&back, &["export"], "")), "");
}

#[test]
fn a_relative_path_is_no_address() {
    let folder = folder("address");
    _ = fs::remove_dir_all(folder.join("file:x"));
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_getcases"));
        let output = command.args(words).current_dir(&folder).stdin(Stdio::null()).output();
        output.unwrap()
    };
    write(&folder, "cases.ndjson", b"{\"_id\":\"1\"}");
    let loaded = run(&["load", "--store", "file:x", "cases.ndjson"]);
    assert_eq!(code(&loaded), 0, "{}", err(&loaded));
    assert_eq!(out(&run(&["get", "--store", "file:x", "1"])), "{\"_id\":\"1\"}\n");
    assert_eq!(code(&run(&["backup", "file:x", "file:y"])), 0);
    assert_eq!(code(&run(&["verify", "--store", "file:y"])), 0);
    _ = fs::remove_dir_all(folder.join("file:y"));
}

#[test]
fn what_a_request_finds_is_exported() {
    let folder = folder("export");
    let store = folder.join("store");
    let case = |n: usize| {
        let name = if n == 3 { r#"a, \"b\"\nc"# } else { "x" };
        let due = if n.is_multiple_of(2) { format!(",\"dueDate\":{n}") } else { String::new() };
        format!("{{\"_id\":\"{n:04}\",\"name\":\"{name}\",\"queues\":[\"q{}\"]{due}}}\n", n % 3)
    };
    let lines: String = (0..2500).map(case).collect();
    let upserted = at(&store, &[&["upsert", "--batch", "500"][..], &SCOPE].concat(), &lines);
    assert_eq!(upserted.status.code(), Some(0), "{}", err(&upserted));
    // More than a page, in the order that is asked.
    let body = r#"{"queues":["q0"],"sortBy":"-dueDate","selectedColumns":["_id"]}"#;
    let exported = out(&at(&store, &["export", "--body", body], ""));
    let ids: Vec<String> = exported.lines().map(|line| line[8..12].to_owned()).collect();
    assert_eq!((ids.len(), &*ids[0], &*ids[416]), (834, "2496", "0000"), "{exported}");
    let three = r#"{"limit":3,"sortBy":"dueDate","unresolved":true}"#;
    assert_eq!(out(&at(&store, &["export", "--body", three], "")).lines().count(), 3);
    // A page that it names, an empty body, and what nothing reads.
    let rest = |body: &str| out(&at(&store, &["export", "--body", body], "")).lines().count();
    assert_eq!(rest(r#"{"skip":3}"#), 2497);
    assert_eq!((rest(r#"{"skip":2499,"limit":7}"#), rest(r#"{"skip":9000}"#)), (1, 0));
    let skipped = out(&at(&store, &["export", "--body", r#"{"skip":2,"limit":2}"#], ""));
    let second = out(&at(&store, &["export", "--body", r#"{"page":2,"limit":2}"#], ""));
    assert_eq!(skipped, second);
    let pages = at(&store, &["query", "--body", r#"{"page":2,"limit":2}"#], "");
    let page: Value = serde_json::from_slice(&pages.stdout).unwrap();
    let rows: Vec<Value> = second.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(page["results"], Value::from(rows));
    assert_eq!(out(&at(&store, &["export", "--body", ""], "")).lines().count(), 2500);
    assert_eq!(out(&at(&store, &["export", "--body", r#"{"limit":0}"#], "")), "");
    let misspelt = at(&store, &["export", "--body", r#"{"stauts":["open"],"limit":1}"#], "");
    assert!(err(&misspelt).contains("did you mean \"status\"?"), "{}", err(&misspelt));
    // A cursor goes on in another process.
    let first = at(&store, &["query", "--body", r#"{"cursor":true,"limit":2}"#], "");
    let first: Value = serde_json::from_slice(&first.stdout).unwrap();
    let next = format!(r#"{{"cursor":{},"limit":2}}"#, first["nextCursor"]);
    let second = at(&store, &["query", "--body", &next], "");
    let second: Value = serde_json::from_slice(&second.stdout).unwrap();
    assert_eq!(second["results"], page["results"]);
    let rows = out(&at(&store, &["export", "--format", "csv"], ""));
    let mut rows = csv::Reader::from_reader(rows.as_bytes());
    assert_eq!(rows.headers().unwrap(), vec!["_id", "name", "queues", "dueDate"]);
    let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2500);
    assert_eq!(rows[3], vec!["0003", "a, \"b\"\nc", "[\"q0\"]", ""]);
    assert_eq!(rows[2], vec!["0002", "x", "[\"q2\"]", "2"]);
    for (words, code, told) in [
        (&["export", "--body", "{\"limit\":-1}"][..], 1, "limit"),
        (&["export", "--body", "{\"page\":2,\"skip\":3}"], 1, "page"),
        (&["export", "--account", "another"], 1, "no such scope"),
        (&["export", "--body", "nothing"], 1, "JSON"),
        (&["export", "--user", "u"], 2, "--body"),
    ] {
        let refused = at(&store, words, "");
        assert_eq!(refused.status.code(), Some(code), "{words:?}");
        assert!(err(&refused).contains(told), "{words:?}: {}", err(&refused));
    }
}

#[test]
fn files_are_loaded_and_what_is_no_store_is_told() {
    let folder = folder("load");
    let store = folder.join("store");
    let missing = at(&store, &["export"], "");
    assert_eq!(missing.status.code(), Some(1));
    assert!(err(&missing).contains("is not there"), "{}", err(&missing));
    // A file that is not there makes no store, and a place that is taken no copy.
    let nowhere = at(&store, &["load", "nowhere.ndjson"], "");
    assert!(err(&nowhere).contains("cannot open nowhere.ndjson"), "{}", err(&nowhere));
    assert!(!store.exists());
    let file = format!("{SEED}/case.json");
    let loaded = at(&store, &["load", &file], "");
    assert_eq!((loaded.status.code(), err(&loaded).as_str()), (Some(0), "loaded 1 cases\n"));
    let [from, to] = [&store, &folder].map(|own| own.display().to_string());
    let copied = getcases(&["backup", &from, &to], b"");
    assert!(err(&copied).contains("it is there already"), "{}", err(&copied));
    let wrong = at(&store, &["upsert"], "{\"_id\":2,}\n");
    let told = "line 1: $: invalid_json: not strict JSON at column 10: ";
    assert!(err(&wrong).contains(told), "{}", err(&wrong));
    // The same as without a store.
    let body = ["query", "--body", "{}"];
    let asked = at(&store, &body, "");
    assert_eq!(asked.stdout, getcases(&[&body[..], &[&file]].concat(), b"").stdout);
    // Files and a store are two things.
    assert_eq!(at(&store, &["query", &file, "--body", "{}"], "").status.code(), Some(2));
}

/// A named pipe gives what is in it once.
#[test]
fn a_named_pipe_is_loaded() {
    let folder = folder("pipe");
    let (store, pipe) = (folder.join("store"), folder.join("cases.ndjson"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::write(pipe, "{\"_id\":\"1\"}\n"))
    };
    let loaded = at(&store, &["load", pipe.to_str().unwrap()], "");
    assert_eq!((code(&loaded), err(&loaded).as_str()), (0, "loaded 1 cases\n"));
    writer.join().unwrap().unwrap();
}

#[test]
fn damage_and_later_versions_have_their_exit_codes() {
    let folder = folder("verify");
    let store = folder.join("store");
    let file = format!("{SEED}/case.json");
    assert_eq!(at(&store, &["load", &file], "").status.code(), Some(0));
    let whole = at(&store, &["verify"], "");
    let told = "scopes 1 cases 1 findings 0\n";
    assert_eq!((whole.status.code(), out(&whole).as_str()), (Some(0), told));
    let database = store.join("cases.sqlite");
    let bytes = fs::read(&database).unwrap();
    let place = bytes.windows(6).position(|own| own == b"\"_id\":").unwrap();
    let mut damaged = bytes.clone();
    damaged[place + 1] ^= 1;
    fs::write(&database, &damaged).unwrap();
    let found = at(&store, &["verify"], "");
    assert_eq!(found.status.code(), Some(1));
    assert!(out(&found).contains("is not what its checksum is of"), "{}", out(&found));
    assert!(err(&found).contains("getcases export --despite-damage"), "{}", err(&found));
    // What is whole is printed, and what is not is told.
    let exported = |damaged: &[u8], words: &[&str]| {
        fs::write(&database, damaged).unwrap();
        at(&store, words, "")
    };
    fs::write(&database, &bytes).unwrap();
    assert_eq!(code(&at(&store, &["upsert"], "{\"_id\":\"whole\"}\n")), 0);
    let mut two = fs::read(&database).unwrap();
    let place = two.windows(6).position(|own| own == b"\"_id\":").unwrap();
    two[place + 1] ^= 1;
    assert_eq!(code(&exported(&two, &["export"])), 1);
    let kept = exported(&two, &["export", "--despite-damage"]);
    assert_eq!((code(&kept), out(&kept).lines().count()), (1, 1), "{}", err(&kept));
    assert!(err(&kept).contains("is not what its checksum is of"), "{}", err(&kept));
    fs::write(&database, &damaged).unwrap();
    let json: Value =
        serde_json::from_slice(&at(&store, &["verify", "--json"], "").stdout).unwrap();
    assert_eq!((&json["whole"], &json["findings"][0]["kind"]), (&false.into(), &"record".into()));
    // The version stands in the header, most significant byte first.
    let mut newer = bytes;
    newer[63] = 9;
    fs::write(&database, &newer).unwrap();
    let told = at(&store, &["verify"], "");
    assert_eq!(told.status.code(), Some(3));
    assert!(err(&told).contains("format 9"), "{}", err(&told));
}

/// Each acknowledgement comes while the input is open: nobody has to end it to know.
#[test]
fn acknowledgements_come_line_by_line() {
    let store = folder("acks").join("store");
    let mut child = Command::new(env!("CARGO_BIN_EXE_getcases"))
        .args([&["upsert", "--acks", "--store", store.to_str().unwrap()][..], &SCOPE].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut acks = BufReader::new(child.stdout.take().unwrap()).lines();
    for id in ["b", "a", "b"] {
        writeln!(input, r#"{{"_id":"{id}"}}"#).unwrap();
        assert_eq!(acks.next().unwrap().unwrap(), id);
    }
    // It is in use.
    let second = at(&store, &["upsert"], "");
    assert!(err(&second).contains("open in another process"), "{}", err(&second));
    drop(input);
    assert!(child.wait().unwrap().success());
}
