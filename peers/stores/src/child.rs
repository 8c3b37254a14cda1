//! What happens in a process of its own, since it may panic, hang, or is killed.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::candidate::{Kind, pair, workload};

/// How long a process may take to read a small store.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many documents the writer has to choose from.
const CASES: u64 = 1_000_000;
/// The line behind the last document of a store that was read.
const READ: &str = "read";

/// What a process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Tells the hash of every document, and then what the store's own check says.
    Read,
    /// Writes one document after the other, and tells each once it is durable, until it is killed.
    Write,
}

/// What a process had to say of a store.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The hash of each document by its key; nothing where the store said that something is wrong.
    pub documents: Option<HashMap<String, u64>>,
    /// Whether its own check found anything, by itself.
    pub is_found_by_check: bool,
    pub has_panicked: bool,
    pub has_hung: bool,
}

pub fn run(role: Role, kind: Kind, folder: &Path) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let store = kind.open(folder)?;
    if role == Role::Write {
        let workload = workload(CASES);
        for number in 0..CASES {
            store.write(&[pair(&workload, number)])?;
            writeln!(out, "{number}")?;
            out.flush()?;
        }
        return Ok(());
    }
    let mut told = Ok(());
    store.read(&mut |key, document| {
        let line = writeln!(out, "{} {}", String::from_utf8_lossy(key), hash(document));
        told = std::mem::replace(&mut told, Ok(())).and(line);
    })?;
    told?;
    writeln!(out, "{READ}")?;
    out.flush()?;
    let found = !matches!(store.check(), Ok(None));
    writeln!(out, "check {found}")?;
    Ok(())
}

pub fn hash(document: &[u8]) -> u64 {
    use std::hash::BuildHasher as _;
    foldhash::quality::FixedState::with_seed(7).hash_one(document)
}

fn start(role: &str, kind: Kind, folder: &Path) -> Result<Child> {
    let kind = kind.to_possible_value().context("a store without a name")?;
    let child = Command::new(std::env::current_exe()?)
        .args(["child", role, kind.get_name()])
        .arg(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(child)
}

/// Reads a store in a process of its own.
pub fn read(kind: Kind, folder: &Path) -> Result<Told> {
    let mut child = start("read", kind, folder)?;
    let mut out = child.stdout.take().context("no output")?;
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text)
    });
    let mut told = Told::default();
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > PATIENCE {
            told.has_hung = true;
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let text = reading.join().ok().context("the reader of a process")??;
    told.has_panicked = status.code().is_none_or(|code| code == 101) && !told.has_hung;
    told.is_found_by_check = !text.ends_with("check false\n");
    // A store that says that something is wrong is not read to the end.
    if text.lines().any(|line| line == READ) {
        let pairs = text.lines().take_while(|line| *line != READ);
        let pairs = pairs.filter_map(|line| line.rsplit_once(' '));
        let pairs = pairs.filter_map(|(key, hash)| Some((key.to_owned(), hash.parse().ok()?)));
        told.documents = Some(pairs.collect());
    }
    Ok(told)
}

/// Writes documents one by one in a process that is killed after so many; gives how many were told
/// to be durable.
pub fn write_and_kill(kind: Kind, folder: &Path, count: u64) -> Result<u64> {
    let mut child = start("write", kind, folder)?;
    let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    let mut last = 0;
    for line in lines.by_ref() {
        last = line?.parse::<u64>()? + 1;
        if last >= count {
            break;
        }
    }
    child.kill()?;
    // What was told between the last look and the end counts, too.
    for line in lines {
        last = line?.parse::<u64>()? + 1;
    }
    child.wait()?;
    Ok(last)
}
