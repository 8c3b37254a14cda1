//! Files that are far larger than they seem, or that never make a case: they are read, or refused,
//! in bounded memory, and can be left at any time.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use super::*;

/// How much memory a file may take beside its cases.
const BOUND: u64 = 64 << 20;
/// How much a member of a bomb unpacks to.
const MEMBER: usize = 16 << 20;

/// A gzip file of some text again and again, of so many members.
fn bomb(folder: &Path, name: &str, text: &[u8], members: usize) -> String {
    let text = text.repeat(MEMBER / text.len());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&text).unwrap();
    write(folder, name, &packed.finish().unwrap().repeat(members))
}

/// The most memory that a check of a file takes, and its exit code.
fn checked(file: &str, more: &[&str]) -> (u64, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_getcases"))
        .args([&["check", file], more].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(kilobytes.unwrap_or(0) * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            return (peak, status.code().unwrap());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn no_file_takes_more_memory_than_its_cases() {
    let folder = folder("bombs");
    let small = write(&folder, "small.ndjson", b"{\"_id\":\"1\"}\n");
    let (idle, _) = checked(&small, &[]);
    let long = format!("{{\"_id\":\"1\",\"name\":\"{}\"}}\n", "x".repeat(900_000));
    let bad = r#"{"_id":7,"status":5,"priority":5,"createdAt":"x","updatedAt":"y","ETA":"z"},"#;
    let bombs: [(&str, &[u8], usize, i32); 12] = [
        ("zeros", b"\0", 64, 1),
        ("spaces", b" ", 16, 0),
        ("lines", b"\n", 16, 0),
        ("brackets", b"[", 16, 1),
        ("braces", b"{\"a\":", 16, 1),
        ("quotes", b"\"x", 16, 1),
        ("words", b"x", 16, 1),
        ("columns.csv", b"a,", 4, 2),
        ("commas", b"[,", 4, 1),
        ("small", b"{},", 1, 1),
        ("long", long.as_bytes(), 16, 0),
        ("bad", bad.as_bytes(), 1, 1),
    ];
    for (name, text, members, expected) in bombs {
        let file = bomb(&folder, name, text, members);
        let (peak, code) = checked(&file, &[]);
        assert_eq!(code, expected, "{name}");
        assert!(peak < idle + BOUND, "{name}: {peak} bytes, where a small file takes {idle}");
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn a_key_press_ends_a_load_at_once() {
    let folder = folder("left");
    let file = bomb(&folder, "spaces", b" ", 4096);
    let started = Instant::now();
    // A job in the background is begun with the signal ignored, and so is what it starts.
    let words: &[&str] =
        if cfg!(target_os = "linux") { &["env", "--default-signal=INT"] } else { &[] };
    let words = [words, &[env!("CARGO_BIN_EXE_getcases"), "check", &file]].concat();
    let mut child = Command::new(words[0]).args(&words[1..]).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(child.try_wait().unwrap(), None, "it is still reading");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(2));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    fs::remove_file(file).unwrap();
}
