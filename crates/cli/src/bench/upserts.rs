//! Upserts of cases that are there: parsed, indexed and published, batch by batch.

use std::io::{self, Write};
use std::time::Instant;

use getcases::Refusal;
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

pub(crate) fn run(args: &BenchArgs, count: usize, source: &Source) -> anyhow::Result<()> {
    let loaded = peers::load(source)?;
    let scope = loaded.scope()?;
    let before = memory::bytes("VmRSS:");
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut samples: Vec<u64> = Vec::new();
    let batch_size = args.batch.max(1);
    let mut now = STARTED;
    for _ in 0..count.div_ceil(batch_size) {
        let documents: Vec<String> = (0..batch_size)
            .map(|_| {
                now += STEP_MS;
                changed(source, &mut random, now)
            })
            .collect::<Result<_, _>>()?;
        let started = Instant::now();
        loaded
            .engine
            .write(|batch| documents.iter().try_for_each(|document| batch.upsert(&scope, document)))
            .map_err(|refusal: Refusal| refusal)?;
        samples.push(started.elapsed().as_nanos() as u64);
    }
    // What upkeep is left is done, as a host would: the memory after is that of rest.
    loaded.engine.maintain(usize::MAX);
    let after = memory::bytes("VmRSS:");
    let cases = loaded.engine.snapshot(&scope).len();
    let (median, p99) = (percentile(samples.clone(), 50), percentile(samples, 99));
    let mut out = io::stdout().lock();
    if args.json {
        let line = json!({
            "cases": cases, "median_ns": median, "p99_ns": p99, "batch": batch_size,
            "resident_before": before, "resident_after": after,
        });
        writeln!(out, "{line}")?;
    } else {
        writeln!(
            out,
            "{cases} cases, batches of {batch_size}: median {:.1} µs, p99 {:.1} µs; \
             {} MB resident before, {} after",
            median as f64 / 1e3,
            p99 as f64 / 1e3,
            before / 1_000_000,
            after / 1_000_000,
        )?;
    }
    Ok(())
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
