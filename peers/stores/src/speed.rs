//! Durable writes a second, bytes on the disk, and the time to be opened after a crash.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::Args;
use crate::candidate::{Candidate, Kind, Pair, pair, workload};
use crate::child;

/// How often each is measured, turn by turn.
const TURNS: usize = 3;
/// How many documents a large transaction has.
const MANY: usize = 1000;
/// How many threads write beside one another.
const WRITERS: usize = 16;
/// After how many commits a process is killed.
const KILLED_AFTER: u64 = 300;

/// What one store did.
#[derive(Default)]
struct Figures {
    /// Upserts a second: one writer and one document, several writers, many documents.
    one: Vec<f64>,
    several: Vec<f64>,
    many: Vec<f64>,
    load: f64,
    bytes: u64,
    opened: Vec<f64>,
}

/// Prints a table, a store a column.
pub fn measure(args: &Args, folder: &Path) -> Result<()> {
    let mut all: Vec<Figures> = args.stores.iter().map(|_| Figures::default()).collect();
    for (kind, own) in args.stores.iter().zip(&mut all) {
        let started = Instant::now();
        fill(*kind, &folder.join(kind.name()), args.cases)?;
        own.load = args.cases as f64 / started.elapsed().as_secs_f64();
        own.bytes = bytes(&folder.join(kind.name()))?;
    }
    for _ in 0..TURNS {
        for (kind, own) in args.stores.iter().zip(&mut all) {
            let path = folder.join(kind.name());
            let store = kind.open(&path)?;
            own.one.push(writes(args, &*store, 1, 1)?);
            own.several.push(writes(args, &*store, WRITERS, 1)?);
            own.many.push(writes(args, &*store, 1, MANY)?);
            drop(store);
            child::write_and_kill(*kind, &path, KILLED_AFTER)?;
            let started = Instant::now();
            let store = kind.open(&path)?;
            own.opened.push(started.elapsed().as_secs_f64());
            drop(store);
        }
    }
    let line = |name: &str, of: &dyn Fn(&Figures) -> String| {
        println!("| {name} | {} |", all.iter().map(of).collect::<Vec<_>>().join(" | "));
    };
    let names: Vec<_> = args.stores.iter().map(|kind| kind.name()).collect();
    println!("| {} documents | {} |", args.cases, names.join(" | "));
    println!("|---|{}", "--:|".repeat(names.len()));
    line("loaded, 1,000 a transaction, a second", &|own| format!("{:.0}", own.load));
    line("random upserts/s, 1,000 a transaction", &|own| format!("{:.0}", median(&own.many)));
    line("one a transaction, one writer", &|own| format!("{:.0}", median(&own.one)));
    line("one a transaction, 16 writers", &|own| format!("{:.0}", median(&own.several)));
    line("on the disk, MB", &|own| format!("{:.0}", own.bytes as f64 / 1e6));
    line("opened after a crash, ms", &|own| format!("{:.1}", median(&own.opened) * 1e3));
    Ok(())
}

fn fill(kind: Kind, path: &Path, cases: u64) -> Result<()> {
    let (store, workload) = (kind.open(path)?, workload(cases));
    let numbers: Vec<u64> = (0..cases).collect();
    for some in numbers.chunks(MANY) {
        let pairs: Vec<Pair> = some.iter().map(|number| pair(&workload, *number)).collect();
        store.write(&pairs)?;
    }
    Ok(())
}

/// Upserts of random documents a second.
fn writes(args: &Args, store: &dyn Candidate, threads: usize, size: usize) -> Result<f64> {
    let (workload, written) = (workload(args.cases), AtomicU64::new(0));
    let time = Duration::from_secs(args.seconds);
    let write = |thread: usize| -> Result<()> {
        let mut random = ChaCha8Rng::seed_from_u64(thread as u64);
        let made: Vec<Pair> =
            (0..size.max(MANY)).map(|_| pair(&workload, random.next_u64() % args.cases)).collect();
        let started = Instant::now();
        for some in made.chunks(size).cycle() {
            // SQLite writes nothing where a document is what it was.
            let stamp = random.next_u64().to_string();
            let changed =
                |(key, document): &Pair| (key.clone(), [&document[..], stamp.as_bytes()].concat());
            store.write(&some.iter().map(changed).collect::<Vec<_>>())?;
            written.fetch_add(size as u64, Ordering::Relaxed);
            if started.elapsed() > time {
                break;
            }
        }
        Ok(())
    };
    let started = Instant::now();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..threads).map(|own| scope.spawn(move || write(own))).collect();
        writers.into_iter().try_for_each(|own| own.join().ok().context("a writer panicked")?)
    })?;
    Ok(written.into_inner() as f64 / started.elapsed().as_secs_f64())
}

fn median(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// The bytes that the files of a folder take on the disk.
fn bytes(folder: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        sum += if about.is_dir() { bytes(&entry.path())? } else { about.blocks() * 512 };
    }
    Ok(sum)
}
