//! What each store says of a flipped bit, and of a log whose end is gone.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::Args;
use crate::candidate::{Kind, Pair, pair, workload};
use crate::child::{self, Told};

/// How many documents a store has that is damaged.
const CASES: u64 = 3000;
/// After how many commits a process is killed: before SQLite begins its log anew.
const KILLED_AFTER: u64 = 100;
/// How many of the last bytes of a log may be gone.
const CUT: u64 = 32 << 10;

/// What damage came to.
#[derive(Default)]
struct Counts {
    /// The store said so: it was not opened, or not read.
    told: u64,
    panicked: u64,
    hung: u64,
    /// Documents were others, or gone, and nothing was said; and how often its own check says so.
    silent: u64,
    found_by_check: u64,
    /// Every document was right.
    harmless: u64,
}

impl Counts {
    fn add(&mut self, told: &Told, is_right: impl Fn(&HashMap<String, u64>) -> bool) {
        match &told.documents {
            _ if told.has_hung => self.hung += 1,
            Some(documents) if is_right(documents) => self.harmless += 1,
            Some(_) => {
                self.silent += 1;
                self.found_by_check += u64::from(told.is_found_by_check);
            }
            None if told.has_panicked => self.panicked += 1,
            None => self.told += 1,
        }
    }
}

/// Prints a table of flipped bits and one of cut logs, a store a column.
pub fn measure(args: &Args, folder: &Path) -> Result<()> {
    let (mut flips, mut cuts) = (Vec::new(), Vec::new());
    for kind in &args.stores {
        flips.push(flipped(args, *kind, folder)?);
        cuts.push(cut(args, *kind, folder)?);
    }
    let names: Vec<_> = args.stores.iter().map(|kind| kind.name()).collect();
    for (what, all) in [
        (format!("of {} flipped bits of a closed store", args.flips), flips),
        (format!("of {} logs without their last bytes", args.cuts), cuts),
    ] {
        let line = |name: &str, of: &dyn Fn(&Counts) -> u64| {
            let own: Vec<_> = all.iter().map(|own| of(own).to_string()).collect();
            println!("| {name} | {} |", own.join(" | "));
        };
        println!("\n| {what} | {} |\n|---|{}", names.join(" | "), "--:|".repeat(names.len()));
        line("told when it was opened or read", &|own| own.told);
        line("a panic", &|own| own.panicked);
        line("hung", &|own| own.hung);
        line("other documents, in silence", &|own| own.silent);
        line("of these, found by its own check", &|own| own.found_by_check);
        line("harmless", &|own| own.harmless);
    }
    Ok(())
}

/// Turns bits over, one at a time, in copies of a store that was closed.
fn flipped(args: &Args, kind: Kind, folder: &Path) -> Result<Counts> {
    let (whole, copy) = (folder.join("whole"), folder.join("copy"));
    remove(&whole)?;
    let workload = workload(CASES);
    let pairs: Vec<Pair> = (0..CASES).map(|number| pair(&workload, number)).collect();
    let store = kind.open(&whole)?;
    pairs.chunks(100).try_for_each(|some| store.write(some))?;
    drop(store);
    let right = hashes(&pairs);
    let files = files(&whole)?;
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    let mut counts = Counts::default();
    for _ in 0..args.flips {
        remove(&copy)?;
        copy_all(&whole, &copy)?;
        let total: u64 = files.iter().map(|(_, length)| length).sum();
        let mut at = random.next_u64() % total;
        let file = files.iter().find(|(_, length)| {
            let is_here = at < *length;
            at -= if is_here { 0 } else { *length };
            is_here
        });
        let path = copy.join(&file.context("no file")?.0);
        let mut content = fs::read(&path)?;
        content[usize::try_from(at)?] ^= 1 << (random.next_u64() % 8);
        fs::write(&path, content)?;
        counts.add(&child::read(kind, &copy)?, |own| *own == right);
    }
    Ok(counts)
}

/// Cuts off the end of the log of a store whose process was killed.
fn cut(args: &Args, kind: Kind, folder: &Path) -> Result<Counts> {
    let (whole, copy) = (folder.join("whole"), folder.join("copy"));
    remove(&whole)?;
    let written = child::write_and_kill(kind, &whole, KILLED_AFTER)?;
    let workload = workload(1_000_000);
    let pairs: Vec<Pair> = (0..written).map(|number| pair(&workload, number)).collect();
    let right = hashes(&pairs);
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    let mut counts = Counts::default();
    for _ in 0..args.cuts {
        remove(&copy)?;
        copy_all(&whole, &copy)?;
        let log = copy.join(log(&whole)?);
        let content = fs::read(&log)?;
        // Room that was taken beforehand is empty.
        let end = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let gone = usize::try_from(random.next_u64() % CUT + 1)?;
        fs::write(&log, &content[..end.saturating_sub(gone)])?;
        // One that was not acknowledged may be there.
        counts.add(&child::read(kind, &copy)?, |own| {
            right.iter().all(|(key, hash)| own.get(key) == Some(hash))
        });
    }
    Ok(counts)
}

fn hashes(pairs: &[Pair]) -> HashMap<String, u64> {
    let hashes = pairs
        .iter()
        .map(|(key, document)| (String::from_utf8_lossy(key).into_owned(), child::hash(document)));
    hashes.collect()
}

/// The file that a store writes to: of all it has, the one that is the log, or the only one.
fn log(folder: &Path) -> Result<PathBuf> {
    let mut all = files(folder)?;
    let is_log = |name: &Path| {
        let name = name.to_string_lossy();
        name.ends_with("-wal") || name.ends_with(".jnl") || name.contains("journal")
    };
    all.retain(|(_, length)| *length > 0);
    let log = all.iter().find(|(name, _)| is_log(name));
    let largest = all.iter().max_by_key(|(_, length)| *length);
    Ok(log.or(largest).context("no file")?.0.clone())
}

/// The files below a folder, by name, with their lengths.
fn files(folder: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(own) = folders.pop() {
        for entry in fs::read_dir(own)? {
            let entry = entry?;
            let about = entry.metadata()?;
            match about.is_dir() {
                true => folders.push(entry.path()),
                false => found.push((entry.path().strip_prefix(folder)?.into(), about.len())),
            }
        }
    }
    found.sort();
    Ok(found)
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    for (name, _) in files(from)? {
        let to = to.join(&name);
        fs::create_dir_all(to.parent().context("no folder")?)?;
        fs::copy(from.join(&name), to)?;
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() { Ok(fs::remove_dir_all(folder)?) } else { Ok(()) }
}
