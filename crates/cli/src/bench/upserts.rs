//! Upserts of cases that are there: parsed, indexed and published, batch by batch.

use std::hint::black_box;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use getcases::{Case, Context, Engine, Query, Scope};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::source::Source;
use super::{peers, percentile};
use crate::args::BenchArgs;
use crate::memory;

const SEED: u64 = 2;
/// What a case takes over from another one when it changes.
const CHANGES: [&str; 3] = ["status", "currAssignee", "assigneeType"];
/// When cases change: each some milliseconds after the one before, as time goes.
const STARTED: u64 = 1_767_225_600_000;
const STEP_MS: u64 = 40;

/// What a reader asks meanwhile, and for how long it asks before, while nobody writes.
const READ: &[u8] = br#"{"unresolved":true,"sortBy":"dueDate"}"#;
const IDLE: Duration = Duration::from_secs(2);

pub(crate) fn run(args: &BenchArgs, count: usize, source: &Source) -> anyhow::Result<()> {
    let loaded = peers::load(source)?;
    let scope = loaded.scope()?;
    let before = memory::bytes("VmRSS:");
    let write = || write(args, count, source, &loaded.engine, &scope);
    let (samples, reads) = if args.reader {
        let query = Query::from_json(READ, &Context::default())?;
        let read = || _ = black_box(loaded.engine.snapshot(&scope).search_ids(&query));
        let ((), idle) = beside(&read, || std::thread::sleep(IDLE));
        let (samples, busy) = beside(&read, write);
        (samples?, Some([idle, busy].map(|times| percentile(times, 99))))
    } else {
        (write()?, None)
    };
    // What upkeep is left is done, as a host would: the memory after is that of rest.
    loaded.engine.maintain(usize::MAX);
    let after = memory::bytes("VmRSS:");
    let cases = loaded.engine.snapshot(&scope).len();
    let (median, p99) = (percentile(samples.clone(), 50), percentile(samples, 99));
    let a_second = args.batch.max(1) as f64 * 1e9 / median.max(1) as f64;
    let mut out = io::stdout().lock();
    if args.json {
        let line = json!({
            "cases": cases, "median_ns": median, "p99_ns": p99, "batch": args.batch.max(1),
            "cases_a_second": a_second as u64, "parsed": args.parsed,
            "resident_before": before, "resident_after": after,
            "read_p99_ns": reads.map(|[idle, busy]| json!({"idle": idle, "beside": busy})),
        });
        writeln!(out, "{line}")?;
        return Ok(());
    }
    let micros = |ns: u64| ns as f64 / 1e3;
    writeln!(
        out,
        "{cases} cases, batches of {}: median {:.1} µs, p99 {:.1} µs, {a_second:.0} cases/s; \
         {} MB resident before, {} after",
        args.batch.max(1),
        micros(median),
        micros(p99),
        before / 1_000_000,
        after / 1_000_000,
    )?;
    if let Some([idle, busy]) = reads {
        writeln!(
            out,
            "a reader beside it: p99 {:.1} µs, and {:.1} µs where nobody writes",
            micros(busy),
            micros(idle),
        )?;
    }
    Ok(())
}

/// Nanoseconds of each batch.
fn write(
    args: &BenchArgs,
    count: usize,
    source: &Source,
    engine: &Engine,
    scope: &Scope,
) -> anyhow::Result<Vec<u64>> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut samples = Vec::new();
    let batch_size = args.batch.max(1);
    let mut now = STARTED;
    for _ in 0..count.div_ceil(batch_size) {
        let documents: Vec<String> = (0..batch_size)
            .map(|_| {
                now += STEP_MS;
                changed(source, &mut random, now)
            })
            .collect::<Result<_, _>>()?;
        let read = |document: &String| Case::from_json(document.as_bytes());
        let cases: Vec<Case> =
            documents.iter().filter(|_| args.parsed).map(read).collect::<Result<_, _>>()?;
        let started = Instant::now();
        engine.write(|batch| {
            if args.parsed {
                return cases.into_iter().try_for_each(|case| batch.upsert_case(scope, case));
            }
            documents.iter().try_for_each(|document| batch.upsert(scope, document))
        })?;
        samples.push(started.elapsed().as_nanos() as u64);
    }
    Ok(samples)
}

/// Reads again and again on another thread while something is done; gives what that gave, and
/// nanoseconds of each time.
fn beside<T>(read: &(impl Fn() + Sync), work: impl FnOnce() -> T) -> (T, Vec<u64>) {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let mut times = Vec::new();
            // Once at least, however short the work is.
            loop {
                let asked = Instant::now();
                read();
                times.push(asked.elapsed().as_nanos() as u64);
                if is_done.load(Ordering::Relaxed) {
                    return times;
                }
            }
        });
        let done = work();
        is_done.store(true, Ordering::Relaxed);
        (done, reader.join().unwrap_or_default())
    })
}

/// A case with the status and the assignee of another one, updated now.
fn changed(source: &Source, random: &mut ChaCha8Rng, now: u64) -> anyhow::Result<String> {
    let mut any = || (random.next_u64() % source.len().max(1) as u64) as u32;
    let (one, other) = (any(), any());
    let mut case: Value = serde_json::from_slice(&source.document(one))?;
    let other: Value = serde_json::from_slice(&source.document(other))?;
    for key in CHANGES {
        if let Some(value) = other.get(key) {
            case[key] = value.clone();
        }
    }
    case["updatedAt"] = now.into();
    Ok(case.to_string())
}
