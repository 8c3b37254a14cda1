//! What reviewers would otherwise have to look for: import direction, width, stray notes.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the library, in the order of the road; each may import only those before it.
const ROOMS: &[&str] =
    &["trace", "threads", "value", "refusal", "case", "contract", "index", "query", "engine"];
/// The rooms of the index, and the files beside them, in the same order: there are no others.
const INDEX: &[&str] = &[
    "collections",
    "codec",
    "catalog",
    "substring",
    "segment",
    "zone_map",
    "index",
    "writer",
    "rebuild",
    "checkpoint",
    "mod",
];
/// The only files with `unsafe` code here; `cargo xtask test` runs the first two under Miri
/// where that is installed. The others call allocators and SQLite, which Miri cannot.
const KERNELS: &[&str] = &[
    "src/index/collections/arena.rs",
    "src/index/collections/kernels.rs",
    "src/engine/trim.rs",
    "crates/cli/src/memory.rs",
    "crates/store/tests/store/vfs.rs",
    "tests/it/counting.rs",
];
const WIDTH: usize = 100;
const ARCHITECTURE_LINES: usize = 150;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            found.extend(files(&path, extensions));
        } else if extensions.iter().any(|extension| name.ends_with(extension)) {
            found.push(path);
        }
    }
    found
}

fn room_of(file: &Path) -> Option<usize> {
    let inner = file.strip_prefix(root().join("src")).ok()?;
    let first = inner.components().next()?.as_os_str().to_string_lossy().into_owned();
    ROOMS.iter().position(|room| *room == first.trim_end_matches(".rs"))
}

/// The name that a path begins with.
fn first_name(path: &str) -> &str {
    path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// The names that stand behind a prefix in a line of code.
fn names_after<'l>(line: &'l str, prefix: &'l str) -> impl Iterator<Item = &'l str> {
    line.split(prefix).skip(1).map(first_name)
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for file in files(&root().join("src"), &[".rs"]) {
        let Some(own) = room_of(&file) else { continue };
        for line in fs::read_to_string(&file).unwrap().lines() {
            let code = line.split("//").next().unwrap_or_default();
            for room in names_after(code, "crate::") {
                match ROOMS.iter().position(|known| *known == room) {
                    Some(other) if other <= own => {}
                    _ => wrong.push(format!("{}: {line}", file.display())),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The place of a file of the index, or of a module of it, in the order of its rooms.
fn place_in_index(name: &str) -> Option<usize> {
    INDEX.iter().position(|known| *known == name.trim_end_matches(".rs"))
}

#[test]
fn imports_of_the_index_run_one_way() {
    let folder = root().join("src/index");
    let mut wrong = Vec::new();
    for file in files(&folder, &[".rs"]) {
        let inner = file.strip_prefix(&folder).unwrap();
        let first = inner.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let Some(own) = place_in_index(&first) else {
            wrong.push(format!("{} has no place among the rooms", file.display()));
            continue;
        };
        let is_in_room = inner.components().count() > 1;
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let by_super = names_after(code, "use super::").filter(|_| !is_in_room);
            for name in names_after(code, "crate::index::").chain(by_super) {
                if place_in_index(name).is_some_and(|other| other > own) {
                    wrong.push(format!("{}:{}: {line}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_writer_changes_an_index() {
    let index = fs::read_to_string(root().join("src/index/index.rs")).unwrap();
    assert!(!index.contains("&mut self"), "an index that is read has no way to change");
}

/// The modules beside it that a file imports, re-exports and tests apart: `mod.rs` is the module of
/// its folder.
fn imports_beside(file: &Path) -> Vec<PathBuf> {
    let (folder, code) = (file.parent().unwrap(), fs::read_to_string(file).unwrap());
    let code = code.split("#[cfg(test)]\nmod tests").next().unwrap();
    let is_mod = file.ends_with("mod.rs");
    let uses = code.lines().filter_map(|line| line.strip_prefix("use "));
    let found = uses.filter_map(|path| {
        let name = first_name(path.strip_prefix("super::").or(is_mod.then_some(path))?);
        let beside = folder.join(format!("{name}.rs"));
        let own = folder.join("mod.rs");
        // What is no module beside it is of its folder's own.
        let found = if !is_mod && !beside.exists() { own } else { beside };
        found.exists().then_some(found)
    });
    found.collect()
}

#[test]
fn no_two_files_import_each_other() {
    let mut wrong = Vec::new();
    for file in files(&root().join("src/index"), &[".rs"]) {
        let circles = imports_beside(&file)
            .into_iter()
            .filter(|other| *other > file && imports_beside(other).contains(&file));
        wrong.extend(circles.map(|other| format!("{} and {}", file.display(), other.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_room_is_in_the_order() {
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let room = name.trim_end_matches(".rs");
        assert!(room == "lib" || ROOMS.contains(&room), "{room} has no place on the road");
    }
}

#[test]
fn only_the_page_fetches_documents() {
    for file in files(&root().join("src/query"), &[".rs"]) {
        let fetches = fs::read_to_string(&file).unwrap().contains(".document");
        assert!(!fetches || file.ends_with("page.rs"), "{} fetches documents", file.display());
    }
}

/// A worker that waits in a parallel iterator takes up other tasks of its pool, whatever locks it
/// holds: only `threads` knows how to wait.
#[test]
fn only_threads_spreads_work() {
    for file in files(&root().join("src"), &[".rs"]) {
        let code = fs::read_to_string(&file).unwrap();
        let spreads = ["rayon::", ".par_", ".into_par_"].iter().any(|name| code.contains(name));
        assert!(!spreads || file.ends_with("threads.rs"), "{} spreads work", file.display());
    }
}

/// What another crate turns on of serde_json (`preserve_order`, `arbitrary_precision`) changes its
/// trees and maps: no answer is made of them.
#[test]
fn no_answer_is_written_by_serde_json() {
    const BY_SERDE: [&str; 3] =
        ["src/contract/by_serde.rs", "src/refusal/serialize.rs", "src/value/transcribe.rs"];
    for file in files(&root().join("src"), &[".rs"]) {
        let own = file.strip_prefix(root()).unwrap().to_string_lossy();
        let code = fs::read_to_string(&file).unwrap();
        let code = code.split("#[cfg(test)]\nmod tests").next().unwrap();
        let uses = code.contains("serde_json::") || code.contains("json!(");
        let may = BY_SERDE.contains(&&*own) || own.ends_with("tests.rs");
        assert!(!uses || may, "{own} writes by serde_json");
    }
}

#[test]
fn lines_are_short_and_no_notes_stay() {
    // Spelled in two halves, so that this file passes its own test.
    let notes =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:"), concat!("HA", "CK")];
    let mut wrong = Vec::new();
    let folders =
        ["src", "crates", "tests/it", "xtask", "benches", "examples", "fuzz/fuzz_targets", "peers"];
    for folder in folders {
        for file in files(&root().join(folder), &[".rs"]) {
            for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
                let note = notes.iter().any(|note| line.contains(note));
                if note || line.chars().count() > WIDTH {
                    wrong.push(format!("{}:{}: {line}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn architecture_fits_on_a_few_pages() {
    let lines = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap().lines().count();
    assert!(lines <= ARCHITECTURE_LINES, "{lines} lines");
}

#[test]
fn unsafe_code_stays_in_the_kernels() {
    for file in files(root(), &[".rs"]) {
        let code = fs::read_to_string(&file).unwrap();
        let own = file.strip_prefix(root()).unwrap().to_string_lossy();
        let allowed = code.contains(concat!("allow(unsafe", "_code)"));
        assert!(!allowed || KERNELS.contains(&&*own), "{own} has unsafe code");
        // Each block says why it is sound.
        let lines: Vec<_> = code.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate() {
            let opens = line.contains(concat!("unsafe", " {")) || line.starts_with("unsafe impl");
            let is_note = |line: &&&str| {
                line.starts_with("//") || line.starts_with("#[") || line.ends_with(" =")
            };
            let above = lines[..at].iter().rev().take_while(is_note);
            let mut reasons = above.filter(|above| above.contains(concat!("SAFE", "TY:")));
            assert!(!opens || reasons.next().is_some(), "{own}:{}: no reason given", at + 1);
        }
    }
}
