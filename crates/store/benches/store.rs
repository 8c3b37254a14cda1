//! What a store does in a second, beside SQLite alone and the engine alone doing the same writes;
//! how long it takes to be opened; and how long readers wait while it is looked after.
//!
//! `cargo bench -p getcases-store -- --cases 1000000 [--shape seed] [--open|--readers]`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use getcases::{Batch, Context, Engine, Scope};
use getcases_store::{Options, Store};
use getcases_workload::{Shape, Workload};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rusqlite::OptionalExtension as _;

/// How many cases are changed before a store is opened by an older checkpoint.
const CHANGED: u64 = 10_000;

/// For how long each kind of writes is measured, and how often.
const TIME: Duration = Duration::from_secs(3);
const TURNS: usize = 3;

/// How many random cases fill a log, about: each is on a page of its own.
const LOG_CASES: u64 = 16_000;

fn argument(name: &str) -> Option<String> {
    let mut words = std::env::args().skip_while(|word| word != name);
    words.nth(1)
}

fn desk() -> Scope {
    Scope::new(getcases_workload::ACCOUNT_ID, getcases_workload::STREAM_ID)
}

fn document(workload: &Workload, number: u64) -> Vec<u8> {
    let mut text = Vec::new();
    workload.write_case(number, &mut text);
    text
}

fn batch(workload: &Workload, numbers: impl Iterator<Item = u64>) -> Batch<'static> {
    let (mut batch, desk) = (Batch::new(), desk());
    for number in numbers {
        batch.upsert(&desk, document(workload, number)).unwrap();
    }
    batch
}

/// Documents as SQLite alone is given them: made and parsed as for the others.
fn rows(batch: &Batch<'static>) -> Vec<(String, String)> {
    let row =
        |(_, id, text): (&Scope, &str, Option<&str>)| (id.to_owned(), text.unwrap().to_owned());
    batch.changes().map(row).collect()
}

/// Writes by so many threads, so many upserts of random cases each, until the time is over; gives
/// upserts a second. Batches are made before the clock starts, as many as may be needed.
fn measure(
    workload: &Workload,
    threads: u64,
    size: u64,
    write: impl Fn(Batch<'static>) + Sync,
) -> f64 {
    let most = match size {
        1 => 6_000,
        _ => 120,
    };
    let made: Vec<Vec<Batch<'static>>> = (0..threads)
        .map(|thread| {
            let mut random = ChaCha8Rng::seed_from_u64(thread);
            let count = if threads > 1 { most / 4 } else { most };
            (0..count)
                .map(|_| batch(workload, (0..size).map(|_| random.next_u64() % workload.len())))
                .collect()
        })
        .collect();
    let started = Instant::now();
    let done: u64 = std::thread::scope(|scope| {
        let write = &write;
        let writers: Vec<_> = made
            .into_iter()
            .map(|batches| {
                scope.spawn(move || {
                    let mut done = 0;
                    for batch in batches {
                        write(batch);
                        done += size;
                        if started.elapsed() > TIME {
                            break;
                        }
                    }
                    done
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    done as f64 / started.elapsed().as_secs_f64()
}

/// The same tables and settings, without an engine.
fn sqlite(path: &Path, workload: &Workload) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 16384; PRAGMA cache_size = -65536;
             CREATE TABLE cases(scope INTEGER NOT NULL,_id TEXT NOT NULL,version INTEGER NOT NULL,
             checksum BLOB NOT NULL,document TEXT NOT NULL,UNIQUE(scope,_id))STRICT;
             CREATE TABLE scopes(number INTEGER PRIMARY KEY,cases INTEGER NOT NULL,
             digest BLOB NOT NULL,generation INTEGER NOT NULL,checksum BLOB NOT NULL)STRICT;
             INSERT INTO scopes VALUES(1, 0, x'', 0, x'')",
        )
        .unwrap();
    let all: Vec<u64> = (0..workload.len()).collect();
    for numbers in all.chunks(10_000) {
        upsert(&connection, &rows(&batch(workload, numbers.iter().copied())));
    }
    connection
}

/// The statements of the store: each record's checksum is looked up, and the scope's row written.
fn upsert(connection: &rusqlite::Connection, rows: &[(String, String)]) {
    let prepared = |text| connection.prepare_cached(text).unwrap();
    // SQLite writes nothing where nothing changes.
    static WRITTEN: AtomicU64 = AtomicU64::new(1);
    let version = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let checksum = u128::from(version).to_le_bytes();
    let version = version as i64;
    prepared("BEGIN IMMEDIATE").execute(()).unwrap();
    let mut select = prepared("SELECT rowid, checksum FROM cases WHERE scope = 1 AND _id = ?");
    let mut insert = prepared("INSERT INTO cases VALUES(1, ?, ?, ?, ?)");
    let mut update =
        prepared("UPDATE cases SET version = ?, checksum = ?, document = ? WHERE rowid = ?");
    for (id, text) in rows {
        let old =
            select.query_row([id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 16]>(1)?)));
        match old.optional().unwrap() {
            Some((row, _)) => update.execute((version, checksum, text, row)).unwrap(),
            None => insert.execute((id, version, checksum, text)).unwrap(),
        };
    }
    prepared(
        "UPDATE scopes SET cases = ?, digest = ?, generation = ?, checksum = ? WHERE number = 1",
    )
    .execute((rows.len() as i64, checksum, version, checksum))
    .unwrap();
    prepared("COMMIT").execute(()).unwrap();
}

fn open(folder: &Path) -> (Store, Duration, Duration) {
    let started = Instant::now();
    let store = Store::open(folder, &Options::default()).unwrap();
    let opened = started.elapsed();
    let snapshot = store.snapshot(&desk());
    let body = br#"{"status":["open"],"sortBy":"dueDate"}"#;
    let answer = snapshot.search_json(body, &Context::default()).unwrap();
    assert!(answer.total_results > 0);
    (store, opened, started.elapsed())
}

/// How long a store takes to be opened by its checkpoint, by an older one, and without any.
fn openings(path: &Path, workload: &Workload) {
    for _ in 0..TURNS {
        let (store, opened, answered) = open(path);
        let started = Instant::now();
        store.proved().unwrap();
        println!(
            "opened in {opened:.2?}, first answer after {answered:.2?}, proved {:.2?} later",
            started.elapsed()
        );
        let stats = store.stats();
        println!("database {} bytes, memory {}", stats.database_bytes, stats.memory_bytes);
        let started = Instant::now();
        store.close().unwrap();
        println!("closed in {:.2?}", started.elapsed());
    }
    let changed = CHANGED.min(workload.len());
    let (store, ..) = open(path);
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let numbers = (0..changed).map(|_| random.next_u64() % workload.len());
    store.write(batch(workload, numbers)).unwrap();
    // As after a crash: nothing was closed.
    let lost = tempfile::tempdir_in(path.parent().unwrap()).unwrap();
    for file in std::fs::read_dir(path).unwrap().map(|file| file.unwrap().path()) {
        std::fs::copy(&file, lost.path().join(file.file_name().unwrap())).unwrap();
    }
    drop(store);
    let (store, _, answered) = open(lost.path());
    println!("{changed} cases changed since: {answered:.2?}, {:?}", store.opened());
    store.close().unwrap();
    std::fs::remove_file(lost.path().join("index.checkpoint")).unwrap();
    let (store, _, answered) = open(lost.path());
    println!("without a checkpoint: {answered:.2?}, {:?}", store.opened());
}

/// How long questions take while a store is looked after, beside how long they take else.
fn readers(path: &Path, workload: &Workload) {
    let (store, ..) = open(path);
    store.proved().unwrap();
    let body = br#"{"unresolved":true,"sortBy":"dueDate","limit":50}"#;
    // Every question's time until the work is over.
    let times = |work: &dyn Fn()| {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|threads| {
            let reader = threads.spawn(|| {
                let mut times = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let started = Instant::now();
                    let snapshot = store.snapshot(&desk());
                    snapshot.search_json(body, &Context::default()).unwrap();
                    times.push(started.elapsed());
                }
                times
            });
            work();
            is_over.store(true, Ordering::Relaxed);
            reader.join().unwrap()
        })
    };
    let mut random = ChaCha8Rng::seed_from_u64(9);
    for _ in 0..TURNS {
        for (name, work) in [
            ("idle", &(|| std::thread::sleep(TIME)) as &dyn Fn()),
            ("compaction", &|| store.compact().unwrap()),
            ("checkpoint", &|| store.checkpoint().unwrap()),
        ] {
            // So that there is something to keep.
            let numbers = (0..1000).map(|_| random.next_u64() % workload.len());
            store.write(batch(workload, numbers)).unwrap();
            let started = Instant::now();
            let mut times = times(work);
            let took = started.elapsed();
            times.sort_unstable();
            let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
            println!(
                "{name:<11} {took:>8.2?}: {} questions, median {:.1?}, p99 {:.1?}, longest {:.1?}",
                times.len(),
                at(0.5),
                at(0.99),
                at(1.0),
            );
        }
    }
}

fn main() {
    let cases = argument("--cases").map_or(100_000, |own| own.parse().unwrap());
    let shape = match argument("--shape").as_deref() {
        Some("seed") => Shape::Seed,
        _ => Shape::Lean,
    };
    let folder = tempfile::tempdir().unwrap();
    let workload = Workload::new(cases, 42, shape);
    let path = folder.path().join("store");
    let store = Store::open(&path, &Options::default()).unwrap();
    let all: Vec<u64> = (0..cases).collect();
    let (mut spent, mut bytes) = (Duration::ZERO, 0);
    for numbers in all.chunks(65_536) {
        let batch = batch(&workload, numbers.iter().copied());
        bytes += batch.changes().filter_map(|(.., text)| text).map(str::len).sum::<usize>();
        let started = Instant::now();
        store.write(batch).unwrap();
        spent += started.elapsed();
    }
    println!(
        "{cases} cases, {bytes} bytes: written in {spent:.1?}, {:.0} cases/s, parsed before",
        cases as f64 / spent.as_secs_f64()
    );
    store.close().unwrap();
    if std::env::args().any(|word| word == "--readers") {
        readers(&path, &workload);
        return;
    }
    openings(&path, &workload);
    if std::env::args().any(|word| word == "--open") {
        return;
    }
    let (store, ..) = open(&path);
    store.proved().unwrap();
    let alone = std::sync::Mutex::new(sqlite(&folder.path().join("alone.sqlite"), &workload));
    let engine = Engine::new();
    for numbers in all.chunks(65_536) {
        engine.commit(batch(&workload, numbers.iter().copied())).unwrap();
    }
    // From here on both overwrite a log that is as long as it becomes.
    for turn in 0..2 {
        let mut random = ChaCha8Rng::seed_from_u64(turn);
        for _ in 0..LOG_CASES / 1000 {
            let numbers = (0..1000).map(|_| random.next_u64() % workload.len());
            let batch = batch(&workload, numbers);
            upsert(&alone.lock().unwrap(), &rows(&batch));
            store.write(batch).unwrap();
        }
    }
    for (threads, size) in [(1, 1), (16, 1), (1, 1000)] {
        for _ in 0..TURNS {
            let own = measure(&workload, threads, size, |batch| drop(store.write(batch).unwrap()));
            let database = measure(&workload, threads, size, |batch| {
                upsert(&alone.lock().unwrap(), &rows(&batch));
            });
            let memory =
                measure(&workload, threads, size, |batch| drop(engine.commit(batch).unwrap()));
            println!(
                "{threads:2} writers, {size:4} a batch: store {own:7.0}/s, SQLite alone \
                 {database:7.0}/s, engine alone {memory:7.0}/s; {:.2} of the slower",
                own / database.min(memory)
            );
        }
    }
}
