//! What a store does in a second, beside SQLite alone and the engine alone doing the same writes;
//! and how long it takes to be opened.
//!
//! `cargo bench -p getcases-store -- --cases 1000000 [--shape seed]`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::path::Path;
use std::time::{Duration, Instant};

use getcases::{Batch, Context, Engine, Scope};
use getcases_store::{Options, Store};
use getcases_workload::{Shape, Workload};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// How many cases are changed before a store is opened by an older checkpoint.
const CHANGED: u64 = 10_000;

/// For how long each kind of writes is measured, and how often.
const TIME: Duration = Duration::from_secs(3);
const TURNS: usize = 3;

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

/// The same table and settings, without an engine.
fn sqlite(path: &Path, workload: &Workload) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 16384; PRAGMA cache_size = -65536;
             CREATE TABLE cases(scope INTEGER NOT NULL,_id TEXT NOT NULL,version INTEGER NOT NULL,
             checksum BLOB NOT NULL,document TEXT NOT NULL,UNIQUE(scope,_id))STRICT",
        )
        .unwrap();
    let all: Vec<u64> = (0..workload.len()).collect();
    for numbers in all.chunks(10_000) {
        upsert(&connection, &rows(&batch(workload, numbers.iter().copied())));
    }
    connection
}

fn upsert(connection: &rusqlite::Connection, rows: &[(String, String)]) {
    let prepared = |text| connection.prepare_cached(text).unwrap();
    prepared("BEGIN IMMEDIATE").execute(()).unwrap();
    let mut write = prepared(
        "INSERT INTO cases VALUES(1, ?, 1, x'00112233445566778899aabbccddeeff', ?)
         ON CONFLICT(scope, _id) DO UPDATE SET document = excluded.document, version = version + 1",
    );
    for (id, text) in rows {
        write.execute((id, text)).unwrap();
    }
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
    openings(&path, &workload);
    if std::env::args().any(|word| word == "--open") {
        return;
    }
    let (store, ..) = open(&path);
    let alone = std::sync::Mutex::new(sqlite(&folder.path().join("alone.sqlite"), &workload));
    let engine = Engine::new();
    for numbers in all.chunks(65_536) {
        engine.commit(batch(&workload, numbers.iter().copied())).unwrap();
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
